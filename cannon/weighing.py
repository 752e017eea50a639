"""A value beside its bound: what both are, and between which ends the value lies, chance considered.

Law: pure. A run alone is a point. The rounds of a comparison give the ends of the signed-rank interval, each of which
holds with 95 %; five earlier runs or more give the prediction interval of the next one, on the scale of ratios where
the allowance is one: ln x - mean(ln b) -+ t(0.95, n - 1) * s * sqrt(1 + 1 / n), set against ln(1 + allowance). What a
side takes beyond the first one is set against what it took beyond it earlier, in values of today.

By how much a value differs from its bound is reckoned first, and what is told is made of that, so that what is equal
is equal to the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

import msgspec

from cannon.gates import Gate, Reference
from cannon.metrics import shown
from cannon.power import LEAST_ROUNDS
from cannon.prediction import LEAST, reach
from cannon.samples import Sample
from cannon.signed_rank import Interval, estimate, interval

__all__ = ["Weighed", "against_literal", "against_overheads", "against_runs", "against_side"]

_ONE_SIDED = 0.90
"""The two-sided interval each of whose ends holds with 95 %."""

_FARTHEST = 600.0
"""The logarithm of a factor by which any value can be multiplied and is still a number."""

_POINT = "judged as a point value"


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """A value and its bound, in the unit of the gate. `low`, `high`: the ends between which the value lies; None where
    it is a point.

    `origin`: what the bound is made of; `by`: what the ends are made of; `notes`: what else is to be known of them.
    `limited`: cannon was the limit, so that the value may be better; `bound_limited`: likewise, of whom the bound is.
    """

    value: float
    bound: float
    low: float | None = None
    high: float | None = None
    origin: str = ""
    by: str = ""
    notes: tuple[str, ...] = ()
    limited: bool = False
    bound_limited: str = ""


class _Scale(msgspec.Struct, frozen=True):
    """Where values are apart: by a factor, of which this is the logarithm, or by a difference."""

    is_ratio: bool

    @classmethod
    def of(cls, gate: Gate, *samples: Sample) -> _Scale:
        """That of the gate; there is no factor where a value is 0."""
        return cls(gate.is_ratio and all(min(sample.values) > 0 for sample in samples))

    def apart(self, value: float, other: float) -> float:
        """By how much a value is more than another."""
        return math.log(value) - math.log(other) if self.is_ratio else value - other

    def moved(self, other: float, by: float) -> float:
        """The value that is so much more than another."""
        return other * math.exp(max(-_FARTHEST, min(by, _FARTHEST))) if self.is_ratio else other + by


class _Past(msgspec.Struct, frozen=True):
    """What baselines come to. `bases`: for each value of today, what it is by each of them; `apart`: how they differ
    from one another; `middle`: of them all, in values of today.
    """

    bases: list[list[float]]
    apart: list[float]
    middle: float


def against_literal(sample: Sample, bound: float) -> Weighed:
    """Against a value that is written out."""
    found = _ends(sample.values)
    return Weighed(
        value=found.estimate,
        bound=bound,
        low=found.low,
        high=found.high,
        by=_rounds(sample),
        notes=_few_rounds(sample),
        limited=sample.limited,
    )


def against_side(gate: Gate, reference: Reference, sample: Sample, other: Sample) -> Weighed:
    """Against another side of the same comparison, round by round, or the total of the one against the other's."""
    scale = _Scale.of(gate, sample, other)
    middle = median(other.values)
    bound = reference.bound(middle)
    if len(sample.values) == 1:
        value = sample.values[0]
        low, high = _shares_between(sample, other)
    else:
        found = _ends(_excess(scale, reference, sample, [[each] for each in other.values]))
        value = scale.moved(bound, found.estimate)
        low, high = _moved(scale, bound, found)
    return Weighed(
        value=value,
        bound=bound,
        low=low,
        high=high,
        origin=reference.told(middle, gate.unit),
        by=_rounds(sample),
        notes=_few_rounds(sample),
        limited=sample.limited,
        bound_limited=reference.name if other.limited else "",
    )


def against_runs(gate: Gate, reference: Reference, sample: Sample, earlier: Sequence[Sample]) -> Weighed:
    """Against the same in one baseline or more: a run against runs, a side against itself in comparisons."""
    scale = _Scale.of(gate, sample, *earlier)
    bases = [estimate(each.values) for each in earlier]
    apart = [scale.apart(base, bases[0]) for base in bases]
    past = _Past([bases] * len(sample.values), apart, scale.moved(bases[0], fmean(apart)))
    found = _against_past(scale, reference, sample, past)
    limited = reference.name if 2 * sum(each.limited for each in earlier) > len(earlier) else ""
    return msgspec.structs.replace(
        found, origin=reference.told(past.middle, gate.unit), bound_limited=limited
    )


def against_overheads(
    gate: Gate,
    reference: Reference,
    sides: tuple[Sample, Sample],
    earlier: Sequence[tuple[Sample, Sample]],
    first: str,
) -> Weighed:
    """What a side takes beyond the first one, against what it took beyond it in one baseline or more.

    `sides`: the side and the first one, of this name. What a baseline lets expect of the side is the first one's value
    of today and, beyond it, what was taken then.
    """
    side, today = sides
    scale = _Scale.of(gate, side, today, *(sample for pair in earlier for sample in pair))
    apart = [
        estimate([scale.apart(value, base) for value, base in zip(own.values, then.values, strict=True)])
        for own, then in earlier
    ]
    bases = [[scale.moved(base, each) for each in apart] for base in today.values]
    now = median(today.values)
    past = _Past(bases, apart, scale.moved(now, fmean(apart)))
    found = _against_past(scale, reference, side, past)
    limited = first if today.limited else ""
    origin = f"{reference.told(past.middle, gate.unit)}, where {first} is {shown(now, gate.unit)}"
    return msgspec.structs.replace(found, origin=origin, bound_limited=limited)


def _against_past(scale: _Scale, reference: Reference, sample: Sample, past: _Past) -> Weighed:
    """With the ends that rounds of today give, or those that the baselines foretell, whichever lie farther apart."""
    own = _ends(_excess(scale, reference, sample, past.bases))
    found = _foreseen(own, past.apart)
    bound = reference.bound(past.middle)
    if len(sample.values) == 1:
        value = sample.values[0]
        bound = bound if own.estimate else value
        low, high = _moved(scale, value, found, own.estimate)
    else:
        value = scale.moved(bound, own.estimate)
        low, high = _moved(scale, bound, found)
    baselines = len(past.apart)
    foretold = own.low is None or found.low != own.low or found.high != own.high
    return Weighed(
        value=value,
        bound=bound,
        low=low,
        high=high,
        by=f"{baselines} baselines" if foretold else _rounds(sample),
        notes=_of_baselines(baselines, sample),
        limited=sample.limited,
    )


def _excess(
    scale: _Scale, reference: Reference, sample: Sample, bases: Sequence[Sequence[float]]
) -> list[float]:
    """By how much each value is more than its bound, on the average of those it has."""
    return [
        fmean([scale.apart(value, reference.bound(base)) for base in each])
        for value, each in zip(sample.values, bases, strict=True)
    ]


def _ends(values: Sequence[float]) -> Interval:
    """The estimate, and the ends of which each holds with 95 %, where there are rounds enough for them."""
    return interval(values, _ONE_SIDED) if len(values) >= LEAST_ROUNDS else Interval(estimate(values))


def _foreseen(own: Interval, apart: Sequence[float]) -> Interval:
    """The same, as far apart as runs stray, where there are baselines enough to tell."""
    if len(apart) < LEAST:
        return own
    stray = reach(apart)
    low, high = own.estimate - stray, own.estimate + stray
    if own.low is None or own.high is None:
        return Interval(own.estimate, low, high)
    return Interval(own.estimate, min(low, own.low), max(high, own.high))


def _moved(
    scale: _Scale, at: float, found: Interval, apart: float = 0.0
) -> tuple[float | None, float | None]:
    """The ends as values, from one that is so far apart from the bound."""
    if found.low is None or found.high is None:
        return None, None
    return scale.moved(at, found.low - apart), scale.moved(at, found.high - apart)


def _shares_between(sample: Sample, other: Sample) -> tuple[float | None, float | None]:
    """The ends of a share beside the other's. What fails comes in heaps, so the rounds tell how much chance may do;
    what was counted lies between them all the same.
    """
    if not min(len(sample.shares), len(other.shares)) >= LEAST_ROUNDS:
        return None, None
    found = interval(
        [each - base for each, base in zip(sample.shares, other.shares, strict=True)], _ONE_SIDED
    )
    if found.low is None or found.high is None:
        return None, None
    value, base = sample.values[0], other.values[0]
    return min(value, base + found.low), max(value, base + found.high)


def _rounds(sample: Sample) -> str:
    count = max(len(sample.values), len(sample.shares))
    return f"{count} rounds" if count > 1 else ""


def _few_rounds(sample: Sample) -> tuple[str, ...]:
    """Why rounds have no ends; what is counted over all of them needs none."""
    count = len(sample.values)
    if count == 1 or count >= LEAST_ROUNDS:
        return ()
    return (f"{_POINT}: an interval takes {LEAST_ROUNDS} rounds, and there were {count}",)


def _of_baselines(count: int, sample: Sample) -> tuple[str, ...]:
    """How many there are, and whether they tell how far runs stray."""
    if count >= LEAST:
        return (f"{count} baselines",)
    had = "1 baseline does" if count == 1 else f"{count} baselines do"
    point = f"{_POINT}: " if len(sample.values) == 1 else ""
    return *_few_rounds(sample), f"{point}{had} not tell chance from change, and {LEAST} do"
