"""Durations, rates, sizes and counts: the only parser and the only formatter of quantities.

Law: inside, a duration is an int of nanoseconds, a rate a Fraction per second, a size an int of bytes; text with a unit
exists only at the border. Parsing is exact (no float in between). Zero is a quantity like another: whether it makes
sense is for the one who asked. `parse_x(format_x(v))` gives v back within the digits shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec

from cannon.errors import UsageError
from cannon.text import clean

__all__ = [
    "format_bytes",
    "format_count",
    "format_duration",
    "format_rate",
    "format_seconds",
    "parse_count",
    "parse_duration",
    "parse_percent",
    "parse_rate",
    "parse_size",
]

NS_PER_S = 1_000_000_000

# From the largest to the smallest, as they are written: 1h2m3s.
_DURATION_NS: Mapping[str, int] = {
    "h": 3600 * NS_PER_S,
    "m": 60 * NS_PER_S,
    "s": NS_PER_S,
    "ms": 1_000_000,
    "us": 1_000,
    "\N{MICRO SIGN}s": 1_000,
    "\N{GREEK SMALL LETTER MU}s": 1_000,
    "ns": 1,
}
_SIZE_BYTES: Mapping[str, int] = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_MULTIPLES: Mapping[str, int] = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_PERIOD_S: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600}

_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_LONGEST_TEXT = 40
_PART = re.compile(rf"({_NUMBER})\s*([^\s\d.]+)\s*", re.ASCII)
_PLAIN = re.compile(_NUMBER)
_PERCENT = re.compile(rf"({_NUMBER})\s*%")
_SCALED = re.compile(rf"({_NUMBER})\s*([A-Za-z]*)")
_RATE = re.compile(rf"({_NUMBER})\s*([A-Za-z]?)(?:\s*/\s*([a-z]+))?")


class _Kind(msgspec.Struct, frozen=True):
    """What a quantity is called in a message, right values to show, and the largest that makes sense."""

    noun: str
    examples: str
    most: int
    most_text: str

    def refuse(self, text: str, reason: str = "") -> UsageError:
        """Return the error to raise: one line."""
        shown = clean(text, _LONGEST_TEXT)
        reason = reason or f"is no {self.noun}"
        return UsageError(f"'{shown}' {reason}; write for example {self.examples}")

    def bounded(self, text: str, value: Fraction) -> Fraction:
        """Return the value, or refuse one over the limit."""
        if value > self.most:
            raise self.refuse(text, f"is too large, the most is {self.most_text}")
        return value

    def whole(self, text: str, value: Fraction) -> int:
        """Return the value as an int, or refuse a fraction."""
        if value.denominator != 1:
            raise self.refuse(text, "is not a whole number")
        return value.numerator


_DURATION = _Kind(
    "duration", "10s, 1m30s or 500ms (a bare number is seconds)", 10_000 * 3600 * NS_PER_S, "10000h"
)
_SIZE = _Kind("size", "512, 10kB, 64KiB or 1MB", 10**15, "1000TB")
_RATE_KIND = _Kind("rate", "100, 500/s or 2k/s", 10**9, "1G/s")
_PERCENTAGE = _Kind("percentage", "5% or 0.5%", 10, "1000%")
_COUNT = _Kind("count", "1, 10 or 2k", 10**12, "1000G")


def parse_duration(text: str) -> int:
    """Return nanoseconds: `10` and `10s`, `1m30s`, `1.5s`, `500ms`, `250us`. UsageError for anything else."""
    stripped = _stripped(text, _DURATION)
    if _PLAIN.fullmatch(stripped):
        stripped += "s"
    total, smallest, position = Fraction(0), None, 0
    while position < len(stripped):
        part = _PART.match(stripped, position)
        unit_ns = _DURATION_NS.get(part[2]) if part else None
        if part is None or unit_ns is None:
            raise _DURATION.refuse(text)
        if smallest is not None and unit_ns >= smallest:
            raise _DURATION.refuse(text, "has its units out of order")
        total += Fraction(part[1]) * unit_ns
        smallest, position = unit_ns, part.end()
    duration_ns = round(_DURATION.bounded(text, total))
    if total and not duration_ns:
        raise _DURATION.refuse(text, "is less than 1 ns")
    return duration_ns


def parse_rate(text: str) -> Fraction:
    """Return how many per second, exactly: `100`, `500/s`, `2k/s`, `90/m`. UsageError for anything else."""
    found = _RATE.fullmatch(_stripped(text, _RATE_KIND))
    multiple = _MULTIPLES.get(found[2]) if found else None
    period_s = _PERIOD_S.get(found[3] or "s") if found else None
    if found is None or multiple is None or period_s is None:
        raise _RATE_KIND.refuse(text)
    return _RATE_KIND.bounded(text, Fraction(found[1]) * multiple / period_s)


def parse_percent(text: str) -> Fraction:
    """Return a share, exactly: `5%` is 1/20, `0.5%` 1/200. UsageError for anything else, a bare number too."""
    found = _PERCENT.fullmatch(_stripped(text, _PERCENTAGE))
    if found is None:
        raise _PERCENTAGE.refuse(text)
    return _PERCENTAGE.bounded(text, Fraction(found[1]) / 100)


def parse_size(text: str) -> int:
    """Return bytes: `512`, `10kB`, `64KiB`, `1MB`. UsageError for anything else."""
    return _scaled(text, _SIZE, _SIZE_BYTES)


def parse_count(text: str, least: int = 1) -> int:
    """Return a whole number, `least` or more: `10`, `2k`. UsageError for anything else."""
    count = _scaled(text, _COUNT, _MULTIPLES)
    if count < least:
        raise _COUNT.refuse(text, f"is too small, the least is {least}")
    return count


def _stripped(text: str, kind: _Kind) -> str:
    stripped = text.strip()
    if not stripped:
        raise UsageError(f"a {kind.noun} is missing; write for example {kind.examples}")
    if stripped.startswith("-") and stripped[1:2].isdigit():
        raise kind.refuse(text, "is negative")
    if len(stripped) > _LONGEST_TEXT:
        raise kind.refuse(text, "is too long")
    return stripped


def _scaled(text: str, kind: _Kind, units: Mapping[str, int]) -> int:
    found = _SCALED.fullmatch(_stripped(text, kind))
    unit = units.get(found[2]) if found else None
    if found is None or unit is None:
        raise kind.refuse(text)
    return kind.whole(text, kind.bounded(text, Fraction(found[1]) * unit))


# Smallest first: how many of the base unit, and the symbol.
_Units = tuple[tuple[int, str], ...]
_SHOWN_DURATION: _Units = ((1, "ns"), (1_000, "\N{MICRO SIGN}s"), (1_000_000, "ms"), (NS_PER_S, "s"))
_SHOWN_BYTES: _Units = ((1, "B"), (10**3, "kB"), (10**6, "MB"), (10**9, "GB"), (10**12, "TB"))
_SHOWN_MULTIPLES: _Units = ((1, ""), (10**3, "k"), (10**6, "M"), (10**9, "G"))

# A value from here on is shown as 1 of the larger unit, so that no unit ever shows 1000 of itself.
_ALMOST_ONE = 0.9995


def format_duration(duration_ns: float) -> str:
    """Return nanoseconds with three significant digits: `230 µs`, `1.24 ms`, `2.05 s`; from 1000 s on, whole seconds.

    Non-zero never shows as zero. A negative difference keeps its sign.
    """
    return " ".join(_three_digits(duration_ns, _SHOWN_DURATION)) if duration_ns else "0 ms"


def format_bytes(size_bytes: float) -> str:
    """Return bytes in decimal units, one decimal below a hundred: `512 B`, `1.2 kB`, `214 MB`."""
    return " ".join(_one_decimal(size_bytes, _SHOWN_BYTES))


def format_count(count: float) -> str:
    """Return a count for people: `950`, `1.2M`, `251k`."""
    return "".join(_one_decimal(count, _SHOWN_MULTIPLES))


def format_rate(per_s: float | Fraction) -> str:
    """Return a rate with three significant digits, no zeros behind the point: `500/s`, `2k/s`, `0.5/s`, `156k/s`."""
    number, multiple = _three_digits(float(per_s), _SHOWN_MULTIPLES)
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number}{multiple}/s"


def format_seconds(duration_ns: int) -> str:
    """Return a run's length in seconds, two decimals: `60.00 s`."""
    return f"{duration_ns / NS_PER_S:.2f} s"


def _three_digits(value: float, units: _Units) -> tuple[str, str]:
    number, symbol = _in_unit(value, units)
    size = abs(number)
    if 0 < size < _ALMOST_ONE:
        # Below the smallest unit: as many decimals as three digits take.
        return f"{Decimal(f'{number:.3g}'):f}", symbol
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{number:.{decimals}f}", symbol


def _one_decimal(value: float, units: _Units) -> tuple[str, str]:
    number, symbol = _in_unit(value, units)
    exact = symbol == units[0][1] and number == round(number)
    return f"{number:.{0 if exact or abs(number) >= 99.95 else 1}f}", symbol


def _in_unit(value: float, units: _Units) -> tuple[float, str]:
    for scale, symbol in reversed(units):
        if abs(value) >= scale * _ALMOST_ONE:
            return value / scale, symbol
    return value, units[0][1]
