"""A distribution of durations drawn in characters: time from left to right on a logarithmic scale, counts upwards.

Law: a column that holds a sample never looks empty, so the tail is seen however small it is. Too few samples, or all
of nearly one value, make no picture. Nothing here knows of a terminal: text in lines comes out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from cannon.reports.log_scale import LogScale
from cannon.tally import Histogram
from cannon.units import format_duration

__all__ = ["ASCII", "BLOCKS", "Ink", "draw"]


class Ink(msgspec.Struct, frozen=True):
    """The characters to draw with: `levels` from the emptiest part of a cell to the full cell, the axis, a tick."""

    levels: str
    axis: str
    tick: str


BLOCKS = Ink(levels="▁▂▃▄▅▆▇█", axis="─", tick="┴")
ASCII = Ink(levels=".:#", axis="-", tick="+")

_ROWS = 5
_LEAST_SAMPLES = 20
_TICKS = (1, 2, 5)
_GAP = 2
# Room for the labels of both ends.
_LEAST_COLUMNS = 16


def draw(histogram: Histogram, columns: int, ink: Ink) -> list[str]:
    """Lines of at most `columns` characters: the shape, its axis, the labels below. Empty where there is no shape."""
    scale = LogScale.of([histogram], columns) if histogram.count >= _LEAST_SAMPLES else None
    if scale is None or scale.columns < _LEAST_COLUMNS:
        return []
    labels = _labels(scale)
    return [*_shape(scale.counts(histogram), ink), _axis(labels, scale.columns, ink), _label_line(labels)]


def _shape(heights: Sequence[int], ink: Ink) -> list[str]:
    """The columns, the top line first."""
    steps, most = len(ink.levels), max(heights)
    filled = [max(1, round(height / most * _ROWS * steps)) if height else 0 for height in heights]
    return [
        "".join(_cell(part - row * steps, ink) for part in filled).rstrip()
        for row in range(_ROWS - 1, -1, -1)
    ]


def _cell(part: int, ink: Ink) -> str:
    return " " if part <= 0 else ink.levels[min(part, len(ink.levels)) - 1]


def _labels(scale: LogScale) -> dict[int, str]:
    """Labels by the column they begin in: both ends, and as many round values between as have room."""
    first, last = format_duration(scale.low_ns), format_duration(scale.high_ns)
    labels = {0: first, scale.columns - len(last): last}
    for exponent in range(int(math.log10(scale.low_ns)), int(math.log10(scale.high_ns)) + 1):
        for digit in _TICKS:
            value_ns = digit * 10**exponent
            if scale.low_ns < value_ns < scale.high_ns:
                column, text = scale.column(value_ns), _round_label(value_ns)
                if _has_room(labels, column, text):
                    labels[column] = text
    return dict(sorted(labels.items()))


def _round_label(value_ns: int) -> str:
    number, _, unit = format_duration(value_ns).partition(" ")
    return f"{float(number):g} {unit}"


def _has_room(labels: Mapping[int, str], column: int, text: str) -> bool:
    return all(
        column + len(text) + _GAP <= other or other + len(label) + _GAP <= column
        for other, label in labels.items()
    )


def _axis(labels: Mapping[int, str], columns: int, ink: Ink) -> str:
    last = max(labels)
    ticks = {column for column in labels if column != last} | {columns - 1}
    return "".join(ink.tick if column in ticks else ink.axis for column in range(columns))


def _label_line(labels: Mapping[int, str]) -> str:
    line = ""
    for column, label in labels.items():
        line = line.ljust(column) + label
    return line
