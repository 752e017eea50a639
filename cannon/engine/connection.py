"""One connection's life: dial, load, send, close, dial again.

The law: every request that was taken from the feed is sent, or held until it can be. What one socket carries is told
in exchange.py. A request is loaded (taken), then sent; under a schedule what is loaded waits for its due time, and the
connection is parked until then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from time import monotonic_ns

from cannon.engine.deadline import Deadline
from cannon.engine.dialler import Dialler
from cannon.engine.exchange import Exchange
from cannon.engine.framing import Framing
from cannon.engine.loop import Loop
from cannon.engine.meter import Meter
from cannon.engine.schedule import Schedule
from cannon.engine.sockets import Socket
from cannon.engine.stamps import Stamps
from cannon.engine.supply import Feed, Shot
from cannon.plan import Limits
from cannon.route import Address
from cannon.tally import UNIT_BITS

__all__ = ["Connection"]


class Connection:
    """Fires the requests of its feed, up to `pipelining` at a time, until it is exhausted, or stopped.

    `frame` makes the framing of a new socket; `open_socket` a non-blocking one. `schedule` tells when requests are due
    (None: at once), `stamps` when bytes came (None: when they were read). `dialled` is called once, when the first
    dial has ended, `finished` once, at the end. `never_sent`, after `stop`: requests that were due and waited for a
    dial.
    """

    __slots__ = (
        "_answered_before",
        "_deadline",
        "_depth",
        "_dialler",
        "_exchange",
        "_feed",
        "_finished",
        "_frame",
        "_hot",
        "_leg",
        "_limits",
        "_loaded",
        "_loop",
        "_meter",
        "_over",
        "_parked",
        "_requests",
        "_schedule",
        "_stamps",
        "_timeout_ns",
        "never_sent",
    )

    def __init__(
        self,
        *,
        loop: Loop,
        meter: Meter,
        addresses: tuple[Address, ...],
        timeout_ns: int,
        feed: Feed,
        limits: Limits,
        pipelining: int,
        frame: Callable[[], Framing],
        open_socket: Callable[[Address], Socket],
        dialled: Callable[[], None],
        finished: Callable[[], None],
        schedule: Schedule | None = None,
        stamps: Stamps | None = None,
    ) -> None:
        self.never_sent = 0
        self._loop = loop
        self._meter = meter
        self._timeout_ns = timeout_ns
        self._feed = feed
        self._limits = limits
        self._requests: Iterator[bytes] = feed.requests
        if limits.per_connection is not None:
            self._requests = islice(feed.requests, limits.per_connection)
        # Those of one socket.
        self._leg = self._requests
        self._depth = pipelining
        self._schedule = schedule
        self._stamps = stamps
        self._frame = frame
        self._finished = finished
        self._dialler = Dialler(
            loop=loop,
            meter=meter,
            addresses=addresses,
            timeout_ns=timeout_ns,
            open_socket=open_socket,
            connected=self._connected,
            ended=dialled,
        )
        self._deadline = Deadline(loop, timeout_ns, self.firing_since, self._timed_out)
        self._exchange: Exchange | None = None
        self._loaded: deque[Shot] = deque()
        self._answered_before = 0
        self._parked = False
        self._over = False
        request = feed.prepared.request
        self._hot = (
            feed.uniform
            and pipelining == 1
            and schedule is None
            and request.stream is None
            and not request.closes
            and not meter.only_successes
        )

    # Sending.

    def _refill(self, now_ns: int) -> None:
        """Send what may be sent now: as many requests as may be in flight, under a schedule those that are due."""
        exchange = self._exchange
        if exchange is None or exchange.upload is not None or self._parked:
            return
        in_flight = len(exchange.in_flight)
        ready: list[Shot] = []
        while in_flight + len(ready) < self._depth:
            shot = self._next(now_ns)
            if shot is None:
                break
            ready.append(shot)
            if shot.prepared.request.closes or shot.prepared.request.stream is not None:
                break
        if ready:
            exchange.send(ready, now_ns)
            if not in_flight:
                self._deadline.arm()
        elif not in_flight and not self._loaded:
            self._leg_ended(now_ns)

    def _next(self, now_ns: int) -> Shot | None:
        """The next request to be sent now. None: there is none, or it is not due, and the connection is parked."""
        if self._loaded:
            shot = self._loaded.popleft()
            self._meter.supply.release(shot)
        else:
            try:
                shot = Shot(next(self._leg), self._feed.prepared)
            except StopIteration:
                return None
        if self._schedule is None or shot.due_ns:
            return shot
        shot.due_ns = self._schedule.take(now_ns)
        if shot.due_ns:
            return shot
        self._hold(shot)
        self._parked = True
        self._schedule.park(self)
        return None

    def fire_due(self, due_ns: int) -> None:
        """What is loaded was due then, and this connection was free."""
        self._parked = False
        shot = self._loaded[0]
        shot.due_ns = due_ns
        if self._exchange is None:
            self._dialler.dial(monotonic_ns())
            return
        self._refill(monotonic_ns())
        if shot.sent_ns:
            self._meter.woke_late.append(shot.sent_ns - due_ns >> UNIT_BITS)

    def _hold(self, shot: Shot) -> None:
        """Keep a request that was taken but cannot be sent yet."""
        self._meter.supply.hold(shot)
        self._loaded.append(shot)

    def _take_back(self, shots: list[Shot]) -> None:
        """They were not sent after all, and go before whatever else is loaded."""
        self._unpark()
        for shot in reversed(shots):
            self._meter.supply.hold(shot)
            self._loaded.appendleft(shot)

    # Between two sockets.

    def dial(self, now_ns: int) -> None:
        """Open: dial, and wait for `begin`; not if it was stopped before its turn came."""
        if not self._over:
            self._dialler.dial(now_ns)

    def begin(self, now_ns: int) -> None:
        """Fire, now or once somebody answers."""
        self._dialler.release(now_ns)

    def _connected(self, opened: Socket, now_ns: int) -> None:
        if self._limits.reconnect_after is not None:
            most = self._limits.reconnect_after - len(self._loaded)
            self._leg = islice(self._requests, max(0, most))
        self._exchange = Exchange(
            loop=self._loop,
            meter=self._meter,
            opened=opened,
            framing=self._frame(),
            requests=self._leg if self._hot else None,
            stamps=self._stamps,
            room=self._refill,
            over=self._reconnect,
            idle=self._closed_idle,
            unsent=self._take_back,
        )
        self._refill(now_ns)

    def _leg_ended(self, now_ns: int) -> None:
        """There is no more to send here; maybe on another socket."""
        if self._leg is self._requests:
            self._finish()
        else:
            self._reconnect(now_ns)

    def _reconnect(self, now_ns: int) -> None:
        """Dial for the next request, if there is one: nobody dials for nothing."""
        self._close()
        self._unpark()
        if not self._loaded:
            try:
                self._hold(Shot(next(self._requests), self._feed.prepared))
            except StopIteration:
                self._finish()
                return
        self._dialler.dial(now_ns)

    def _closed_idle(self, excess: bool) -> None:
        """The peer closed while nothing was in flight, or said what nobody asked for."""
        self._meter.closed_idle += 1
        self._meter.excess += excess
        fresh = self._exchange is not None and not self._exchange.answered
        self._close()
        now_ns = monotonic_ns()
        if self._parked and self._schedule is not None:
            # Dialled again when it is needed, and that is last.
            self._schedule.unpark(self)
            self._schedule.park(self, last=True)
        elif fresh:
            self._dialler.dial_after_pause(now_ns)
        else:
            self._dialler.dial(now_ns)

    def _timed_out(self, now_ns: int) -> None:
        if self._exchange is not None:
            self._exchange.timed_out(now_ns, self._timeout_ns)

    # What is asked of outside, and the end.

    @property
    def answered(self) -> int:
        """Responses that it got, over all its sockets."""
        return self._answered_before + (self._exchange.answered if self._exchange is not None else 0)

    @property
    def in_flight(self) -> int:
        """How many requests are waiting for their response."""
        return len(self._exchange.in_flight) if self._exchange is not None else 0

    @property
    def dialling(self) -> bool:
        """Whether it would send something if only somebody answered."""
        return self._exchange is None and not self._parked and not self._over

    def firing_since(self) -> int | None:
        """When the oldest request in flight was sent; None when there is none."""
        exchange = self._exchange
        return exchange.in_flight[0].sent_ns if exchange is not None and exchange.in_flight else None

    def stop(self) -> None:
        """Send no more; what is in flight is still read."""
        self._requests = self._leg = iter(())
        self._unpark()
        # They stay held: nobody will have sent them.
        self.never_sent += sum(shot.due_ns > 0 for shot in self._loaded)
        self._loaded.clear()
        if self._exchange is not None and self._exchange.in_flight:
            self._exchange.stop()
        else:
            self._finish()

    def abandon(self) -> None:
        """Close at once, whatever is in flight."""
        self._over = True
        self._unpark()
        self._dialler.stop()
        self._close()

    def _finish(self) -> None:
        if not self._over:
            self.abandon()
            self._finished()

    def _unpark(self) -> None:
        if self._parked and self._schedule is not None:
            self._schedule.unpark(self)
        self._parked = False

    def _close(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._answered_before += exchange.answered
            exchange.close()
