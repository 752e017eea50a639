"""Requests and bytes per second over a run, as a distribution of its sample intervals.

Law: each row of the series counts by its own window, so a short last one is neither dropped nor diluted; one shorter
than half an interval says too little and is left out, unless there is no other. The mean is the run's total over its
time, never a mean of samples. Low values are the interesting ones, so the percentiles lie low.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from cannon.result import Result
from cannon.series import SeriesRow

__all__ = ["RATE_PERCENTILES", "Rates", "byte_rates", "nearest_rank", "request_rates", "sampled", "stddev"]

RATE_PERCENTILES: tuple[float, ...] = (1, 2.5, 50, 97.5)


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Rates per second; `percentiles` are those of RATE_PERCENTILES. None where too little was sampled."""

    percentiles: tuple[float | None, ...]
    mean: float | None
    stddev: float | None
    least: float | None
    samples: int

    @classmethod
    def of(cls, rates_per_s: Sequence[float], mean_per_s: float | None) -> Rates:
        """The figures of one rate per sample, and of the whole run."""
        ordered = sorted(rates_per_s)
        return cls(
            percentiles=tuple(nearest_rank(ordered, percentile) for percentile in RATE_PERCENTILES),
            mean=mean_per_s,
            stddev=stddev(ordered),
            least=ordered[0] if ordered else None,
            samples=len(ordered),
        )


def request_rates(result: Result) -> Rates:
    """Whole responses per second."""
    return _rates(result, lambda row: row.requests, result.requests.per_s)


def byte_rates(result: Result) -> Rates:
    """Bytes received per second, on the wire."""
    return _rates(result, lambda row: row.bytes, result.bytes.per_s)


def sampled(series: Sequence[SeriesRow], interval_s: float) -> Sequence[SeriesRow]:
    """The rows that tell of a rate."""
    told = [row for row in series if row.window_s > 0]
    if len(told) > 1 and told[-1].window_s < interval_s / 2:
        return told[:-1]
    return told


def _rates(result: Result, count: Callable[[SeriesRow], int], mean_per_s: float | None) -> Rates:
    rows = sampled(result.series, result.plan.sample_s)
    return Rates.of([count(row) / row.window_s for row in rows], mean_per_s)


def nearest_rank(ordered: Sequence[float], percentile: float) -> float | None:
    """The least of the ordered values that this percentage of them does not exceed; None of none."""
    if not ordered:
        return None
    return ordered[max(1, math.ceil(percentile * len(ordered) / 100 - 1e-9)) - 1]


def stddev(values: Sequence[float]) -> float | None:
    """The standard deviation of the values; None of less than two."""
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
