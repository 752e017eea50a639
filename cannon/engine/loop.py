"""The readiness loop: sockets that are ready, and times that have come. It never sees HTTP.

Law: the loop knows its own delay: from learning that sockets are ready to having handled the last of them, which
is the longest that anything of that turn waited here. No asyncio: one turn is one system call and a plain call per
ready socket.
"""

from __future__ import annotations

import heapq
import select
import selectors
from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

__all__ = ["READ", "WRITE", "Handler", "Loop", "Poller", "SelectorPoller"]

Handler = Callable[[int], None]
"""Called with the time (ns) at which the loop learned of readiness, or that a timer is due."""

READ = 1
WRITE = 4
"""The bits of EPOLLIN and EPOLLOUT, and of POLLIN and POLLOUT."""


class Poller(Protocol):
    """What the loop needs of the system: select.epoll has this shape."""

    def register(self, fd: int, eventmask: int, /) -> None: ...
    def modify(self, fd: int, eventmask: int, /) -> None: ...
    def unregister(self, fd: int, /) -> None: ...
    def poll(self, timeout: float, /) -> list[tuple[int, int]]: ...
    def close(self) -> None: ...


class SelectorPoller:
    """The same over the standard library's selectors, for systems without epoll."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    def register(self, fd: int, eventmask: int, /) -> None:
        self._selector.register(fd, _selector_events(eventmask))

    def modify(self, fd: int, eventmask: int, /) -> None:
        self._selector.modify(fd, _selector_events(eventmask))

    def unregister(self, fd: int, /) -> None:
        self._selector.unregister(fd)

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        return [(key.fd, events) for key, events in self._selector.select(timeout)]

    def close(self) -> None:
        self._selector.close()


def _selector_events(eventmask: int) -> int:
    return (selectors.EVENT_READ if eventmask & READ else 0) | (
        selectors.EVENT_WRITE if eventmask & WRITE else 0
    )


def _unwatched(ready_ns: int) -> None:
    """What is called for a descriptor that was given back in the same turn."""


def system_poller() -> Poller:
    """epoll on Linux; elsewhere the best of selectors."""
    if hasattr(select, "epoll"):
        return select.epoll()
    return SelectorPoller(selectors.DefaultSelector())


_SPUN_NS = 100_000
"""The end of a wait that is not slept: a sleep of any length ends up to so much too late."""

_LARGEST_SELECTED = 1_023
"""Of the descriptors that select(2) takes."""


class Loop:
    """Calls handlers of ready descriptors, and timers, until told to halt.

    `fine`: timers ring within microseconds where the CPU is free, at the price of `spun_ns`: CPU time in which nothing
    was done but to look at the clock.
    """

    def __init__(self, poller: Poller | None = None, *, fine: bool = False) -> None:
        self._poller = poller if poller is not None else system_poller()
        selected = getattr(self._poller, "fileno", None)
        self._selected: int = selected() if fine and selected is not None else -1
        # By descriptor: these are small, and a list is the fastest to look up.
        self._handlers: list[Handler] = []
        self._watched: set[int] = set()
        self._timers: list[tuple[int, int, Handler]] = []
        self._timers_made = 0
        self._halted = False
        self._runs = 0
        self.spun_ns = 0

    def watch(self, descriptor: int, events: int, handler: Handler) -> None:
        """Call `handler` whenever the descriptor is ready for `events` (READ, WRITE or both), or has failed."""
        if descriptor in self._watched:
            self._poller.modify(descriptor, events)
        else:
            self._poller.register(descriptor, events)
            self._watched.add(descriptor)
            while descriptor >= len(self._handlers):
                self._handlers.append(_unwatched)
        self._handlers[descriptor] = handler

    def forget(self, descriptor: int) -> None:
        """No more calls for this descriptor; to be called before it is closed."""
        if descriptor in self._watched:
            self._watched.remove(descriptor)
            self._handlers[descriptor] = _unwatched
            self._poller.unregister(descriptor)

    def call_at(self, when_ns: int, handler: Handler) -> None:
        """Call `handler` once, when the monotonic clock has passed `when_ns`. There is no way to cancel: a timer
        that has become idle looks at the state it finds and does nothing.
        """
        self._timers_made += 1
        heapq.heappush(self._timers, (when_ns, self._timers_made, handler))

    def handle(self, descriptor: int, handler: Handler) -> None:
        """Another handler for a descriptor that is watched, for the same events."""
        self._handlers[descriptor] = handler

    def halt(self) -> None:
        """End `run` after the turn under way."""
        self._halted = True

    def run(self, until_ns: int, settle: Callable[[int, int], None]) -> None:
        """Turn until the clock has passed `until_ns` or somebody called `halt`.

        After each turn in which something was ready, `settle` hears how long that turn took (ns), and how many
        handlers it called.
        """
        self._halted = False
        self._runs += 1
        this_run = self._runs

        def over(now_ns: int) -> None:
            # The timer of a run that was halted early rings in a later one, and is not meant for that.
            if self._runs == this_run:
                self._halted = True

        self.call_at(until_ns, over)
        poll = self._poller.poll
        selected = self._selected if self._selected <= _LARGEST_SELECTED else -1
        handlers = self._handlers
        timers = self._timers
        now_ns = monotonic_ns()
        while not self._halted:
            wait_ns = timers[0][0] - now_ns
            spins = False
            if selected >= 0 and wait_ns > 0:
                # epoll counts its waits in ms, and ends them late; select, asked about the poller itself, in us.
                spins = wait_ns <= _SPUN_NS
                if not spins:
                    select.select((selected,), (), (), (wait_ns - _SPUN_NS) / 1e9)
                wait_ns = 0
            events = poll(wait_ns / 1e9 if wait_ns > 0 else 0)
            waited_ns = now_ns
            now_ns = ready_ns = monotonic_ns()
            for descriptor, _ in events:
                handlers[descriptor](ready_ns)
            if events:
                now_ns = monotonic_ns()
                settle(now_ns - ready_ns, len(events))
            elif spins:
                self.spun_ns += now_ns - waited_ns
            if timers[0][0] <= now_ns:
                self._ring(now_ns)

    def _ring(self, now_ns: int) -> None:
        """The timers that are due. Those that are set meanwhile wait for the next turn, however early they are due:
        sockets come first.
        """
        timers, made = self._timers, self._timers_made
        while timers and timers[0][0] <= now_ns and timers[0][1] <= made:
            heapq.heappop(timers)[2](now_ns)

    def close(self) -> None:
        """Give the system's poller back."""
        self._poller.close()
