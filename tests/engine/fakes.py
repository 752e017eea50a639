"""A poller and sockets without a kernel, for tests of what stands on them."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterable

__all__ = ["FakePoller", "FakeSocket"]


class FakePoller:
    """Ready is what a test has said is ready; with nothing ready, `poll` returns at once."""

    def __init__(self) -> None:
        self.watched: dict[int, int] = {}
        self.ready: deque[list[tuple[int, int]]] = deque()
        self.waits: list[float] = []

    def register(self, fd: int, eventmask: int, /) -> None:
        assert fd not in self.watched
        self.watched[fd] = eventmask

    def modify(self, fd: int, eventmask: int, /) -> None:
        assert fd in self.watched
        self.watched[fd] = eventmask

    def unregister(self, fd: int, /) -> None:
        del self.watched[fd]

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        self.waits.append(timeout)
        return self.ready.popleft() if self.ready else []

    def close(self) -> None:
        self.watched.clear()


class FakeSocket:
    """Receives what it was given, piece by piece (an exception is raised); takes `room` bytes at each send."""

    def __init__(
        self,
        number: int = 5,
        pieces: Iterable[bytes | OSError] = (),
        rooms: Iterable[int | OSError] = (),
        dialled: int = 0,
    ) -> None:
        self.pieces = deque(pieces)
        self.rooms = deque(rooms)
        self.sent = b""
        self.secured = None
        self.pending = False
        self.tunnelling = False
        self.closed = False
        self._number = number
        self._dialled = dialled

    def fileno(self) -> int:
        return self._number

    def recv(self, bufsize: int, /) -> bytes:
        piece = self.pieces.popleft() if self.pieces else BlockingIOError(errno.EAGAIN, "again")
        if isinstance(piece, OSError):
            raise piece
        return piece

    def send(self, data: bytes | memoryview, /) -> int:
        room = self.rooms.popleft() if self.rooms else len(data)
        if isinstance(room, OSError):
            raise room
        self.sent += bytes(data[:room])
        return min(room, len(data))

    def connect_ex(self, address: tuple[str, int] | str, /) -> int:
        return self._dialled

    def getsockopt(self, level: int, optname: int, /) -> int:
        return 0

    def handshake(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True
