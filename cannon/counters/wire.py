"""Wire: a connection to a proxy that tells of itself, bounded in time and in bytes whatever the other side does.

Law: the deadline is one for all that goes over it, so neither a peer that never ends nor one that sends a byte now and
then holds a run up.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from cannon.text import clean

__all__ = ["TooLong", "Wire", "reason"]


class TooLong(OSError):
    """The answer is longer than any that is meant."""


class Wire(socket.socket):
    """A stream socket. TimeoutError past `deadline_s` of the monotonic clock, TooLong past `room_bytes` received."""

    def __init__(self, family: int, deadline_s: float, room_bytes: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._deadline_s = deadline_s
        self._room_bytes = room_bytes

    def connect(self, address: Any) -> None:  # noqa: ANN401 - as the system's own has it
        """As that of a socket."""
        self._wait_no_longer()
        super().connect(address)

    def sendall(self, data: Any, flags: int = 0) -> None:  # noqa: ANN401 - likewise
        """As that of a socket."""
        self._wait_no_longer()
        super().sendall(data, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:  # noqa: ANN401 - likewise
        """As that of a socket: what its file reads with."""
        self._wait_no_longer()
        count = super().recv_into(buffer, nbytes, flags)
        self._room_bytes -= count
        if self._room_bytes < 0:
            raise TooLong("its answer does not end")
        return count

    def _wait_no_longer(self) -> None:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.settimeout(left_s)


def reason(error: OSError, limit_s: float) -> str:
    """Why nothing could be read, in words."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {limit_s:g} s"
    return clean(error.strerror or str(error) or type(error).__name__)
