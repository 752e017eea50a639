"""What a comparison found, as its file has it: the plan, the rounds as measured, the rows, and what to make of them.

The fields are those of the file `cannon/comparison/1`; the JSON Schema is derived from these types, so what is written
and what is promised cannot part. None, never 0 or NaN, where there is nothing to tell. Nothing here measures or prints.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from cannon.equivalence import Equivalence
from cannon.host import Host
from cannon.result import INTERRUPTED, Cannon, GateVerdict
from cannon.rows import Change, Noise, Row
from cannon.scenario_report import ScenarioReport
from cannon.settings import PlanSettings
from cannon.slots import Dropped, Round
from cannon.validity import Validity

__all__ = ["SCHEMA", "CommonRate", "Comparison", "Compression", "Handshake", "SideReport", "Worth", "schema"]

SCHEMA = "cannon/comparison/1"


class SideReport(msgspec.Struct, frozen=True, kw_only=True):
    """One side. `outside`: requests that are in no slot of `rounds`: probes, the rounds that were thrown away or
    dropped, handshakes. With nothing in flight, these and `sent` and `outside` of its slots are the server's own count.
    """

    name: str
    url: str
    settings: PlanSettings
    outside: int


class CommonRate(msgspec.Struct, frozen=True, kw_only=True):
    """At what rate the latency pass was fired. `asked`: by the user, None: found. `reason`: in words, how."""

    per_s: float
    asked: float | None
    reason: str


class Worth(StrEnum):
    """What a coding is worth. BREAK_EVEN: it gains on links slower than that. AT_LEAST: its time is not to be told from
    none, so it gains at least on links slower than `low`. FREE: it takes no time, and gains on every link. LARGER: it
    saves no bytes. UNKNOWN: nobody has measured its time, or too few rounds tell it from none.
    """

    BREAK_EVEN = "break_even"
    AT_LEAST = "at_least"
    FREE = "free"
    LARGER = "larger"
    UNKNOWN = "unknown"


class Compression(msgspec.Struct, frozen=True, kw_only=True):
    """What a coding saves, by side. Bytes are of one response's body; `ratio`: of those of identity to its own.

    `break_even_mbit_s`: the speed of a link on which the coding neither gains nor loses, of the sides beyond the base;
    None where there is none, and `worth` says why. AT_LEAST: `high` is open, and the estimate is `low`.
    """

    wire_bytes: dict[str, float]
    decoded_bytes: dict[str, int]
    ratio: dict[str, float]
    break_even_mbit_s: dict[str, Change | None]
    worth: dict[str, Worth]


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """What connections of one side cost, in ms, the medians of the rounds and their interval: a dial alone, a whole
    handshake, a resumed one. None where it has no TLS, or no session was resumed.
    """

    side: str
    connect_ms: Change | None
    fresh_ms: Change | None
    resumed_ms: Change | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison, as its file has it. The first of `sides` is the base.

    `plan`: the base's, as the latency pass fired it. `rate`: None where no latency pass was begun. `noise`: what it
    could have seen. `warnings`: what may lead a reader astray, a line each. `compression`, `handshakes`: None, empty,
    where they are not under test.
    """

    schema: str
    cannon: Cannon
    host: Host
    started: str
    finished: str
    mode: str
    plan: PlanSettings
    sides: list[SideReport]
    seed: int
    order: str
    margin_pct: float
    rounds_asked: int
    slot_s: float
    lead_in_s: float
    rate: CommonRate | None
    rounds: list[Round]
    dropped: list[Dropped]
    rows: list[Row]
    noise: list[Noise]
    equivalence: Equivalence
    compression: Compression | None
    handshakes: list[Handshake]
    warnings: list[str]
    gates: list[GateVerdict]
    validity: Validity
    interrupted: str | None
    scenario: ScenarioReport | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this: the first that applies."""
        if self.interrupted:
            return INTERRUPTED[self.interrupted]
        if self.validity.verdict == "invalid":
            return 3
        return 4 if any(gate.verdict == "fail" for gate in self.gates) else 0

    def to_json(self) -> bytes:
        """The file: one JSON document, indented, ending in a newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Comparison:
        """The Comparison of a file; msgspec.ValidationError names what does not fit."""
        return msgspec.json.decode(data, type=cls)


def schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    described = msgspec.json.schema(Comparison)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **described}
