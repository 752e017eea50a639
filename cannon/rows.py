"""What a comparison found: a row for each metric and side beyond the base, from the rounds alone.

Law: pure. The round is the sample, never the request: a row is made of one difference a round. Estimate and interval
are those of signed_rank.py, on B - A for what was added and on ln(B / A) for the change in percent. No number stands
where the slots cannot support it, and a wide interval is never called "no difference". Bytes and errors are judged on
the totals of all rounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import msgspec

from cannon.rounds import ComparisonPlan, Pass
from cannon.signed_rank import Interval, interval
from cannon.slots import OWN, Round, Slot
from cannon.totals import Totals, bytes_of, errors_of
from cannon.verdict import Change, Verdict, judged

__all__ = ["Change", "Noise", "Row", "Verdict", "half_width", "headlines", "noise_of", "rows_of"]

_LEAST_BEYOND = 20
"""How many samples of each slot must lie beyond a percentile before it says something of the side, not of chance."""


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"of": "pass"}):
    """One metric of one side, set against the base.

    `of`: the pass. `metric`: "rps", "p50", "p90", "p99", "p99_9", "mean", "cpu" (cannon's own) or "cpu@NAME", "bytes",
    "errors". `unit`: "/s", "ms", "us", "B", "%". `base_value`, `side_value`: the medians over the rounds; None, like
    `added` and `change_pct`, where the slots cannot support the metric, and `reason` says what it takes. `rounds`: how
    many it is made of; `level`: the true level of the intervals, 0.951; None without. `at_least`: of which sides the
    value is a lower bound, since cannon was the limit; the row is inconclusive then. `reason`: in words, what the
    verdict does not say.
    """

    of: str
    metric: str
    side: str
    base: str
    unit: str
    base_value: float | None
    side_value: float | None
    added: Change | None
    change_pct: Change | None
    rounds: int
    level: float | None
    at_least: list[str]
    verdict: Verdict
    reason: str


class Noise(msgspec.Struct, frozen=True, kw_only=True, rename={"of": "pass"}):
    """The smallest change of a metric that this comparison could have seen, in percent: half of its interval."""

    of: str
    metric: str
    side: str
    resolvable_pct: float


class _Metric(msgspec.Struct, frozen=True):
    """What rows are of: `read` from a slot; `one_in` so many samples lies beyond it, 0 if it is no percentile."""

    name: str
    unit: str
    read: Callable[[Slot], float | None]
    one_in: int = 0


_RPS = _Metric("rps", "/s", lambda slot: slot.rps)
_P50 = _Metric("p50", "ms", lambda slot: slot.p50_ms, 2)
_MEASURED: Mapping[Pass, tuple[_Metric, ...]] = {
    Pass.CAPACITY: (_RPS,),
    Pass.LATENCY: (
        _P50,
        _Metric("p90", "ms", lambda slot: slot.p90_ms, 10),
        _Metric("p99", "ms", lambda slot: slot.p99_ms, 100),
        _Metric("p99_9", "ms", lambda slot: slot.p99_9_ms, 1000),
        _Metric("mean", "ms", lambda slot: slot.mean_ms),
    ),
}
_HEADLINES: Mapping[Pass, _Metric] = {Pass.CAPACITY: _RPS, Pass.LATENCY: _P50}
_NOISY = frozenset(metric.name for metrics in _MEASURED.values() for metric in metrics)


class _Pair(msgspec.Struct, frozen=True):
    """A side and the base in the rounds of one pass; the slots of both stand in the order of the rounds."""

    plan: ComparisonPlan
    of: Pass
    base: str
    side: str
    base_slots: list[Slot]
    side_slots: list[Slot]

    @property
    def slots(self) -> dict[str, list[Slot]]:
        """Of the base and of the side."""
        return {self.base: self.base_slots, self.side: self.side_slots}


_NEXT_TO_NONE = 0.01
"""Of the other side's: against less than this every change is thousands of percent, and by chance how many."""

_BY_DIRECTION = {"higher": Verdict.HIGHER, "lower": Verdict.LOWER}


def rows_of(plan: ComparisonPlan, rounds: Sequence[Round]) -> list[Row]:
    """A row of every metric of each pass that has rounds, for each side beyond the base.

    Bytes and errors are of the latency pass, or of the capacity pass where there is no latency round. CPU has a row
    where every slot of both sides tells it.
    """
    passes = [of for of in Pass if any(found.of is of for found in rounds)]
    rows: list[Row] = []
    for of in passes:
        for pair in _pairs(plan, rounds, of):
            rows += [_compared(pair, metric) for metric in (*_MEASURED[of], *_cpu(pair))]
            if of is passes[-1]:
                received = bytes_of(pair.base_slots, pair.side_slots, plan.margin)
                failed = errors_of(pair.base_slots, pair.side_slots)
                rows += [_total(pair, "bytes", "B", received), _total(pair, "errors", "%", failed)]
    return rows


def headlines(plan: ComparisonPlan, rounds: Sequence[Round], of: Pass) -> tuple[Row, ...]:
    """The one row of this pass for each side beyond the base that is shown while it lasts: rps, or p50."""
    if not any(found.of is of for found in rounds):
        return ()
    return tuple(_compared(pair, _HEADLINES[of]) for pair in _pairs(plan, rounds, of))


def noise_of(rows: Sequence[Row]) -> list[Noise]:
    """What could have been seen of throughput and latency: of each row that has an interval.

    Half of the interval on the scale of ratios: how far it would reach to either side of no change at all.
    """
    noise: list[Noise] = []
    for row in rows:
        half = half_width(row.change_pct) if row.metric in _NOISY else None
        if half is not None:
            noise.append(Noise(of=row.of, metric=row.metric, side=row.side, resolvable_pct=100 * half))
    return noise


def half_width(change_pct: Change | None) -> float | None:
    """Half of an interval on the scale of ratios, 0.03 is 3 %: the same wherever it lies. None without one."""
    if change_pct is None or change_pct.low is None or change_pct.high is None:
        return None
    low, high = 1 + change_pct.low / 100, 1 + change_pct.high / 100
    return math.sqrt(high / low) - 1 if low > 0 else None


def _pairs(plan: ComparisonPlan, rounds: Sequence[Round], of: Pass) -> list[_Pair]:
    own = [found.slots for found in rounds if found.of is of]
    base, *others = plan.names
    base_slots = [slots[base] for slots in own]
    return [_Pair(plan, of, base, side, base_slots, [slots[side] for slots in own]) for side in others]


def _cpu(pair: _Pair) -> list[_Metric]:
    """What every slot of both sides tells: cannon's own first, then the processes that were named."""
    slots = [*pair.base_slots, *pair.side_slots]
    names = [name for name in slots[0].cpu_us if all(name in slot.cpu_us for slot in slots)]
    names.sort(key=lambda name: name != OWN)
    return [_Metric("cpu" if name == OWN else f"cpu@{name}", "us", _cpu_reader(name)) for name in names]


def _cpu_reader(name: str) -> Callable[[Slot], float | None]:
    return lambda slot: slot.cpu_us[name]


def _compared(pair: _Pair, metric: _Metric) -> Row:
    """The row of one metric, from one difference a round."""
    base = [value for slot in pair.base_slots if (value := metric.read(slot)) is not None]
    side = [value for slot in pair.side_slots if (value := metric.read(slot)) is not None]
    values = {pair.base: base, pair.side: side}
    at_least = _at_least(pair) if metric is _RPS else []
    missing = _unsupported(pair, metric) or _absent(pair, metric, values)
    if missing:
        return _row(pair, metric.name, metric.unit, at_least=at_least, reason=missing)
    found = interval([later - first for first, later in zip(base, side, strict=True)])
    added = Change(found.estimate, found.low, found.high)
    change_pct, verdict, reason = None, Verdict.INCONCLUSIVE, ""
    if reason := _hardly(values):
        verdict = _BY_DIRECTION.get(added.direction, verdict)
    elif not (reason := _zero(values)):
        logs = [math.log(later / first) for first, later in zip(base, side, strict=True)]
        change_pct = _in_percent(interval(logs))
        verdict, reason = judged(change_pct, logs, pair.plan.margin, pair.plan.rounds)
    if at_least:
        # What keeps the row from an interval stays said: no more workers would make up for it.
        others = f"; {reason}" if change_pct is None or change_pct.low is None else ""
        verdict, reason = Verdict.INCONCLUSIVE, f"{_limited(pair, at_least)}{others}"
    return _row(
        pair,
        metric.name,
        metric.unit,
        (median(base), median(side)),
        added,
        change_pct,
        found.level,
        at_least,
        verdict,
        reason,
    )


def _row(
    pair: _Pair,
    metric: str,
    unit: str,
    values: tuple[float | None, float | None] = (None, None),
    added: Change | None = None,
    change_pct: Change | None = None,
    level: float | None = None,
    at_least: Sequence[str] = (),
    verdict: Verdict = Verdict.INCONCLUSIVE,
    reason: str = "",
) -> Row:
    return Row(
        of=pair.of.value,
        metric=metric,
        side=pair.side,
        base=pair.base,
        unit=unit,
        base_value=values[0],
        side_value=values[1],
        added=added,
        change_pct=change_pct,
        rounds=len(pair.base_slots),
        level=level,
        at_least=list(at_least),
        verdict=verdict,
        reason=reason,
    )


def _in_percent(found: Interval) -> Change:
    """From ln(B / A)."""
    low = None if found.low is None else 100 * math.expm1(found.low)
    high = None if found.high is None else 100 * math.expm1(found.high)
    return Change(100 * math.expm1(found.estimate), low, high)


def _unsupported(pair: _Pair, metric: _Metric) -> str:
    """What a percentile takes that a slot does not have."""
    needed = _LEAST_BEYOND * metric.one_in
    had = min(slot.count for slots in pair.slots.values() for slot in slots)
    if had >= needed:
        return ""
    told = f"needs {needed:,} requests per slot, had {had:,}"
    if not had:
        return told
    return f"{told}; -d {math.ceil(pair.plan.duration_ns / 1e9 * needed / had)} would do"


def _absent(pair: _Pair, metric: _Metric, found: Mapping[str, Sequence[float]]) -> str:
    rounds = len(pair.base_slots)
    return "; ".join(
        f"{name} has no {metric.name} in {rounds - len(values)} of {rounds} slots"
        for name, values in found.items()
        if len(values) < rounds
    )


def _hardly(found: Mapping[str, Sequence[float]]) -> str:
    """Why no ratio is worth telling: a process that one side does not run through, and that idles meanwhile."""
    (low, lowest), (high, _) = sorted((median(values), name) for name, values in found.items())
    return f"no change in percent: {lowest} has next to none" if low < _NEXT_TO_NONE * high else ""


def _zero(found: Mapping[str, Sequence[float]]) -> str:
    """Why there is no ratio."""
    told = [
        f"{name} was 0 in {zeros} of {len(values)} slots"
        for name, values in found.items()
        if (zeros := sum(value <= 0 for value in values))
    ]
    return f"no change in percent: {' and '.join(told)}" if told else ""


def _at_least(pair: _Pair) -> list[str]:
    """The sides whose capacity cannon could not reach."""
    limited = {name: sum(slot.cpu_bound for slot in slots) for name, slots in pair.slots.items()}
    return [name for name, count in limited.items() if 2 * count > len(pair.base_slots)]


def _limited(pair: _Pair, sides: Sequence[str]) -> str:
    fired = pair.plan.sides[0].plan
    # A worker without a connection would be refused.
    advice = (
        f"try -w {fired.workers + 1}" if fired.workers < fired.connections else "fire from another machine"
    )
    return f"cannon was the limit for {' and '.join(sides)}; {advice}"


def _total(pair: _Pair, metric: str, unit: str, found: Totals) -> Row:
    return _row(
        pair,
        metric,
        unit,
        (found.base, found.side),
        found.added,
        found.change_pct,
        verdict=found.verdict,
        reason=found.reason,
    )
