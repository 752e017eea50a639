"""What of a result can be judged: each metric's value, the units of its bounds, and how both are shown.

Law: a value is read off the result as it stands, in the unit of its bound; None where nothing was measured. Quantities
are read and written by units.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from cannon.durations import PERCENTILES, Durations
from cannon.errors import UsageError
from cannon.result import Result
from cannon.units import (
    format_bytes,
    format_duration,
    format_rate,
    parse_count,
    parse_duration,
    parse_rate,
    parse_size,
)

__all__ = [
    "EXAMPLES",
    "SHARES",
    "UNITS",
    "Literal",
    "Metric",
    "Unit",
    "bound_of",
    "shown",
    "span",
    "unit_of",
    "value_of",
]


class Metric(StrEnum):
    """What is judged. Percentiles, mean and max are of `latency_ms`, late is the 99th percentile of `late_ms`."""

    PERCENTILE = "p"
    MEAN = "mean"
    MAX = "max"
    RPS = "rps"
    ERRORS = "errors"
    TIMEOUTS = "timeouts"
    NON2XX = "non2xx"
    BYTES = "bytes"
    CPU = "cpu"
    LATE = "late"


class Unit(StrEnum):
    """In what a value and its bound are told."""

    MS = "ms"
    US = "us"
    PER_S = "/s"
    PERCENT = "%"
    BYTES = "B"
    COUNT = ""


class Literal(msgspec.Struct, frozen=True, tag=True):
    """A bound that is written out."""

    value: float
    unit: Unit


def value_of(result: Result, metric: Metric, percentile: float | None, unit: Unit) -> float | None:
    """The value of a metric, in this unit; `percentile`: which, where it is one. None: nothing was measured."""
    if percentile is not None:
        return _percentile(result, percentile)
    return _READ[metric](result, unit)


def bound_of(metric: Metric, number: str, unit: str) -> Literal | None:
    """The bound that is written so; None where the metric has no such unit. UsageError for a number out of range."""
    return _BOUNDS[metric](number, unit)


def unit_of(metric: Metric) -> Unit:
    """In what a metric is told where no bound says it."""
    return _TOLD_IN.get(metric, Unit.MS)


def shown(value: float, unit: Unit) -> str:
    """A value for people: `1.24 ms`, `0.1 %`, `12.5k/s`."""
    return _SHOWN[unit](value)


def span(value: float, low: float, high: float, unit: Unit) -> str:
    """A value and the ends it lies between: `12.4 ms [12.1, 12.9]`, and `990 us [940 us, 1.04 ms]`."""
    told = [shown(each, unit).partition(" ") for each in (value, low, high)]
    if len({symbol for _, _, symbol in told}) == 1:
        return f"{''.join(told[0])} [{told[1][0]}, {told[2][0]}]"
    _, lowest, highest = map("".join, told)
    return f"{''.join(told[0])} [{lowest}, {highest}]"


def _time_ms(number: str, unit: str) -> Literal | None:
    return Literal(parse_duration(number + unit) / 1e6, Unit.MS) if unit in _TIMES else None


def _time_us(number: str, unit: str) -> Literal | None:
    return Literal(parse_duration(number + unit) / 1e3, Unit.US) if unit in _TIMES else None


def _rate(number: str, unit: str) -> Literal | None:
    return Literal(float(parse_rate(number + unit)), Unit.PER_S) if "/" in unit else None


def _size(number: str, unit: str) -> Literal | None:
    return Literal(float(parse_size(number + unit)), Unit.BYTES) if unit else None


def _share(number: str, unit: str) -> Literal | None:
    if unit == "%":
        if float(number) > 100:
            raise UsageError(f"'{number}%' is more than all; write 100%")
        return Literal(float(number), Unit.PERCENT)
    return None if unit else Literal(float(parse_count(number, least=0)), Unit.COUNT)


def _percentile(result: Result, percentile: float) -> float | None:
    key = _KEYS.get(percentile)
    if key is not None:
        return _of(result.latency_ms, key)
    found_ns = result.latency.percentile_ns(percentile)
    return None if found_ns is None else found_ns / 1e6


def _of(durations: Durations | None, key: str) -> float | None:
    value: float | None = None if durations is None else getattr(durations, key)
    return value


def _per_s(result: Result, unit: Unit) -> float | None:
    """Successes a second, inside the window."""
    succeeded = sum(row.succeeded for row in result.series)
    return succeeded / result.duration_s if result.duration_s > 0 else None


def _errors(result: Result, unit: Unit) -> float | None:
    requests = result.requests
    return _part(result, unit, requests.failed + requests.mismatched + result.connects.failed)


def _timeouts(result: Result, unit: Unit) -> float | None:
    return _part(result, unit, result.errors.get("timeout", 0) + result.connects.errors.get("timeout", 0))


def _part(result: Result, unit: Unit, count: int) -> float | None:
    """A count, or its share of all that was sent or could not even be: in percent."""
    tried = result.requests.sent + result.connects.failed
    return _counted(unit, count, tried)


def _non2xx(result: Result, unit: Unit) -> float | None:
    other = sum(count for status, count in result.status.items() if not status.startswith("2"))
    return _counted(unit, other, result.requests.completed)


def _counted(unit: Unit, count: int, of: int) -> float | None:
    if not of:
        return None
    return 100 * count / of if unit is Unit.PERCENT else float(count)


def _bytes(result: Result, unit: Unit) -> float | None:
    completed = result.requests.completed
    return result.bytes.received / completed if completed else None


_READ: Mapping[Metric, Callable[[Result, Unit], float | None]] = {
    Metric.MEAN: lambda result, unit: result.latency_ms.mean,
    Metric.MAX: lambda result, unit: result.latency_ms.max,
    Metric.RPS: _per_s,
    Metric.ERRORS: _errors,
    Metric.TIMEOUTS: _timeouts,
    Metric.NON2XX: _non2xx,
    Metric.BYTES: _bytes,
    Metric.CPU: lambda result, unit: result.client.cpu_us_per_request,
    Metric.LATE: lambda result, unit: _of(result.late_ms, "p99"),
}

_BOUNDS: Mapping[Metric, Callable[[str, str], Literal | None]] = {
    Metric.PERCENTILE: _time_ms,
    Metric.MEAN: _time_ms,
    Metric.MAX: _time_ms,
    Metric.LATE: _time_ms,
    Metric.CPU: _time_us,
    Metric.RPS: _rate,
    Metric.BYTES: _size,
    Metric.ERRORS: _share,
    Metric.TIMEOUTS: _share,
    Metric.NON2XX: _share,
}
"""From a number and its unit to the bound; None where the metric has no such unit."""

UNITS: Mapping[Metric, str] = {
    **dict.fromkeys((Metric.PERCENTILE, Metric.MEAN, Metric.MAX, Metric.LATE, Metric.CPU), "us, ms or s"),
    Metric.RPS: "/s",
    Metric.BYTES: "B, kB or MB",
    **dict.fromkeys((Metric.ERRORS, Metric.TIMEOUTS, Metric.NON2XX), "% or, for a count, none"),
}
"""What the bounds of each metric are written in."""

EXAMPLES: Mapping[Metric, str] = {
    Metric.RPS: "rps > 1000/s",
    Metric.BYTES: "bytes < 10kB",
    Metric.CPU: "cpu < 50us",
    Metric.ERRORS: "errors < 0.1%",
    Metric.TIMEOUTS: "timeouts == 0",
    Metric.NON2XX: "non2xx < 1%",
}
"""Gates that are right, where `< 50ms` behind the metric would not be."""

SHARES = frozenset({Metric.ERRORS, Metric.TIMEOUTS, Metric.NON2XX})
"""Counts, or percentages of all that was tried."""

_TOLD_IN: Mapping[Metric, Unit] = {
    Metric.CPU: Unit.US,
    Metric.RPS: Unit.PER_S,
    Metric.BYTES: Unit.BYTES,
    **dict.fromkeys(SHARES, Unit.PERCENT),
}

_SHOWN: Mapping[Unit, Callable[[float], str]] = {
    Unit.MS: lambda value: format_duration(value * 1e6),
    Unit.US: lambda value: format_duration(value * 1e3),
    Unit.PER_S: format_rate,
    Unit.PERCENT: lambda value: f"{value:.3g} %",
    Unit.BYTES: format_bytes,
    Unit.COUNT: lambda value: f"{value:,.0f}",
}

_KEYS = {value: key for key, value in PERCENTILES.items()}
_TIMES = ("us", "\N{MICRO SIGN}s", "\N{GREEK SMALL LETTER MU}s", "ms", "s")
