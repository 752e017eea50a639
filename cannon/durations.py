"""Distributions of durations as result files have them: percentiles in ms, and the histogram to add up again."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cannon.tally import Histogram

__all__ = ["PERCENTILES", "Durations", "OwnDelay", "milliseconds"]

PERCENTILES: Mapping[str, float] = {
    "p1": 1,
    "p2_5": 2.5,
    "p10": 10,
    "p25": 25,
    "p50": 50,
    "p75": 75,
    "p90": 90,
    "p95": 95,
    "p97_5": 97.5,
    "p99": 99,
    "p99_9": 99.9,
    "p99_99": 99.99,
    "p99_999": 99.999,
}
"""The percentiles of the file, by key."""


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of durations in ms. `histogram`: base64 HdrHistogram V2, ns, three digits; None if empty."""

    mean: float | None
    stddev: float | None
    min: float | None
    max: float | None
    p1: float | None
    p2_5: float | None
    p10: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p90: float | None
    p95: float | None
    p97_5: float | None
    p99: float | None
    p99_9: float | None
    p99_99: float | None
    p99_999: float | None
    count: int
    histogram: str | None

    @classmethod
    def of(cls, histogram: Histogram) -> Durations:
        """The figures of a histogram."""
        found = histogram.percentiles_ns(tuple(PERCENTILES.values()))
        return cls(
            mean=milliseconds(histogram.mean_ns),
            stddev=milliseconds(histogram.stddev_ns),
            min=milliseconds(histogram.min_ns),
            max=milliseconds(histogram.max_ns),
            count=histogram.count,
            histogram=histogram.encode() if histogram.counts else None,
            **{name: milliseconds(value_ns) for name, value_ns in zip(PERCENTILES, found, strict=True)},
        )


class OwnDelay(msgspec.Struct, frozen=True):
    """By how much cannon itself was late, in ms: with a response that was there, or with a request that was due."""

    p50: float | None
    p99: float | None
    max: float | None

    @classmethod
    def of(cls, histogram: Histogram) -> OwnDelay:
        """The three figures that are shown of one of cannon's own delays."""
        p50_ns, p99_ns = histogram.percentiles_ns((50, 99))
        return cls(milliseconds(p50_ns), milliseconds(p99_ns), milliseconds(histogram.max_ns))


def milliseconds(duration_ns: float | None) -> float | None:
    """ns as ms; None stays None."""
    return None if duration_ns is None else duration_ns / 1e6
