"""Diallers over sockets whose every answer is given by a test, turned by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from time import monotonic_ns

from cannon.engine.dialler import Dialler
from cannon.engine.loop import Loop
from cannon.engine.sockets import Socket
from cannon.route import Address, Peer
from cannon.tally import Tally
from tests.engine.fakes import FakePoller, FakeSocket
from tests.engine.metering import meter_of

__all__ = ["HERE", "PROXY", "THERE", "UNIX", "Held", "Shaking"]

HERE, THERE = Address("127.0.0.1", 1), Address("::1", 1)
PROXY = Address("127.0.0.1", 1, peer=Peer.PROXY)
UNIX = Address(path="/run/server.sock")


class Shaking(FakeSocket):
    """A socket whose handshake goes as the test says: what it waits for, or how it fails; then it is done."""

    def __init__(
        self,
        number: int = 5,
        *,
        steps: Iterable[int | OSError] = (),
        pieces: Iterable[bytes | OSError] = (),
        dialled: int = 0,
    ) -> None:
        super().__init__(number, pieces, dialled=dialled)
        self.steps = deque(steps)

    def handshake(self) -> int:
        step = self.steps.popleft() if self.steps else 0
        if isinstance(step, OSError):
            raise step
        return step


class Held:
    """A dialler over sockets given in advance, that nobody has released, turned by hand."""

    def __init__(
        self,
        *sockets: FakeSocket,
        timeout_ns: int = 10**12,
        addresses: tuple[Address, ...] = (HERE, THERE),
    ) -> None:
        self.poller = FakePoller()
        self.loop = Loop(self.poller)
        self.meter = meter_of()
        self.opened = 0
        self.connected: list[Socket] = []
        self.ended = 0
        self._sockets = sockets
        self.dialler = Dialler(
            loop=self.loop,
            meter=self.meter,
            addresses=addresses,
            timeout_ns=timeout_ns,
            open_socket=self._open_socket,
            connected=lambda opened, now_ns: self.connected.append(opened),
            ended=self._ended,
        )
        self.dialler.dial(monotonic_ns())

    def _open_socket(self, address: Address) -> Socket:
        self.opened += 1
        self.loop.halt()
        return self._sockets[self.opened - 1]

    def _ended(self) -> None:
        self.ended += 1

    def turn(self) -> None:
        """Say of every socket that is watched that it is ready."""
        self.poller.ready.append([(fd, events) for fd, events in self.poller.watched.items()])
        self.loop.call_at(0, lambda when_ns: self.loop.halt())
        self.loop.run(monotonic_ns() + 10**9, lambda own_delay_ns, handled: None)

    def turn_for(self, duration_ns: int) -> None:
        self.loop.run(monotonic_ns() + duration_ns, lambda own_delay_ns, handled: None)

    def wait_for(self, opened: int) -> None:
        """Turn until the next socket has been opened, which makes so many; 10 s at most."""
        self.loop.run(monotonic_ns() + 10**10, lambda own_delay_ns, handled: None)
        assert self.opened == opened

    def tally(self) -> Tally:
        return self.meter.tally(window_ns=1, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)
