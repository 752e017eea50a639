"""Runs and comparisons whose figures are told, for the tests of what gates are judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cannon.comparison import Comparison
from cannon.gate_grammar import Known
from cannon.result import Result
from cannon.rounds import Pass
from tests.comparisons import BASE, SIDE, a_comparison, a_round, a_slot
from tests.results import a_result

__all__ = ["SIDES", "a_run", "compared", "runs", "saturated"]

SIDES = Known((BASE, SIDE), ("nginx",), baseline=True)
"""What a gate of the usual comparison may name."""

_LEAST = 20_000
"""Samples enough for p99.9 in every slot."""


def a_run(**latency_ms: float | None) -> Result:
    """A run of ten seconds with these figures of its latency."""
    result = a_result()
    return msgspec.structs.replace(
        result, latency_ms=msgspec.structs.replace(result.latency_ms, **latency_ms)
    )


def runs(*p99_ms: float) -> list[Result]:
    """One run for each p99."""
    return [a_run(p99=value) for value in p99_ms]


def saturated(result: Result) -> Result:
    """The same, with cannon as the limit."""
    return msgspec.structs.replace(result, client=msgspec.structs.replace(result.client, saturated=True))


def compared(
    values: Mapping[str, Sequence[Any]],
    field: str = "p99_ms",
    of: Pass = Pass.LATENCY,
    **changes: Any,
) -> Comparison:
    """A comparison of which each side has this field in the rounds of one pass; `changes`: of all its slots."""
    lengths = {len(each) for each in values.values()}
    assert len(lengths) == 1
    samples: dict[str, Any] = {
        "count": _LEAST,
        "sent": _LEAST,
        "completed": _LEAST,
        "status": {"200": _LEAST},
    } | changes
    rounds = [
        a_round(
            of,
            number + 1,
            {name: a_slot(**(samples | {field: each[number]})) for name, each in values.items()},
        )
        for number in range(lengths.pop())
    ]
    return a_comparison(rounds=rounds)
