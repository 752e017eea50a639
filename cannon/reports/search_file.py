"""A search for a rate as JSON, `cannon/search/1`: the answer, every trial, and the result of the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cannon.gates import Gate
from cannon.result import Result
from cannon.search import Finding, Trial

__all__ = ["SearchFile", "render", "schema"]

SCHEMA = "cannon/search/1"


class SearchFile(msgspec.Struct, frozen=True, kw_only=True):
    """One search. `verdict`: "found", "at_least" (no higher rate is known to hold or not) or "none", with the reason.

    `unit` is that of the trials' values, in the order in which they came; a trial's verdict is "pass", "fail" or
    "inconclusive" (cannon was the limit). `result`: of the rate that was found; else of the lowest that was tried.
    `interrupted`: the signal that ended it.
    """

    schema: str
    gate: str
    unit: str
    found_per_s: float | None
    verdict: str
    reason: str
    trials: list[Trial]
    interrupted: str | None
    result: Result | None


def render(
    gate: Gate, trials: Sequence[Trial], finding: Finding, result: Result | None, interrupted: str | None
) -> bytes:
    """One JSON document, UTF-8, indented, ending in a newline."""
    document = SearchFile(
        schema=SCHEMA,
        gate=gate.expression,
        unit=gate.unit.value,
        found_per_s=finding.per_s,
        verdict=finding.outcome.value,
        reason=finding.reason,
        trials=list(trials),
        interrupted=interrupted,
        result=result,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    described = msgspec.json.schema(SearchFile)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **described}
