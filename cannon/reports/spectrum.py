"""Distributions of durations, each in a line of blocks and a line that says where its percentiles lie.

Law: pure text. Several stand on one scale, so that what has moved is seen to have moved: a column is the same time in
each of them, and a height the same share of the samples. A column that holds a sample never looks empty; what lies
beyond the scale is in its last column, and told. Few samples, or all of nearly one value, make no picture, and a
percentile that too few samples lie beyond has no mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from cannon.durations import PERCENTILES
from cannon.reports.log_scale import LogScale
from cannon.reports.picture import BLOCKS
from cannon.reports.sentences import supported
from cannon.tally import Histogram
from cannon.text import clean
from cannon.units import format_duration

__all__ = ["COLUMNS", "draw"]

COLUMNS = 56
"""As many as a page has room for, with a name before them and both ends of the scale."""

_LEAST_COLUMNS = 8
_LEAST_SAMPLES = 20
_LONGEST_NAME = 16
_MARKED = ("p50", "p90", "p99")
_MARK = "^"
_LAST = 99.9
"""The percentile that the scale ends with: one stray response would press all the others together."""


def draw(histograms: Mapping[str, Histogram], columns: int = COLUMNS) -> list[str]:
    """Two lines for each, by name (which may be ""); those with too few samples are left out.

    A line of blocks between the ends of the scale, and beneath it `^p50  ^p90/p99`: the mark is in the column, and
    percentiles that have no room of their own share the mark of the one before.
    """
    drawn = {name: each for name, each in histograms.items() if each.count >= _LEAST_SAMPLES}
    scale = LogScale.of([*drawn.values()], columns, _LAST)
    if scale is None or scale.columns < _LEAST_COLUMNS:
        return []
    counts = {name: scale.counts(each) for name, each in drawn.items()}
    highest = max(max(each) / sum(each) for each in counts.values())
    names = [clean(name, _LONGEST_NAME) for name in drawn]
    room = max(map(len, names))
    low = format_duration(scale.low_ns)
    lines = []
    for name, histogram, each in zip(names, drawn.values(), counts.values(), strict=True):
        before = f"{name.ljust(room)}  {low}  " if room else f"{low}  "
        lines.append(f"{before}{_blocks(each, highest)}  {_end(scale, histogram)}")
        marks = _marks(each)
        if marks:
            lines.append(" " * len(before) + marks)
    return lines


def _end(scale: LogScale, histogram: Histogram) -> str:
    """Where the scale ends, and how far what is in the last column goes."""
    high, longest_ns = format_duration(scale.high_ns), histogram.max_ns or 0
    return f"{high}, up to {format_duration(longest_ns)}" if longest_ns > scale.high_ns else high


def _blocks(counts: Sequence[int], highest: float) -> str:
    """`highest`: the share of the samples that a full block stands for."""
    full, total = len(BLOCKS.levels), sum(counts)
    levels = (max(1, round(count / total / highest * full)) if count else 0 for count in counts)
    return "".join(BLOCKS.levels[level - 1] if level else " " for level in levels)


def _marks(counts: Sequence[int]) -> str:
    seen = list(accumulate(counts))
    line = ""
    for key in _MARKED:
        percentile = PERCENTILES[key]
        if not supported(percentile, seen[-1]):
            continue
        column = next(place for place, below in enumerate(seen) if 100 * below >= percentile * seen[-1])
        if line and column <= len(line):
            line += f"/{key}"
        else:
            line = line.ljust(column) + _MARK + key
    return line
