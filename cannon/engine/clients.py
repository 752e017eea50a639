"""Fires one shard with httpx: its clients on one event loop, their window, ticks and drain.

The law is the native engine's: the connections are opened first, then the window, a Tally each tick, windows as they
were measured, every request in exactly one count. The event loop runs between two Tallies, and only then.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Iterator
from itertools import islice
from operator import length_hint
from time import monotonic_ns

import msgspec

from cannon.engine.client import Client, check
from cannon.engine.latency_log import LatencyLog
from cannon.engine.meter import Meter
from cannon.engine.network import Readiness, tell_ragged_ends
from cannon.engine.supply import Prepared, Supply
from cannon.engine.window import AT_ONCE, OPENING_STALLS_NS, Window
from cannon.request import Request
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["fire_with_httpx"]

_LOOK_EVERY_NS = 10_000_000
_END_WITHIN_NS = 2_000_000_000


def fire_with_httpx(shard: Shard, control: int | None = None) -> Iterator[Tally]:
    """Fire a shard; yields what was counted, once a tick, and at the end of the window and of the drain.

    `control`: a descriptor; a byte on it ends the window, its end ends the run at once. UsageError, at once, as of
    `check`.
    """
    check(shard.plan)
    return _fire(shard, control)


def _fire(shard: Shard, control: int | None) -> Iterator[Tally]:
    log = LatencyLog(shard.plan.log) if shard.plan.log else None
    battery = _Battery(shard, log)
    try:
        yield from battery.fire(control)
    finally:
        battery.close()
        if log is not None:
            log.close()


class _Battery:
    """The clients of one shard, and what they share. Its event loop runs between two Tallies, and only then."""

    def __init__(self, shard: Shard, log: LatencyLog | None) -> None:
        self._shard = shard
        self._plan = plan = shard.plan
        context = tell_ragged_ends(plan.tls.context()) if plan.targets[0].scheme == "https" else None
        self._readiness = readiness = Readiness()
        self._loop = asyncio.SelectorEventLoop(readiness)
        # Bytes are counted where they pass: the supply only counts requests.
        self._supply = Supply(shard.amount, Prepared(Request(plan.method, b""), 0))
        self._meter = Meter(plan.succeeds, monotonic_ns(), self._supply, log=log)
        self._window = Window(self._meter)
        self._gates = [asyncio.Event() for _ in range(shard.connections)]
        self._unbegun = iter(self._gates)
        ramp = asyncio.Semaphore(AT_ONCE)
        self._clients = [
            Client(
                plan,
                context,
                meter=self._meter,
                readiness=readiness,
                ramp=ramp,
                begin=gate,
                dialled=self._one_dialled,
                take=self._take,
                over=self._over,
            )
            for gate in self._gates
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._active = 0
        self._control: int | None = None
        self._poll = select.poll()
        self._halted = False
        self._stopped = False
        self._aborted = False
        self._defect: BaseException | None = None
        self._dialled = 0
        self._looked_ns = self._window.began_ns
        self._end_ns: int | None = None

    def fire(self, control: int | None) -> Iterator[Tally]:
        if control is not None:
            self._control = control
            self._poll.register(control, select.POLLIN)
            self._loop.add_reader(control, self._look)
        plan, window = self._plan, self._window
        yield from self._open()
        self._begin()
        reachable = True
        tick = 0
        while True:
            tick += 1
            tick_ns = window.began_ns + tick * plan.tick_ns
            if self._active and not self._stopped:
                self._run_until(tick_ns if self._end_ns is None else min(tick_ns, self._end_ns))
            now_ns = monotonic_ns()
            if self._stopped or not self._active or (self._end_ns is not None and now_ns >= self._end_ns):
                break
            firing = any(client.sent_ns for client in self._clients)
            reachable = window.reaches(now_ns, 2 * plan.timeout_ns, firing=firing)
            if self._end_ns is None and not reachable:
                break
            yield window.tick(now_ns)
            window.paused(now_ns)
        self._stopped = True
        for client, task in zip(self._clients, self._tasks, strict=True):
            if not client.sent_ns:
                task.cancel()
        yield window.tick(now_ns)
        window.paused(now_ns)
        if self._active and not self._aborted:
            self._run_until(now_ns + plan.drain_limit_ns)
        now_ns = monotonic_ns()
        in_flight = [client.sent_ns for client in self._clients if client.sent_ns]
        self._end()
        answered = [client.answered for client in self._clients]
        yield msgspec.structs.replace(
            window.outside(),
            in_flight=len(in_flight),
            oldest_in_flight_ns=now_ns - min(in_flight, default=now_ns),
            never_sent=0 if reachable or self._end_ns else (self._shard.amount or 0) - self._supply.sent,
            fewest_answered=min(answered),
            most_answered=max(answered),
        )

    def _open(self) -> Iterator[Tally]:
        """Dial, until the last has been answered or refused, or nothing moves any more."""
        self._active = len(self._clients)
        for client in self._clients:
            task = self._loop.create_task(client.run())
            task.add_done_callback(self._one_ended)
            self._tasks.append(task)
        told_ns = self._window.began_ns
        moves = True
        while moves and self._dialled < len(self._clients) and not self._stopped:
            before = self._dialled, self._readiness.seen
            self._run_until(monotonic_ns() + OPENING_STALLS_NS)
            moves = before != (self._dialled, self._readiness.seen)
            if monotonic_ns() - told_ns >= self._plan.tick_ns:
                # Whoever says nothing for seconds is taken for hung.
                told_ns = monotonic_ns()
                yield self._window.outside()
        # Whoever watches knows by this that the window opens.
        yield self._window.outside()

    def _begin(self) -> None:
        """The window opens."""
        self._window.open()
        if self._plan.stop.amount is None:
            self._end_ns = self._window.began_ns + self._plan.stop.duration_ns
        self._begin_next()

    def _begin_next(self) -> None:
        for gate in islice(self._unbegun, AT_ONCE):
            gate.set()
        if length_hint(self._unbegun) and not self._stopped:
            self._loop.call_soon(self._begin_next)

    def close(self) -> None:
        """Close everything; nothing of a shard outlives it."""
        self._end()
        if self._control is not None:
            self._loop.remove_reader(self._control)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    # What clients ask for.

    def _take(self) -> bool:
        """Whether there is one more request to send. It counts as held until httpx writes it."""
        if self._over() or next(self._supply.tickets, None) is None:
            return False
        self._supply.held += 1
        return True

    def _over(self) -> bool:
        """Whether sending has ended. With many clients a turn of the loop is long, so it is looked at here as well."""
        now_ns = monotonic_ns()
        if self._control is not None and not self._stopped and now_ns - self._looked_ns >= _LOOK_EVERY_NS:
            self._looked_ns = now_ns
            self._look()
        return self._stopped or (self._end_ns is not None and now_ns >= self._end_ns)

    # The loop.

    def _run_until(self, until_ns: int) -> None:
        self._halted = False
        while not self._halted and (now_ns := monotonic_ns()) < until_ns:
            timer = self._loop.call_later((until_ns - now_ns) / 1e9, self._loop.stop)
            self._loop.run_forever()
            timer.cancel()
        defect, self._defect = self._defect, None
        if defect is not None:
            raise defect

    def _halt(self) -> None:
        self._halted = True
        self._loop.stop()

    def _one_dialled(self) -> None:
        self._dialled += 1
        if self._dialled == len(self._clients):
            self._halt()

    def _one_ended(self, task: asyncio.Task[None]) -> None:
        self._active -= 1
        if not task.cancelled() and task.exception() is not None:
            self._defect = task.exception()
            self._halt()
        if not self._active:
            self._halt()

    def _look(self) -> None:
        """Do what somebody outside asks for; nothing, where the byte that the loop saw has been read since."""
        assert self._control is not None
        if not self._poll.poll(0):
            return
        if not os.read(self._control, 1):
            self._aborted = True
            self._loop.remove_reader(self._control)
        elif self._stopped:
            return  # in the drain there is nothing more to stop
        self._stopped = True
        self._halt()

    def _end(self) -> None:
        """Cancel what is left, and let it close its connections."""
        for task in self._tasks:
            task.cancel()
        if self._active:
            self._run_until(monotonic_ns() + _END_WITHIN_NS)
