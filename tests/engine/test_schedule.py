"""Due requests go to free connections, wait in the plan where none is free, and are never sent after the end."""

from __future__ import annotations

from itertools import count

from cannon.engine.loop import Loop
from cannon.engine.schedule import Schedule
from tests.engine.fakes import FakePoller


class _Free:
    """Notes what it was told to fire."""

    def __init__(self) -> None:
        self.fired: list[int] = []

    def fire_due(self, due_ns: int) -> None:
        self.fired.append(due_ns)


def _begun(end_ns: int | None = None, every_ns: int = 10) -> tuple[Schedule, Loop]:
    loop = Loop(FakePoller())
    schedule = Schedule(loop, count(0, every_ns))
    schedule.begin(1_000, end_ns)
    return schedule, loop


def test_what_is_due_goes_to_whoever_became_free_last() -> None:
    schedule, loop = _begun()
    first, second = _Free(), _Free()
    schedule.park(first)
    schedule.park(second)
    loop._ring(1_000)
    assert (first.fired, second.fired) == ([], [1_000])
    loop._ring(1_015)
    assert (first.fired, second.fired) == ([1_010], [1_000])


def test_whoever_parks_as_the_last_is_asked_last() -> None:
    schedule, loop = _begun()
    closed, open_ = _Free(), _Free()
    schedule.park(open_)
    schedule.park(closed, last=True)
    loop._ring(1_000)
    assert (open_.fired, closed.fired) == ([1_000], [])


def test_with_nobody_free_it_waits_and_goes_to_the_next_who_asks() -> None:
    schedule, _ = _begun()
    assert [schedule.take(1_025) for _ in range(4)] == [1_000, 1_010, 1_020, 0]


def test_nothing_is_due_before_its_time_or_before_the_begin() -> None:
    schedule = Schedule(Loop(FakePoller()), count(0, 10))
    assert schedule.take(10**15) == 0
    schedule.begin(1_000, None)
    assert schedule.take(999) == 0


def test_nothing_is_due_from_the_end_on_and_what_nobody_took_is_told() -> None:
    schedule, _ = _begun(end_ns=1_050)
    assert schedule.take(1_005) == 1_000
    assert schedule.left(2_000) == 4
    assert schedule.take(10**15) == 0


def test_who_is_not_free_any_more_is_not_asked() -> None:
    schedule, loop = _begun()
    gone = _Free()
    schedule.park(gone)
    schedule.unpark(gone)
    schedule.unpark(gone)
    loop._ring(1_000)
    assert gone.fired == []
    assert schedule.take(1_000) == 1_000


def test_a_pace_that_ends_is_no_error() -> None:
    schedule = Schedule(Loop(FakePoller()), iter([0, 5]))
    schedule.begin(1_000, None)
    assert [schedule.take(2_000) for _ in range(3)] == [1_000, 1_005, 0]
    assert schedule.left(10**15) == 0


def test_who_is_free_will_take_what_is_due_next_as_long_as_anything_is() -> None:
    schedule, loop = _begun(end_ns=1_015)
    free = _Free()
    seen = [schedule.has_taker]
    schedule.park(free)
    seen.append(schedule.has_taker)
    loop._ring(1_000)
    seen.append(schedule.has_taker)
    schedule.park(free, last=True)
    loop._ring(1_010)
    schedule.park(free)
    assert [*seen, schedule.has_taker] == [False, True, False, False]
    assert free.fired == [1_000, 1_010]
