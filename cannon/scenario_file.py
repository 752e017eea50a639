"""Reads a Scenario from its file and checks it.

Law: what is wrong is found before anything is started, and told with the file and the dotted key: an unknown key, a key
given twice, a name that stands for nothing.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import msgspec

from cannon.counters import KINDS
from cannon.errors import UsageError
from cannon.filling import values_of
from cannon.rounds import BASE, Allowed
from cannon.scenario import Event, Kind, Scenario, ServicePlan, SideWords
from cannon.slots import OWN
from cannon.text import clean
from cannon.toml_faults import of_syntax, of_type

__all__ = ["read"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PORT_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VARIABLE = re.compile(r"[^=\0]+")
_PATH = re.compile(r"/[!-~]*")
_WORDS = {"kind": tuple(Kind), "differs": tuple(Allowed)}
"""The words that a key takes."""
_LARGEST_BYTES = 64 * 1024
"""Nobody writes a longer one; a device that never ends is none."""


class GateLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has to hold."""

    expression: str


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of the file."""

    question: str
    kind: Kind
    finding: str
    service: list[ServicePlan]
    side: list[SideWords]
    load: dict[str, Any] = {}
    differs: list[Allowed] = []
    spread: str | None = None
    event: list[Event] = []
    gate: list[GateLine] = []


def read(path: Path) -> Scenario:
    """The scenario of a file. UsageError, which names it, for whatever is wrong with it."""
    shown = clean(str(path))
    data = b""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise UsageError(f"{shown}: no scenario is longer than {_LARGEST_BYTES // 1024} KiB")
        table = tomllib.loads(data.decode())
        given = msgspec.convert(table, _File)
    except OSError as error:
        raise UsageError(f"{shown}: {clean(error.strerror or str(error))}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{shown}: a scenario is a text in UTF-8") from None
    except RecursionError:
        raise UsageError(f"{shown}: it is nested too deep") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{shown}: {of_syntax(error, data.decode())}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"{shown}: {of_type(error, _WORDS)}") from None
    except ValueError:
        # Of tomllib too: Python reads no number of thousands of digits.
        raise UsageError(f"{shown}: a number in it is too long") from None
    try:
        return _checked(path, given)
    except UsageError as error:
        raise UsageError(f"{shown}: {error.message}") from None


def _checked(path: Path, given: _File) -> Scenario:
    _check_services(given, path.parent)
    _check_sides(given)
    _check_events(given)
    found = Scenario(
        name=path.stem,
        file=clean(str(path)),
        folder=path.parent.absolute(),
        question=clean(given.question),
        kind=given.kind,
        finding=given.finding,
        services=tuple(given.service),
        sides=tuple(given.side),
        load=given.load,
        differs=tuple(given.differs),
        spread=given.spread,
        events=tuple(given.event),
        gates=tuple(gate.expression for gate in given.gate),
    )
    _check_placeholders(found)
    return found


def _check_placeholders(found: Scenario) -> None:
    """All but those of the finding, whose names are for who knows the sides."""
    values = values_of(found, Path(), dict.fromkeys(found.ports, 1))
    found.filled(values)
    for service in found.services:
        found.configuration(service, values)


def _check_services(given: _File, folder: Path) -> None:
    names: set[str] = set()
    ports: set[str] = set()
    for number, service in enumerate(given.service):
        key = f"service[{number}]"
        _check_name(service.name, names, f"{key}.name")
        names.add(service.name)
        if not service.command or not service.command[0]:
            raise UsageError(f'{key}.command: it has no word; e.g. command = ["node", "{{here}}/server.js"]')
        if "\0" in "".join((*service.command, *service.environment.values())):
            raise UsageError(f"{key}: no command and no environment can hold a NUL")
        for variable in service.environment:
            if not _VARIABLE.fullmatch(variable):
                raise UsageError(
                    f"{key}.environment: '{clean(variable, 60)}' is no name of a variable; e.g. PORT = \"{{port.web}}\""
                )
        for port in service.ports:
            if not _PORT_NAME.fullmatch(port):
                raise UsageError(
                    f"{key}.ports: '{clean(port, 60)}' is no name of a port: it takes small letters, digits and _"
                )
            if port in ports:
                raise UsageError(f"{key}.ports: two ports have the name '{port}'; give each its own")
            ports.add(port)
        _check_places(service, folder, key)


def _check_name(name: str, taken: AbstractSet[str], key: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{key}: '{clean(name, 60)}' is no name: it takes letters, digits and _, and begins with no digit"
        )
    if name == OWN:
        raise UsageError(f"{key}: '{OWN}' is what measures; give the service a name of its own")
    if name in taken:
        raise UsageError(f"{key}: two services have the name '{name}'; give each its own")


def _check_places(service: ServicePlan, folder: Path, key: str) -> None:
    """Where it is ready, where its numbers are, and its file."""
    if service.ready is not None and not (service.ports and _PATH.fullmatch(service.ready)):
        raise UsageError(
            f'{key}.ready: it is a path that answers on the first of its ports; e.g. ready = "/health"'
        )
    if service.counters is not None and service.counters.kind not in KINDS:
        raise UsageError(
            f"{key}.counters.kind: '{clean(service.counters.kind, 60)}' is no kind of proxy that can be read; they are"
            f" {', '.join(KINDS)}"
        )
    # Not Path.is_file, which raises for a name that is too long.
    if service.configuration is not None and not os.path.isfile(folder / service.configuration):
        raise UsageError(
            f"{key}.configuration: there is no file '{clean(service.configuration)}' beside the scenario"
        )


def _check_sides(given: _File) -> None:
    if not given.side:
        raise UsageError('side: there is none; e.g. [[side]] url = "http://127.0.0.1:{port.origin}/"')
    if given.kind is Kind.RUN and (len(given.side) > 1 or given.side[0].settings):
        raise UsageError('side: a run has one, and its settings stand in [load]; or write kind = "compare"')
    if given.kind is Kind.RUN and given.differs:
        raise UsageError(
            'differs: one run has no sides that could differ; leave it out, or write kind = "compare"'
        )
    if given.kind is Kind.COMPARE and given.event:
        raise UsageError('event: events happen in a run; write kind = "run"')
    for number, side in enumerate(given.side):
        if side.name and (not _NAME.fullmatch(side.name) or side.name == BASE):
            raise UsageError(f"side[{number}].name: '{clean(side.name, 60)}' is no name for a side")
        if side.name and side.name in [before.name for before in given.side[:number]]:
            raise UsageError(f"side[{number}].name: two sides have the name '{side.name}'; give each its own")


def _check_events(given: _File) -> None:
    names = [service.name for service in given.service]
    for number, event in enumerate(given.event):
        key = f"event[{number}]"
        if (event.stop is None) == (event.start is None):
            raise UsageError(f'{key}: it stops a service or starts it again; e.g. at = "3s", stop = "web1"')
        if event.service not in names:
            raise UsageError(
                f"{key}.{event.action}: '{clean(event.service, 60)}' is none of the services {', '.join(names)}"
            )
        try:
            at_s = event.at_s(100.0)
        except (UsageError, ValueError):
            raise UsageError(
                f'{key}.at: \'{clean(event.at, 60)}\' is no time; e.g. at = "3s", or a share: at = "25%"'
            ) from None
        if at_s < 0 or (event.at.endswith("%") and not at_s <= 100):
            raise UsageError(f'{key}.at: it lies inside the window; e.g. at = "25%"')
