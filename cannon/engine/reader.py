"""One response after another, read by RFC 9112 alone, in plain Python: the careful lane of framing.

Law: any split of the bytes gives the same verdict. Nothing of a response is kept but its unfinished head or
line, so memory is bounded whatever the server sends; bodies are counted as they pass and never kept.

A response is read in states, each a method that takes bytes from a position and returns the next one.
Sections in the comments are those of RFC 9112.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cannon.engine.head import (
    CHUNKED,
    FIELD,
    FOLD,
    UNTIL_CLOSE,
    Head,
    add_head_line,
    closes,
    judge_head,
    no_http,
    snippet,
    starts_a_head,
)
from cannon.errors import Fault, FramingError

__all__ = ["HEAD_LIMIT_BYTES", "OVERHEAD_LIMIT_BYTES", "Bodies", "Outcome", "Reader", "overloaded"]

HEAD_LIMIT_BYTES = 65_536
"""A head, the interim responses before it included, or a single line of framing, may not be longer."""

OVERHEAD_LIMIT_BYTES = HEAD_LIMIT_BYTES + 1_048_576
"""Bytes of a response that are not body may not pass this plus eight for each byte of body."""

_PLAIN_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)(?:[ \t]*;[^\0-\x08\x0a-\x1f\x7f]*)?")


class Bodies:
    """How many bytes of bodies have passed; what has been found to be none is taken off again."""

    __slots__ = ("total_bytes",)

    def __init__(self) -> None:
        self.total_bytes = 0


class Outcome:
    """What became of the responses owed on one connection; the caller sets `ended` back to 0 and empties
    `earlier` once it has counted.

    ended: final responses that ended since; status: of the last of them; earlier: of those before it;
    keep_alive: whether the connection may carry another request; excess: bytes followed that belong to no
    request; broken: what is wrong with the response that began after the last of those that ended.
    """

    __slots__ = ("bodies", "broken", "earlier", "ended", "excess", "keep_alive", "owed", "status")

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self.owed: list[None] = []
        self.earlier: list[int] = []
        self.ended = 0
        self.status = 0
        self.keep_alive = True
        self.excess = False
        self.broken: FramingError | None = None

    def _count(self, status: int, keep_alive: bool) -> None:
        if self.ended:
            self.earlier.append(self.status)
        self.status = status
        self.keep_alive = keep_alive
        self.ended += 1

    def _fail(self, error: FramingError) -> None:
        """Raise, unless responses ended before: these count first, the error waits in `broken`."""
        if not self.ended:
            raise error
        self.broken = error
        self.keep_alive = False


_KNOWN_HEADS: tuple[dict[bytes, Head], dict[bytes, Head]] = ({}, {})
_KNOWN_HEADS_LIMIT = 256
_KNOWN_HEAD_BYTES = 2_048


class Reader(Outcome):
    """Reads what a server sends on one connection. head: the requests are HEAD, so no response has a body."""

    __slots__ = (
        "_body_bytes",
        "_head",
        "_held",
        "_left",
        "_lines",
        "_overhead_bytes",
        "_reading",
        "_to_head",
    )

    def __init__(self, *, head: bool, bodies: Bodies) -> None:
        super().__init__(bodies)
        self._to_head = head
        self._reading: Callable[[Reader, bytes, int], int] = Reader._between
        self._begin()

    def _begin(self) -> None:
        self._head = Head(0, False, 0)
        self._held = b""
        self._lines: list[bytes] = []
        self._left = 0
        self._body_bytes = 0
        self._overhead_bytes = 0

    @property
    def between(self) -> bool:
        """Whether no response is in progress."""
        return self._reading is Reader._between

    def expect(self, token: None) -> None:
        """One more response is owed."""
        self.owed.append(token)

    def read(self, data: bytes) -> None:
        """Take the bytes of one read. FramingError if they are not what is owed and nothing ended before."""
        if self._held:
            data = self._held + data
            self._held = b""
        position = 0
        try:
            while position < len(data):
                position = self._reading(self, data, position)
        except FramingError as error:
            self._fail(error)

    def end(self) -> None:
        """The peer closed with a response owed: that ends it, or FramingError says what is missing."""
        if self.broken is not None:
            raise self.broken
        if self.between:
            raise FramingError(Fault.EMPTY_REPLY, "closed before any byte of the response")
        if self._reading is Reader._until_close:
            self._finish(keep_alive=False)
            return
        raise FramingError(Fault.TRUNCATED, self._missing())

    def _missing(self) -> str:
        if self._reading is Reader._counted:
            return f"closed after {self._body_bytes} of {self._head.length} body bytes"
        if self._reading is not Reader._in_head:
            return f"closed inside a chunked body, after {self._body_bytes} body bytes"
        if self._lines or self._held:
            return f"closed inside the response head, after {self._overhead_bytes + len(self._held)} bytes"
        return "closed after an interim response, before the final one"

    def _finish(self, *, keep_alive: bool) -> None:
        self._count(self._head.status, keep_alive)
        self._reading = Reader._between
        self._begin()

    # The states.

    def _between(self, data: bytes, position: int) -> int:
        if self.ended and (not self.owed or not self.keep_alive):
            self.excess = True  # 6.3: what follows the last response is never a response
            self.keep_alive = False
            return len(data)
        if not self.owed:
            raise FramingError(Fault.MALFORMED, f"bytes that nobody asked for: {snippet(data[position:])}")
        self.owed.pop()
        self._reading = Reader._in_head
        return position

    def _in_head(self, data: bytes, position: int) -> int:
        known = _KNOWN_HEADS[self._to_head]
        stop = -1 if self._lines else data.find(b"\r\n\r\n", position)
        if stop >= 0:
            block = data[position:stop]
            self._spend(stop + 4 - position)
            head = known.get(block)
            if head is None:
                for whole in block.split(b"\r\n"):
                    add_head_line(self._lines, whole)
                head = judge_head(self._lines, to_head=self._to_head)
                if len(known) >= _KNOWN_HEADS_LIMIT:
                    known.clear()
                if len(block) <= _KNOWN_HEAD_BYTES:
                    known[block] = head
            self._enter_body(head)
            return stop + 4
        line, after = self._line(data, position)
        if line is None:
            if not self._lines and not starts_a_head(self._held):
                raise FramingError(Fault.MALFORMED, no_http(self._held))
        elif line or not self._lines:
            add_head_line(self._lines, line)
        else:
            self._enter_body(judge_head(self._lines, to_head=self._to_head))
        return after

    def _counted(self, data: bytes, position: int) -> int:
        stop = min(len(data), position + self._left)
        self._take(stop - position)
        self._left -= stop - position
        if not self._left:
            self._finish(keep_alive=self._head.persistent)
        return stop

    def _until_close(self, data: bytes, position: int) -> int:
        self._take(len(data) - position)
        return len(data)

    def _chunk_line(self, data: bytes, position: int) -> int:
        position = self._whole_chunks(data, position)
        if position == len(data):
            return position
        line, after = self._line(data, position)
        if line is None:
            return after
        match = _CHUNK_LINE.fullmatch(line)
        digits = b"" if match is None else match[1].lstrip(b"0")
        if match is None or len(digits) > 16:
            raise FramingError(Fault.MALFORMED, f"malformed chunk size {snippet(line)}")
        self._left = int(digits or b"0", 16)
        self._reading = Reader._chunk_data if self._left else Reader._trailer
        return after

    def _whole_chunks(self, data: bytes, position: int) -> int:
        """Take the plain chunks that stand whole in one read: a million small ones must not be slow."""
        begin = position
        body_bytes = 0
        while match := _PLAIN_CHUNK.match(data, position):
            start = match.end()
            stop = start + int(match[1], 16)
            if stop == start or data[stop : stop + 2] != b"\r\n":
                break
            body_bytes += stop - start
            position = stop + 2
        self._take(body_bytes)
        self._spend(position - begin - body_bytes)
        return position

    def _chunk_data(self, data: bytes, position: int) -> int:
        stop = min(len(data), position + self._left)
        self._take(stop - position)
        self._left -= stop - position
        if not self._left:
            self._reading = Reader._chunk_end
        return stop

    def _chunk_end(self, data: bytes, position: int) -> int:
        after = data[position : position + 2]
        if after == b"\r\n":
            self._overhead_bytes += 2
            self._reading = Reader._chunk_line
        elif after == b"\r":
            self._held = after
        else:
            raise FramingError(
                Fault.MALFORMED, f"a chunk is not followed by CRLF but by {snippet(data[position:])}"
            )
        return position + len(after)

    def _trailer(self, data: bytes, position: int) -> int:
        line, after = self._line(data, position)
        if line is None:
            return after
        if not line:
            self._finish(keep_alive=self._head.persistent)
        elif FIELD.fullmatch(line):
            self._lines = [line]  # a trailer frames nothing (7.1.2), but the next line may continue it
            if closes(line):
                self._head = self._head._replace(persistent=False)
        elif not (self._lines and FOLD.fullmatch(line)):
            raise FramingError(Fault.MALFORMED, f"malformed trailer line {snippet(line)}")
        return after

    # What the states share.

    def _take(self, count: int) -> None:
        self._body_bytes += count
        self.bodies.total_bytes += count

    def _spend(self, count: int) -> None:
        self._overhead_bytes += count
        if self._reading is Reader._in_head:
            if self._overhead_bytes > HEAD_LIMIT_BYTES:
                raise FramingError(
                    Fault.HEAD_TOO_LARGE, f"the response head is larger than {HEAD_LIMIT_BYTES} bytes"
                )
        elif overloaded(self._overhead_bytes, self._body_bytes):
            raise FramingError(
                Fault.MALFORMED, f"{self._overhead_bytes} bytes of framing around {self._body_bytes} of body"
            )

    def _line(self, data: bytes, position: int) -> tuple[bytes | None, int]:
        """The next line without its CRLF, and where the one after it begins; None if it has not ended."""
        stop = data.find(b"\n", position)
        if stop < 0:
            self._held = data[position:]
            waiting = len(self._held)
            if self._reading is Reader._in_head:
                waiting += self._overhead_bytes
            if waiting >= HEAD_LIMIT_BYTES:
                fault = Fault.HEAD_TOO_LARGE if self._reading is Reader._in_head else Fault.MALFORMED
                raise FramingError(fault, f"a head or line of framing longer than {HEAD_LIMIT_BYTES} bytes")
            if b"\r" in self._held[:-1]:
                raise FramingError(Fault.MALFORMED, f"CR without LF in a line: {snippet(self._held)}")
            return None, len(data)
        self._spend(stop + 1 - position)
        line = data[position:stop]
        if not line.endswith(b"\r"):  # 2.2: a lone LF may be taken for a line's end; it need not
            if self._reading is Reader._in_head and not self._lines:
                raise FramingError(Fault.MALFORMED, no_http(data[position:]))
            raise FramingError(Fault.MALFORMED, f"a line ends without CR: {snippet(line)}")
        return line[:-1], stop + 1

    def _enter_body(self, head: Head) -> None:
        self._lines = []
        if 100 <= head.status < 200:
            if head.status == 101:
                raise FramingError(Fault.MALFORMED, "101 Switching Protocols, which was not asked for")
            return
        self._head = head
        self._left = head.length
        if not head.length:
            self._finish(keep_alive=head.persistent)
        elif head.length == CHUNKED:
            self._reading = Reader._chunk_line
        else:
            self._reading = Reader._until_close if head.length == UNTIL_CLOSE else Reader._counted


def overloaded(overhead_bytes: int, body_bytes: int) -> bool:
    """Whether framing weighs too much for the body it carries. Chunks of one byte are fine."""
    return overhead_bytes > OVERHEAD_LIMIT_BYTES + 8 * body_bytes
