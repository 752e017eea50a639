"""What became of a run or a comparison in a few words: the first that a reader sees.

Law: the first that applies of what decides the exit code: interrupted, not valid, a gate that failed, one that is open.
"""

from __future__ import annotations

from collections.abc import Sequence

from cannon.reports.sentences import counted
from cannon.result import GateVerdict, Validity
from cannon.text import clean

__all__ = ["headline"]


def headline(gates: Sequence[GateVerdict], validity: Validity, interrupted: str | None = None) -> str:
    """`Failed: 1 of 3 gates`, `Passed: all 3 gates`, `Valid, no gates`, `Not valid: 1 of 3 gates failed`."""
    failed, undecided = _count(gates, "fail"), _count(gates, "inconclusive")
    if interrupted is not None or validity.verdict == "invalid":
        word = "Not valid" if interrupted is None else f"Interrupted by {clean(interrupted)}"
        return f"{word}: {_of(failed, gates)} failed" if failed else word
    if failed:
        return f"Failed: {_of(failed, gates)}" + (f", {undecided} open" if undecided else "")
    if undecided:
        return f"Open: {_of(undecided, gates)}, none failed"
    if gates:
        return "Passed: the gate" if len(gates) == 1 else f"Passed: all {len(gates)} gates"
    return f"{clean(validity.verdict).capitalize()}, no gates"


def _count(gates: Sequence[GateVerdict], verdict: str) -> int:
    return sum(gate.verdict == verdict for gate in gates)


def _of(count: int, gates: Sequence[GateVerdict]) -> str:
    return f"{count} of {counted(len(gates), 'gate')}"
