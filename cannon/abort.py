"""Whether a run can still pass, and what its gates come to where it could not and was ended for that.

Law: pure. A gate is hopeless when the value that suits it best, of all that the run may still come to (outlook.py),
would be judged as failed, by the same rules and the same baselines as at the end: so a run that passes in the end was
never hopeless, and none is ended for a gate that would be open. In a closed loop this holds while no worker gets faster
than in its fastest tick so far, and the reason says so. While cannon is the limit, what it may have brought about
itself ends nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from cannon.gates import Gate, Reference, Verdict
from cannon.metrics import Metric, Unit, shown
from cannon.outlook import Outlook
from cannon.progress import SoFar
from cannon.result import GateVerdict, Result
from cannon.ruling import rule
from cannon.samples import Sample, of_run
from cannon.units import format_duration
from cannon.weighing import Weighed, against_literal, against_runs

__all__ = ["Abort", "hopeless"]

_EARLY_NS = 1_000_000
"""A tick never comes before its time but for what a timer may round."""

_PAUSE_NS = 900_000_000
"""Between two looks. Workers tell once a second, and now and then a little sooner after the last time."""

_AT_FASTEST = ", at the pace of its fastest second,"


class Abort:
    """Of one run: called with all it has told, says whether one of its gates is hopeless. It looks about once a second
    of the window, from `after_ns` on. `baselines`: what `base` stands for.
    """

    def __init__(self, gates: Sequence[Gate], baselines: Sequence[Result], after_ns: int) -> None:
        self._gates = [
            (gate, [of_run(gate, each) for each in baselines] if isinstance(gate.bound, Reference) else [])
            for gate in gates
        ]
        self._next_ns = max(1, after_ns - _EARLY_NS)
        self._reasons: dict[int, str] = {}

    def __call__(self, so_far: SoFar) -> bool:
        """Whether the run is to be ended now."""
        elapsed_ns = max((tally.row.window_ns for tally in so_far.sums), default=0)
        if elapsed_ns < self._next_ns:
            return False
        self._next_ns = elapsed_ns + _PAUSE_NS
        outlook = Outlook(so_far)
        if outlook.is_over:
            return False
        for number, (gate, earlier) in enumerate(self._gates):
            reason = hopeless(gate, outlook, earlier)
            if reason:
                self._reasons[number] = reason
        return bool(self._reasons)

    def told(self, result: Result) -> Result:
        """A result that was judged, with what its run was ended for; as it is where it was not. A gate that fails by
        what was measured until then, and might have passed, is open.
        """
        if not self._reasons:
            return result
        gates = [self._verdict(number, judged, result) for number, judged in enumerate(result.gates)]
        return msgspec.structs.replace(result, gates=gates)

    def _verdict(self, number: int, judged: GateVerdict, result: Result) -> GateVerdict:
        when = format_duration(result.duration_s * 1e9)
        if number in self._reasons:
            verdict, reason = Verdict.FAIL, f"stopped after {when}: {self._reasons[number]}"
            if result.client.saturated and judged.verdict == Verdict.INCONCLUSIVE:
                # It became the limit only then.
                verdict, reason = Verdict.INCONCLUSIVE, f"{reason}; {judged.reason}"
        elif judged.verdict == Verdict.FAIL:
            verdict = Verdict.INCONCLUSIVE
            reason = f"{judged.reason}; the run was stopped after {when}, and it might still have held"
        else:
            return judged
        return msgspec.structs.replace(judged, verdict=verdict.value, reason=reason)


def hopeless(gate: Gate, outlook: Outlook, earlier: Sequence[Sample] = ()) -> str:
    """Why a gate can no longer pass; empty: it can. `earlier`: what its baselines tell of its metric."""
    if isinstance(gate.bound, Reference) and (not earlier or any(each.reason for each in earlier)):
        return ""
    found = outlook.between(gate)
    if found is None:
        return _too_few(gate, outlook)
    low, high = found
    bound = _weighed(gate, Sample((low,)), earlier).bound
    best = low if gate.operator.wants_less else high
    if not gate.operator.wants_less and not gate.operator.wants_more:
        best = min(max(low, bound), high)
    # An end that nobody knows is never hopeless.
    if math.isfinite(best) and _fails(gate, Sample((best,)), earlier):
        spared = outlook.limited and not _fails(gate, Sample((best,), limited=True), earlier)
        if not spared:
            return _told(gate, outlook, best, bound)
    return _too_few(gate, outlook)


def _too_few(gate: Gate, outlook: Outlook) -> str:
    """Whether there will be too few samples for the gate to be judged."""
    most = outlook.samples(gate.metric)
    if gate.least_samples <= 1 or most is None or most >= gate.least_samples:
        return ""
    pace = _AT_FASTEST if outlook.is_likely else ""
    return f"{gate.name} takes {gate.least_samples:,} samples, and{pace} no more than {most:,} could come"


def _told(gate: Gate, outlook: Outlook, best: float, bound: float) -> str:
    """Why not even the best value would do."""
    value = shown(best, gate.unit)
    if gate.operator.wants_more or (best < bound and not gate.operator.wants_less):
        way = "above"
    elif gate.metric is Metric.MAX or gate.unit is Unit.COUNT:
        return f"{gate.name} had come to {value}"
    else:
        way = "below"
    pace = _AT_FASTEST if outlook.is_likely else ""
    even = "" if outlook.rest is None else f", even if {outlook.rest:,} more{pace} had gone as well as can be"
    return f"{gate.name} could not come {way} {value}{even}"


def _fails(gate: Gate, sample: Sample, earlier: Sequence[Sample]) -> bool:
    return rule(gate, _weighed(gate, sample, earlier)).verdict == Verdict.FAIL


def _weighed(gate: Gate, sample: Sample, earlier: Sequence[Sample]) -> Weighed:
    if isinstance(gate.bound, Reference):
        return against_runs(gate, gate.bound, sample, earlier)
    return against_literal(sample, gate.bound.value)
