"""What may lead a reader of a comparison astray, in one line each; and when its latency pass is not valid at all.

Law: pure, from the slots alone, whatever they show of the sides: every line says in how many slots, what it means and
what to do. A warning takes nothing back; intervals and verdicts stand as they are.

How often a sound comparison is warned for nothing (simulated through this code, 5,000 to 20,000 rows each; normal
differences, and such with one outlier in twenty, which are warned less): for rounds that resemble each other or swing
2 rows in 100 at 10 rounds and 4 at 40, nine of ten of them of the harmless sign at 10; for the order less than 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean, median, variance

from cannon.doubts import BUSY, STOLEN
from cannon.equivalence import NOTICEABLE, beyond_chance
from cannon.power import student_quantile
from cannon.rounds import ComparisonPlan, Pass
from cannon.rows import Row
from cannon.slots import Round, Slot
from cannon.units import format_duration

__all__ = ["saturated", "warnings_of"]

_HEADLINES = ((Pass.CAPACITY, "rps"), (Pass.LATENCY, "p50"))
"""The rows whose rounds are looked at, one by one; of a pass the others share their noise."""

_LEAST_ROUNDS = 8
"""With fewer no autocorrelation can be told from none."""

_LEAST_OF_EACH = 4
"""Rounds in which a side came first, and in which it came second."""

_ORDER_LEVEL = 0.99
"""Of the interval of an order effect: there is one for each row, and most readers have two or more."""

_LATE_MS = 1.0
_KEPT_UP = 0.99
"""Of what was due, how much must be sent."""


def warnings_of(plan: ComparisonPlan, rounds: Sequence[Round], rows: Sequence[Row]) -> list[str]:
    """All that is worth a warning, a line each. `rows`: those that have an interval are looked at round by round."""
    return [
        *_dependent(rounds, rows),
        *_order_effects(rounds, rows),
        *_limits(plan, rounds),
        *_own_delays(plan, rounds),
        *_lateness(plan, rounds),
        *_stolen(rounds),
        *_mixed_statuses(plan, rounds),
        *_mixed_bodies(plan, rounds),
    ]


def saturated(plan: ComparisonPlan, rounds: Sequence[Round]) -> str | None:
    """Why the latency pass is not valid, None where it is: in more than half of the slots of a side cannon was the
    limit, or less than 99 % of what was due could be sent.
    """
    for name in plan.names:
        slots = _slots(rounds, Pass.LATENCY, name)
        for share, words in ((_busy, _CANNON_WAS), (_behind, _SIDE_WAS)):
            count = sum(map(share, slots))
            if 2 * count > len(slots):
                return words.format(slots=_of(count, len(slots)), name=name, more=_more(plan))
    return None


_CANNON_WAS = (
    "cannon was the limit in {slots} of the latency pass of {name} (it used 85 % of a core or more), so its latencies"
    " are partly cannon's; lower the rate (--rate){more}"
)
_SIDE_WAS = (
    "{name} could not keep up with the rate in {slots} of the latency pass (less than 99 % of what was due was sent),"
    " so its latencies tell how long it was overloaded; lower the rate (--rate), or give more connections (-c)"
)


def _busy(slot: Slot) -> bool:
    return slot.busy is not None and slot.busy >= BUSY


def _behind(slot: Slot) -> bool:
    return bool(slot.due) and slot.due is not None and (slot.due - slot.never_sent) / slot.due < _KEPT_UP


# Rounds, one by one.


def _headlines(
    rounds: Sequence[Round], rows: Sequence[Row]
) -> Iterator[tuple[Row, list[Round], list[float]]]:
    """Each row that is looked at, with its rounds and their log ratios."""
    for row in rows:
        of = next((of for of, metric in _HEADLINES if (row.of, row.metric) == (of, metric)), None)
        if of is None or row.level is None:
            continue
        measured = [
            (found, ratio)
            for found in rounds
            if found.of is of and (ratio := _log_ratio(row, found)) is not None
        ]
        yield row, [found for found, _ in measured], [ratio for _, ratio in measured]


def _log_ratio(row: Row, found: Round) -> float | None:
    """What a round says to a row: ln of the side over the base."""
    side, base = (_value(found.slots[name], row.metric) for name in (row.side, row.base))
    return math.log(side / base) if side and base and side > 0 < base else None


def _value(slot: Slot, metric: str) -> float | None:
    return slot.rps if metric == "rps" else slot.p50_ms


def _dependent(rounds: Sequence[Round], rows: Sequence[Row]) -> Iterator[str]:
    """Differences of rounds that follow each other: the lag-1 autocorrelation, beyond 2 / sqrt(n) of it."""
    found = [
        (row, autocorrelation)
        for row, _, ratios in _headlines(rounds, rows)
        if len(ratios) >= _LEAST_ROUNDS
        and abs(autocorrelation := _autocorrelation(ratios)) > 2 / math.sqrt(len(ratios))
    ]
    for sign, meaning in ((1, _ALIKE), (-1, _SWINGING)):
        named = ", ".join(f"{_named(row)} ({value:+.2f})" for row, value in found if value * sign > 0)
        if named:
            yield f"the change of {named} {meaning}"


_ALIKE = (
    "resembles that of the round before (lag-1 autocorrelation): the rounds tell less than as many that are"
    " independent, and the interval may be too narrow; run it again when the machine has settled, or with more --rounds"
)
_SWINGING = (
    "swings from each round to the next (lag-1 autocorrelation), as by something that comes and goes with the rounds;"
    " the interval is rather too wide than too narrow, and more --rounds make it narrower"
)


def _autocorrelation(values: Sequence[float]) -> float:
    middle = fmean(values)
    apart = [value - middle for value in values]
    squares = sum(value * value for value in apart)
    if not squares:
        return 0.0
    return sum(one * other for one, other in pairwise(apart)) / squares


def _order_effects(rounds: Sequence[Round], rows: Sequence[Row]) -> Iterator[str]:
    """What rounds in which a side came before the base tell beyond those in which it came after (Welch's interval)."""
    found = []
    for row, measured, ratios in _headlines(rounds, rows):
        first, second = (
            [ratio for one, ratio in zip(measured, ratios, strict=True) if _comes_first(row, one) is wanted]
            for wanted in (True, False)
        )
        if min(len(first), len(second)) < _LEAST_OF_EACH:
            continue
        effect, half = _difference(first, second)
        if abs(effect) > half and abs(effect) > NOTICEABLE:
            low, high = (_change(effect + sign * half) for sign in (-1, 1))
            found.append(f"{_named(row)} by {_change(effect)} % [{low}, {high}] where {row.side} came first")
    if found:
        yield (
            f"the order in a round makes a difference: {', '.join(found)}; a slot leaves something to the next. The"
            " orders are balanced, so it is in no estimate, but it makes intervals wider: let slots settle for longer"
            " (-W 2s), or restart what remembers (--before-slot)"
        )


def _comes_first(row: Row, found: Round) -> bool:
    return found.order.index(row.side) < found.order.index(row.base)


def _difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The difference of two means and half of its interval (Welch 1947)."""
    one, other = variance(first) / len(first), variance(second) / len(second)
    effect = fmean(first) - fmean(second)
    if not one + other:
        return effect, 0.0
    degrees = (one + other) ** 2 / (one**2 / (len(first) - 1) + other**2 / (len(second) - 1))
    quantile = student_quantile((1 + _ORDER_LEVEL) / 2, max(1, math.floor(degrees)))
    return effect, quantile * math.sqrt(one + other)


def _named(row: Row) -> str:
    return f"{row.metric} of {row.side}"


def _change(log_ratio: float) -> str:
    return f"{100 * math.expm1(log_ratio):+.1f}"


# Slots, taken together.


def _limits(plan: ComparisonPlan, rounds: Sequence[Round]) -> Iterator[str]:
    for of, meaning in (
        (
            Pass.CAPACITY,
            "its capacities are lower bounds where that was so; fire from another machine",
        ),
        (Pass.LATENCY, "those latencies are partly cannon's own; lower the rate (--rate)"),
    ):
        slots = _slots(rounds, of)
        limited = [slot for slot in slots if slot.cpu_bound or _busy(slot)]
        if limited:
            most = max(slot.busy or 0.0 for slot in limited)
            yield (
                f"cannon was the limit in {_of(len(limited), len(slots))} of the {of} pass (it used up to"
                f" {_percent(most)} of a core): {meaning}{_more(plan)}"
            )


def _own_delays(plan: ComparisonPlan, rounds: Sequence[Round]) -> Iterator[str]:
    slots = _slots(rounds, Pass.LATENCY)
    delayed = [slot for slot in slots if slot.saturated and not slot.cpu_bound]
    if delayed:
        yield (
            f"a fifth or more of a latency was cannon's own delay in {_of(len(delayed), len(slots))} of the latency"
            " pass: it is in every side alike, so what is added holds better than the change in percent; close other"
            f" programs, lower the rate (--rate){_more(plan)}"
        )


def _lateness(plan: ComparisonPlan, rounds: Sequence[Round]) -> Iterator[str]:
    slots = _slots(rounds, Pass.LATENCY)
    late = [
        slot.late_p99_ms for slot in slots if slot.late_p99_ms is not None and slot.late_p99_ms > _LATE_MS
    ]
    if late:
        yield (
            f"cannon itself was more than 1 ms late with 1 in 100 requests in {_of(len(late), len(slots))} of the"
            f" latency pass (p99 up to {format_duration(max(late) * 1e6)}), and that is part of those latencies: close"
            f" other programs, lower the rate (--rate){_more(plan)}"
        )


def _stolen(rounds: Sequence[Round]) -> Iterator[str]:
    slots = [slot for of in Pass for slot in _slots(rounds, of)]
    stolen = [slot.steal for slot in slots if slot.steal is not None and slot.steal >= STOLEN]
    if stolen:
        yield (
            f"this virtual machine lost 10 % of its CPU time or more to others in {_of(len(stolen), len(slots))}"
            f" (steal, up to {_percent(max(stolen))}), which hits whichever side is fired then and makes intervals"
            " wider: run it again when the host is quieter"
        )


def _mixed_statuses(plan: ComparisonPlan, rounds: Sequence[Round]) -> Iterator[str]:
    """Slots of one side in one pass whose statuses are not those of its other slots."""
    found = []
    for of, name, slots in _each(plan, rounds):
        completed = sum(slot.completed for slot in slots)
        for status in sorted({status for slot in slots for status in slot.status}):
            count = sum(slot.status.get(status, 0) for slot in slots)
            if any(_is_odd(slot, status, count, completed) for slot in slots):
                shares = [slot.status.get(status, 0) / slot.completed for slot in slots if slot.completed]
                found.append(
                    f"{name} answers {status} to {_percent(min(shares))} to {_percent(max(shares))} of the requests of"
                    f" a slot in the {of} pass"
                )
                # The other statuses are what is left of it.
                break
    if found:
        yield (
            f"slots of one side did not get the same answers: {'; '.join(found)}. What they measured is not one thing:"
            " see what the server said meanwhile, or whether it limits rates"
        )


def _is_odd(slot: Slot, status: str, count: int, completed: int) -> bool:
    """Whether a slot has another share of a status than the rest of these, `count` of `completed` with its own."""
    own = slot.status.get(status, 0)
    return beyond_chance((own, slot.completed), (count - own, completed - slot.completed))


def _mixed_bodies(plan: ComparisonPlan, rounds: Sequence[Round]) -> Iterator[str]:
    """Slots of one side in one pass whose bodies are not as long as those of its other slots."""
    found = []
    for of, name, slots in _each(plan, rounds):
        sizes = [size for slot in slots if (size := slot.body_bytes_per_response) is not None]
        middle = median(sizes) if sizes else 0.0
        odd = sum(abs(size - middle) > NOTICEABLE * middle for size in sizes)
        if odd:
            found.append(
                f"{name} in {_of(odd, len(sizes))} of the {of} pass ({min(sizes):,.0f} to {max(sizes):,.0f} bytes)"
            )
    if found:
        yield (
            f"bodies were longer or shorter than usual in some slots: {', '.join(found)}. What costs time may have"
            " changed with them: fire at a page that stays the same"
        )


def _each(plan: ComparisonPlan, rounds: Sequence[Round]) -> Iterator[tuple[Pass, str, list[Slot]]]:
    for of in Pass:
        for name in plan.names:
            yield of, name, _slots(rounds, of, name)


def _slots(rounds: Sequence[Round], of: Pass, side: str | None = None) -> list[Slot]:
    """Those of a pass, of one side or of all."""
    return [
        slot
        for found in rounds
        if found.of is of
        for name, slot in found.slots.items()
        if side is None or name == side
    ]


def _of(count: int, total: int) -> str:
    return f"{count} of {total} slot{'s' if total > 1 else ''}"


def _more(plan: ComparisonPlan) -> str:
    """One worker more, where there are connections for it."""
    fired = plan.sides[0].plan
    return f", or try -w {fired.workers + 1}" if fired.workers < fired.connections else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
