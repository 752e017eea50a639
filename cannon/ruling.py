"""The verdict on a value beside its bound, and the reason in words.

Law: pure. A gate passes where both ends hold and fails where neither does; between, nobody can tell, and the reason
says how small a change could have been seen. Saturation only makes a server look worse: a verdict that it may have
brought about is open. What was not measured has not held. A pass says nothing but what is to be known of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cannon.gates import Gate, Reference, Verdict
from cannon.metrics import SHARES, Metric, shown, span
from cannon.result import GateVerdict
from cannon.weighing import Weighed

__all__ = ["rule", "unmeasured"]


def rule(gate: Gate, found: Weighed) -> GateVerdict:
    """What becomes of a gate whose value was found so."""
    verdict = _verdict(gate, found)
    limit = _limit(gate, found, verdict)
    if limit:
        verdict = Verdict.INCONCLUSIVE
    reasons = [*found.notes]
    if verdict is not Verdict.PASS:
        reasons.insert(0, f"{_told(gate, found)}{limit}")
    if verdict is Verdict.INCONCLUSIVE and not limit:
        reasons.insert(1, f"cannot tell: {found.by} can see {_resolution(gate, found)}")
    return GateVerdict(
        expression=gate.expression,
        verdict=verdict.value,
        value=found.value,
        bound=found.bound,
        low=found.low,
        high=found.high,
        unit=gate.unit.value,
        reason="; ".join(reasons),
    )


def unmeasured(gate: Gate, values: Sequence[float], reason: str) -> GateVerdict:
    """Of a gate that there is nothing to judge by. `values`: what was measured all the same; one of them is told."""
    return GateVerdict(
        expression=gate.expression,
        verdict=Verdict.FAIL.value,
        value=values[0] if len(values) == 1 else None,
        bound=None if isinstance(gate.bound, Reference) else gate.bound.value,
        low=None,
        high=None,
        unit=gate.unit.value,
        reason=reason,
    )


def _verdict(gate: Gate, found: Weighed) -> Verdict:
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    holds = [gate.operator.holds(end, found.bound) for end in (low, high)]
    if all(holds):
        return Verdict.PASS
    # A bound within the ends may be what is equal to it.
    return Verdict.INCONCLUSIVE if any(holds) or low < found.bound < high else Verdict.FAIL


def _limit(gate: Gate, found: Weighed, verdict: Verdict) -> str:
    """Why a verdict is open all the same: cannon, and not the server, may have brought it about."""
    if gate.metric is Metric.BYTES or verdict is Verdict.INCONCLUSIVE:
        # Responses are as long as they are, whoever asks.
        return ""
    less_is_worse = gate.metric is Metric.RPS
    wants_worse = gate.operator.wants_less if less_is_worse else gate.operator.wants_more
    wants_better = gate.operator.wants_more if less_is_worse else gate.operator.wants_less
    passed = verdict is Verdict.PASS
    # A value that looks worse than it is may pass what wants it so, and fail whatever else.
    if found.limited and passed is wants_worse:
        return ", and cannon was the limit"
    # A bound that looks worse than it is may let pass what wants better, and fail whatever else.
    if found.bound_limited and passed is wants_better:
        return f", and cannon was the limit for {found.bound_limited}"
    return ""


def _told(gate: Gate, found: Weighed) -> str:
    """`p99 was 12.4 ms [12.1, 12.9], bound 11 ms (direct 10 ms + 10%)`."""
    told = gate.told(found.value)
    if found.low is not None and found.high is not None:
        told = f"{gate.name} was {span(found.value, found.low, found.high, gate.unit)}"
    if not found.origin:
        return told
    return f"{told}, bound {shown(found.bound, gate.unit)} ({found.origin})"


def _resolution(gate: Gate, found: Weighed) -> str:
    """Half of what lies between the ends: how far they would reach to either side of the bound itself."""
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    is_difference = isinstance(gate.bound, Reference) and not gate.is_ratio
    if low <= 0 or is_difference or gate.metric in SHARES:
        return shown((high - low) / 2, gate.unit)
    resolvable_pct = 100 * math.expm1((math.log(high) - math.log(low)) / 2)
    return f"{resolvable_pct:.2g} %" if resolvable_pct < 99.5 else f"{resolvable_pct:,.0f} %"
