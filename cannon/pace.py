"""When requests are due: one sequence for the whole tool, pure, seeded, the same at each call.

A rate over time (the Profile) says how many requests are due by a moment; the arrivals say at which positions of that
count they stand: at 0, 1, 2, ... (even), or as far apart as chance puts them (poisson). A request is due when the
count reaches its position, so every profile has both. A shard takes every k-th due time, so that rates belong to the
tool and never to a worker.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from enum import StrEnum
from itertools import accumulate, count, islice, repeat

import msgspec

__all__ = ["Arrivals", "Constant", "Pace", "Profile", "Ramp", "Scope", "Steps"]

_NS_PER_S = 1_000_000_000


class Arrivals(StrEnum):
    """How due times are spaced: evenly, or as those of many users who know nothing of each other."""

    EVEN = "even"
    POISSON = "poisson"


class Scope(StrEnum):
    """Whose rate it is: the whole tool's, or that of each connection."""

    TOOL = "tool"
    CONNECTION = "connection"


class Constant(msgspec.Struct, frozen=True, tag="constant"):
    """One rate, without end."""

    per_s: float

    def expected(self, at_ns: float) -> float:
        """How many requests are due before this moment of the run."""
        return self.per_s * at_ns / _NS_PER_S

    def when_ns(self, position: float) -> float:
        """The moment at which `expected` reaches this position; infinity where it never does."""
        return position / self.per_s * _NS_PER_S if self.per_s else math.inf

    @property
    def length_ns(self) -> int | None:
        """How long the rate changes; None: it never does."""
        return None


class Ramp(msgspec.Struct, frozen=True, tag="ramp"):
    """A rate that changes steadily from one to another, and stays there."""

    from_per_s: float
    to_per_s: float
    over_ns: int

    def expected(self, at_ns: float) -> float:
        """How many requests are due before this moment of the run."""
        on_ramp_s = min(at_ns, self.over_ns) / _NS_PER_S
        after_s = max(0.0, at_ns - self.over_ns) / _NS_PER_S
        return self.from_per_s * on_ramp_s + self._slope * on_ramp_s**2 / 2 + self.to_per_s * after_s

    def when_ns(self, position: float) -> float:
        """The moment at which `expected` reaches this position; infinity where it never does."""
        left = position - self.expected(self.over_ns)
        if left >= 0:
            return self.over_ns + Constant(self.to_per_s).when_ns(left) if left else self.over_ns
        # The root of slope/2 t^2 + from t = position, in the form that does not lose its digits where slope is small.
        root = math.sqrt(max(0.0, self.from_per_s**2 + 2 * self._slope * position))
        return 2 * position / (self.from_per_s + root) * _NS_PER_S if position else 0.0

    @property
    def _slope(self) -> float:
        return (self.to_per_s - self.from_per_s) / (self.over_ns / _NS_PER_S)

    @property
    def length_ns(self) -> int | None:
        """How long the rate changes."""
        return self.over_ns


class Steps(msgspec.Struct, frozen=True, tag="steps"):
    """Several rates, one after the other, each for the same time; the last stays."""

    per_s: tuple[float, ...]
    each_ns: int

    def expected(self, at_ns: float) -> float:
        """How many requests are due before this moment of the run."""
        total = 0.0
        for place, per_s in enumerate(self.per_s):
            begin_ns = place * self.each_ns
            last = place == len(self.per_s) - 1
            within_ns = at_ns - begin_ns if last else min(at_ns - begin_ns, self.each_ns)
            total += per_s * max(0.0, within_ns) / _NS_PER_S
        return total

    def when_ns(self, position: float) -> float:
        """The moment at which `expected` reaches this position; infinity where it never does."""
        left = position
        for place, per_s in enumerate(self.per_s):
            in_step = per_s * self.each_ns / _NS_PER_S
            if left < in_step or place == len(self.per_s) - 1:
                return place * self.each_ns + Constant(per_s).when_ns(left)
            left -= in_step
        return math.inf

    @property
    def length_ns(self) -> int | None:
        """How long the rate changes."""
        return self.each_ns * len(self.per_s)


Profile = Constant | Ramp | Steps


class Pace(msgspec.Struct, frozen=True):
    """Yields due times in ns since the window opened: never decreasing; endless, unless the rate falls to nothing."""

    profile: Profile
    arrivals: Arrivals = Arrivals.EVEN
    seed: int = 0
    scope: Scope = Scope.TOOL

    def due_ns(self, index: int = 0, count: int = 1) -> Iterator[int]:
        """Those of the tool that fall to shard `index` of `count`: at positions index, index + count, ..."""
        return self._walk(islice(self._positions(self.seed), index, None, count))

    def connection_due_ns(self, index: int, count: int) -> Iterator[int]:
        """Those of connection `index` of `count`, each of which has the whole rate: staggered, so that together they
        are as even as one.
        """
        if self.arrivals is Arrivals.POISSON:
            return self._walk(self._positions(self.seed * 1_000_003 + index))
        return self._walk(position + index / count for position in self._positions(self.seed))

    def _walk(self, positions: Iterator[float]) -> Iterator[int]:
        when_ns = self.profile.when_ns
        for position in positions:
            due_ns = when_ns(position)
            if due_ns == math.inf:
                return
            yield int(due_ns)

    def _positions(self, seed: int) -> Iterator[float]:
        if self.arrivals is Arrivals.EVEN:
            return map(float, count())
        draw = random.Random(seed).expovariate
        return accumulate(draw(1.0) for _ in repeat(None))
