"""A server that does to each request what its path asks for, and keeps its own count.

One thread, one readiness loop; `answers.py` has the scripts, `wires.py` the sockets. The law: whatever a path asks
for, the server is bounded in bytes and time, never waits for a client, and is gone when its block is left. A
request counts when its head has been received whole, whether or not it is ever answered: after a FIN the
server still reads and counts, so that its count is what the client sent.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.servers.answers import Asked, End, Pause, Script, reads_body, script_for
from tests.servers.ports import HOST, reserve
from tests.servers.received import Received
from tests.servers.wires import Wire

__all__ = ["Rude"]

_READ_BYTES = 1 << 18
_HEAD_LIMIT_BYTES = 1 << 16
_TURN_BYTES = 1 << 16
_WRITTEN_LIMIT_BYTES = 1 << 26
_LIFE_LIMIT_S = 15.0
_REMEMBERED = 20_000
_BODY_LIMIT_BYTES = 1 << 16


class _Connection:
    """One accepted socket: what was read of the next request, and the script that writes the answer."""

    def __init__(self, wire: Wire, number: int) -> None:
        self.wire = wire
        self.number = number
        self.unread = bytearray()
        self.body_left = 0
        self.heads = 0
        self.body = bytearray()
        self.waiting: deque[tuple[Asked, Script]] = deque()
        self.script: Script | None = None
        self.unwritten = memoryview(b"")
        self.written_bytes = 0
        self.paused = False
        self.ended: End | None = None


class Rude:
    """`with Rude() as server:` listens on a free port of 127.0.0.1; `server.url("/stall")` asks for a fault.

    The counts may be read at any time; `wait_for` waits until they are as they should be.
    """

    scheme = "http"

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._per_path: Counter[str] = Counter()
        self._received: list[Received] = []
        self._accepted = self._reset = self._body_bytes = 0
        self._holder = reserve()
        self.port: int = self._holder.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._connections: set[_Connection] = set()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._tickets = itertools.count()
        self._orders: deque[Callable[[], None]] = deque()
        self._waker, self._wakes = socket.socketpair()
        self._listener: socket.socket | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="rude", daemon=True)

    # What a test sees.

    def __enter__(self) -> Self:
        self._wakes.setblocking(False)
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._listen()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._order(self._stop)
        self._thread.join(5)
        assert not self._thread.is_alive(), "the rude server did not stop"
        for sock in (self._waker, self._wakes, self._holder):
            sock.close()
        self._selector.close()

    def url(self, path: str = "/ok") -> str:
        """The URL of a path."""
        return f"{self.scheme}://{HOST}:{self.port}{path}"

    @property
    def requests(self) -> int:
        """Requests whose head was received whole."""
        with self._changed:
            return self._per_path.total()

    @property
    def per_path(self) -> dict[str, int]:
        """The same by path, queries left out."""
        with self._changed:
            return dict(self._per_path)

    @property
    def received(self) -> list[Received]:
        """The first of them, as they came, each with the begin of its body."""
        with self._changed:
            return [*self._received]

    @property
    def accepted(self) -> int:
        """Connections accepted."""
        with self._changed:
            return self._accepted

    @property
    def body_bytes(self) -> int:
        """Bytes of request bodies received."""
        with self._changed:
            return self._body_bytes

    @property
    def open(self) -> int:
        """Connections that are open now."""
        with self._changed:
            return len(self._connections)

    def wait_for(self, predicate: Callable[[Rude], bool], limit_s: float = 5.0) -> None:
        """Wait until the counts satisfy the predicate; AssertionError with the counts after the limit."""
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(self), limit_s):
                raise AssertionError(f"after {limit_s} s: {self._per_path}, {self._accepted} accepted")

    def restart(self, down_s: float) -> None:
        """Reset every connection and refuse dials for a while; returns once the server listens again."""
        back = threading.Event()

        def down() -> None:
            self._unlisten()
            for connection in tuple(self._connections):
                self._close(connection, reset=True)
            self._later(down_s, up)

        def up() -> None:
            self._listen()
            back.set()

        self._order(down)
        assert back.wait(down_s + 5), "the rude server did not come back"

    # The loop's own thread, from here on.

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._waker.send(b"!")

    def _run(self) -> None:
        while not self._stopped:
            wait_s = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
            for key, mask in self._selector.select(wait_s):
                if key.fileobj is self._wakes:
                    self._wakes.recv(4096)
                    while self._orders:
                        self._orders.popleft()()
                elif key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._connections:
                    if mask & selectors.EVENT_READ:
                        self._read(key.data)
                    if mask & selectors.EVENT_WRITE and key.data in self._connections:
                        self._write(key.data)
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._tickets), action))

    def _stop(self) -> None:
        self._unlisten()
        for connection in tuple(self._connections):
            self._close(connection, reset=True)
        self._stopped = True

    def _listen(self) -> None:
        self._listener = reserve(self.port)
        self._listener.listen(4096)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _unlisten(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(self._wire(sock), self._accepted + 1)
        self._selector.register(connection.wire, selectors.EVENT_READ, connection)
        with self._changed:
            self._connections.add(connection)
            self._accepted += 1
            self._changed.notify_all()
        self._later(_LIFE_LIMIT_S, lambda: self._close(connection, reset=True))

    def _wire(self, sock: socket.socket) -> Wire:
        """What to read from and to write to."""
        return Wire(sock)

    def _close(self, connection: _Connection, *, reset: bool = False) -> None:
        if connection not in self._connections:
            return
        if connection.ended is not End.DEAF:
            self._selector.unregister(connection.wire)
        connection.wire.close(reset=reset)
        with self._changed:
            self._connections.discard(connection)
            self._changed.notify_all()

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.wire.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        connection.unread += data
        try:
            while self._take(connection):
                pass
        except ValueError:
            self._close(connection, reset=True)
            return
        if len(connection.unread) > _HEAD_LIMIT_BYTES:
            self._close(connection, reset=True)
        else:
            self._write(connection)

    def _take(self, connection: _Connection) -> bool:
        """Take a part of a body, or one whole head, out of what was read; whether there was one."""
        unread = connection.unread
        if connection.body_left:
            part = min(connection.body_left, len(unread))
            connection.body_left -= part
            with self._changed:
                connection.body += unread[: min(part, _BODY_LIMIT_BYTES - len(connection.body))]
                self._body_bytes += part
                self._changed.notify_all()
            del unread[:part]
            return part > 0
        end = unread.find(b"\r\n\r\n")
        if end < 0:
            return False
        text = bytes(unread[:end]).decode("latin-1")
        asked = _read_head(text, connection)
        del unread[: end + 4]
        connection.heads += 1
        connection.body_left = int(asked.headers.get("content-length", "0"))
        connection.waiting.append((asked, script_for(asked)))
        with self._changed:
            self._per_path[asked.path] += 1
            if len(self._received) < _REMEMBERED:
                self._received.append(_remembered(text, connection))
            self._changed.notify_all()
        return True

    def _begin(self, connection: _Connection) -> bool:
        """Begin the next answer, if it is due: its request is whole, or is answered before it is."""
        if not connection.waiting:
            return False
        asked, script = connection.waiting[0]
        if connection.body_left and len(connection.waiting) == 1 and reads_body(asked.path):
            return False
        connection.waiting.popleft()
        connection.script = script
        return True

    def _write(self, connection: _Connection) -> None:
        """Write what is due, but only so much at once that nobody else is starved."""
        budget_bytes = _TURN_BYTES
        while connection.ended is None and not connection.paused:
            if connection.script is None:
                if not self._begin(connection):
                    break
            elif not connection.unwritten:
                self._step(connection, connection.script)
            else:
                try:
                    count = connection.wire.send(connection.unwritten)
                except BlockingIOError:
                    count = 0
                except OSError:
                    self._close(connection)
                    return
                budget_bytes -= count
                connection.written_bytes += count
                connection.unwritten = connection.unwritten[count:]
                if connection.written_bytes > _WRITTEN_LIMIT_BYTES:
                    connection.ended = End.SILENCE
                elif connection.unwritten or budget_bytes <= 0:
                    self._watch(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
                    return
        self._watch(connection, selectors.EVENT_READ)

    def _step(self, connection: _Connection, script: Script) -> None:
        step = next(script, None)
        if step is None:
            connection.script = None
        elif isinstance(step, bytes):
            connection.unwritten = memoryview(step)
        elif isinstance(step, Pause):
            connection.paused = True
            self._later(step.seconds, lambda: self._resume(connection))
        else:
            connection.ended = step
            _ENDS[step](self, connection)

    def _end_reset(self, connection: _Connection) -> None:
        self._close(connection, reset=True)

    def _end_silence(self, connection: _Connection) -> None:
        """Nothing to do: no script goes on once a connection has ended."""

    def _end_deaf(self, connection: _Connection) -> None:
        self._selector.unregister(connection.wire)

    def _resume(self, connection: _Connection) -> None:
        connection.paused = False
        if connection in self._connections:
            self._write(connection)

    def _watch(self, connection: _Connection, events: int) -> None:
        if connection not in self._connections or connection.ended is End.DEAF:
            return
        if self._selector.get_key(connection.wire).events != events:
            self._selector.modify(connection.wire, events, connection)


_ENDS: dict[End, Callable[[Rude, _Connection], None]] = {
    End.FIN: lambda _, connection: connection.wire.fin(),
    End.NOTIFY: lambda _, connection: connection.wire.notify(),
    End.ALERT: lambda _, connection: connection.wire.alert(),
    End.SPOILT: lambda _, connection: connection.wire.spoil(),
    End.RESET: Rude._end_reset,
    End.SILENCE: Rude._end_silence,
    End.DEAF: Rude._end_deaf,
}


def _read_head(text: str, connection: _Connection) -> Asked:
    line, *fields = text.split("\r\n")
    method, target, _ = line.split(" ", 2)
    parts = urlsplit(target)
    headers = {name.strip().lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
    return Asked(method, parts.path, parts.query, connection.heads, headers, connection=connection.number)


def _remembered(text: str, connection: _Connection) -> Received:
    """What is remembered of the last request of a connection; its body is still to come."""
    line, *fields = text.split("\r\n")
    method, target, _ = line.split(" ", 2)
    parted = (field.partition(":") for field in fields)
    connection.body = bytearray()
    return Received(
        connection=connection.number,
        at_ns=time.monotonic_ns(),
        in_flight=len(connection.waiting) + (connection.script is not None),
        method=method,
        target=target,
        fields=tuple((name, value.strip()) for name, _, value in parted),
        body=connection.body,
    )
