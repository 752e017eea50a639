"""The responses owed on one connection, and what became of them; whoever reads the bytes tells it what they were.

Law: a body is counted, and compared with what it must be, as it passes. What follows the last response that is owed is
no response (RFC 9112, 6.3), however it looks.
"""

from __future__ import annotations

from typing import Final

from cannon.engine.head import snippet
from cannon.engine.last_head import LastHead
from cannon.errors import Fault, FramingError

__all__ = ["Bodies", "Outcome", "Owed"]


class Bodies:
    """How many bytes of bodies have passed, on all connections of a shard; a body that is cut off counts as far as it
    came.
    """

    __slots__ = ("total_bytes",)

    def __init__(self) -> None:
        self.total_bytes = 0


class Owed:
    """What is owed to one kind of request; all requests of that kind share it. Immutable.

    head: the request is HEAD, so no response has a body; body: what the body must be, before any content coding is
    undone, None for anything; last: how responses to it have begun so far.
    """

    __slots__ = ("body", "head", "last")

    def __init__(self, head: bool = False, body: bytes | None = None) -> None:
        self.head = head
        self.body = body
        self.last = LastHead(to_head=head)


_NOTHING_OWED = Owed()
_ANSWERED_AT_MOST: Final = 64


class Outcome:
    """What became of the responses owed on one connection; the caller clears both lists once it has counted.

    statuses: of the final responses that ended since; mismatched: the positions there of those whose body was not
    what it must be; keep_alive: whether the connection may carry another request; excess: bytes followed that belong
    to no request; broken: what is wrong with the response that began after the last of those that ended.
    """

    __slots__ = (
        "_answered",
        "_asked",
        "_body_bytes",
        "_matches",
        "_owed",
        "bodies",
        "broken",
        "excess",
        "keep_alive",
        "mismatched",
        "statuses",
    )

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self.statuses: list[int] = []
        self.mismatched: list[int] = []
        self.keep_alive = True
        self.excess = False
        self.broken: FramingError | None = None
        # Those before the first `_answered` have been taken off already, in all but deed.
        self._owed: list[Owed] = []
        self._answered = 0
        self._asked = _NOTHING_OWED
        self._body_bytes = 0
        self._matches = True

    def expect(self, owed: Owed, /) -> None:
        """One more response is owed, after those that are."""
        self._owed.append(owed)

    def _only_owed(self) -> Owed | None:
        """What is owed, if it is one response that has not begun."""
        return self._owed[self._answered] if len(self._owed) - self._answered == 1 else None

    def _open(self, data: bytes, position: int) -> bool:
        """A response begins with these bytes; False if they are excess."""
        count = len(self._owed)
        if not self.keep_alive or (self._answered == count and self.statuses):
            self.excess = True  # 6.3: what follows the last response is never a response
            self.keep_alive = False
            return False
        if self._answered == count:
            raise FramingError(Fault.MALFORMED, f"bytes that nobody asked for: {snippet(data[position:])}")
        self._asked = self._owed[self._answered]
        self._answered += 1
        if self._answered == count:
            self._owed.clear()
            self._answered = 0
        elif self._answered == _ANSWERED_AT_MOST:
            del self._owed[:_ANSWERED_AT_MOST]
            self._answered = 0
        return True

    def _take(self, data: bytes, start: int, stop: int) -> None:
        """These bytes are body."""
        count = stop - start
        self.bodies.total_bytes += count
        body = self._asked.body
        if body is not None and self._matches:
            self._matches = data[start:stop] == body[self._body_bytes : self._body_bytes + count]
        self._body_bytes += count

    def _close(self, status: int, keep_alive: bool) -> None:
        """The response ends."""
        body = self._asked.body
        if body is not None:
            if not self._matches or self._body_bytes != len(body):
                self.mismatched.append(len(self.statuses))
            self._matches = True
        self.statuses.append(status)
        self.keep_alive = keep_alive
        self._body_bytes = 0

    def _fail(self, error: FramingError) -> None:
        """Raise, unless responses ended before: these count first, the error waits in `broken`."""
        self.broken = error
        self.keep_alive = False
        if not self.statuses:
            raise error
