"""When requests are due: one sequence for the whole tool, pure, seeded, the same at each call.

A rate over time (the Profile) says how many requests are due by a moment; the arrivals say at which positions of that
count they stand: at 0, 1, 2, ... (even), or as far apart as chance puts them (poisson). A request is due when the
count passes its position, so every profile has both, and before any moment t there are ceil(expected(t)) even due
times. A shard takes every k-th due time, so that rates belong to the tool and never to a worker.

Poisson arrivals of a rate that changes are those of a steady one, drawn along the count instead of along time: the
time scale transformation of Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import accumulate, count, islice

import msgspec

from cannon.errors import UsageError
from cannon.profile import MOST_PER_S, Constant, Profile, check_rates
from cannon.units import format_rate

__all__ = ["Arrivals", "Pace", "Scope"]


class Arrivals(StrEnum):
    """How due times are spaced: evenly, or as those of many users who know nothing of each other."""

    EVEN = "even"
    POISSON = "poisson"


class Scope(StrEnum):
    """Whose rate it is: the whole tool's, or that of each connection."""

    TOOL = "tool"
    CONNECTION = "connection"


class Pace(msgspec.Struct, frozen=True):
    """Yields due times in ns since the window opened: never decreasing; endless, unless the rate falls to nothing."""

    profile: Profile
    arrivals: Arrivals = Arrivals.EVEN
    seed: int = 0
    scope: Scope = Scope.TOOL

    def __post_init__(self) -> None:
        if isinstance(self.profile, Constant):
            option, example = _OPTIONS[self.scope]
            check_rates((self.profile.per_s,), 1, option, example)

    def check(self, connections: int) -> None:
        """Refuse a rate of each connection that is too much for all of them: UsageError."""
        most = MOST_PER_S / connections
        if self.scope is Scope.CONNECTION and self.profile.highest_per_s > most:
            raise UsageError(
                f"-r/--connectionRate asks {format_rate(self.profile.highest_per_s)} of {connections} connections,"
                f" more than {MOST_PER_S:,}/s in all; give -r {math.floor(most) or most} or less, or fewer connections"
            )

    def due_ns(self, index: int = 0, count: int = 1) -> Iterator[int]:
        """Those of the tool that fall to shard `index` of `count`: at positions index, index + count, ..."""
        return self._walk(islice(self._positions(str(self.seed)), index, None, count))

    def connection_due_ns(self, index: int, count: int) -> Iterator[int]:
        """Those of connection `index` of `count`, each of which has the whole rate: staggered, so that together they
        are as even as one.
        """
        if self.arrivals is Arrivals.POISSON:
            return self._walk(self._positions(f"{self.seed}/{index}"))
        return self._walk(position + index / count for position in self._positions(""))

    def _walk(self, positions: Iterator[float]) -> Iterator[int]:
        stages = iter(self.profile.stages)
        stage = next(stages)
        when_ns, end = stage.clock(), stage.end
        for position in positions:
            while position >= end:
                following = next(stages, None)
                if following is None:
                    return
                when_ns, end = following.clock(), following.end
            yield when_ns(position)

    def _positions(self, seed: str) -> Iterator[float]:
        if self.arrivals is Arrivals.EVEN:
            return count()
        return accumulate(_gaps(random.Random(seed).random))


def _gaps(draw: Callable[[], float]) -> Iterator[float]:
    """Exponential, with a mean of 1. Written out: `random` promises the same `random()` for a seed in every version of
    Python, and of its other methods it does not.
    """
    log = math.log
    while True:
        yield -log(1.0 - draw())


_OPTIONS = {Scope.TOOL: ("-R/--overallRate", "500"), Scope.CONNECTION: ("-r/--connectionRate", "5")}
