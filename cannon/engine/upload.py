"""The rest of a request that the kernel would not take at once: sent on as there is room, while answers are read.

Law: what is not sent yet is known to the byte, so bytes sent add up however the upload ends.
"""

from __future__ import annotations

from collections.abc import Callable

from cannon.engine.loop import READ, WRITE, Handler, Loop
from cannon.engine.meter import Meter
from cannon.engine.sockets import Socket

__all__ = ["Upload"]


class Upload:
    """Watches the socket for both until `ended` is called, with whether the peer still took all of it. `readable`
    looks whether the server answers before it has read everything.
    """

    __slots__ = ("_ended", "_meter", "_readable", "_rest", "_socket")

    def __init__(
        self,
        *,
        loop: Loop,
        meter: Meter,
        opened: Socket,
        rest: memoryview,
        readable: Handler,
        ended: Callable[[bool], None],
    ) -> None:
        self._meter = meter
        self._socket = opened
        self._rest = rest
        self._readable = readable
        self._ended = ended
        meter.unsent_bytes += len(rest)
        loop.watch(opened.fileno(), READ | WRITE, self._writable)

    def _writable(self, ready_ns: int) -> None:
        try:
            sent_bytes = self._socket.send(self._rest)
        except BlockingIOError:
            self._readable(ready_ns)
            return
        except OSError:
            # What the server said before it closed is told by reading; that it was a reset, no longer.
            self._ended(False)
            return
        self._meter.unsent_bytes -= sent_bytes
        self._rest = self._rest[sent_bytes:]
        if not self._rest:
            self._ended(True)
