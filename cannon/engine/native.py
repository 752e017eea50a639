"""Fires one shard with the readiness loop.

First the connections are opened, and none fires before the last: a server that accepts one at a time between its
requests (nginx does) would else starve those that come late. The window begins with the first request and ends when
sending stops: both moments are measured, so no figure is rounded to a tick. What is in flight then is read until it
ends or the drain is over, and belongs to no row.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from itertools import islice
from operator import length_hint
from time import monotonic_ns

import msgspec

from cannon import host
from cannon.engine.connection import Connection
from cannon.engine.framing import Express, FastFraming, Framing
from cannon.engine.latency_log import LatencyLog
from cannon.engine.loop import READ, Loop, Poller
from cannon.engine.meter import Meter
from cannon.engine.sockets import Socket, open_socket, traced
from cannon.plan import Engine, Target
from cannon.request import Request
from cannon.route import Address
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["fire_natively"]

_AT_ONCE = 100
"""So many connections are dialled at a time, because a server's queue of those it has not accepted is short, and so
many begin to fire at a time, because nobody reads answers meanwhile.
"""

_GLANCE_NS = 20_000_000

_FIRST_TOLD_NS = 100_000_000
"""An opening that takes longer is told of, then once a tick."""

_OPENING_STALLS_NS = 250_000_000
"""When no dial has ended for so long, the run begins without those that are missing; they may still come."""


def fire_natively(shard: Shard, control: int | None = None, poller: Poller | None = None) -> Iterator[Tally]:
    """Fire a shard; yields what was counted, once a tick, and at the end of the window and of the drain.

    `control`: a descriptor; a byte on it ends the window, its end ends the run at once. `poller`: the system's
    unless given. What takes time to load is loaded by this call; the first Tally that is asked for begins to dial.
    """
    log = LatencyLog(shard.plan.log) if shard.plan.log else None
    return _fire(_Battery(shard, Loop(poller), log), log, control)


def _fire(battery: _Battery, log: LatencyLog | None, control: int | None) -> Iterator[Tally]:
    try:
        yield from battery.fire(control)
    finally:
        battery.close()
        if log is not None:
            log.close()


class _Battery:
    """The connections of one shard, and what they share."""

    def __init__(self, shard: Shard, loop: Loop, log: LatencyLog | None) -> None:
        self._shard = shard
        self._plan = shard.plan
        self._loop = loop
        self._began_ns = monotonic_ns()
        self._meter = Meter(shard.plan.succeeds, self._began_ns, log)
        self._requests = [Request.build(shard.plan, step) for step in shard.plan.steps]
        self._connections: list[Connection] = []
        self._undialled: Iterator[Connection] = iter(())
        self._unbegun: Iterator[Connection] = iter(())
        self._dialled = 0
        self._opening = False
        self._active = 0
        self._stopped = False
        self._aborted = False
        self._longest_pause_ns = 0
        self._made = 0
        self._reached_ns = self._began_ns
        self._reachable = True
        self._cpu_ns = self._cpu_began_ns = 0
        self._run_delay_ns = self._run_delay_began_ns = 0
        self._make()

    def fire(self, control: int | None) -> Iterator[Tally]:
        if control is not None:
            self._watch(control)
        plan = self._plan
        yield from self._open()
        self._begin()
        end_ns = None if plan.stop.amount is not None else self._began_ns + plan.stop.duration_ns
        told_ns = self._began_ns
        tick = 0
        while True:
            tick += 1
            tick_ns = self._began_ns + tick * plan.tick_ns
            if self._active and not self._stopped:
                self._loop.run(tick_ns if end_ns is None else min(tick_ns, end_ns), self._meter.settle)
            now_ns = monotonic_ns()
            if self._stopped or not self._active or (end_ns is not None and now_ns >= end_ns):
                break
            if end_ns is None and self._out_of_reach(now_ns):
                break
            yield self._tally(window_ns=now_ns - told_ns)
            told_ns = now_ns
            self._paused(now_ns)
        self._stop_sending()
        drained_ns = now_ns + plan.drain_limit_ns
        yield self._tally(window_ns=now_ns - told_ns)
        self._paused(now_ns)
        if self._active and not self._aborted:
            self._loop.run(drained_ns, self._meter.settle)
        now_ns = monotonic_ns()
        firing = [
            since for connection in self._connections if (since := connection.firing_since()) is not None
        ]
        last = self._tally(window_ns=0)
        yield msgspec.structs.replace(
            last,
            in_flight=len(firing),
            oldest_in_flight_ns=now_ns - min(firing, default=now_ns),
            never_sent=0 if self._reachable else (self._shard.amount or 0) - self._meter.sent,
            fewest_answered=min(connection.answered for connection in self._connections),
            most_answered=max(connection.answered for connection in self._connections),
        )

    def close(self) -> None:
        """Close everything; nothing of a shard outlives it."""
        self._undialled = iter(())
        for connection in self._connections:
            connection.abandon()
        self._loop.close()

    def _make(self) -> None:
        plan, shard = self._plan, self._shard
        target, request = plan.targets[0], self._requests[0]
        supply = self._meter.supply(request.data, shard.amount)
        frame = self._framing(request)
        open_one = self._sockets(target)
        for _ in range(shard.connections):
            opener = open_one()
            self._connections.append(
                Connection(
                    loop=self._loop,
                    meter=self._meter,
                    addresses=target.addresses,
                    timeout_ns=plan.timeout_ns,
                    supply=supply,
                    closes=request.closes,
                    frame=frame,
                    open_socket=traced(opener) if plan.trace else opener,
                    dialled=self._one_dialled,
                    finished=self._one_finished,
                )
            )
        self._active = len(self._connections)

    def _open(self) -> Iterator[Tally]:
        """Dial, until the last has been answered or refused, or nothing moves any more; for as long as one dial may
        take at most.
        """
        self._undialled = iter(self._connections)
        for connection in islice(self._undialled, _AT_ONCE):
            connection.dial(monotonic_ns())
        began_ns = moved_ns = now_ns = monotonic_ns()
        tell_ns = began_ns + _FIRST_TOLD_NS
        dialled = 0
        self._opening = True
        while self._dialled < len(self._connections) and not self._stopped:
            if now_ns - moved_ns >= _OPENING_STALLS_NS or now_ns - began_ns >= self._plan.timeout_ns:
                break
            self._loop.run(min(moved_ns + _OPENING_STALLS_NS, tell_ns), self._meter.settle)
            now_ns = monotonic_ns()
            if self._dialled != dialled:
                dialled, moved_ns = self._dialled, now_ns
            if now_ns >= tell_ns:
                tell_ns = now_ns + self._plan.tick_ns
                yield self._tally(window_ns=0)
        self._opening = False
        # Whoever watches knows by this that the window opens.
        yield self._tally(window_ns=0)

    def _begin(self) -> None:
        """The window opens; for whoever was stopped before, on nothing."""
        self._began_ns = self._reached_ns = monotonic_ns()
        self._cpu_began_ns = host.cpu_ns()
        self._run_delay_began_ns = host.run_delay_ns() or 0
        if not self._stopped:
            self._unbegun = iter(self._connections)
            self._begin_next(self._began_ns)

    def _begin_next(self, now_ns: int) -> None:
        for connection in islice(self._unbegun, _AT_ONCE):
            connection.begin(monotonic_ns())
        if length_hint(self._unbegun):
            self._loop.call_at(now_ns, self._begin_next)

    def _framing(self, request: Request) -> Callable[[], Framing]:
        """Makes the framing of each socket."""
        head, bodies = request.expects_no_body, self._meter.bodies
        if self._plan.engine is Engine.H11:
            from cannon.engine.strict import StrictFraming

            return lambda: StrictFraming(head=head, bodies=bodies)
        lane = Express(bodies)
        return lambda: FastFraming(head=head, bodies=bodies, lane=lane)

    def _sockets(self, target: Target) -> Callable[[], Callable[[Address], Socket]]:
        """Makes for each connection what opens its sockets: over TLS each has its own sessions."""
        if target.scheme == "http":
            return lambda: open_socket
        from cannon.engine.secure import Security

        tls = self._plan.tls
        context = tls.context()
        return lambda: Security(context, tls, target.host).open_socket

    def _one_dialled(self) -> None:
        """The ramp: the next connection is dialled when one before it has been answered, or refused."""
        self._dialled += 1
        if self._opening and self._dialled == len(self._connections):
            self._loop.halt()
        connection = next(self._undialled, None)
        if connection is not None:
            # Not at once: a dial that fails at once would come back here, and nobody knows how deep.
            self._loop.call_at(self._began_ns, connection.dial)

    def _out_of_reach(self, now_ns: int) -> bool:
        """Whether no dial has been answered, and no request in flight, for twice as long as a dial may take.

        A run of a fixed amount has no other end when its server has gone for good.
        """
        made = self._meter.made
        if made != self._made or any(connection.firing_since() for connection in self._connections):
            self._made, self._reached_ns = made, now_ns
        self._reachable = now_ns - self._reached_ns < 2 * self._plan.timeout_ns
        return not self._reachable

    def _one_finished(self) -> None:
        self._active -= 1
        if not self._active:
            self._loop.halt()

    def _watch(self, control: int) -> None:
        """Look at the control, and not only when its turn comes: with ten thousand sockets ready that takes a while."""
        glance = select.poll()
        glance.register(control, select.POLLIN)

        def look(now_ns: int) -> None:
            if glance.poll(0) and not self._aborted:
                self._controlled(control)
            self._loop.call_at(now_ns + _GLANCE_NS, look)

        self._loop.watch(control, READ, lambda ready_ns: self._controlled(control))
        self._loop.call_at(self._began_ns + _GLANCE_NS, look)

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

    def _paused(self, since_ns: int) -> None:
        """The time since then went into telling: nobody looked at the sockets."""
        self._longest_pause_ns = max(self._longest_pause_ns, monotonic_ns() - since_ns)

    def _tally(self, window_ns: int) -> Tally:
        longest_pause_ns, self._longest_pause_ns = self._longest_pause_ns, 0
        if window_ns:
            # Both are set against the window, so what the opening and the drain took is none of it.
            self._cpu_ns = host.cpu_ns() - self._cpu_began_ns
            self._run_delay_ns = (host.run_delay_ns() or 0) - self._run_delay_began_ns
        return self._meter.tally(
            window_ns=window_ns,
            cpu_ns=self._cpu_ns,
            run_delay_ns=self._run_delay_ns,
            longest_pause_ns=longest_pause_ns,
        )
