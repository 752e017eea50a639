"""Due times are one sequence, the same at each call."""

from __future__ import annotations

from itertools import islice

from cannon.pace import Constant, Pace


def test_an_even_pace_is_due_at_equal_distances() -> None:
    assert list(islice(Pace(Constant(1000)).due_ns(), 4)) == [0, 1_000_000, 2_000_000, 3_000_000]
