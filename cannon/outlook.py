"""What a run may still come to: how many requests at most, and between which values each metric of a gate ends.

Law: pure, and no guess from the value of the moment. Counts and the maximum only grow. Of all else the rest is taken to
go as well, or as badly, as can be, and how much may come is bounded: by the amount, under a rate by what is due. In a
closed loop nobody knows, so the bound is the pace of each worker's fastest tick, kept up to the end. More dials that
fail than so far are taken for no help. CPU is told at the end alone, and how few successes a second there will be
nobody can tell before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import ClassVar

from cannon.doubts import saturated
from cannon.durations import Durations
from cannon.errors import Fault
from cannon.evidence import Evidence, Place
from cannon.gates import Gate
from cannon.metrics import Metric, Unit
from cannon.pace import Arrivals, Scope
from cannon.plan import Plan
from cannon.progress import SoFar
from cannon.tally import UNIT_BITS, Histogram, Tally

__all__ = ["Outlook"]

_SECOND_NS = 1_000_000_000

_EARLY_NS = 1_000_000
"""A tick never comes before its time but for what a timer may round."""

_LONGEST_UNIT = 1 << 50
"""Of a histogram: longer than anything it holds."""

_LATE_PERCENTILE = 99.0

_DEVIATIONS, _MORE = 12.0, 100.0
"""By how many of its standard deviations, and by how many besides, a Poisson count is more than its mean at most: by
Bernstein's inequality it is not once in 10^30 runs.
"""


class Outlook:
    """Of a run that fires. `most`: how many requests it may come to; None: nobody knows. `is_likely`: that is by its
    fastest ticks alone.
    """

    def __init__(self, so_far: SoFar) -> None:
        self.plan = so_far.plan
        self.total = sum(so_far.sums, Tally())
        self.elapsed_ns = max((tally.row.window_ns for tally in so_far.sums), default=0)
        self._sums = so_far.sums
        bounds = _bounds(self.plan)
        likely = _at_fastest(so_far)
        self.is_likely = likely is not None and likely < min(bounds, default=likely + 1)
        if likely is not None:
            bounds.append(likely)
        self.most = max(self.total.sent, min(bounds)) if bounds else None

    @property
    def rest(self) -> int | None:
        """How many requests may still end."""
        return None if self.most is None else max(0, self.most - self.total.completed - self.total.failed)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left that could be spared."""
        stop = self.plan.stop
        if stop.amount is not None:
            return self.total.sent >= stop.amount
        return self.elapsed_ns + _EARLY_NS >= stop.duration_ns

    @cached_property
    def limited(self) -> bool:
        """Whether cannon is the limit. Steal, cores and the server's place have no say in that."""
        return saturated(
            Evidence.of(
                self.plan,
                self.total,
                self._sums,
                latency=Durations.of(self._latency),
                cores=1,
                steal=None,
                place=Place.ELSEWHERE,
            )
        )

    def samples(self, metric: Metric) -> int | None:
        """How many latencies, or latenesses, there may be in the end."""
        histogram, rest = self._histogram(metric)
        return None if rest is None else histogram.count + rest

    def between(self, gate: Gate) -> tuple[float, float] | None:
        """The least and the greatest value that a gate's metric may have in the end, in its unit; None: nobody knows,
        or nothing was measured.
        """
        between = self._BETWEEN.get(gate.metric)
        return None if between is None else between(self, gate)

    # Durations.

    @property
    def _latency(self) -> Histogram:
        return self.total.service if self.plan.pace is None else self.total.response

    def _histogram(self, metric: Metric) -> tuple[Histogram, int | None]:
        """What a metric is of, and how many may still come to it."""
        if metric is not Metric.LATE:
            return self._latency, self.rest
        late = self.total.late
        return late, None if self.most is None else max(0, self.most - late.count)

    def _percentile(self, gate: Gate) -> tuple[float, float] | None:
        histogram, rest = self._histogram(gate.metric)
        if rest is None:
            return 0.0, math.inf
        percentile = _LATE_PERCENTILE if gate.percentile is None else gate.percentile
        low_ns = _filled(histogram, rest, 0).percentile_ns(percentile)
        high_ns = _filled(histogram, rest, _LONGEST_UNIT).percentile_ns(percentile)
        if low_ns is None or high_ns is None:
            return None
        return low_ns / 1e6, math.inf if high_ns >> UNIT_BITS >= _LONGEST_UNIT else high_ns / 1e6

    def _mean(self, gate: Gate) -> tuple[float, float] | None:
        rest = self.rest
        if rest is None:
            return 0.0, math.inf
        low_ns = _filled(self._latency, rest, 0).mean_ns
        return None if low_ns is None else (low_ns / 1e6, math.inf if rest else low_ns / 1e6)

    def _max(self, gate: Gate) -> tuple[float, float] | None:
        max_ns = self._latency.max_ns
        return None if max_ns is None else (max_ns / 1e6, max_ns / 1e6 if self.rest == 0 else math.inf)

    # Counts.

    def _rps(self, gate: Gate) -> tuple[float, float] | None:
        """Where requests are what ends a run, nobody knows how soon."""
        rest = self.rest
        if rest is None:
            return None
        is_timed = self.plan.most_requests is None and self.plan.limits.per_connection is None
        window_ns = max(self.elapsed_ns, self.plan.stop.duration_ns if is_timed else 0)
        return 0.0, (self.total.row.succeeded + rest) * _SECOND_NS / window_ns if window_ns else math.inf

    def _errors(self, gate: Gate) -> tuple[float, float]:
        total = self.total
        return _share(gate, total.failed + total.mismatched + total.connects_failed, self._most_tried)

    def _timeouts(self, gate: Gate) -> tuple[float, float]:
        errors, dials = self.total.errors, self.total.connect_errors
        return _share(gate, errors.get(Fault.TIMEOUT, 0) + dials.get(Fault.TIMEOUT, 0), self._most_tried)

    def _non2xx(self, gate: Gate) -> tuple[float, float]:
        other = sum(count for status, count in self.total.status.items() if not 200 <= status < 300)
        return _share(gate, other, self._most_completed)

    def _bytes(self, gate: Gate) -> tuple[float, float]:
        most = self._most_completed
        return (self.total.received_bytes / most if most else 0.0), math.inf

    @property
    def _most_tried(self) -> int | None:
        return None if self.most is None else self.most + self.total.connects_failed

    @property
    def _most_completed(self) -> int | None:
        return None if self.most is None else self.most - self.total.failed

    _BETWEEN: ClassVar[Mapping[Metric, Callable[[Outlook, Gate], tuple[float, float] | None]]] = {
        Metric.PERCENTILE: _percentile,
        Metric.LATE: _percentile,
        Metric.MEAN: _mean,
        Metric.MAX: _max,
        Metric.RPS: _rps,
        Metric.ERRORS: _errors,
        Metric.TIMEOUTS: _timeouts,
        Metric.NON2XX: _non2xx,
        Metric.BYTES: _bytes,
    }


def _bounds(plan: Plan) -> list[int]:
    """How many requests there can be, by each thing that sets a limit."""
    bounds = [] if plan.most_requests is None else [plan.most_requests]
    if plan.limits.per_connection is not None:
        bounds.append(plan.limits.per_connection * plan.connections)
    if plan.pace is not None and plan.stop.amount is None:
        due = plan.pace.profile.expected(plan.lead_in_ns + plan.stop.duration_ns)
        due *= plan.connections if plan.pace.scope is Scope.CONNECTION else 1
        if plan.pace.arrivals is Arrivals.POISSON:
            due += _DEVIATIONS * math.sqrt(due) + _MORE
        bounds.append(math.ceil(due))
    return bounds


def _at_fastest(so_far: SoFar) -> int | None:
    """How many there will be in a closed loop of some duration if every worker goes on as in its fastest tick, with
    those that are in flight in the end; None while one of them has not told of any.
    """
    plan = so_far.plan
    if plan.stop.amount is not None or plan.pace is not None or not all(so_far.fastest_per_s):
        return None
    most = plan.connections * plan.pipelining
    for tally, per_s in zip(so_far.sums, so_far.fastest_per_s, strict=True):
        left_ns = max(0, plan.stop.duration_ns - tally.row.window_ns)
        most += tally.completed + tally.failed + math.ceil(per_s * left_ns / _SECOND_NS)
    return most


def _share(gate: Gate, count: int, most: int | None) -> tuple[float, float]:
    """A count, or how much it is of all there may be, in percent."""
    if gate.unit is not Unit.PERCENT:
        return float(count), math.inf
    return (100 * count / most if most and count else 0.0), 100.0


def _filled(histogram: Histogram, rest: int, unit: int) -> Histogram:
    """With the rest all in one place."""
    counts = dict(histogram.coarse().counts)
    if rest:
        counts[unit] = counts.get(unit, 0) + rest
    return Histogram(counts, folded=True)
