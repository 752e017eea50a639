"""What the intervals of many comparisons say together: on which side of the truth they lie, and how many may miss it.

Law: pure. An interval of 95 % misses one time in twenty, so a count of misses is judged by the binomial distribution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cannon.verdict import Change

__all__ = ["Misses", "lies", "most_by_chance"]

_SHARE = 0.05


def lies(change: Change, truth: float) -> int:
    """-1 where the whole interval is below the truth, 1 where it is above, 0 where it holds it. It has both ends."""
    assert change.low is not None
    assert change.high is not None
    return (change.low > truth) - (change.high < truth)


def most_by_chance(count: int, chance: float = 0.01, share: float = _SHARE) -> int:
    """How many of so many intervals may miss: more do with a chance of `chance` at most, if each does with `share`."""
    most, up_to = 0, (1 - share) ** count
    while 1 - up_to > chance:
        most += 1
        up_to += math.comb(count, most) * share**most * (1 - share) ** (count - most)
    return most


@dataclass(frozen=True)
class Misses:
    """Of `count` intervals, how many lie wholly below and wholly above the truth."""

    count: int
    below: int
    above: int

    @classmethod
    def of(cls, places: Iterable[int]) -> Self:
        """Those of `lies`."""
        found = list(places)
        return cls(len(found), found.count(-1), found.count(1))

    @property
    def missed(self) -> int:
        return self.below + self.above

    @property
    def held(self) -> int:
        return self.count - self.missed

    def __str__(self) -> str:
        return f"{self.missed} ({self.below} below, {self.above} above)"
