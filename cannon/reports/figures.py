"""The figures of a row as text: both values, what was added, the change in percent, and their intervals.

Law: one unit and one number of decimals for all that stands in one column of a row, so that its figures can be
compared by eye; decimals enough that the ends of an interval differ, and that none of them is shown as the zero or
the margin which it is not. Digits are for show: verdicts are not made of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from cannon.rows import Change, Row
from cannon.text import clean

__all__ = ["NOTHING", "Figures", "Scale", "span"]

NOTHING = "-"
"""Stands where there is nothing to tell."""

_DIGITS = 3
"""Of a value, where its interval does not ask for more."""

_MORE_DECIMALS = 3
"""How many beyond those an interval may ask for."""

_ONE_DECIMAL_BELOW = 9.95
"""Percent have one decimal below ten, and none from there on."""

_NARROWEST = 2 - 1e-9
"""Units of the last decimal between the ends of an interval."""

_ALMOST_ONE = 0.9995

_TIMES = ((1.0, "ns"), (1e3, "\N{MICRO SIGN}s"), (1e6, "ms"), (1e9, "s"))
_BYTES = ((1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB"))
_UNITS: Mapping[str, tuple[float, tuple[tuple[float, str], ...]]] = {
    "ms": (1e6, _TIMES),
    "us": (1e3, _TIMES),
    "B": (1.0, _BYTES),
}
"""For the unit of a row: how many of the smallest it is, and those in which it is shown, the smallest first."""


class Scale(msgspec.Struct, frozen=True):
    """In what a quantity is shown: as many times its own unit as `factor`, under this symbol, with these decimals."""

    factor: float
    symbol: str
    decimals: int

    @classmethod
    def of(
        cls, unit: str, values: Sequence[float], ends: Sequence[float] = (), marks: Sequence[float] = ()
    ) -> Scale:
        """The unit in which the largest of the values is one or more, and decimals that tell the ends apart.

        `ends`: of intervals, each the lower and the upper in turn. `marks`: what no end may look like but is not.
        """
        largest = max((abs(value) for value in values), default=0.0)
        factor, symbol = _unit(unit, largest)
        decimals = _decimals(
            _least_decimals(unit, largest * factor),
            [end * factor for end in ends],
            [mark * factor for mark in marks],
        )
        return cls(factor, symbol, decimals)

    def value(self, value: float | None) -> str:
        """`0.81 ms`, `9,810/s`; a dash for None."""
        return NOTHING if value is None else self._united(f"{self._scaled(value):,.{self.decimals}f}")

    def difference(self, value: float) -> str:
        """`+0.31 ms`."""
        return self._united(self._signed(value))

    def interval(self, change: Change, signed: bool = True) -> str:
        """`[+0.29, +0.33]`; nothing where there is none."""
        if change.low is None or change.high is None:
            return ""
        write = self._signed if signed else self._plain
        return f"[{write(change.low)}, {write(change.high)}]"

    def _plain(self, value: float) -> str:
        return f"{self._scaled(value):,.{self.decimals}f}"

    def _signed(self, value: float) -> str:
        scaled = self._scaled(value)
        return f"{scaled:{'+' if scaled else ''},.{self.decimals}f}"

    def _scaled(self, value: float) -> float:
        """As it is shown: rounded, and without the sign of a zero."""
        return round(value * self.factor, self.decimals) + 0.0

    def _united(self, text: str) -> str:
        return f"{text}{self.symbol}" if self.symbol == "/s" else f"{text} {self.symbol}"


class Figures(msgspec.Struct, frozen=True):
    """The figures of one row. An interval, or what was added, is "" where there is none."""

    base: str
    side: str
    added: str
    added_interval: str
    change: str
    change_interval: str

    @classmethod
    def of(cls, row: Row, margin_pct: float) -> Figures:
        """The figures of a row of a comparison with this margin."""
        values = [value for value in (row.base_value, row.side_value) if value is not None]
        added, change = row.added, row.change_pct
        scale = Scale.of(row.unit, values, _ends(added), (0.0,))
        pct = Scale.of("%", _all(change), _ends(change), (0.0, margin_pct, -margin_pct))
        # A share in percent that has grown has grown by percentage points; percent of it are the change.
        points = msgspec.structs.replace(scale, symbol="pts") if row.unit == "%" else scale
        return cls(
            base=_bounded(scale.value(row.base_value), row.base in row.at_least),
            side=_bounded(scale.value(row.side_value), row.side in row.at_least),
            added="" if added is None else points.difference(added.estimate),
            added_interval="" if added is None else scale.interval(added),
            change="" if change is None else pct.difference(change.estimate),
            change_interval="" if change is None else pct.interval(change),
        )


def span(unit: str, change: Change) -> str:
    """A quantity and its interval: `2.31 ms [2.24, 2.40]`."""
    scale = Scale.of(unit, (change.estimate,), _ends(change))
    interval = scale.interval(change, signed=False)
    return f"{scale.value(change.estimate)} {interval}".rstrip()


def _all(change: Change | None) -> Sequence[float]:
    return () if change is None else (change.estimate, *_ends(change))


def _ends(change: Change | None) -> Sequence[float]:
    if change is None or change.low is None or change.high is None:
        return ()
    return (change.low, change.high)


def _bounded(text: str, at_least: bool) -> str:
    return f">= {text}" if at_least else text


def _unit(unit: str, largest: float) -> tuple[float, str]:
    """How many times the unit is what is shown, and its symbol."""
    if unit not in _UNITS:
        return 1.0, clean(unit)
    smallest, shown = _UNITS[unit]
    size, symbol = next(
        ((size, symbol) for size, symbol in reversed(shown) if largest * smallest >= size * _ALMOST_ONE),
        shown[0],
    )
    return smallest / size, symbol


def _least_decimals(unit: str, largest: float) -> int:
    """As many as three digits take; of percent one below ten."""
    if unit == "%":
        return 1 if largest < _ONE_DECIMAL_BELOW else 0
    if largest <= 0:
        return 0
    return max(0, _DIGITS - 1 - math.floor(math.log10(largest * (1 + 1e-9))))


def _decimals(least: int, ends: Sequence[float], marks: Sequence[float]) -> int:
    """The fewest, from the least on, that tell the ends apart, and each from the marks; not many more."""
    for decimals in range(least, least + _MORE_DECIMALS):
        step = 10.0**-decimals
        pairs = zip(ends[::2], ends[1::2], strict=True)
        apart = all(high == low or high - low >= _NARROWEST * step for low, high in pairs)
        unlike = all(
            end == mark or round(end, decimals) != round(mark, decimals) for end in ends for mark in marks
        )
        if apart and unlike:
            return decimals
    return least + _MORE_DECIMALS
