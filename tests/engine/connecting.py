"""A connection over sockets that do exactly what a test says."""

from __future__ import annotations

import errno
from time import monotonic_ns

from cannon.engine.connection import Connection
from cannon.engine.framing import FastFraming
from cannon.engine.loop import READ, Loop
from cannon.engine.meter import Meter
from cannon.engine.schedule import Schedule
from cannon.engine.supply import Feed, Prepared, Supply
from cannon.plan import Limits
from cannon.request import Request
from cannon.route import Address
from cannon.tally import Tally
from tests.engine.fakes import FakePoller, FakeSocket

__all__ = ["AGAIN", "GONE", "GOOD", "REQUEST", "Fired"]

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
AGAIN = BlockingIOError(errno.EAGAIN, "again")
GONE = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


class Fired:
    """A connection over sockets given in advance, turned by hand."""

    def __init__(
        self,
        *sockets: FakeSocket,
        amount: int | None = 1,
        closes: bool = False,
        pipelining: int = 1,
        limits: Limits | None = None,
        body: bytes | None = None,
        only_successes: bool = False,
        due_ns: list[int] | None = None,
    ) -> None:
        self.sockets = list(sockets)
        self.poller = FakePoller()
        self.loop = Loop(self.poller)
        prepared = Prepared(Request("GET", REQUEST, closes), 0, body)
        self.supply = Supply(amount, prepared)
        self.schedule = None if due_ns is None else Schedule(self.loop, iter(due_ns))
        self.meter = Meter(
            lambda status: status < 400,
            monotonic_ns(),
            self.supply,
            due=due_ns is not None,
            only_successes=only_successes,
        )
        self.finished = 0
        unused = iter(sockets)
        self.connection = Connection(
            loop=self.loop,
            meter=self.meter,
            addresses=(Address("127.0.0.1", 1),),
            timeout_ns=10**12,
            feed=Feed(prepared, self.supply.tickets),
            limits=limits or Limits(),
            pipelining=pipelining,
            frame=lambda: FastFraming(bodies=self.meter.bodies),
            open_socket=lambda address: next(unused),
            dialled=lambda: None,
            finished=self._finished,
            schedule=self.schedule,
        )
        self.connection.begin(monotonic_ns())
        self.connection.dial(monotonic_ns())

    def _finished(self) -> None:
        self.finished += 1

    def turn(self, times: int = 1, *, ready: bool = True) -> None:
        """Say of the open socket that it is ready, that often; or only let timers ring."""
        for _ in range(times):
            if ready:
                self.poller.ready.append([(fd, READ) for fd in self.poller.watched])
            now_ns = monotonic_ns()
            self.loop.call_at(now_ns, lambda when: self.loop.halt())
            self.loop.run(now_ns + 10**9, self.meter.settle)

    def tally(self) -> Tally:
        return self.meter.tally(window_ns=1, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)
