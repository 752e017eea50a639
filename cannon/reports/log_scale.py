"""Time from left to right in columns, each longer than the one before by the same factor.

Law: every sample has a column, one beyond an end that of the end; and no column is narrower than the buckets of the
histograms, so none stands empty for want of precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from cannon.tally import UNIT_BITS, Histogram

__all__ = ["LogScale"]

# Columns narrower than the histogram's own buckets (0.1 %, at least 64 ns) would stand in gaps of nothing.
_LEAST_STEP = 0.004
_LEAST_STEP_NS = 2 << UNIT_BITS


class LogScale(msgspec.Struct, frozen=True):
    """From the lowest value to the highest, both nanoseconds and more than 0."""

    low_ns: int
    high_ns: int
    columns: int

    @classmethod
    def of(cls, histograms: Sequence[Histogram], columns: int, percentile: float = 100) -> LogScale | None:
        """One for all of these, of at most so many columns, up to the highest that any has of this percentile. None
        where nearly one value leaves no room for a column.
        """
        lows = [low for each in histograms if (low := each.min_ns) is not None]
        highs = [high for each in histograms if (high := each.percentile_ns(percentile)) is not None]
        if not lows or not highs:
            return None
        low_ns = max(min(lows), 1 << UNIT_BITS)
        high_ns = max(low_ns, *highs)
        span = math.log(high_ns / low_ns)
        columns = min(columns, int(span / max(_LEAST_STEP, _LEAST_STEP_NS / low_ns)))
        return cls(low_ns, high_ns, columns) if columns > 0 else None

    def column(self, duration_ns: int) -> int:
        """The column of a duration, counted from 0."""
        span = math.log(self.high_ns / self.low_ns)
        position = math.log(max(duration_ns, self.low_ns) / self.low_ns) / span
        return min(self.columns - 1, int(position * self.columns))

    def counts(self, histogram: Histogram) -> list[int]:
        """How many samples each column holds."""
        counts = [0] * self.columns
        for unit, samples in histogram.counts.items():
            counts[self.column(unit << UNIT_BITS)] += samples
        return counts
