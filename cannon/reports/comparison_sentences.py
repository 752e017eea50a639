"""What there is to say about a comparison beside its tables: one fact, one line, None or absent where there is none.

Law: sentences state what the comparison holds; they judge nothing. Text that came from outside is cleaned again here: a
saved comparison may be anybody's. They are written for somebody who has never seen one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cannon.comparison import Comparison, SideReport, Worth
from cannon.power import LEAST_ROUNDS
from cannon.reports.figures import Scale, span
from cannon.reports.sentences import counted
from cannon.reports.verdicts import label
from cannon.rounds import Mode, Order, Pass
from cannon.rows import Change, Row
from cannon.text import clean
from cannon.units import format_duration

__all__ = [
    "allowed",
    "common_rate",
    "design",
    "differences",
    "dropped",
    "gains",
    "interruption",
    "is_measured",
    "noise",
    "own_part",
    "per_second",
    "reading",
    "refused",
    "same_target",
    "too_few",
    "validity",
    "warnings",
    "way",
]

_LEVEL = 0.95
_REASON_CHARACTERS = 400
_REASONS_SHOWN = 3
_WELL = "valid"
_DOUBTED = "suspect"
_UNKNOWN = "was not measured well enough to say on which links it pays off"
_WITHOUT_SPEED: Mapping[Worth, str] = {
    Worth.FREE: "takes no time that can be measured, rather less: it pays off on every link",
    Worth.LARGER: "saves no bytes: it pays off on no link",
}


def is_measured(row: Row) -> bool:
    """Whether it holds figures: the slots supported it."""
    return row.base_value is not None and row.side_value is not None


def design(comparison: Comparison) -> str:
    """How it was measured: rounds, slots, order, margin."""
    slot = f"{comparison.slot_s:.3g} s"
    made = _made(comparison)
    if not made and comparison.equivalence.differences:
        return "No round was fired"
    if set(made.values()) == {comparison.rounds_asked} and not comparison.interrupted:
        rounds = f"{counted(comparison.rounds_asked, 'round')} of a {slot} slot for each side and pass"
    else:
        told = ", ".join(f"{count} of {of}" for of, count in made.items()) or "none"
        rounds = f"rounds of a {slot} slot for each side: {told} ({comparison.rounds_asked} asked)"
    order = f"order seed {comparison.seed}" if comparison.order == Order.SHUFFLED else clean(comparison.order)
    return f"{rounds}, {order}, margin {comparison.margin_pct:g} %"


def way(side: SideReport) -> str:
    """Where its connections went, if not simply where its URL says."""
    route = side.settings.route
    if route is None:
        return ""
    ways = {
        "through": route.proxy,
        "dialling": route.connect_to,
        "by": route.socket_path,
        "from": route.bind,
    }
    return "".join(f" {word} {clean(where)}" for word, where in ways.items() if where is not None)


def same_target(comparison: Comparison) -> str | None:
    """That a target was compared with itself."""
    if comparison.mode != Mode.AA:
        return None
    return "The same URL on every side: what differs here is chance on this machine"


def differences(comparison: Comparison) -> list[str]:
    """In what the sides are not to be compared, and how this may be allowed."""
    return [clean(told, _REASON_CHARACTERS) for told in comparison.equivalence.differences]


def allowed(comparison: Comparison) -> list[str]:
    """What differs and may, and what was not looked at since it varies."""
    found = comparison.equivalence
    told = [f"Allowed to differ: {_listed(found.allowed)}"] if found.allowed else []
    return [*told, *(clean(varies, _REASON_CHARACTERS) for varies in found.varies)]


def dropped(comparison: Comparison) -> list[str]:
    """How many rounds were dropped, for which side and why, the commonest first; of those that were fired, also to be
    thrown away. What makes a comparison suspect tells of all others.
    """
    lines = []
    made = _made(comparison)
    left_out = comparison.validity.verdict == _DOUBTED
    for of in Pass:
        own = [each for each in comparison.dropped if each.of is of and not (left_out and each.number)]
        whys = _counts(f"{clean(each.side)}: {clean(each.reason, _REASON_CHARACTERS)}" for each in own)
        fired = made.get(of, 0) + sum(each.of is of for each in comparison.dropped)
        for why, count in whys[:_REASONS_SHOWN]:
            were = "was" if count == 1 else "were"
            lines.append(f"{of} pass: {count} of {counted(fired, 'round')} {were} dropped: {why}")
        if more := sum(count for _, count in whys[_REASONS_SHOWN:]):
            lines.append(f"{of} pass: {counted(more, 'round')} dropped for other reasons")
    return lines


def interruption(comparison: Comparison) -> str | None:
    """That it was stopped from outside, and what there is all the same."""
    if not comparison.interrupted:
        return None
    made = [f"{count} of {of}" for of, count in _made(comparison).items()]
    by = f"interrupted by {clean(comparison.interrupted)}"
    if made:
        return f"{by}: these figures are of the whole rounds until then, {' and '.join(made)}"
    # What makes it invalid is just that.
    return f"{by}: no round was whole by then" if comparison.validity.verdict == _WELL else by


def refused(rows: Sequence[Row]) -> list[str]:
    """The rows of one side that have no figures, and what it would take."""
    return [
        f"{label(row.metric)} not shown: {clean(row.reason, _REASON_CHARACTERS) or 'not measured'}"
        for row in rows
        if not is_measured(row)
    ]


def too_few(comparison: Comparison) -> list[str]:
    """That there are no intervals, and what it takes to have them: a line for each pass of too few rounds."""
    few = {of: count for of, count in _made(comparison).items() if count < LEAST_ROUNDS}
    if not few:
        return []
    least = f"{LEAST_ROUNDS} are the least that have intervals of 95 %"
    if comparison.rounds_asked < LEAST_ROUNDS:
        asked = counted(comparison.rounds_asked, "round")
        return [
            f"No intervals and no verdicts: of {asked}, and {least} (--rounds {LEAST_ROUNDS}; 10 have narrower ones)"
        ]
    return [
        f"No intervals and no verdicts for {of}: {count} of {comparison.rounds_asked} rounds are whole, and {least}"
        for of, count in few.items()
    ]


def common_rate(comparison: Comparison) -> str | None:
    """How the rate was found at which the latencies are; None where it was asked for."""
    rate = comparison.rate
    if rate is None or rate.asked is not None or not any(row.of == Pass.LATENCY for row in comparison.rows):
        return None
    return f"{per_second(rate.per_s)} is {clean(rate.reason)}"


def per_second(rate_per_s: float) -> str:
    """`3,700 requests/s`."""
    return f"{rate_per_s:,.10g} requests/s"


def noise(comparison: Comparison, side: str) -> str | None:
    """What identical targets would have shown of changes."""
    bounded = {(row.of, row.metric) for row in comparison.rows if row.side == side and row.at_least}
    parts = [
        f"{_percent(found.resolvable_pct)} in {label(found.metric)}"
        for found in sorted(comparison.noise, key=lambda found: found.of == Pass.CAPACITY)
        if found.side == side and (found.of, found.metric) not in bounded
    ]
    if not parts:
        return None
    return f"Noise: two identical targets on this machine would differ by up to about {', '.join(parts)}"


def own_part(comparison: Comparison) -> str | None:
    """What cannon itself took and how late it was, in the worst slot."""
    passes = [found.of for found in comparison.rounds]
    if not passes:
        return None
    of = Pass.LATENCY if Pass.LATENCY in passes else Pass.CAPACITY
    slots = [slot for found in comparison.rounds if found.of is of for slot in found.slots.values()]
    parts = []
    busy = [slot.busy for slot in slots if slot.busy is not None]
    if busy:
        parts.append(f"busy {100 * max(busy):.0f} % of a core")
    late_ms = [slot.late_p99_ms for slot in slots if slot.late_p99_ms is not None]
    if late_ms:
        parts.append(f"requests sent {format_duration(max(late_ms) * 1e6)} late (p99)")
    if limited := sum(slot.cpu_bound for slot in slots):
        parts.append(f"the limit in {limited} of {counted(len(slots), 'slot')}")
    return f"cannon itself, at worst: {', '.join(parts)}" if parts else None


def reading(comparison: Comparison, shown: Sequence[Row]) -> list[str]:
    """What must be known to read the rows that are shown."""
    judged = sum(_has_interval(row) for row in shown)
    lines = []
    if any(row.added is not None for row in shown):
        added = (
            "Values are medians of the rounds; added and change are of the differences within each round, so may"
            " not match."
        )
        lines.append(f"{added} In brackets: where the truth lies, 95 % sure." if judged else added)
    if judged > 1:
        false = 1 - _LEVEL**judged
        lines.append(
            f"Each row is 95 % on its own: with {judged}, up to {100 * false:.0f} % of comparisons have a wrong one."
        )
    percentile = next((row.metric for row in reversed(shown) if row.metric.startswith("p")), None)
    if percentile is not None:
        name = label(percentile)
        lines.append(f"{name} added: the change of the {name}, not the {name} of what requests had added.")
    return lines


def gains(comparison: Comparison) -> list[str]:
    """For each coding, on which links it is worth its time."""
    found = comparison.compression
    if found is None:
        return []
    return [
        _gain(clean(side), worth, found.break_even_mbit_s.get(side)) for side, worth in found.worth.items()
    ]


def warnings(comparison: Comparison) -> list[str]:
    """What may lead a reader astray."""
    return [f"warning: {clean(told, _REASON_CHARACTERS)}" for told in comparison.warnings]


def validity(comparison: Comparison) -> list[str]:
    """Why the figures may mislead, but for the differences, which are told on their own."""
    verdict = comparison.validity.verdict
    told = [] if verdict == _WELL else comparison.validity.reasons
    known = {*comparison.equivalence.differences, *comparison.warnings}
    return [
        f"{clean(verdict)}: {clean(reason, _REASON_CHARACTERS)}" for reason in told if reason not in known
    ]


def _gain(side: str, worth: Worth, at: Change | None) -> str:
    if worth is Worth.BREAK_EVEN and at is not None:
        return f"{side} gains time on links slower than {span('Mbit/s', at)}, and costs time on faster ones"
    if worth is Worth.AT_LEAST and at is not None:
        least = Scale.of("Mbit/s", (at.estimate,)).value(at.estimate)
        return f"{side} adds nothing measurable to the mean: it pays off on links up to {least} at least"
    return f"{side} {_WITHOUT_SPEED.get(worth, _UNKNOWN)}"


def _made(comparison: Comparison) -> dict[Pass, int]:
    """How many rounds there are of each pass that has some."""
    counts = {of: sum(found.of is of for found in comparison.rounds) for of in Pass}
    return {of: count for of, count in counts.items() if count}


def _has_interval(row: Row) -> bool:
    return any(change is not None and change.low is not None for change in (row.added, row.change_pct))


def _counts(texts: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    return sorted(counts.items(), key=lambda entry: -entry[1])


def _percent(value: float) -> str:
    return f"{value:,.0f} %" if value >= 10 else f"{value:.2g} %"


def _listed(texts: Sequence[str]) -> str:
    return "; ".join(clean(text, _REASON_CHARACTERS) for text in texts)
