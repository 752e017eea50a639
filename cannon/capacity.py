"""The common rate of a comparison's latency pass, found from its capacity pass.

Law: pure. Latency is compared at one rate for all sides, which each of them can take with half of it to spare, and
cannon too: latencies at two different loads are no overhead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from cannon.comparison import CommonRate
from cannon.errors import InvalidRun
from cannon.rounds import ComparisonPlan, Pass
from cannon.slots import OWN, Round
from cannon.units import format_rate

__all__ = ["common_rate"]

_SHARE = 0.5
"""Of the capacity of the slowest side."""

_PACED_COST = 2.0
"""How much more CPU a request takes of cannon at a rate than in a closed loop: its end is stamped by the kernel, and
fewer are handled in one turn. Measured: 1.4 to 2 times.
"""

_BUSY = 0.35
"""Of a core, what each worker may be expected to use: from 0.85 on it would be the limit, and slots differ."""

_DIGITS = 3


def common_rate(plan: ComparisonPlan, rounds: Sequence[Round]) -> CommonRate:
    """At what rate the latency pass is fired, and why. InvalidRun where no rate can be found."""
    if plan.rate_per_s is not None:
        return CommonRate(per_s=plan.rate_per_s, asked=plan.rate_per_s, reason="as asked")
    measured = [found for found in rounds if found.of is Pass.CAPACITY]
    slots = {name: [found.slots[name] for found in measured] for name in plan.names}
    capacities = {
        name: median(slot.rps or 0.0 for slot in slots[name]) if measured else 0.0 for name in plan.names
    }
    slowest = min(plan.names, key=lambda name: capacities[name])
    if capacities[slowest] <= 0:
        raise InvalidRun(f"no common rate can be found: no request of side '{slowest}' succeeded")
    half_per_s = capacities[slowest] * _SHARE
    reason = f"{_SHARE:.0%} of the capacity of the slowest side, {slowest}".replace("%", " %")
    costs_us = [cost for found in slots.values() for slot in found if (cost := slot.cpu_us.get(OWN))]
    if costs_us:
        workers = plan.sides[0].plan.workers
        own_per_s = workers * _BUSY * 1e6 / (_PACED_COST * median(costs_us))
        if own_per_s < half_per_s:
            reason = (
                f"less than half of the capacity of {slowest}, {format_rate(half_per_s)}: what cannon itself can fire"
                f" without being the limit (-w {workers})"
            )
            half_per_s = own_per_s
    return CommonRate(per_s=_floored(half_per_s), asked=None, reason=reason)


def _floored(per_s: float) -> float:
    """Three digits: more would be those of chance."""
    step = 10.0 ** (math.floor(math.log10(per_s)) - _DIGITS + 1)
    return float(f"{math.floor(per_s / step + 1e-9) * step:.{_DIGITS}g}")
