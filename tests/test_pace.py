"""Due times are one sequence, the same at each call."""

from __future__ import annotations

from itertools import islice

from cannon.pace import Unpaced


def test_the_closed_loop_is_always_due() -> None:
    pace = Unpaced()
    assert list(islice(pace.due_ns(), 5)) == [0] * 5
    assert list(islice(pace.due_ns(), 5)) == [0] * 5
