"""Handlers are called when something is ready, timers when their time has come, and nothing after the halt."""

from __future__ import annotations

import os
import select
import selectors
from collections.abc import Callable
from time import monotonic_ns

import pytest

from cannon.engine.loop import READ, WRITE, Loop, Poller, SelectorPoller
from tests.engine.fakes import FakePoller

LONG_NS = 60_000_000_000


def _ignore(own_delay_ns: int, handled: int) -> None:
    """Nothing to settle."""


def test_the_handler_of_a_ready_descriptor_is_called_and_no_other() -> None:
    poller = FakePoller()
    called: list[int] = []
    loop = Loop(poller)
    loop.watch(3, READ, called.append)
    loop.watch(4, READ, lambda ready_ns: called.append(-1))
    loop.call_at(0, lambda when_ns: loop.halt())
    poller.ready.append([(3, READ)])
    loop.run(monotonic_ns() + LONG_NS, _ignore)
    (ready_ns,) = called
    assert ready_ns <= monotonic_ns()


def test_watching_again_changes_the_events_and_the_handler() -> None:
    poller = FakePoller()
    called: list[str] = []
    loop = Loop(poller)
    loop.call_at(0, lambda when_ns: loop.halt())
    loop.watch(3, WRITE, lambda ready_ns: called.append("dialled"))
    loop.watch(3, READ, lambda ready_ns: called.append("readable"))
    assert poller.watched == {3: READ}
    loop.handle(3, lambda ready_ns: called.append("another"))
    poller.ready.append([(3, READ)])
    loop.run(monotonic_ns() + LONG_NS, _ignore)
    assert called == ["another"]
    loop.forget(3)
    loop.forget(3)
    assert poller.watched == {}


def test_timers_ring_in_the_order_of_their_times_and_those_of_one_time_as_they_were_set() -> None:
    called: list[str] = []
    loop = Loop(FakePoller())
    now_ns = monotonic_ns()
    loop.call_at(now_ns + 2, lambda when: called.append("third"))
    loop.call_at(now_ns, lambda when: called.append("first"))
    loop.call_at(now_ns, lambda when: called.append("second"))
    loop.run(now_ns + 3, _ignore)
    assert called == ["first", "second", "third"]


def test_a_timer_that_a_timer_sets_for_a_time_already_past_waits_until_sockets_were_looked_at() -> None:
    poller = FakePoller()
    called: list[str] = []
    loop = Loop(poller)

    def again(now_ns: int) -> None:
        called.append("timer")
        if called.count("timer") == 3:
            loop.halt()
        loop.call_at(0, again)

    loop.watch(3, READ, lambda ready_ns: called.append("socket"))
    poller.ready.extend([[(3, READ)]] * 3)
    loop.call_at(0, again)
    loop.run(monotonic_ns() + LONG_NS, _ignore)
    assert called == ["socket", "timer"] * 3


def test_a_run_ends_when_its_time_is_over() -> None:
    loop = Loop()
    began_ns = monotonic_ns()
    loop.run(began_ns + 20_000_000, _ignore)
    assert 20_000_000 <= monotonic_ns() - began_ns < 2_000_000_000
    loop.close()


def test_the_end_of_a_run_that_was_halted_early_does_not_end_a_later_one() -> None:
    loop = Loop()
    now_ns = monotonic_ns()
    loop.call_at(now_ns, lambda when: loop.halt())
    loop.run(now_ns + 20_000_000, _ignore)
    loop.run(now_ns + 60_000_000, _ignore)
    assert monotonic_ns() - now_ns >= 60_000_000
    loop.close()


def test_the_loop_waits_no_longer_than_the_next_timer() -> None:
    poller = FakePoller()
    loop = Loop(poller)
    now_ns = monotonic_ns()
    loop.call_at(now_ns + 5_000_000, lambda when: loop.halt())
    loop.run(now_ns + LONG_NS, _ignore)
    assert max(poller.waits) <= 0.005


def test_a_turn_tells_how_long_it_took_from_readiness() -> None:
    poller = FakePoller()
    told: list[tuple[int, int]] = []
    loop = Loop(poller)

    def busy(ready_ns: int) -> None:
        until_ns = ready_ns + 2_000_000
        while monotonic_ns() < until_ns:
            pass
        loop.halt()

    loop.watch(3, READ, busy)
    poller.ready.append([(3, READ)])
    loop.run(monotonic_ns() + LONG_NS, lambda own_delay_ns, handled: told.append((own_delay_ns, handled)))
    ((own_delay_ns, handled),) = told
    assert own_delay_ns >= 2_000_000 and handled == 1


def test_a_turn_tells_how_many_handlers_it_called() -> None:
    poller = FakePoller()
    told: list[int] = []
    loop = Loop(poller)
    for descriptor in (3, 4, 5):
        loop.watch(descriptor, READ, lambda ready_ns: None)
    poller.ready.extend([[(3, READ), (4, READ), (5, READ)], [], [(4, READ)]])
    # An empty turn has nothing to settle.
    loop.run(monotonic_ns() + 1_000_000, lambda own_delay_ns, handled: told.append(handled))
    assert told == [3, 1]


@pytest.mark.parametrize(
    "make",
    [
        select.epoll,
        lambda: SelectorPoller(selectors.PollSelector()),
        lambda: SelectorPoller(selectors.SelectSelector()),
    ],
)
def test_every_poller_tells_of_readiness(make: Callable[[], Poller]) -> None:
    poller = make()
    reading, writing = os.pipe()
    poller.register(reading, READ)
    assert poller.poll(0) == []
    os.write(writing, b".")
    assert [fd for fd, _ in poller.poll(1)] == [reading]
    poller.register(writing, READ | WRITE)
    poller.modify(writing, WRITE)
    assert {fd for fd, _ in poller.poll(1)} == {reading, writing}
    poller.unregister(reading)
    assert {fd for fd, _ in poller.poll(1)} == {writing}
    poller.close()
    os.close(reading)
    os.close(writing)


def test_a_fine_timer_never_rings_early_and_its_waiting_is_told_as_spun() -> None:
    loop = Loop(fine=True)
    rung: list[int] = []
    due_ns = monotonic_ns() + 1_000_000

    def ring(now_ns: int) -> None:
        rung.append(now_ns)
        loop.halt()

    loop.call_at(due_ns, ring)
    loop.run(due_ns + LONG_NS, lambda own_delay_ns, handled: None)
    assert rung and rung[0] >= due_ns
    # Whoever is woken too late does not spin; what was spun is never more than the end of a wait.
    assert 0 <= loop.spun_ns < 1_000_000
    loop.close()


def test_a_fine_loop_hears_of_sockets_while_it_waits() -> None:
    reading, writing = os.pipe()
    loop = Loop(fine=True)
    heard: list[int] = []

    def readable(ready_ns: int) -> None:
        heard.append(ready_ns)
        loop.halt()

    loop.watch(reading, READ, readable)
    os.write(writing, b".")
    loop.run(monotonic_ns() + LONG_NS, lambda own_delay_ns, handled: None)
    assert len(heard) == 1
    loop.close()
    os.close(reading)
    os.close(writing)
