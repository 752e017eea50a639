"""Reads a Scenario from its file and checks it.

Law: what is wrong is found before anything is started, and told with the file and the dotted key: an unknown key, a key
given twice, a name that stands for nothing.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from cannon.errors import UsageError
from cannon.gates import Gate
from cannon.rounds import BASE, Allowed
from cannon.scenario import Event, Kind, Scenario, ServicePlan, SideWords
from cannon.text import clean

__all__ = ["read"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PORT_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LARGEST_BYTES = 256 * 1024
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
        raise UsageError(f"{shown}: it is no TOML: {clean(str(error))}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"{shown}: {_dotted(str(error))}") from None
    try:
        return _checked(path, given)
    except UsageError as error:
        raise UsageError(f"{shown}: {error.message}") from None


def _dotted(message: str) -> str:
    """A ValidationError's message, with the key before what is wrong with it."""
    told, _, place = message.partition(" - at `")
    key = place.rstrip("`").removeprefix("$").removeprefix(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", told)
    if unknown:
        return f"there is no key '{clean('.'.join(filter(None, (key, unknown[1]))))}' in a scenario"
    missing = re.fullmatch(r"Object missing required field `(.*)`", told)
    if missing:
        return f"the key '{'.'.join(filter(None, (key, missing[1])))}' is missing"
    return f"{clean(key)}: {clean(told)}" if key else clean(told)


def _checked(path: Path, given: _File) -> Scenario:
    _check_services(given, path.parent)
    _check_sides(given)
    gates = []
    for number, gate in enumerate(given.gate):
        try:
            gates.append(Gate.parse(gate.expression))
        except UsageError as error:
            raise UsageError(f"gate[{number}].expression: {error.message}") from None
    if gates and given.kind is Kind.COMPARE:
        raise UsageError('gate: a gate judges one run as yet; leave it out, or write kind = "run"')
    _check_events(given)
    return Scenario(
        name=path.stem,
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
        gates=tuple(gates),
    )


def _check_services(given: _File, folder: Path) -> None:
    names: set[str] = set()
    ports: set[str] = set()
    for number, service in enumerate(given.service):
        key = f"service[{number}]"
        if not _NAME.fullmatch(service.name):
            raise UsageError(
                f"{key}.name: '{clean(service.name, 60)}' is no name: it takes letters, digits and _,"
                " and begins with no digit"
            )
        if service.name in names:
            raise UsageError(f"{key}.name: two services have the name '{service.name}'; give each its own")
        names.add(service.name)
        if not service.command or not service.command[0]:
            raise UsageError(f'{key}.command: it has no word; e.g. command = ["node", "{{here}}/server.js"]')
        for port in service.ports:
            if not _PORT_NAME.fullmatch(port):
                raise UsageError(
                    f"{key}.ports: '{clean(port, 60)}' is no name of a port: it takes small letters, digits and _"
                )
            if port in ports:
                raise UsageError(f"{key}.ports: two ports have the name '{port}'; give each its own")
            ports.add(port)
        if service.ready is not None and not (service.ports and service.ready.startswith("/")):
            raise UsageError(
                f'{key}.ready: it is a path that answers on the first of its ports; e.g. ready = "/health"'
            )
        if service.configuration is not None and not (folder / service.configuration).is_file():
            raise UsageError(
                f"{key}.configuration: there is no file '{clean(service.configuration)}' beside the scenario"
            )


def _check_sides(given: _File) -> None:
    if not given.side:
        raise UsageError('side: there is none; e.g. [[side]] url = "http://127.0.0.1:{port.origin}/"')
    if given.kind is Kind.RUN and (len(given.side) > 1 or given.side[0].settings):
        raise UsageError('side: a run has one, and its settings stand in [load]; or write kind = "compare"')
    if given.kind is Kind.COMPARE and given.event:
        raise UsageError('event: events happen in a run; write kind = "run"')
    for number, side in enumerate(given.side):
        if side.name and (not _NAME.fullmatch(side.name) or side.name == BASE):
            raise UsageError(f"side[{number}].name: '{clean(side.name, 60)}' is no name for a side")


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
