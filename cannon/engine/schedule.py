"""When requests are due, and which connections are free to send them: the open loop of one shard, or one connection.

Law: a request that is due goes to a free connection, the one used last; where none is free it waits in the plan and
goes to the next that gets free. None is due after the end, and what nobody took by then was never sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from cannon.engine.loop import Loop

__all__ = ["NEVER_NS", "Free", "Schedule"]

NEVER_NS = 1 << 62


class Free(Protocol):
    """Who can send a request."""

    def fire_due(self, due_ns: int) -> None:
        """Send the one that is loaded; it was due then, and nobody else was waited for."""
        ...


class Schedule:
    """Deals out due times: `dues` yields them in ns since the window opened. Nothing is due before `begin`."""

    def __init__(self, loop: Loop, dues: Iterator[int]) -> None:
        self._loop = loop
        self._dues = dues
        self._began_ns = 0
        self._end_ns = NEVER_NS
        self._due_ns = NEVER_NS
        self._rings_ns = NEVER_NS
        # In order, and whoever is in it is found at once: ten thousand may leave in one turn.
        self._free: dict[Free, None] = {}
        self._last: dict[Free, None] = {}

    def begin(self, began_ns: int, end_ns: int | None) -> None:
        """The window opens."""
        self._began_ns = began_ns
        self._end_ns = NEVER_NS if end_ns is None else end_ns
        self._advance()
        self._set_timer()

    @property
    def has_taker(self) -> bool:
        """Whether somebody is free to send what is due next."""
        return self._due_ns != NEVER_NS and bool(self._free or self._last)

    def take(self, now_ns: int) -> int:
        """The next due time that has come; 0 where none has."""
        due_ns = self._due_ns
        if due_ns > now_ns:
            return 0
        self._advance()
        return due_ns

    def park(self, connection: Free, *, last: bool = False) -> None:
        """A connection is free, and has a request loaded. `last`: the others are better."""
        (self._last if last else self._free)[connection] = None
        self._set_timer()

    def unpark(self, connection: Free) -> None:
        """It is free no more."""
        self._free.pop(connection, None)
        self._last.pop(connection, None)

    def left(self, at_ns: int, most: int = NEVER_NS) -> int:
        """How many were due before this moment and taken by nobody, `most` at most. To be asked once: it walks on."""
        until_ns = min(at_ns, self._end_ns)
        left = 0
        while self._due_ns < until_ns and left < most:
            left += 1
            self._advance()
        return left

    def _advance(self) -> None:
        due_ns = next(self._dues, NEVER_NS)
        if due_ns != NEVER_NS:
            due_ns += self._began_ns
        self._due_ns = due_ns if due_ns < self._end_ns else NEVER_NS

    def _set_timer(self) -> None:
        if (self._free or self._last) and self._due_ns < self._rings_ns:
            self._rings_ns = self._due_ns
            self._loop.call_at(self._due_ns, self._ring)

    def _ring(self, now_ns: int) -> None:
        self._rings_ns = NEVER_NS
        while (free := self._free or self._last) and self._due_ns <= now_ns:
            due_ns = self._due_ns
            self._advance()
            free.popitem()[0].fire_due(due_ns)
        self._set_timer()
