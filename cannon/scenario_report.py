"""What a scenario adds to the file of its comparison or run: its question and finding, its services, its events.

Law: what was started is told as it was, commands and configurations filled in; what was not measured is None.
"""

from __future__ import annotations

import msgspec

__all__ = ["NO_KEY", "CounterRow", "EventReport", "ScenarioReport", "ServiceReport", "SpreadReport"]

NO_KEY = "(none)"
"""What an answer without the key of a spread counts under, or no answer."""


class ServiceReport(msgspec.Struct, frozen=True, kw_only=True):
    """One service. `command`: as it ran, secrets redacted; `configuration`: the text of its file, filled in.

    `cpu_s`: CPU it used while it was fired at, with all its descendants; `page`: where its own page could be read.
    `lost`: how it ended by itself; None where it did not.
    """

    name: str
    command: str
    configuration: str | None
    page: str | None
    cpu_s: float | None
    lost: str | None


class EventReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to a service in mid-run: `action` is "stop" or "start", begun at `t_s` of the window and done at
    `done_s`. `note`: why it could not be done; None where it was.
    """

    t_s: float
    done_s: float
    action: str
    service: str
    note: str | None


class CounterRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a proxy says of itself when all is over: `kind` of proxy, `of`: which of its parts."""

    service: str
    kind: str
    of: str
    figures: dict[str, float]


class SpreadReport(msgspec.Struct, frozen=True, kw_only=True):
    """How requests to one side were spread: `counts` by the value of `key` in the bodies of `asked` answers, each to a
    request on a connection of its own.
    """

    side: str
    key: str
    asked: int
    counts: dict[str, int]


class ScenarioReport(msgspec.Struct, frozen=True, kw_only=True):
    """The scenario behind a comparison or a run. `finding`: its answer, a sentence with the numbers measured."""

    name: str
    question: str
    finding: str
    services: list[ServiceReport]
    events: list[EventReport]
    counters: list[CounterRow]
    spread: list[SpreadReport]
