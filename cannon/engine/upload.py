"""The rest of a request that could not be handed to the kernel at once: what it would not take, and what was never
held in memory. Sent on as there is room, while answers are read.

Law: what is not sent yet is known to the byte, so bytes sent add up however the upload ends. A file is opened when its
turn comes and read a piece at a time, of as many bytes as the plan counted: a file that grew is cut there, one that
shrank cannot be made up for.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from cannon.engine.loop import READ, WRITE, Handler, Loop
from cannon.engine.sockets import Socket
from cannon.sequence import FilePiece, Streamed
from cannon.text import clean

__all__ = ["Outcome", "Unsent", "Upload"]

_PIECE_BYTES = 65_536

_NO_FILE = -1

_FOR_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Whatever stands at the path by now, opening it does not wait."""


class Outcome(Enum):
    """How an upload ended: all of it was taken, the peer would take no more, or a file of ours failed."""

    SENT = "sent"
    REFUSED = "refused"
    LOCAL = "local"


class Unsent(Protocol):
    """Where it is counted what was promised to the server and not handed to the kernel."""

    unsent_bytes: int


class Upload:
    """Watches the socket for both until `ended` is called, once, with the outcome and, where a file failed, a message
    that names it. `stream` follows `rest`. `readable` looks whether the server answers before it has read everything.

    Whoever gives an upload up before its end calls `close`.
    """

    __slots__ = (
        "_ended",
        "_file",
        "_file_bytes",
        "_path",
        "_pieces",
        "_position",
        "_readable",
        "_rest",
        "_socket",
        "_supply",
    )

    def __init__(
        self,
        *,
        loop: Loop,
        supply: Unsent,
        opened: Socket,
        rest: memoryview,
        stream: Streamed | None,
        readable: Handler,
        ended: Callable[[Outcome, str], None],
    ) -> None:
        self._supply = supply
        self._socket = opened
        self._rest = rest
        self._pieces: tuple[bytes | FilePiece, ...] = () if stream is None else stream.pieces
        self._position = 0
        self._file = _NO_FILE
        self._file_bytes = 0
        self._path = ""
        self._readable = readable
        self._ended = ended
        supply.unsent_bytes += len(rest) + (0 if stream is None else len(stream))
        loop.watch(opened.fileno(), READ | WRITE, self._writable)

    def close(self) -> None:
        """Send no more; an open file is closed."""
        if self._file != _NO_FILE:
            os.close(self._file)
            self._file = _NO_FILE

    def _writable(self, ready_ns: int) -> None:
        if not len(self._rest) and not self._fill():
            return
        try:
            sent_bytes = self._socket.send(self._rest)
        except BlockingIOError:
            self._readable(ready_ns)
            return
        except OSError:
            # What the server said before it closed is told by reading; that it was a reset, no longer.
            self._end(Outcome.REFUSED, "")
            return
        self._supply.unsent_bytes -= sent_bytes
        self._rest = self._rest[sent_bytes:]
        if not len(self._rest):
            self._fill()

    def _fill(self) -> bool:
        """Find what is sent next. False where there is nothing, and the upload has ended."""
        while not self._file_bytes:
            self.close()
            if self._position == len(self._pieces):
                self._end(Outcome.SENT, "")
                return False
            piece = self._pieces[self._position]
            self._position += 1
            if isinstance(piece, bytes):
                if piece:
                    self._rest = memoryview(piece)
                    return True
            else:
                self._path = piece.path
                self._file_bytes = piece.size_bytes
        try:
            if self._file == _NO_FILE:
                self._file = os.open(self._path, _FOR_READING)
            data = os.read(self._file, min(_PIECE_BYTES, self._file_bytes))
        except OSError as error:
            self._end(Outcome.LOCAL, f"{clean(self._path)}: {error.strerror}")
            return False
        if not data:
            message = f"{clean(self._path)} is {self._file_bytes} bytes shorter than when the run was planned"
            self._end(Outcome.LOCAL, message)
            return False
        self._file_bytes -= len(data)
        self._rest = memoryview(data)
        return True

    def _end(self, outcome: Outcome, message: str) -> None:
        self.close()
        self._ended(outcome, message)
