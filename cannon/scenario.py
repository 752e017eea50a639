"""Scenario: which servers are started, what is fired at them, what is asked. cannon.scenario_file reads it from TOML.

Law: data alone. Nothing in it is a shell's line or code; a command is a list of words, and what runs is what is shown.

    question = "What does HAProxy cost in front of Node?"
    kind = "compare"                 or "run": one load, with events
    finding = "HAProxy takes {haproxy.rps.change}."
    differs = ["tls"]                what is under test, as --allow has it
    spread = "pid"                   a key of JSON bodies, by whose values answers are counted
    [load]                           the long options of the command line, without their dashes
    [[service]]                      name, command, ports, configuration, environment, ready, package, counters, page
    [[side]]                         name, url, settings (as --side has them)
    [[event]]                        at, stop or start
    [[gate]]                         expression
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from cannon.errors import UsageError
from cannon.placeholders import filled, names_in
from cannon.rounds import Allowed
from cannon.text import clean
from cannon.units import parse_duration, parse_percent

__all__ = [
    "Action",
    "CounterPlace",
    "Event",
    "Kind",
    "Scenario",
    "ServicePlan",
    "SideWords",
    "configuration_name",
]

_LARGEST_BYTES = 1 << 20
"""Of a configuration: a file that is longer was not meant."""


class Kind(StrEnum):
    """What is made of the load: a comparison of its sides, or one run at the only one."""

    COMPARE = "compare"
    RUN = "run"


class Action(StrEnum):
    """What an event does to a service."""

    STOP = "stop"
    START = "start"


class CounterPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a proxy tells its own numbers: `kind` of cannon.counters, `at`: a socket's path, or a URL."""

    kind: str
    at: str


class ServicePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server. `ports`: names, each a free port that `{port.NAME}` stands for, and on all of which it listens when
    it is ready; `ready`: a path that answers on the first of them then. `configuration`: a file beside the scenario,
    filled in and led to by `{configuration}`. `package`: what brings its program on Debian. `page`: for people.
    """

    name: str
    command: list[str]
    ports: list[str] = []
    configuration: str | None = None
    environment: dict[str, str] = {}
    ready: str | None = None
    package: str | None = None
    counters: CounterPlace | None = None
    page: str | None = None


class SideWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side, as a command line says it. `name`: empty where an option names the sides."""

    url: str
    name: str = ""
    settings: dict[str, Any] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to a service in mid-run. `at`: a time after the begin of the window, or a share of it: "25%"."""

    at: str
    stop: str | None = None
    start: str | None = None

    @property
    def action(self) -> Action:
        """Which of the two."""
        return Action.STOP if self.stop is not None else Action.START

    @property
    def service(self) -> str:
        """To whom."""
        return self.stop if self.stop is not None else self.start or ""

    def at_s(self, duration_s: float) -> float:
        """When, in a window of this length."""
        if self.at.endswith("%"):
            return float(parse_percent(self.at)) * duration_s
        return parse_duration(self.at) / 1e9


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that was read and checked. `file`: its path, to be shown; `folder`: where its files stand, `{here}`;
    `gates`: expressions.
    """

    name: str
    file: str
    folder: Path
    question: str
    kind: Kind
    finding: str
    services: tuple[ServicePlan, ...]
    sides: tuple[SideWords, ...]
    load: Mapping[str, Any]
    differs: tuple[Allowed, ...]
    spread: str | None
    events: tuple[Event, ...]
    gates: tuple[str, ...]

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of all ports."""
        return tuple(port for service in self.services for port in service.ports)

    @property
    def needs_certificate(self) -> bool:
        """Whether anything is led to one."""
        return any(name in ("cert", "key") for text in self._texts() for name in names_in(text))

    def filled(self, values: Mapping[str, str]) -> Scenario:
        """The same with its placeholders filled, but those of the finding. UsageError, which begins with the dotted
        key, for one that nothing fills.

        `{configuration}` of a service becomes its file in `{dir}`, which is not written here.
        """
        return msgspec.structs.replace(
            self,
            services=tuple(
                _filled_service(service, values, f"service[{number}]")
                for number, service in enumerate(self.services)
            ),
            sides=tuple(
                _filled_side(side, values, f"side[{number}]") for number, side in enumerate(self.sides)
            ),
            load=_mapped(self.load, values, "load"),
        )

    def configuration(self, service: ServicePlan, values: Mapping[str, str]) -> str | None:
        """The text of a service's configuration, filled in; None where it has none. UsageError, which begins with its
        path, for a placeholder that nothing fills, and for what is no text.
        """
        if service.configuration is None:
            return None
        return filled(self._text_of(service.configuration), values, clean(service.configuration))

    def _text_of(self, configuration: str) -> str:
        try:
            with open(self.folder / configuration, "rb") as file:
                data = file.read(_LARGEST_BYTES + 1)
            if len(data) > _LARGEST_BYTES:
                raise UsageError(
                    f"{clean(configuration)}: no configuration is longer than {_LARGEST_BYTES // 1024} KiB"
                )
            return data.decode()
        except OSError as error:
            raise UsageError(f"{clean(configuration)}: {clean(error.strerror or str(error))}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{clean(configuration)}: a configuration is a text in UTF-8") from None

    def _texts(self) -> Iterator[str]:
        for service in self.services:
            yield from service.command
            yield from service.environment.values()
            if service.configuration is not None:
                yield self._text_of(service.configuration)
        for table in (self.load, *(side.settings for side in self.sides)):
            yield from (str(value) for value in table.values())


def configuration_name(service: ServicePlan) -> str:
    """Of the file that a service's configuration is written to."""
    return f"{service.name}{Path(service.configuration or '').suffix}"


def _filled_service(service: ServicePlan, values: Mapping[str, str], where: str) -> ServicePlan:
    if service.configuration is not None:
        values = {**values, "configuration": f"{values['dir']}/{configuration_name(service)}"}
    counters = service.counters
    return msgspec.structs.replace(
        service,
        command=[
            filled(word, values, f"{where}.command[{number}]") for number, word in enumerate(service.command)
        ],
        environment={
            name: filled(text, values, f"{where}.environment.{name}")
            for name, text in service.environment.items()
        },
        counters=counters
        and CounterPlace(counters.kind, filled(counters.at, values, f"{where}.counters.at")),
        page=service.page and filled(service.page, values, f"{where}.page"),
    )


def _filled_side(side: SideWords, values: Mapping[str, str], where: str) -> SideWords:
    return msgspec.structs.replace(
        side,
        url=filled(side.url, values, f"{where}.url"),
        settings=_mapped(side.settings, values, f"{where}.settings"),
    )


def _mapped(table: Mapping[str, Any], values: Mapping[str, str], where: str) -> dict[str, Any]:
    """A table with its texts filled, those in lists too."""

    def one(value: object, key: str) -> object:
        if isinstance(value, str):
            return filled(value, values, key)
        return [one(each, key) for each in value] if isinstance(value, list) else value

    return {name: one(value, f"{where}.{clean(name, 60)}") for name, value in table.items()}
