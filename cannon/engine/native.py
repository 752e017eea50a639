"""Fires one shard with the readiness loop.

First the connections are opened, and none fires before the last: a server that accepts one at a time between its
requests (nginx does) would else starve those that come late. The window begins with the first request and ends when
sending stops: both moments are measured, so no figure is rounded to a tick. What is in flight then is read until it
ends or the drain is over, and belongs to no row.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from itertools import islice
from operator import length_hint
from time import monotonic_ns

import msgspec

from cannon.engine.assembly import Assembly
from cannon.engine.connection import Connection
from cannon.engine.latency_log import LatencyLog
from cannon.engine.loop import READ, Loop, Poller
from cannon.engine.schedule import NEVER_NS
from cannon.engine.window import AT_ONCE, OPENING_STALLS_NS, Window
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["fire_natively"]

_GLANCE_NS = 20_000_000

_FIRST_TOLD_NS = 100_000_000
"""An opening that takes longer is told of, then once a tick."""


def fire_natively(shard: Shard, control: int | None = None, poller: Poller | None = None) -> Iterator[Tally]:
    """Fire a shard; yields what was counted, once a tick, and at the end of the window and of the drain.

    `control`: a descriptor; a byte on it ends the window, its end ends the run at once. `poller`: the system's
    unless given. What takes time to load is loaded by this call; the first Tally that is asked for begins to dial.
    """
    log = LatencyLog(shard.plan.log) if shard.plan.log else None
    return _fire(_Battery(shard, Loop(poller, fine=shard.plan.pace is not None), log), log, control)


def _fire(battery: _Battery, log: LatencyLog | None, control: int | None) -> Iterator[Tally]:
    try:
        yield from battery.fire(control)
    finally:
        battery.close()
        if log is not None:
            log.close()


class _Battery:
    """A shard that is fired: when its connections are dialled, when they begin, and when they stop."""

    def __init__(self, shard: Shard, loop: Loop, log: LatencyLog | None) -> None:
        self._shard = shard
        self._plan = shard.plan
        self._loop = loop
        self._assembly = Assembly(
            shard,
            loop,
            log,
            dialled=self._one_dialled,
            finished=self._one_finished,
            faulted=self._one_faulted,
        )
        self._connections = self._assembly.connections
        self._meter = self._assembly.meter
        self._window = Window(self._meter)
        self._undialled: Iterator[Connection] = iter(())
        self._unbegun: Iterator[Connection] = iter(())
        self._dialled = 0
        self._opening = False
        self._active = len(self._connections)
        self._stopped = False
        self._aborted = False
        self._faults = 0
        self._bailed_out = False
        self._in_flight = 0
        self._oldest_ns: int | None = None

    def fire(self, control: int | None) -> Iterator[Tally]:
        if control is not None:
            self._watch(control)
        plan, window = self._plan, self._window
        yield from self._open()
        end_ns = self._begin()
        yield from self._lead_in()
        reachable = True
        tick = 0
        while True:
            tick += 1
            tick_ns = window.began_ns + tick * plan.tick_ns
            if self._active and not self._stopped:
                self._loop.run(tick_ns if end_ns is None else min(tick_ns, end_ns), self._meter.settle)
            now_ns = monotonic_ns()
            if self._stopped or not self._active or (end_ns is not None and now_ns >= end_ns):
                break
            reachable = window.reaches(now_ns, 2 * plan.timeout_ns, firing=self._firing())
            if end_ns is None and (not reachable or self._all_sent()):
                break
            yield window.tick(now_ns, self._loop.spun_ns)
            if self._assembly.stamps is not None:
                self._assembly.stamps.measure()
            window.paused(now_ns)
        stopped_ns = now_ns if end_ns is None else min(now_ns, end_ns)
        self._stop_sending()
        drained_ns = now_ns + plan.drain_limit_ns
        yield window.tick(now_ns, self._loop.spun_ns)
        window.paused(now_ns)
        if self._active and not self._aborted:
            self._loop.run(drained_ns, self._meter.settle)
        now_ns = monotonic_ns()
        if not self._bailed_out:
            self._look_in_flight()
        never_sent = self._never_sent(stopped_ns, reachable=reachable)
        yield msgspec.structs.replace(
            window.outside(),
            in_flight=self._in_flight,
            oldest_in_flight_ns=now_ns - (self._oldest_ns or now_ns),
            never_sent=never_sent,
            bailed_out=int(self._bailed_out),
            fewest_answered=min(connection.answered for connection in self._connections),
            most_answered=max(connection.answered for connection in self._connections),
        )

    def close(self) -> None:
        """Close everything; nothing of a shard outlives it."""
        self._undialled = self._unbegun = iter(())
        for connection in self._connections:
            connection.abandon()
        self._loop.close()

    # The begin.

    def _open(self) -> Iterator[Tally]:
        """Dial, until the last has been answered or refused, or nothing moves any more; for as long as one dial may
        take at most.
        """
        window = self._window
        self._undialled = iter(self._connections)
        for connection in islice(self._undialled, AT_ONCE):
            connection.dial(monotonic_ns())
        began_ns = moved_ns = now_ns = monotonic_ns()
        tell_ns = began_ns + _FIRST_TOLD_NS
        dialled = 0
        self._opening = True
        while self._dialled < len(self._connections) and not self._stopped:
            if now_ns - moved_ns >= OPENING_STALLS_NS or now_ns - began_ns >= self._plan.timeout_ns:
                break
            self._loop.run(min(moved_ns + OPENING_STALLS_NS, tell_ns), self._meter.settle)
            now_ns = monotonic_ns()
            if self._dialled != dialled:
                dialled, moved_ns = self._dialled, now_ns
            if now_ns >= tell_ns:
                tell_ns = now_ns + self._plan.tick_ns
                yield window.outside()
        self._opening = False
        # Whoever watches knows by this that the window opens.
        yield window.outside()

    def _begin(self) -> int | None:
        """The first request is sent, if nobody has stopped it before. Returns when the window ends, None: with the
        amount.
        """
        self._window.open(self._loop.spun_ns)
        began_ns, plan = self._window.began_ns, self._plan
        stop = plan.stop
        end_ns = None if stop.amount is not None else began_ns + plan.lead_in_ns + stop.duration_ns
        if not self._stopped:
            for schedule in self._assembly.schedules:
                schedule.begin(began_ns, end_ns)
            self._unbegun = iter(self._connections)
            self._begin_next(began_ns)
        return end_ns

    def _lead_in(self) -> Iterator[Tally]:
        """Fire, and open the window once that has gone on for a while. Nobody waits for what is in flight: a pause
        would be what a lead-in is to spare the window.
        """
        window, plan = self._window, self._plan
        if not plan.lead_in_ns:
            return
        over_ns = window.began_ns + plan.lead_in_ns
        told: list[Tally] = []
        now_ns = window.began_ns
        while now_ns < over_ns and self._active and not self._stopped:
            self._loop.run(min(now_ns + plan.tick_ns, over_ns), self._meter.settle)
            told.append(window.outside())
            if self._assembly.stamps is not None:
                self._assembly.stamps.measure()
            # A sign of life.
            yield Tally()
            now_ns = monotonic_ns()
        window.open(self._loop.spun_ns)
        yield window.led_in(told)

    def _begin_next(self, now_ns: int) -> None:
        for connection in islice(self._unbegun, AT_ONCE):
            connection.begin(monotonic_ns())
        if length_hint(self._unbegun):
            self._loop.call_at(now_ns, self._begin_next)

    # What connections tell.

    def _one_dialled(self) -> None:
        """The ramp: the next connection is dialled when one before it has been answered, or refused."""
        self._dialled += 1
        if self._opening and self._dialled == len(self._connections):
            self._loop.halt()
        connection = next(self._undialled, None)
        if connection is not None:
            # Not at once: a dial that fails at once would come back here, and nobody knows how deep.
            self._loop.call_at(self._window.began_ns, connection.dial)

    def _one_finished(self) -> None:
        self._active -= 1
        if not self._active:
            self._loop.halt()

    def _one_faulted(self) -> None:
        """An error, a body that was not expected, or a dial that failed. With enough of them it ends here: nothing of
        the same turn is counted any more.
        """
        self._faults += 1
        if self._faults != self._plan.limits.bailout:
            return
        self._bailed_out = self._stopped = self._aborted = True
        self._undialled = self._unbegun = iter(())
        self._look_in_flight()
        for connection in self._connections:
            connection.stop()
            connection.abandon()
        self._loop.halt()

    # The end.

    def _watch(self, control: int) -> None:
        """Look at the control, and not only when its turn comes: with ten thousand sockets ready that takes a while."""
        glance = select.poll()
        glance.register(control, select.POLLIN)

        def look(now_ns: int) -> None:
            if glance.poll(0) and not self._aborted:
                self._controlled(control)
            self._loop.call_at(now_ns + _GLANCE_NS, look)

        self._loop.watch(control, READ, lambda ready_ns: self._controlled(control))
        self._loop.call_at(self._window.began_ns + _GLANCE_NS, look)

    def _controlled(self, control: int) -> None:
        """Somebody outside wants the end."""
        if not os.read(control, 1):
            self._aborted = True
            self._loop.forget(control)
        elif self._stopped:
            return  # in the drain there is nothing more to stop
        self._stopped = True
        self._loop.halt()

    def _stop_sending(self) -> None:
        self._stopped = True
        self._undialled = self._unbegun = iter(())
        for connection in self._connections:
            connection.stop()

    def _oldest(self) -> int | None:
        """When the oldest request in flight was sent."""
        return min(
            (since for connection in self._connections if (since := connection.firing_since()) is not None),
            default=None,
        )

    def _firing(self) -> bool:
        """Whether a request is in flight, or would be if it were due: nobody waits for an answer to a dial."""
        return self._oldest() is not None or not self._dialling()

    def _dialling(self) -> bool:
        return any(connection.dialling for connection in self._connections)

    def _all_sent(self) -> bool:
        """Whether nothing will be sent any more: a rate may end before the amount does."""
        has_taker = any(schedule.has_taker for schedule in self._assembly.schedules)
        return not has_taker and not self._dialling() and self._oldest() is None

    def _look_in_flight(self) -> None:
        self._oldest_ns = self._oldest()
        self._in_flight = sum(connection.in_flight for connection in self._connections)

    def _never_sent(self, stopped_ns: int, *, reachable: bool) -> int:
        """Requests that were due when sending stopped, and not sent; of an amount whose server has gone, the rest."""
        amount, sent = self._shard.amount, self._meter.supply.sent
        most = NEVER_NS if amount is None else amount - sent
        if not reachable and self._plan.stop.amount is not None:
            return most
        if not self._assembly.schedules:
            return 0
        due = sum(connection.never_sent for connection in self._connections)
        for schedule in self._assembly.schedules:
            due += schedule.left(stopped_ns, most - due)
        return min(due, most)
