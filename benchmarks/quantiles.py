"""The quantiles that are compared: exact order statistics of what was captured, and what a client tells of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

__all__ = ["Quantiles", "order_statistic", "variation"]


def order_statistic(ascending: Sequence[int], percent: float) -> int:
    """The smallest value that at least so many percent of all are not above. There is at least one value."""
    # 99.9 / 100 * 1000 is a little above 999 in binary: what is within a rounding error of a rank is that rank.
    rank = math.ceil(round(percent / 100 * len(ascending), 6))
    return ascending[max(rank, 1) - 1]


@dataclass(frozen=True)
class Quantiles:
    """Of durations in ns."""

    p50_ns: int
    p99_ns: int
    p99_9_ns: int

    @classmethod
    def of(cls, durations_ns: Sequence[int]) -> Self:
        """Those of a sample, which is not empty."""
        ascending = sorted(durations_ns)
        return cls(*(order_statistic(ascending, percent) for percent in (50, 99, 99.9)))

    def __sub__(self, other: Quantiles) -> Quantiles:
        """How far these are above others."""
        return Quantiles(
            self.p50_ns - other.p50_ns, self.p99_ns - other.p99_ns, self.p99_9_ns - other.p99_9_ns
        )

    def __iter__(self) -> Iterator[int]:
        return iter((self.p50_ns, self.p99_ns, self.p99_9_ns))


def variation(moments_ns: Sequence[int]) -> float:
    """The coefficient of variation of the times between moments: 0 for even ones, 1 for those of chance.

    There are three moments or more, in ascending order, not all the same.
    """
    between = [later - earlier for earlier, later in pairwise(moments_ns)]
    mean = sum(between) / len(between)
    return math.sqrt(sum((one - mean) ** 2 for one in between) / len(between)) / mean
