"""When requests are due: one sequence for the whole tool, pure and without end.

A shard takes every k-th due time of it, so that rates belong to the tool and never to a worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, repeat
from typing import Protocol

__all__ = ["Pace", "Unpaced", "share"]


class Pace(Protocol):
    """Yields due times in ns since the start of the run: endless, never decreasing, the same at each call."""

    def due_ns(self) -> Iterator[int]:
        """A new walk through the due times."""
        ...


class Unpaced:
    """Every request is due at once: a free connection takes the next (the closed loop)."""

    def due_ns(self) -> Iterator[int]:
        """0, 0, 0, ..."""
        return repeat(0)


def share(pace: Pace, index: int, count: int) -> Iterator[int]:
    """The due times of shard `index` out of `count`: those at positions index, index + count, ..."""
    return islice(pace.due_ns(), index, None, count)
