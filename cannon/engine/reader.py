"""One response after another, read by RFC 9112 alone, in plain Python: the careful lane of framing.

Law: any split of the bytes gives the same verdict. Nothing of a response is kept but its unfinished head or
line, so memory is bounded whatever the server sends; bodies pass and are never kept.

A response is read in states, each a method that takes bytes from a position and returns the next one.
Sections in the comments are those of RFC 9112.
"""

from __future__ import annotations

import re
from typing import Final

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
from cannon.engine.owed import Bodies, Outcome
from cannon.errors import Fault, FramingError

__all__ = ["HEAD_LIMIT_BYTES", "OVERHEAD_LIMIT_BYTES", "Reader", "overloaded"]

HEAD_LIMIT_BYTES: Final = 65_536
"""A head, the interim responses before it included, or a single line of framing, may not be longer."""

OVERHEAD_LIMIT_BYTES: Final = HEAD_LIMIT_BYTES + 1_048_576
"""Bytes of a response that are not body may not pass this plus eight for each byte of body."""

_PLAIN_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]+)(?:[ \t]*;[^\0-\x08\x0a-\x1f\x7f]*)?")


# The states.
_BETWEEN: Final = 0
_IN_HEAD: Final = 1
_COUNTED: Final = 2
_UNTIL_CLOSE: Final = 3
_IN_CHUNK_LINE: Final = 4
_IN_CHUNK: Final = 5
_AFTER_CHUNK: Final = 6
_IN_TRAILER: Final = 7


class Reader(Outcome):
    """Reads what a server sends on one connection."""

    __slots__ = ("_head", "_held", "_left", "_lines", "_overhead_bytes", "_state")

    def __init__(self, *, bodies: Bodies) -> None:
        super().__init__(bodies)
        self._state = _BETWEEN
        self._head = Head(0, False, 0)
        self._held = b""
        self._lines: list[bytes] = []
        self._left = 0
        self._overhead_bytes = 0

    @property
    def between(self) -> bool:
        """Whether no response is in progress."""
        return self._state == _BETWEEN

    def read(self, data: bytes) -> None:
        """Take the bytes of one read. FramingError if they are not what is owed and nothing ended before."""
        if self._held:
            data = self._held + data
            self._held = b""
        position = 0
        count = len(data)
        try:
            while position < count:
                state = self._state
                if state == _BETWEEN:
                    position = self._between(data, position)
                elif state == _COUNTED:
                    position = self._counted(data, position)
                elif state == _IN_HEAD:
                    position = self._in_head(data, position)
                elif state == _UNTIL_CLOSE:
                    position = self._until_close(data, position)
                else:
                    position = self._chunked(data, position)
        except FramingError as error:
            self._fail(error)

    def end(self) -> None:
        """The peer closed with a response owed: that ends it, or FramingError says what is missing."""
        if self.broken is not None:
            raise self.broken
        if self._state == _BETWEEN:
            raise FramingError(Fault.EMPTY_REPLY, "closed before any byte of the response")
        if self._state == _UNTIL_CLOSE:
            self._finish(keep_alive=False)
            return
        raise FramingError(Fault.TRUNCATED, self._missing())

    def _missing(self) -> str:
        if self._state == _COUNTED:
            return f"closed after {self._body_bytes} of {self._head.length} body bytes"
        if self._state != _IN_HEAD:
            return f"closed inside a chunked body, after {self._body_bytes} body bytes"
        if self._lines or self._held:
            return f"closed inside the response head, after {self._overhead_bytes + len(self._held)} bytes"
        return "closed after an interim response, before the final one"

    def _finish(self, *, keep_alive: bool) -> None:
        self._close(self._head.status, keep_alive)
        self._state = _BETWEEN
        self._overhead_bytes = 0
        if self._lines:
            self._lines = []

    # The states.

    def _between(self, data: bytes, position: int) -> int:
        if not self._open(data, position):
            return len(data)
        self._state = _IN_HEAD
        return self._in_head(data, position)

    def _in_head(self, data: bytes, position: int) -> int:
        if not self._lines:
            last = self._asked.last
            stop = last.take(data, position, HEAD_LIMIT_BYTES - self._overhead_bytes)
            if stop >= 0:
                self._overhead_bytes += stop - position
                self._enter_body(last.head)
                return stop
        line, after = self._line(data, position)
        if line is None:
            if not self._lines and not starts_a_head(self._held):
                raise FramingError(Fault.MALFORMED, no_http(self._held))
        elif line or not self._lines:
            add_head_line(self._lines, line)
        else:
            head = judge_head(self._lines, to_head=self._asked.head)
            self._lines = []
            self._enter_body(head)
        return after

    def _counted(self, data: bytes, position: int) -> int:
        stop = min(len(data), position + self._left)
        self._take(data, position, stop)
        self._left -= stop - position
        if not self._left:
            self._finish(keep_alive=self._head.persistent)
        return stop

    def _until_close(self, data: bytes, position: int) -> int:
        self._take(data, position, len(data))
        return len(data)

    def _chunked(self, data: bytes, position: int) -> int:
        if self._state == _IN_CHUNK_LINE:
            return self._chunk_line(data, position)
        if self._state == _IN_CHUNK:
            return self._chunk_data(data, position)
        if self._state == _AFTER_CHUNK:
            return self._chunk_end(data, position)
        return self._trailer(data, position)

    def _chunk_line(self, data: bytes, position: int) -> int:
        position = self._whole_chunks(data, position)
        if self._state != _IN_CHUNK_LINE or position == len(data):
            return position
        line, after = self._line(data, position)
        if line is None:
            return after
        match = _CHUNK_LINE.fullmatch(line)
        digits = b"" if match is None else match[1].lstrip(b"0")
        if match is None or len(digits) > 16:
            raise FramingError(Fault.MALFORMED, f"malformed chunk size {snippet(line)}")
        self._left = int(digits or b"0", 16)
        self._state = _IN_CHUNK if self._left else _IN_TRAILER
        return after

    def _whole_chunks(self, data: bytes, position: int) -> int:
        """Take the plain chunks that stand whole in one read: a million small ones must not be slow."""
        begin = position
        body_before = self._body_bytes
        ends = False
        while match := _PLAIN_CHUNK.match(data, position):
            start = match.end()
            stop = start + int(match[1], 16)
            if data[stop : stop + 2] != b"\r\n":
                break
            position = stop + 2
            if stop == start:
                ends = True  # the last chunk, and no trailers
                break
            self._take(data, start, stop)
        self._spend(position - begin - (self._body_bytes - body_before))
        if ends:
            self._finish(keep_alive=self._head.persistent)
        return position

    def _chunk_data(self, data: bytes, position: int) -> int:
        stop = min(len(data), position + self._left)
        self._take(data, position, stop)
        self._left -= stop - position
        if not self._left:
            self._state = _AFTER_CHUNK
        return stop

    def _chunk_end(self, data: bytes, position: int) -> int:
        after = data[position : position + 2]
        if after == b"\r\n":
            self._overhead_bytes += 2
            self._state = _IN_CHUNK_LINE
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
                self._head = Head(self._head.status, False, self._head.length)
        elif not (self._lines and FOLD.fullmatch(line)):
            raise FramingError(Fault.MALFORMED, f"malformed trailer line {snippet(line)}")
        return after

    # What the states share.

    def _spend(self, count: int) -> None:
        self._overhead_bytes += count
        if self._state == _IN_HEAD:
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
            if self._state == _IN_HEAD:
                waiting += self._overhead_bytes
            if waiting >= HEAD_LIMIT_BYTES:
                fault = Fault.HEAD_TOO_LARGE if self._state == _IN_HEAD else Fault.MALFORMED
                raise FramingError(fault, f"a head or line of framing longer than {HEAD_LIMIT_BYTES} bytes")
            if b"\r" in self._held[:-1]:
                raise FramingError(Fault.MALFORMED, f"CR without LF in a line: {snippet(self._held)}")
            return None, len(data)
        self._spend(stop + 1 - position)
        line = data[position:stop]
        if not line.endswith(b"\r"):  # 2.2: a lone LF may be taken for a line's end; it need not
            if self._state == _IN_HEAD and not self._lines:
                raise FramingError(Fault.MALFORMED, no_http(data[position:]))
            raise FramingError(Fault.MALFORMED, f"a line ends without CR: {snippet(line)}")
        return line[:-1], stop + 1

    def _enter_body(self, head: Head) -> None:
        if 100 <= head.status < 200:
            if head.status == 101:
                raise FramingError(Fault.MALFORMED, "101 Switching Protocols, which was not asked for")
            return
        self._head = head
        length = head.length
        if not length:
            self._finish(keep_alive=head.persistent)
        elif length == CHUNKED:
            self._state = _IN_CHUNK_LINE
        elif length == UNTIL_CLOSE:
            self._state = _UNTIL_CLOSE
        else:
            self._left = length
            self._state = _COUNTED


def overloaded(overhead_bytes: int, body_bytes: int) -> bool:
    """Whether framing weighs too much for the body it carries. Chunks of one byte are fine."""
    return overhead_bytes > OVERHEAD_LIMIT_BYTES + 8 * body_bytes
