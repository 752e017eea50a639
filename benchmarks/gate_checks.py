"""Checks of a gate against baselines: what became of each, and what they say together, as Markdown.

Law: what is false is known beforehand. A run at the same server as its baselines has changed in nothing, so a check
that fails there is false; one at the server that takes longer has to fail.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from cannon.gates import Verdict
from intervals import most_by_chance
from markdown import cell, line, spread, titled

__all__ = ["GATE", "LEAST_FOUND", "STRICT", "Check", "Kind", "table"]

GATE: Final = "p99 < base + 10%"
STRICT: Final = "p99 < base"
"""The same without an allowance: where nothing has changed it fails in 5 % of all cases, so that it tells whether the
interval is as long as it should be. The allowance hides that.
"""

LEAST_FOUND: Final = 0.8
"""The share of the slower runs that have to be found."""


class Kind(StrEnum):
    """What a run was at."""

    EQUAL = "the server of the baselines"
    SLOWER = "one that holds 30 % longer"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One run that was judged against the five before it.

    `setting`: the server and the load; `commit`: of which cannon. `fault`: why there is no verdict, "" where there is.
    `others`: the share of the machine that others took meanwhile. `verdicts`: by gate, that of GATE as the command told
    it, with its exit code. `value_ms` .. `high_ms`: of GATE. `own_ms`: the p99 by the server's own record.
    """

    kind: Kind
    setting: str
    number: int
    commit: str
    fault: str = ""
    others: float = 0.0
    wall_s: float = 0.0
    exit_code: int = 0
    verdicts: dict[str, Verdict] = {}
    value_ms: float | None = None
    bound_ms: float | None = None
    low_ms: float | None = None
    high_ms: float | None = None
    own_ms: float | None = None


_TITLES: Final = (
    *("gate", "run at", "checks", "pass", "inconclusive", "fail", "goal"),
    *("p99, ms", "by the server's own record, ms", "noise"),
)


def table(checks: Sequence[Check]) -> tuple[str, bool]:
    """The verdicts by gate and kind, and whether every goal was reached.

    noise: the standard deviation of ln p99 from run to run.
    """
    lines, reached = [titled(_TITLES)], True
    for kind in Kind:
        of_kind = [check for check in checks if check.kind is kind]
        judged = [check for check in of_kind if not check.fault]
        for gate in (GATE, STRICT):
            counts = _counts(judged, gate)
            goal, is_reached = _goal(kind, gate, counts[Verdict.FAIL], len(judged))
            reached = reached and is_reached
            values = [check.value_ms for check in judged if check.value_ms is not None]
            own = [check.own_ms for check in judged if check.own_ms is not None]
            lines.append(
                line(
                    (
                        *(f"`{gate}`", kind.value, f"{len(judged):,}"),
                        *(str(counts[verdict]) for verdict in _IN_ORDER),
                        *(goal, spread(values, ".3f"), spread(own, ".3f"), _noise(values)),
                    )
                )
            )
        faults = [check.fault for check in of_kind if check.fault]
        if faults:
            told = f"{len(faults)} without a verdict, the last: {cell(faults[-1])}"
            lines.append(line(("", kind.value, told, *[""] * (len(_TITLES) - 3))))
    return "\n".join(lines), reached


_IN_ORDER: Final = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)


def _counts(checks: Sequence[Check], gate: str) -> Mapping[Verdict, int]:
    return {verdict: sum(check.verdicts.get(gate) is verdict for check in checks) for verdict in Verdict}


def _goal(kind: Kind, gate: str, failed: int, count: int) -> tuple[str, bool]:
    """In words, and whether it was reached; of nothing it was not."""
    if kind is Kind.EQUAL:
        most = most_by_chance(count)
        return f"fail <= {most}", bool(count) and failed <= most
    if gate is not GATE:
        return "", True
    least = math.ceil(LEAST_FOUND * count)
    return f"fail >= {least}", bool(count) and failed >= least


def _noise(values: Sequence[float]) -> str:
    if len(values) < 2 or min(values) <= 0:
        return ""
    return f"{100 * statistics.stdev(map(math.log, values)):.1f} %"
