"""What a gate is judged by: the values of its metric in a run, or in every round of a comparison's side.

Law: nothing here judges. A value that was not measured, or by too few samples, is none, and the reason is told. In a
comparison rps are of the capacity pass, all else of the latency pass or, of what is not of latencies, of the only pass
there is; shares and bytes are of the totals of its rounds. A round counts where it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from cannon.comparison import Comparison
from cannon.durations import PERCENTILES
from cannon.errors import Fault
from cannon.gates import Gate
from cannon.metrics import SHARES, Metric, Unit, value_of
from cannon.result import Result
from cannon.rounds import Pass
from cannon.slots import OWN, Slot
from cannon.totals import bytes_per_response, failures, tried

__all__ = ["Sample", "is_total", "of_run", "of_side"]

_MOST = 1e18
"""No time, rate or size is more: a file that says so was not measured."""

_NO_RATE = "nothing is late without a rate, e.g. -R 1000"


class Sample(msgspec.Struct, frozen=True):
    """One value of a run or of a total, or one for each round. `shares`: those of each round, in percent, of which a
    total is made. `reason`: why there is nothing to judge by; a value may be told all the same. `limited`: cannon was
    the limit, so that the server may be better than this.
    """

    values: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    reason: str = ""
    limited: bool = False


def is_total(metric: Metric) -> bool:
    """Whether a comparison has one value of it, of all its rounds together."""
    return metric in SHARES or metric is Metric.BYTES


def of_run(gate: Gate, result: Result) -> Sample:
    """What a plain run tells of a gate's metric."""
    if gate.metric is Metric.LATE and result.late_ms is None:
        return Sample(reason=_NO_RATE)
    value = value_of(result, gate.metric, gate.percentile, gate.unit)
    if value is None:
        return Sample(reason=f"nothing was measured of {gate.name}")
    samples = (result.late_ms or result.latency_ms) if gate.metric is Metric.LATE else result.latency_ms
    if gate.least_samples > 1 and samples.count < gate.least_samples:
        return Sample(
            (value,),
            reason=f"{gate.name} takes {gate.least_samples:,} samples, and there were {samples.count:,}",
        )
    return _checked(gate, Sample((value,), limited=result.client.saturated))


def of_side(gate: Gate, comparison: Comparison, side: str) -> Sample:
    """What a side of a comparison tells of a gate's metric."""
    names = [each.name for each in comparison.sides]
    if side not in names:
        return Sample(reason=f"there is no side {side} in it, but {' and '.join(names)}")
    slots = _slots(comparison, side, gate.metric)
    if not slots:
        return Sample(reason=_no_rounds(gate))
    limited = sum(slot.cpu_bound if gate.metric is Metric.RPS else slot.saturated for slot in slots)
    found = _total(gate, slots) if is_total(gate.metric) else _rounds(gate, side, slots)
    return _checked(gate, msgspec.structs.replace(found, limited=2 * limited > len(slots)))


def _slots(comparison: Comparison, side: str, metric: Metric) -> list[Slot]:
    """Those of the pass that the metric is of."""
    passes = (Pass.CAPACITY,) if metric is Metric.RPS else (Pass.LATENCY, Pass.CAPACITY)
    if not is_total(metric) and metric is not Metric.CPU:
        passes = passes[:1]
    for of in passes:
        whole = [
            found.slots
            for found in comparison.rounds
            if found.of is of and all(each.name in found.slots for each in comparison.sides)
        ]
        if whole:
            return [slots[side] for slots in whole]
    return []


def _no_rounds(gate: Gate) -> str:
    if gate.metric is Metric.RPS:
        return "rps is of the capacity pass, of which there is no round"
    return f"there is no whole round, and so no {gate.name}"


def _total(gate: Gate, slots: Sequence[Slot]) -> Sample:
    """Of all rounds together; shares of each round besides, where every one has some."""
    read = _TOTALS[gate.metric]
    total = read(slots, gate.unit)
    if total is None:
        return Sample(reason=f"nothing was measured of {gate.name}")
    if gate.unit is not Unit.PERCENT:
        return Sample((total,))
    shares = [share for slot in slots if (share := read([slot], gate.unit)) is not None]
    return Sample((total,), tuple(shares) if len(shares) == len(slots) else ())


def _rounds(gate: Gate, side: str, slots: Sequence[Slot]) -> Sample:
    """One value of each round, or none at all."""
    least = min(slot.sent if gate.metric is Metric.LATE else slot.count for slot in slots)
    if gate.least_samples > 1 and least < gate.least_samples:
        return Sample(
            reason=f"{gate.name} takes {gate.least_samples:,} samples in each round, and one had {least:,}"
        )
    found = [_of_slot(gate, slot) for slot in slots]
    values = tuple(value for value in found if value is not None)
    if len(values) < len(slots):
        metric = gate.name.partition("@")[0] if gate.process is None else gate.name
        return Sample(reason=f"{side} has no {metric} in {len(slots) - len(values)} of {len(slots)} rounds")
    return Sample(values)


def _checked(gate: Gate, sample: Sample) -> Sample:
    """As it is, if it can be reckoned with. A file from elsewhere may hold anything."""
    if sample.reason or all(0 <= value <= _MOST for value in (*sample.values, *sample.shares)):
        return sample
    return Sample(reason=f"{gate.name} is out of any range")


def _of_slot(gate: Gate, slot: Slot) -> float | None:
    if gate.percentile is not None:
        return _percentile(slot, gate.percentile)
    if gate.metric is Metric.CPU:
        return slot.cpu_us.get(gate.process or OWN)
    return _READ[gate.metric](slot)


def _percentile(slot: Slot, percentile: float) -> float | None:
    key = _KEYS.get(percentile)
    if key is not None:
        told: float | None = getattr(slot, f"{key}_ms")
        return told
    return _ms(slot.latency.percentile_ns(percentile))


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6


def _share(
    count: Callable[[Sequence[Slot]], int], of: Callable[[Sequence[Slot]], int]
) -> Callable[[Sequence[Slot], Unit], float | None]:
    """What is counted, or how much it is of all that there might have been, in percent."""

    def total(slots: Sequence[Slot], unit: Unit) -> float | None:
        whole = of(slots)
        if not whole:
            return None
        return 100 * count(slots) / whole if unit is Unit.PERCENT else float(count(slots))

    return total


def _timeouts(slots: Sequence[Slot]) -> int:
    return sum(slot.errors.get(Fault.TIMEOUT.value, 0) for slot in slots)


def _other_than_2xx(slots: Sequence[Slot]) -> int:
    return sum(count for slot in slots for status, count in slot.status.items() if not status.startswith("2"))


def _completed(slots: Sequence[Slot]) -> int:
    return sum(slot.completed for slot in slots)


_TOTALS: Mapping[Metric, Callable[[Sequence[Slot], Unit], float | None]] = {
    Metric.ERRORS: _share(failures, tried),
    Metric.TIMEOUTS: _share(_timeouts, tried),
    Metric.NON2XX: _share(_other_than_2xx, _completed),
    Metric.BYTES: lambda slots, unit: bytes_per_response(slots),
}

_READ: Mapping[Metric, Callable[[Slot], float | None]] = {
    Metric.MEAN: lambda slot: slot.mean_ms,
    Metric.MAX: lambda slot: _ms(slot.latency.max_ns),
    Metric.RPS: lambda slot: slot.rps,
    Metric.LATE: lambda slot: slot.late_p99_ms,
}

_KEYS = {value: key for key, value in PERCENTILES.items() if key in ("p50", "p90", "p99", "p99_9")}
"""The percentiles that a slot has at hand."""
