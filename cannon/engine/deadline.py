"""A deadline that costs the hot path nothing.

What is pending changes a hundred thousand times a second, its deadline hardly ever passes. So there is one timer,
set for the earliest time at which something could be overdue; when it rings it looks at what is pending then.
"""

from __future__ import annotations

from collections.abc import Callable

from cannon.engine.loop import Handler, Loop

__all__ = ["Deadline"]


class Deadline:
    """Calls `passed` once `timeout_ns` have gone by since `since()`, the begin of what is pending (None: nothing)."""

    def __init__(self, loop: Loop, timeout_ns: int, since: Callable[[], int | None], passed: Handler) -> None:
        self._loop = loop
        self._timeout_ns = timeout_ns
        self._since = since
        self._passed = passed
        self._armed = False

    def arm(self) -> None:
        """Something is pending. To be called when it begins after nothing was; more calls do no harm."""
        since_ns = self._since()
        if since_ns is not None and not self._armed:
            self._armed = True
            self._loop.call_at(since_ns + self._timeout_ns, self._look)

    def _look(self, now_ns: int) -> None:
        self._armed = False
        since_ns = self._since()
        if since_ns is not None and now_ns - since_ns >= self._timeout_ns:
            self._passed(now_ns)
        self.arm()
