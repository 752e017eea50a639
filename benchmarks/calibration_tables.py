"""What a calibration found, as Markdown: a table for each part, and whether its goals were reached."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from cannon.verdict import Change
from intervals import Misses, lies, most_by_chance
from markdown import line, spread, titled
from outcomes import Found, Outcome

__all__ = ["TABLES", "Table"]

Table = Callable[[Sequence[Sequence[Outcome]]], tuple[str, bool]]
"""The table of the outcomes of each trial, and whether every goal was reached."""

_HELD_CHANCE: Final = 0.025
"""With it at least 35 of 40 intervals must hold the truth."""

_WIDTH_MS: Final = 0.05
_APART: Final = 0.15
_SPARE_S: Final = 15.0
_PERCENTILES: Final = ("p50", "p90", "p99")


def against_itself(trials: Sequence[Sequence[Outcome]]) -> tuple[str, bool]:
    """How many intervals excluded zero, row by row."""
    titles = (
        *("at", "row", "comparisons", "change excludes 0", "added excludes 0", "at most"),
        *("median change", "median width"),
    )
    lines, reached = [titled(titles)], True
    for outcomes in trials:
        for name in _names(outcomes):
            rows = [row for outcome in outcomes if (row := outcome.row(*name)) is not None]
            told = [row.change_pct for row in rows if row.change_pct is not None]
            changes = Misses.of(lies(change, 0) for change in told)
            added = Misses.of(lies(row.added, 0) for row in rows)
            most = most_by_chance(len(rows))
            reached = reached and changes.missed <= most and added.missed <= most
            lines.append(
                line(
                    (
                        *(outcomes[0].setting, f"{name[0]}: {name[1]}", f"{len(rows):,}"),
                        *(str(changes), str(added), str(most)),
                        f"{statistics.median(change.estimate for change in told):+.2f} %" if told else "",
                        f"{statistics.median(map(width, told)):.1f} %" if told else "",
                    )
                )
            )
        lines += _failures(outcomes, len(titles))
    return "\n".join(lines), reached


def injected(trials: Sequence[Sequence[Outcome]]) -> tuple[str, bool]:
    """How many intervals held what the server added by its own record, row by row."""
    titles = (
        *("held for", "row", "comparisons", "its own record, ms", "intervals that hold it", "at least"),
        *("that miss it", "estimate less record, µs", "width, µs"),
    )
    lines, reached = [titled(titles)], True
    for outcomes in trials:
        for metric in (*_PERCENTILES, "mean"):
            pairs = [
                (row.added, outcome.own_ms[metric])
                for outcome in outcomes
                if metric in outcome.own_ms and (row := outcome.row("latency", metric)) is not None
            ]
            misses = Misses.of(lies(added, own_ms) for added, own_ms in pairs)
            least = len(pairs) - most_by_chance(len(pairs), _HELD_CHANCE)
            if metric in _PERCENTILES:
                reached = reached and misses.held >= least
            lines.append(
                line(
                    (
                        *(outcomes[0].setting, metric, f"{len(pairs):,}"),
                        spread([own_ms for _, own_ms in pairs], ".4f"),
                        *(str(misses.held), str(least) if metric in _PERCENTILES else "", str(misses)),
                        spread([1000 * (added.estimate - own_ms) for added, own_ms in pairs], "+.1f"),
                        spread([1000 * width(added) for added, _ in pairs], ".1f"),
                    )
                )
            )
        lines += _failures(outcomes, len(titles))
    return "\n".join(lines), reached


def widths(trials: Sequence[Sequence[Outcome]]) -> tuple[str, bool]:
    """How wide the intervals were."""
    titles = ("at", "row", "comparisons", "width, ms", "goal")
    lines, reached = [titled(titles)], True
    for outcomes in trials:
        for metric in _PERCENTILES:
            found = [
                width(row.added)
                for outcome in outcomes
                if (row := outcome.row("latency", metric)) is not None
            ]
            goal = ""
            if metric == "p50":
                goal = f"<= {_WIDTH_MS}"
                reached = reached and bool(found) and statistics.median(found) <= _WIDTH_MS
            lines.append(line((outcomes[0].setting, metric, f"{len(found):,}", spread(found, ".4f"), goal)))
        lines += _failures(outcomes, len(titles))
    return "\n".join(lines), reached


def capacities(trials: Sequence[Sequence[Outcome]]) -> tuple[str, bool]:
    """The change of capacity by `cannon compare`, and by hand."""
    titles = ("of", "by compare", "by hand, wrk", "compare / hand", "goal")
    low, high = 1 - _APART, 1 + _APART
    lines, reached = [titled(titles)], True
    for outcomes in trials:
        for outcome in outcomes:
            row = outcome.row("capacity", "rps")
            if row is None or row.change_pct is None or not outcome.by_hand:
                continue
            ratio = row.change_pct.estimate / statistics.median(outcome.by_hand)
            reached = reached and low <= ratio <= high
            change = row.change_pct
            lines.append(
                line(
                    (
                        outcome.setting,
                        f"{change.estimate:+.1f} % [{change.low:+.1f}, {change.high:+.1f}]",
                        f"{spread(outcome.by_hand, '+.1f')} %",
                        f"{ratio:.3f}",
                        f"{low:g} to {high:g}",
                    )
                )
            )
        lines += _failures(outcomes, len(titles))
    return "\n".join(lines), reached


def times(trials: Sequence[Sequence[Outcome]]) -> tuple[str, bool]:
    """How long comparisons took, beside what two sides in two passes may."""
    titles = ("of", "measured a side and pass", "warm-ups", "took", "goal")
    lines, reached = [titled(titles)], True
    for outcomes in trials:
        for outcome in outcomes:
            if outcome.fault:
                continue
            most_s = 2 * 2 * (outcome.measured_s + outcome.lead_in_s) + _SPARE_S
            reached = reached and outcome.wall_s <= most_s
            seconds = (outcome.measured_s, outcome.lead_in_s, outcome.wall_s)
            told = (f"{value:.1f} s" for value in seconds)
            lines.append(line((outcome.setting, *told, f"<= {most_s:.1f} s")))
        lines += _failures(outcomes, len(titles))
    return "\n".join(lines), reached


def width(change: Change) -> float:
    """From one end of an interval to the other; it has both."""
    assert change.low is not None
    assert change.high is not None
    return change.high - change.low


def _names(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    """The rows that are in any of them, in the order of their first."""
    rows: Iterator[Found] = (row for outcome in outcomes for row in outcome.rows)
    return list(dict.fromkeys((row.of, row.metric) for row in rows))


def _failures(outcomes: Sequence[Outcome], columns: int) -> list[str]:
    """A row for those that have no figures, if there are any."""
    faults = [outcome.fault for outcome in outcomes if outcome.fault]
    if not faults:
        return []
    told = f"{len(faults)} of {len(outcomes)} without figures, the last: {faults[-1]}".replace("|", "\\|")
    return [line((outcomes[0].setting, told, *("" for _ in range(columns - 2))))]


TABLES: Final[Mapping[str, Table]] = {
    "aa": against_itself,
    "injected": injected,
    "width": widths,
    "capacity": capacities,
    "time": times,
}
