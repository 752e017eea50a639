"""One request over one connection, waited for: dialled, sent and read by whoever calls, without a loop.

Law: the way is that of every connection, the same sockets over the same tunnels and the same TLS; only here the caller
waits. A dial and an exchange may each take the timeout of the plan, and whoever holds the control ends both.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from itertools import chain

from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import Socket
from cannon.errors import InvalidRun
from cannon.request import Request
from cannon.route import Address
from cannon.sequence import Streamed
from cannon.text import clean

__all__ = ["Stopped", "Wait", "Wire", "dialled"]

_PIECE_BYTES = 65_536
_START_BYTES = 64
_QUEUE_PAUSE_NS = 10_000_000
_INTERIM = b"HTTP/1.1 1"


class Stopped(Exception):
    """Whoever asked wants no answer any more."""


class Wait:
    """How long may be waited for a socket, and for how long at most."""

    def __init__(self, timeout_ns: int, control: int | None) -> None:
        self.timeout_ns = timeout_ns
        self._control = control
        self.renew()

    def renew(self) -> None:
        """What comes next has all the time again."""
        self._deadline_ns = time.monotonic_ns() + self.timeout_ns

    def until(self, opened: Socket | None, events: int, most_ns: int | None = None) -> None:
        """Return once the socket is ready for one of these, or `most_ns` are over. TimeoutError at the deadline,
        Stopped once the control can be read.
        """
        poll = select.poll()
        if opened is not None:
            poll.register(
                opened.fileno(),
                (select.POLLIN if events & READ else 0) | (select.POLLOUT if events & WRITE else 0),
            )
        if self._control is not None:
            poll.register(self._control, select.POLLIN)
        left_ns = self._deadline_ns - time.monotonic_ns()
        if left_ns <= 0:
            raise self._late()
        ready = poll.poll(-(-min(left_ns, left_ns if most_ns is None else most_ns) // 1_000_000))
        if any(descriptor == self._control for descriptor, _ in ready):
            raise Stopped
        if not ready and most_ns is None:
            raise self._late()

    def _late(self) -> TimeoutError:
        return TimeoutError(errno.ETIMEDOUT, f"no answer in {self.timeout_ns / 1e9:g} s")


def dialled(addresses: tuple[Address, ...], open_socket: Callable[[Address], Socket], wait: Wait) -> Socket:
    """A socket that carries the server's bytes, to the first address that takes a dial. OSError without one."""
    failure = OSError(errno.EADDRNOTAVAIL, "it has no address")
    for address in addresses:
        wait.renew()
        try:
            opened = open_socket(address)
        except OSError as error:
            failure = _undialled(error.errno or errno.EIO, address)
            continue
        try:
            code = _connected(opened, address, wait)
            if code:
                failure = _undialled(code, address)
                opened.close()
                continue
            while waits_for := opened.handshake():
                wait.until(opened, waits_for)
        except TimeoutError:
            tunnelling = opened.tunnelling
            opened.close()
            raise TimeoutError(
                errno.ETIMEDOUT,
                f"{address} answered the dial and opened no tunnel"
                if tunnelling
                else f"no end of the TLS handshake with {address} (does this port speak TLS?)",
            ) from None
        except BaseException:
            opened.close()
            raise
        return opened
    raise failure


def _undialled(code: int, address: Address) -> OSError:
    why = "no answer" if code == errno.ETIMEDOUT else os.strerror(code)
    return OSError(code, f"{why}, dialling {address}")


def _connected(opened: Socket, address: Address, wait: Wait) -> int:
    """The errno that a dial ended with, 0 once it is answered."""
    try:
        code = opened.connect_ex(address.sockaddr)
        while code == errno.EAGAIN and address.path:
            # The queue of a unix socket is full, and nothing tells when it has room again.
            wait.until(None, 0, _QUEUE_PAUSE_NS)
            code = opened.connect_ex(address.sockaddr)
        if code == errno.EINPROGRESS:
            wait.until(opened, WRITE)
            code = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except TimeoutError:
        return errno.ETIMEDOUT
    except OSError as error:
        return error.errno or errno.EIO
    return code


class Wire:
    """A request, and what comes back, over a socket that was dialled.

    `start`: how what came begins; `ended`: whether the other side has said all it will.
    """

    def __init__(self, opened: Socket, request: Request, data: bytes, wait: Wait) -> None:
        self._socket = opened
        self._pieces = chain((data,), _streamed(request.stream))
        self._wait = wait
        self._early = b""
        self._closed = False
        self._sent = False
        self.start = b""
        self.ended = False
        wait.renew()

    def send(self) -> None:
        """Send the request, once and all of it, unless the server answers before."""
        if self._sent:
            return
        self._sent = True
        for piece in self._pieces:
            unsent = memoryview(piece)
            while unsent:
                try:
                    unsent = unsent[self._socket.send(unsent) :]
                except BlockingIOError:
                    if self._refused():
                        return
                    self._wait.until(self._socket, READ | WRITE)
                except OSError:
                    # Why it takes no more is read, if it is said.
                    return

    def _refused(self) -> bool:
        """Whether the server has begun to answer, or left, with the request half sent."""
        try:
            data = self._receive(_PIECE_BYTES)
        except BlockingIOError:
            return False
        self._early += data
        return self.ended or self._early[: len(_INTERIM)] != _INTERIM[: len(self._early)]

    def read(self, max_bytes: int) -> bytes:
        """What came; nothing once the other side has ended. OSError where the connection broke, or time is over."""
        if self._early:
            data, self._early = self._early[:max_bytes], self._early[max_bytes:]
            return data
        while not self.ended:
            # Of what never ends there is always more to be read.
            self._wait.until(None, 0, 0)
            try:
                return self._receive(max_bytes)
            except BlockingIOError:
                self._wait.until(self._socket, READ)
        return b""

    def _receive(self, most_bytes: int) -> bytes:
        data = self._socket.recv(most_bytes)
        self.start = self.start or data[:_START_BYTES]
        self.ended = not data
        return data

    @property
    def agreed(self) -> tuple[str, str] | tuple[None, None]:
        """The version and the cipher of TLS."""
        if self._socket.secured is None:
            return None, None
        version, _, cipher = self._socket.secured.agreed.partition(" ")
        return version, cipher

    def close(self) -> None:
        """Close the socket, once."""
        if not self._closed:
            self._closed = True
            self._socket.close()


def _streamed(stream: Streamed | None) -> Iterator[bytes]:
    """A streamed body in pieces. InvalidRun for a file that is not what it was."""
    for piece in stream.pieces if stream is not None else ():
        if isinstance(piece, bytes):
            yield piece
            continue
        left_bytes = piece.size_bytes
        try:
            with open(piece.path, "rb") as file:
                while left_bytes and (data := file.read(min(_PIECE_BYTES, left_bytes))):
                    left_bytes -= len(data)
                    yield data
        except OSError as error:
            raise InvalidRun(f"{clean(piece.path)}: {error.strerror}") from None
        if left_bytes:
            raise InvalidRun(
                f"{clean(piece.path)} is {left_bytes} bytes shorter than when the comparison was planned"
            )
