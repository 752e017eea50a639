"""Bytes -> "a response ended": two framings behind one protocol, without a socket in sight.

Law: both give the verdict of RFC 9112 for any split of the bytes, but for departures listed in their test;
the fast framing has none.

FastFraming has two lanes. The express lane is llhttp: it takes a response that stands in one read and is
ordinary. Whatever is not (a response in several reads, an interim one, the last of a connection, anything
refused or doubtful) is read from its first byte by the careful lane, the Reader, which follows the RFC to the
letter. So llhttp's departures decide nothing: its refusals are judged anew, and what it lets pass is found by
looking at the status line and at the end of the bytes.

The other framing, over h11, stands in strict.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from cannon.engine.reader import HEAD_LIMIT_BYTES, Reader
from cannon.errors import FramingError

__all__ = ["HEAD_LIMIT_BYTES", "Express", "FastFraming", "Framing"]

Express = Callable[[bytes], int]
"""Takes the bytes of one read. If they are one ordinary response, whole, after which the connection may carry
another request: its status, and the next response is owed. Otherwise 0: then this lane is closed, and the same
bytes are to be given to `read`."""


class Framing(Protocol):
    """What a connection does with the bytes of a socket, read at most HEAD_LIMIT_BYTES at once.

        expect(None)        before each request
        express()           a lane for what is ordinary, if one is open; while nothing of a response has come
        read(data)          in every other case; FramingError for what is no response
        if ended: ...       count, then ended = 0 and earlier.clear()
        end()               at the end of input, while a response is owed

    The attributes are those of Outcome.
    """

    ended: int
    status: int
    earlier: list[int]
    keep_alive: bool
    excess: bool
    broken: FramingError | None

    def expect(self, token: None, /) -> None: ...
    def express(self) -> Express | None: ...
    def read(self, data: bytes) -> None: ...
    def end(self) -> None: ...


_REFUSALS = (HttpParserError, HttpParserUpgrade)

_STATUS_LINES = tuple(
    f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus if status >= 200
)
"""Status lines with the reason phrases of the standard; any other is looked at by the pattern."""

_STATUS_LINE = re.compile(rb"HTTP/1\.1 [0-9]{3} [^\0\r\n]*\r\n")

_LAST_CHUNK = b"\r\n0\r\n\r\n"


def _nothing_follows(data: bytes, bodies: list[bytes], pieces_before: int) -> bool:
    """Whether a response that ends in a control character ends with these bytes.

    llhttp skips line ends between responses without a word. So a body has to reach to the last byte, or a last
    chunk to be one: not the end of a body that merely looks like it.
    """
    body = bodies[-1] if len(bodies) > pieces_before else b""
    if len(data) - data.find(b"\r\n\r\n") - 4 == len(body):
        return True
    return data.endswith(_LAST_CHUNK) and not body.endswith(b"\r\n0")


class FastFraming(Reader):
    """llhttp for what is ordinary, the Reader for the rest.

    head: the requests are HEAD; pipelined: several may be owed at once. Both are always read with care, which
    costs little while heads repeat.
    """

    __slots__ = ("_all_with_care",)

    def __init__(self, *, head: bool, bodies: list[bytes], pipelined: bool = False) -> None:
        super().__init__(head=head, bodies=bodies)
        self._all_with_care = head or pipelined

    def express(self) -> Express | None:
        """An express lane for the response that is owed, and those after it; None where care is needed."""
        if self._all_with_care or not self.between:
            return None
        bodies = self.bodies
        # One token to begin a response, one to end it. A response that nobody asked for finds none, and that stops
        # llhttp; so does the end of a response after which the connection closes (which can only be asked at that
        # moment). The hooks are built so that llhttp runs no line of Python: a call from C into Python is dear.
        tokens = (None, None)
        owed = list(tokens)
        owe = owed.extend
        # The parser looks its hooks up when it is initialised, and one of them asks the parser: so it is made first.
        parser = HttpResponseParser.__new__(HttpResponseParser)
        ends = zip(iter(parser.should_keep_alive, False), iter(owed.pop, 0), strict=False)
        hooks = SimpleNamespace(
            on_message_begin=owed.pop, on_message_complete=ends.__next__, on_body=bodies.append
        )
        parser.__init__(hooks)  # type: ignore[misc]  # not a second time: __new__ did not
        parse = parser.feed_data
        status_of = parser.get_status_code

        def express(data: bytes) -> int:
            pieces_before = len(bodies)
            try:
                parse(data)
                if (
                    not owed
                    and (data.startswith(_STATUS_LINES) or _STATUS_LINE.match(data))
                    and (data[-1] > 13 or _nothing_follows(data, bodies, pieces_before))
                ):
                    status: int = status_of()
                    if status >= 200:
                        owe(tokens)
                        return status
            except _REFUSALS:
                pass
            del bodies[pieces_before:]
            return 0

        return express
