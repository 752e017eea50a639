"""The judge: which values of what was measured a gate sets against which, and what becomes of it.

Law: pure, and a verdict whatever was measured. Where there is nothing to judge by, on either side of the operator, a
gate fails and the reason says whose. weighing.py finds the value, its bound and its ends, ruling.py the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

from cannon.comparison import Comparison
from cannon.gates import BASE, Gate, Reference
from cannon.result import GateVerdict, Result
from cannon.ruling import rule, unmeasured
from cannon.samples import Sample, is_total, of_run, of_side
from cannon.weighing import against_literal, against_overheads, against_runs, against_side

__all__ = ["judge_comparison", "judge_run"]

_NO_BASELINE = "there is no baseline"


def judge_run(gate: Gate, result: Result, baselines: Sequence[Result] = ()) -> GateVerdict:
    """What a plain run says of a gate; `baselines`: the earlier runs that `base` stands for."""
    sample = of_run(gate, result)
    bound = gate.bound
    if not isinstance(bound, Reference):
        return _lacking(gate, sample) or rule(gate, against_literal(sample, bound.value))
    earlier = [of_run(gate, each) for each in baselines]
    return _lacking(gate, sample, *_numbered(earlier)) or rule(
        gate, against_runs(gate, bound, sample, earlier)
    )


def judge_comparison(gate: Gate, comparison: Comparison, baselines: Sequence[Comparison] = ()) -> GateVerdict:
    """What a comparison says of a gate.

    `base` stands for the same comparison earlier: what a side takes beyond the first one is set against what it took
    beyond it then, which carries over from one machine to another. Of the first side the value itself is, and so it is
    of totals, and of the CPU of a process, which idles while the other side is fired at.
    """
    first, *_, last = (side.name for side in comparison.sides)
    side = gate.side or last
    sample = of_side(gate, comparison, side)
    bound = gate.bound
    if not isinstance(bound, Reference):
        return _lacking(gate, sample) or rule(gate, against_literal(sample, bound.value))
    if bound.name != BASE:
        other = of_side(gate, comparison, bound.name)
        return _lacking(gate, sample, (bound.name, other)) or rule(
            gate, against_side(gate, bound, sample, other)
        )
    earlier = [of_side(gate, each, side) for each in baselines]
    if side == first or is_total(gate.metric) or gate.process is not None:
        return _lacking(gate, sample, *_numbered(earlier)) or rule(
            gate, against_runs(gate, bound, sample, earlier)
        )
    today = of_side(gate, comparison, first)
    then = [of_side(gate, each, first) for each in baselines]
    return _lacking(gate, sample, (first, today), *_numbered(earlier), *_numbered(then)) or rule(
        gate,
        against_overheads(gate, bound, (sample, today), list(zip(earlier, then, strict=True)), first),
    )


def _numbered(earlier: Sequence[Sample]) -> list[tuple[str, Sample]]:
    """Baselines in the order in which they were given; what stands for them where there is none."""
    found = [(f"baseline {number}", sample) for number, sample in enumerate(earlier, start=1)]
    return found or [("", Sample(reason=_NO_BASELINE))]


def _lacking(gate: Gate, sample: Sample, *others: tuple[str, Sample]) -> GateVerdict | None:
    """The verdict where there is nothing to judge by; None where there is. `others`: with whose they are."""
    for whose, each in (("", sample), *others):
        if each.reason:
            return unmeasured(gate, sample.values, f"{whose}: {each.reason}" if whose else each.reason)
    return None
