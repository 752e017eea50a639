"""Side phrases: what stands for a placeholder of a comparison's side, by the name of the placeholder.

Law: pure. What a row tells is taken from it, so that the sentence says what the tables above it say; what no row tells
is made of the rounds, the round being the sample. Of CPU the latency pass counts, where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import msgspec

from cannon.comparison import Comparison, Worth
from cannon.phrases import Noun, added, bounded, changed, estimated, listed, missing, share, value
from cannon.rounds import Pass
from cannon.rows import Row
from cannon.scenario_report import NO_KEY, ScenarioReport, SpreadReport
from cannon.served import goodput, refused
from cannon.signed_rank import interval
from cannon.slots import OWN, Slot
from cannon.text import clean
from cannon.verdict import Change, judged

__all__ = ["AGAINST_BASE", "SIDE_PHRASES", "SideAsked", "rate", "spread"]

_NAME_CHARACTERS = 60
_MOST_NAMED = 4
_REQUESTS = Noun("requests per second", "fewer", "as many")
_BYTES = Noun("bytes per response", "fewer", "as many", counted=True)
_CPU = Noun("CPU per request", "less", "as much")
_MEAN = "mean"
_TIMES = ("p50", "p90", "p99", "p99_9", _MEAN)
_ABOUT_ONE = 1.05

_SPEEDS: Mapping[Worth, str] = {
    Worth.FREE: "pays off on every link",
    Worth.LARGER: "pays off on no link",
}


class SideAsked(msgspec.Struct, frozen=True):
    """Of what a placeholder is: a side of a comparison, and a service where it names one."""

    comparison: Comparison
    report: ScenarioReport
    side: str
    service: str = ""

    def rows(self, metric: str, *, base_too: bool = False) -> list[Row]:
        """The rows of a metric and this side, that of the latency pass first; of a base those of the others."""
        found = [
            row
            for row in self.comparison.rows
            if row.metric == metric and (row.side == self.side or (base_too and row.base == self.side))
        ]
        return sorted(found, key=lambda row: row.of != Pass.LATENCY)

    def value(self, row: Row) -> float | None:
        """Its own of the two values."""
        return row.side_value if row.side == self.side else row.base_value

    def slots(self, name: str, of: Pass) -> list[Slot]:
        """Those of a side in a pass, in the order of the rounds."""
        rounds = [found for found in self.comparison.rounds if found.of is of]
        return [found.slots[name] for found in rounds if name in found.slots]


def rate(comparison: Comparison) -> str:
    """The common rate of the latency pass."""
    return missing() if comparison.rate is None else f"{comparison.rate.per_s:,.10g}/s"


def spread(found: Sequence[SpreadReport]) -> str:
    """How evenly answers were spread: the counts alone, since who they are of is chance."""
    told = next(iter(found), None)
    if told is None:
        return missing()
    key = clean(told.key, _NAME_CHARACTERS)
    counts = sorted((count for name, count in told.counts.items() if name != NO_KEY), reverse=True)
    if not counts:
        return missing(f"no answer had {key}")
    without = told.asked - sum(counts)
    rest = f" ({without:,} without {key})" if without > 0 else ""
    answers = f"of {told.asked:,} answers"
    if len(counts) == 1:
        return f"{'all' if not rest else f'{counts[0]:,}'} {answers} from one {key}{rest}"
    if len(counts) <= _MOST_NAMED:
        return f"{listed([f'{count:,}' for count in counts])} {answers}{rest}"
    return f"between {counts[-1]:,} and {counts[0]:,} {answers} over {len(counts)} values of {key}{rest}"


def _of_row(metric: str) -> Callable[[SideAsked], str]:
    """The value of a row of this metric."""

    def told(asked: SideAsked) -> str:
        row, found = _first(asked, metric)
        if row is None or found is None:
            return missing(row.reason if row else "")
        least = "at least " if asked.side in row.at_least else ""
        return f"{least}{value(row.unit, found)}"

    return told


def _first(asked: SideAsked, metric: str) -> tuple[Row | None, float | None]:
    """The first row that has a value, or the first at all."""
    rows = asked.rows(metric, base_too=True)
    row = next((row for row in rows if asked.value(row) is not None), next(iter(rows), None))
    return row, asked.value(row) if row else None


def _change(metric: str, noun: Noun) -> Callable[[SideAsked], str]:
    def told(asked: SideAsked) -> str:
        row = next(iter(asked.rows(metric)), None)
        return missing() if row is None else _changed(asked, row, noun)

    return told


def _changed(asked: SideAsked, row: Row, noun: Noun) -> str:
    if row.at_least:
        return bounded(noun, row)
    return changed(noun, row.change_pct, row.verdict, asked.comparison.margin_pct, row.reason)


def _added(metric: str) -> Callable[[SideAsked], str]:
    def told(asked: SideAsked) -> str:
        row = next(iter(asked.rows(metric)), None)
        return missing() if row is None else added(row, _place(metric), asked.comparison.margin_pct)

    return told


def _place(metric: str) -> str:
    return "on average" if metric == _MEAN else f"at {metric.replace('_', '.')}"


def _errors(asked: SideAsked) -> str:
    row, found = _first(asked, "errors")
    if row is None or found is None:
        return missing(row.reason if row else "")
    return f"{share(found, 100.0)} errors" if found else "no errors"


def _ratio(asked: SideAsked) -> str:
    compression = asked.comparison.compression
    if compression is not None:
        noun, found = "bodies", compression.ratio.get(asked.side)
    else:
        noun, found = "responses", None
        for row in asked.rows("bytes"):
            if row.base_value and row.side_value:
                found = row.base_value / row.side_value
    if not found or found <= 0:
        return missing()
    times = max(found, 1 / found)
    if times < _ABOUT_ONE:
        return f"{noun} of about the same size"
    return f"{noun} {times:,.{0 if times >= 10 else 1}f} times {'smaller' if found > 1 else 'larger'}"


def _break_even(asked: SideAsked) -> str:
    compression = asked.comparison.compression
    worth = None if compression is None else compression.worth.get(asked.side)
    if compression is None or worth is None:
        return missing()
    speed = compression.break_even_mbit_s.get(asked.side)
    if worth is Worth.BREAK_EVEN and speed is not None:
        return f"pays off on links slower than {estimated('Mbit/s', speed)}"
    if worth is Worth.AT_LEAST and speed is not None:
        return f"pays off on links up to {value('Mbit/s', speed.estimate)} at least"
    return _SPEEDS.get(worth, "was not measured well enough to say on which links it pays off")


def _cpu(asked: SideAsked) -> str:
    sums = _cpu_sums(asked).get(asked.side)
    return f"{value('us', median(sums))} of {_CPU.words}" if sums else missing()


def _cpu_change(asked: SideAsked) -> str:
    comparison = asked.comparison
    sums = _cpu_sums(asked)
    base, side = sums.get(comparison.sides[0].name, []), sums.get(asked.side, [])
    if not base or len(base) != len(side) or min(*base, *side) <= 0:
        return missing()
    logs = [math.log(later / first) for first, later in zip(base, side, strict=True)]
    found = interval(logs)
    change = Change(
        100 * math.expm1(found.estimate),
        None if found.low is None else 100 * math.expm1(found.low),
        None if found.high is None else 100 * math.expm1(found.high),
    )
    margin_pct = comparison.margin_pct
    verdict, reason = judged(change, logs, margin_pct / 100, comparison.rounds_asked)
    return changed(_CPU, change, verdict, margin_pct, reason)


def _cpu_sums(asked: SideAsked) -> dict[str, list[float]]:
    """CPU per request of all services together, by side and round; empty where a slot lacks one of them."""
    for of in (Pass.LATENCY, Pass.CAPACITY):
        slots = {side.name: asked.slots(side.name, of) for side in asked.comparison.sides}
        every = [slot for found in slots.values() for slot in found]
        names = {name for slot in every for name in slot.cpu_us} - {OWN}
        if every:
            whole = bool(names) and all(names <= slot.cpu_us.keys() for slot in every)
            return {
                side: [math.fsum(slot.cpu_us[name] for name in names) for slot in found]
                for side, found in slots.items()
                if whole
            }
    return {}


def _cpu_of(asked: SideAsked) -> str:
    row, found = _first(asked, f"cpu@{asked.service}")
    if row is None or found is None:
        return missing(row.reason if row else "")
    return f"{value(row.unit, found)} of {_cpu_in(asked).words}"


def _cpu_of_change(asked: SideAsked) -> str:
    row = next(iter(asked.rows(f"cpu@{asked.service}")), None)
    if row is None:
        return missing()
    noun = _cpu_in(asked)
    if row.change_pct is None:
        # One side does not run through it.
        return added(row, noun.words, asked.comparison.margin_pct)
    return _changed(asked, row, noun)


def _cpu_in(asked: SideAsked) -> Noun:
    name = clean(asked.service, _NAME_CHARACTERS)
    return msgspec.structs.replace(_CPU, words=f"{_CPU.words} in {name}")


def _goodput(asked: SideAsked) -> str:
    own = next(side for side in asked.comparison.sides if side.name == asked.side)
    found = goodput(asked.slots(asked.side, Pass.LATENCY), own.settings.expect_status)
    return missing() if found is None else estimated("/s", found)


def _refused(asked: SideAsked) -> str:
    ends, tried = refused(asked.slots(asked.side, Pass.LATENCY))
    told = [f"{share(count, tried)} {clean(how, _NAME_CHARACTERS)}" for how, count in ends]
    return (", ".join(told) or "none") if tried else missing()


def _handshake(asked: SideAsked) -> str:
    found = next((each for each in asked.comparison.handshakes if each.side == asked.side), None)
    if found is None:
        return missing()
    told = [
        f"{estimated('ms', change)} for a {kind}"
        for kind, change in (("new handshake", found.fresh_ms), ("resumed one", found.resumed_ms))
        if change is not None
    ]
    return listed(told) or "no handshake"


def _spread(asked: SideAsked) -> str:
    return spread([each for each in asked.report.spread if each.side == asked.side])


SIDE_PHRASES: Mapping[str, Callable[[SideAsked], str]] = {
    "rps": _of_row("rps"),
    "rps.change": _change("rps", _REQUESTS),
    **{metric: _of_row(metric) for metric in _TIMES},
    **{f"{metric}.added": _added(metric) for metric in _TIMES},
    **{
        f"{metric}.change": _change(metric, Noun(f"time {_place(metric)}", "less", "as much"))
        for metric in _TIMES
    },
    "bytes": _of_row("bytes"),
    "bytes.change": _change("bytes", _BYTES),
    "ratio": _ratio,
    "break_even": _break_even,
    "cpu": _cpu,
    "cpu.change": _cpu_change,
    "cpu.SERVICE": _cpu_of,
    "cpu.SERVICE.change": _cpu_of_change,
    "errors": _errors,
    "goodput": _goodput,
    "refused": _refused,
    "handshake": _handshake,
    "spread": _spread,
}
"""By what stands behind the side's name."""

AGAINST_BASE = frozenset(
    name for name in SIDE_PHRASES if name.endswith((".change", ".added")) or name in ("ratio", "break_even")
)
"""Of a side beyond the base."""
