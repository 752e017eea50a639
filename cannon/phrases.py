"""Phrases: quantities, changes and shares in words, for a sentence that somebody reads without the tables.

Law: pure. The words of a change are those of its verdict: it has a direction only where the verdict, or the whole
interval, has one, and an estimate without an interval is only "about". Decimals are enough that the ends of an interval
differ, and that neither looks like the zero or the margin which it is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from cannon.rows import Row
from cannon.text import clean
from cannon.verdict import Change, Verdict

__all__ = ["Noun", "added", "bounded", "changed", "estimated", "listed", "missing", "share", "value"]

_REASON_CHARACTERS = 120
_DIGITS = 3
_MORE_DECIMALS = 3
_NARROWEST = 2 - 1e-9
_ALMOST_ONE = 0.9995
_ONE_DECIMAL_BELOW = 9.95
_NO_PERCENT = "no change in percent"
_SIZE_UNKNOWN = ", size uncertain"
_NO_INTERVAL = "(no interval)"

_TIMES = ((1e-6, "ns"), (1e-3, "\N{MICRO SIGN}s"), (1.0, "ms"), (1e3, "s"))
_LADDERS: Mapping[str, Sequence[tuple[float, str]]] = {
    "ms": _TIMES,
    "us": tuple((1e3 * size, symbol) for size, symbol in _TIMES),
    "B": ((1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB")),
}
"""For a unit: in which it is shown, the smallest first, each as so many of it."""


class Noun(msgspec.Struct, frozen=True):
    """What there may be more of. `counted`: on all rounds, so that an estimate is what it is without an interval."""

    words: str
    less: str
    same: str
    counted: bool = False


class _Scale(msgspec.Struct, frozen=True):
    """In what a quantity is shown: this many of its own unit, under this symbol, with these decimals."""

    size: float
    symbol: str
    decimals: int

    @classmethod
    def of(
        cls, unit: str, values: Sequence[float], change: Change | None = None, marks: Sequence[float] = (0.0,)
    ) -> _Scale:
        """`change`: whose ends shall differ, from each other and from the `marks`."""
        largest = max(map(abs, values), default=0.0)
        ladder = _LADDERS.get(unit, ((1.0, clean(unit, 20)),))
        size, symbol = next(
            (step for step in reversed(ladder) if largest >= step[0] * _ALMOST_ONE), ladder[0]
        )
        least = _least_decimals(unit, largest / size)
        ends = _ends(change)
        for decimals in range(least, least + _MORE_DECIMALS):
            shown = [round(end / size, decimals) for end in ends]
            apart = not ends or ends[0] == ends[1] or (ends[1] - ends[0]) / size >= _NARROWEST * 10**-decimals
            if apart and all(
                end == mark or near != round(mark / size, decimals)
                for end, near in zip(ends, shown, strict=True)
                for mark in marks
            ):
                return cls(size, symbol, decimals)
        return cls(size, symbol, least + _MORE_DECIMALS if ends else least)

    def number(self, quantity: float, *, signed: bool = False) -> str:
        """`0.15`, `+0.15`."""
        near = round(quantity / self.size, self.decimals) + 0.0
        return f"{near:{'+' if signed and near else ''},.{self.decimals}f}"

    def united(self, text: str) -> str:
        """With the symbol behind it: `0.15 ms`, `8,120/s`."""
        return f"{text}{self.symbol}" if self.symbol.startswith("/") else f"{text} {self.symbol}"


def value(unit: str, quantity: float) -> str:
    """`1.23 ms`, `8,120/s`, `20.2 kB`: three digits. Units as rows have them: "ms", "us", "B", "/s", or any symbol."""
    scale = _Scale.of(unit, (quantity,))
    return scale.united(scale.number(quantity))


def estimated(unit: str, found: Change) -> str:
    """`2.31 ms [2.24, 2.40]`; without an interval `about 2.31 ms (no interval)`."""
    scale = _Scale.of(unit, (found.estimate,), found)
    told = scale.united(scale.number(found.estimate))
    ends = _ends(found)
    if not ends:
        return f"about {told} {_NO_INTERVAL}"
    return f"{told} [{', '.join(map(scale.number, ends))}]"


def changed(
    noun: Noun, change_pct: Change | None, verdict: Verdict, margin_pct: float, reason: str = ""
) -> str:
    """A change in percent: `28 % fewer requests per second [21, 35 %]`, or what there is to say without one."""
    if change_pct is None:
        told = reason.removeprefix(f"{_NO_PERCENT}: ")
        return missing(reason) if told == reason else f"{_NO_PERCENT} ({_short(told)})"
    same = f"{noun.same} {noun.words}"
    if noun.counted and not change_pct.estimate:
        return same
    if verdict is Verdict.EQUIVALENT:
        return f"{same} (within {margin_pct:g} %)"
    return _sized(noun, change_pct, verdict, margin_pct)


def _sized(noun: Noun, change_pct: Change, verdict: Verdict, margin_pct: float) -> str:
    """A change of a size, or one that may be none."""
    estimate, ends = change_pct.estimate, _ends(change_pct)
    scale = _Scale.of("%", (estimate, *ends), change_pct, (0.0, margin_pct, -margin_pct))
    size = f"{scale.number(abs(estimate))} % {noun.less if estimate < 0 else 'more'} {noun.words}"
    if noun.counted:
        return size
    if not ends:
        return f"about {size if estimate else f'{noun.same} {noun.words}'} {_NO_INTERVAL}"
    if verdict is Verdict.INCONCLUSIVE:
        return f"no measurable difference in {noun.words} {_interval(scale, change_pct, ' %', signed=True)}"
    uncertain = _SIZE_UNKNOWN if verdict is Verdict.UNCERTAIN else ""
    return f"{size}{uncertain} {_interval(scale, change_pct, ' %')}"


def bounded(noun: Noun, row: Row) -> str:
    """What can be said of a change where cannon was the limit for one side or both: a bound, or nothing."""
    limited = f"(cannon was the limit for {listed([clean(name, 60) for name in row.at_least])})"
    change = row.change_pct
    ends = _ends(change)
    for names, direction, word, end in (
        ([row.base], "lower", noun.less, -1),
        ([row.side], "higher", "more", 0),
    ):
        # More than was seen could only make this change larger.
        if change is not None and ends and row.at_least == names and change.direction == direction:
            nearest = abs(ends[end])
            scale = _Scale.of("%", (nearest,))
            return f"at least {scale.number(nearest)} % {word} {noun.words} {limited}"
    return f"a change in {noun.words} that cannot be told {limited}"


def added(row: Row, where: str, margin_pct: float) -> str:
    """What a side has more than the base: `0.15 ms more at p50 [0.10, 0.20]`. `where`: "at p50"."""
    found = row.added
    if found is None:
        return missing(row.reason)
    values = [each for each in (row.base_value, row.side_value) if each is not None]
    scale = _Scale.of(row.unit, values or (found.estimate,), found)
    size = f"{scale.united(scale.number(abs(found.estimate)))} {'less' if found.estimate < 0 else 'more'} {where}"
    if not _ends(found):
        return f"about {size} {_NO_INTERVAL}"
    if not found.direction and row.verdict in (Verdict.EQUIVALENT, Verdict.INCONCLUSIVE):
        unit = scale.united("")
        return f"no measurable difference {where} {_interval(scale, found, unit, signed=True)}"
    size += _SIZE_UNKNOWN if row.verdict is Verdict.UNCERTAIN else ""
    told = f"{size} {_interval(scale, found)}"
    if row.verdict is Verdict.EQUIVALENT:
        return f"{told} (within {margin_pct:g} %)"
    return f"perhaps {told}" if row.verdict is Verdict.INCONCLUSIVE else told


def share(part: float, whole: float) -> str:
    """`34 %`, `0.31 %`: never 0 % or 100 % of what is not. Of nothing it is `0 %`."""
    percent = 100 * part / whole if whole else 0.0
    if percent >= _ONE_DECIMAL_BELOW or not percent:
        decimals = 0
        while part < whole and round(percent, decimals) >= 100 and decimals < 2 * _DIGITS:
            decimals += 1
        return f"{percent:.{decimals}f} %"
    return f"{Decimal(f'{percent:.2g}'):f} %"


def missing(reason: str = "") -> str:
    """What stands for a number that is not there."""
    return f"not measured ({_short(reason)})" if reason else "not measured"


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _short(reason: str) -> str:
    """A reason without the advice behind it."""
    return clean(reason.partition(";")[0], _REASON_CHARACTERS)


def _ends(change: Change | None) -> tuple[float, ...]:
    if change is None or change.low is None or change.high is None:
        return ()
    return (change.low, change.high)


def _interval(scale: _Scale, change: Change, unit: str = "", *, signed: bool = False) -> str:
    """`[21, 35 %]`; with signs where they are asked for, or where the ends have not the same."""
    low, high = _ends(change)
    if not signed and low * high >= 0:
        low, high = sorted((abs(low), abs(high)))
    else:
        signed = True
    return f"[{scale.number(low, signed=signed)}, {scale.number(high, signed=signed)}{unit}]"


def _least_decimals(unit: str, largest: float) -> int:
    """As many as three digits take; of percent one below ten."""
    if unit == "%":
        return 1 if largest < _ONE_DECIMAL_BELOW else 0
    if largest <= 0 or (unit == "B" and largest == round(largest) < 1e3):
        return 0
    return max(0, _DIGITS - 1 - math.floor(math.log10(float(f"{largest:.{_DIGITS}g}"))))
