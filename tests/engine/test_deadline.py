"""A deadline passes once, for what is pending then, and never for what has ended."""

from __future__ import annotations

from time import monotonic_ns

from cannon.engine.deadline import Deadline
from cannon.engine.loop import Loop
from tests.engine.fakes import FakePoller

TIMEOUT_NS = 5_000_000


class _Pending:
    """Something that begins and ends, and a deadline over it."""

    def __init__(self) -> None:
        self.since_ns: int | None = monotonic_ns()
        self.passed_ns: list[int] = []
        self.loop = Loop(FakePoller())
        self.deadline = Deadline(self.loop, TIMEOUT_NS, lambda: self.since_ns, self._passed)

    def _passed(self, now_ns: int) -> None:
        self.passed_ns.append(now_ns)
        self.since_ns = None

    def turn_for(self, duration_ns: int) -> None:
        self.loop.run(monotonic_ns() + duration_ns, lambda own_delay_ns, handled: None)


def test_what_is_still_pending_after_the_timeout_is_overdue_once() -> None:
    pending = _Pending()
    pending.deadline.arm()
    pending.deadline.arm()
    began_ns = pending.since_ns
    assert began_ns is not None
    pending.turn_for(4 * TIMEOUT_NS)
    (passed_ns,) = pending.passed_ns
    assert passed_ns - began_ns >= TIMEOUT_NS


def test_what_began_later_gets_its_whole_time() -> None:
    pending = _Pending()
    pending.deadline.arm()
    later_ns = monotonic_ns() + 4_000_000
    pending.since_ns = later_ns
    pending.turn_for(6 * TIMEOUT_NS)
    (passed_ns,) = pending.passed_ns
    assert passed_ns - later_ns >= TIMEOUT_NS


def test_what_has_ended_is_never_overdue() -> None:
    pending = _Pending()
    pending.deadline.arm()
    pending.since_ns = None
    pending.turn_for(3 * TIMEOUT_NS)
    assert pending.passed_ns == []


def test_a_deadline_can_be_armed_again_after_it_fell_silent() -> None:
    pending = _Pending()
    pending.deadline.arm()
    pending.since_ns = None
    pending.turn_for(2 * TIMEOUT_NS)
    pending.since_ns = monotonic_ns()
    pending.deadline.arm()
    pending.turn_for(3 * TIMEOUT_NS)
    assert len(pending.passed_ns) == 1
