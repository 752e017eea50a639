"""Bytes -> "a response ended": two framings behind one protocol, without a socket in sight.

Law: both give the verdict of RFC 9112 for any split of the bytes, but for departures listed in their test;
the fast framing has none.

FastFraming has two lanes. The express lane is llhttp: it takes a response that stands in one read and is
ordinary; if its head is that of the one before, that is known without llhttp. Whatever is not (a response in
several reads, an interim one, the last of a connection, anything refused or doubtful) is read from its first byte
by the careful lane, the Reader, which follows the RFC to the letter. So llhttp's departures decide nothing: its
refusals are judged anew, and what it lets pass is found by looking at the status line and at the end of the bytes.
Several responses that are owed at once go by the careful lane too: there they are as cheap.

The other framing, over h11, stands in strict.py.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from cannon.engine.owed import Bodies, Owed
from cannon.engine.reader import Reader
from cannon.errors import FramingError

__all__ = ["Express", "FastFraming", "Framing"]


class Framing(Protocol):
    """What a connection does with the bytes of a socket, read at most HEAD_LIMIT_BYTES at once.

        expect(owed)        before each request; they are answered in this order
        express()           a lane for what is ordinary, if one is open; while nothing of a response has come
        read(data)          in every other case; FramingError for what is no response
        if statuses: ...    count, then statuses.clear() and mismatched.clear()
        end()               at the end of input, while a response is owed

    In the lane one response is owed the whole time: it is expected once, when the lane is entered. The attributes are
    those of Outcome; `between`: no response is in progress.
    """

    statuses: list[int]
    mismatched: list[int]
    keep_alive: bool
    excess: bool
    broken: FramingError | None

    @property
    def between(self) -> bool: ...
    def expect(self, owed: Owed, /) -> None: ...
    def express(self) -> Express | None: ...
    def read(self, data: bytes) -> None: ...
    def end(self) -> None: ...


_REFUSALS = (HttpParserError, HttpParserUpgrade)

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 [2-9][0-9]{2} [^\0\r\n]*\r\n")

_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"

_REMEMBERED_BYTES: Final = 4_096
_LEARNS_EACH: Final = 16


class Express:
    """llhttp, for responses that are owed one at a time; it calls the hooks.

    It remembers the last head that came with a length: the same head, and as many bytes in all, are the same verdict.
    Of the responses themselves nothing stays, so one lane serves all connections of a shard, and what a response needs
    stays in the processor's cache, however many there are.
    """

    __slots__ = (
        "_begun",
        "_bodies",
        "_body_bytes",
        "_ended",
        "_head",
        "_keeps_alive",
        "_parser",
        "_status",
        "_status_line",
        "_total_bytes",
        "_unlike",
    )

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._begun = 0
        self._ended = 0
        self._body_bytes = 0
        self._keeps_alive = False
        self._status = 0
        self._status_line = b"none yet"
        # A head, how many bytes it is with its body (-1: no head), and how many responses since were not like it.
        self._head = b""
        self._total_bytes = -1
        self._unlike = 0
        self._parser = HttpResponseParser(self)

    def on_message_begin(self) -> None:
        """A response begins."""
        self._begun += 1

    def on_body(self, piece: bytes) -> None:
        """A piece of its body."""
        self._body_bytes += len(piece)

    def on_message_complete(self) -> None:
        """It ends; whether the connection stays open can only be asked now."""
        self._ended += 1
        self._keeps_alive = self._parser.should_keep_alive()

    def read(self, data: bytes) -> int:
        """Take the bytes of one read. If they are one ordinary response, whole, after which the connection may carry
        another request: its status, and the next response is owed. Otherwise 0: then the same bytes are to be given
        to the framing's `read`, until a response has ended there.
        """
        if len(data) == self._total_bytes and data.startswith(self._head):
            self._bodies.total_bytes += self._total_bytes - len(self._head)
            self._unlike = 0
            return self._status
        self._begun = self._ended = self._body_bytes = 0
        try:
            self._parser.feed_data(data)
        except _REFUSALS:
            return self._refuse()
        if self._begun != 1 or self._ended != 1 or not self._keeps_alive:
            return self._refuse()
        if not data.startswith(self._status_line):
            found = _STATUS_LINE.match(data)
            if found is None:
                return self._refuse()
            # The next one most likely begins the same.
            self._status_line = found[0]
            self._status = int(found[0][9:12])
            self._total_bytes = -1
        if data[-1] <= 13 and not self._nothing_follows(data):
            return self._refuse()
        self._bodies.total_bytes += self._body_bytes
        # Where every head is another, to learn each would be for nothing.
        if self._unlike % _LEARNS_EACH == 0:
            self._learn(data)
        self._unlike += 1
        return self._status

    def _learn(self, data: bytes) -> None:
        head_bytes = data.find(b"\r\n\r\n") + 4
        if head_bytes + self._body_bytes == len(data) and head_bytes <= _REMEMBERED_BYTES:
            self._head = data[:head_bytes]
            self._total_bytes = len(data)

    def _refuse(self) -> int:
        """What llhttp makes of this is not looked at; the next response finds it new."""
        self._parser = HttpResponseParser(self)
        return 0

    def _nothing_follows(self, data: bytes) -> bool:
        """Whether a response that ends in a control character ends with these bytes.

        llhttp skips line ends between responses without a word. What is neither head nor body has to be chunks, of
        which the shortest, the last, has five bytes: those of a line end or two are fewer.
        """
        framing_bytes = len(data) - data.find(b"\r\n\r\n") - 4 - self._body_bytes
        return framing_bytes == 0 or (framing_bytes >= 5 and data.endswith(_LAST_CHUNK))


class FastFraming(Reader):
    """llhttp for what is ordinary, the Reader for the rest. lane: the express lane, where it is shared."""

    __slots__ = ("_lane",)

    def __init__(self, *, bodies: Bodies, lane: Express | None = None) -> None:
        super().__init__(bodies=bodies)
        self._lane = lane if lane is not None else Express(bodies)

    def express(self) -> Express | None:
        """An express lane for the response that is owed, and those after it; None where care is needed: for several at
        once, which would come in one read, for HEAD, and where the body is to be compared.
        """
        owed = self._only_owed()
        if owed is None or owed.head or owed.body is not None or not self.between:
            return None
        return self._lane
