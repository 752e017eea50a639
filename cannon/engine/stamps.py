"""Stamps of the kernel: when the last bytes of a read reached this machine, and not when a loop got round to them.

SO_TIMESTAMPNS (socket(7)): `recvmsg` brings along when the newest of the bytes came, by CLOCK_REALTIME. That clock may
be set at any moment, so its distance to the monotonic one is measured every tick, and again whenever a stamp would lie
before the request or in the future; a stamp that still does is none.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from time import monotonic_ns

from cannon.engine.sockets import PlainSocket, Socket

__all__ = ["Stamps"]

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("=qq")
_ROOM_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_READINGS = 5
_NS_PER_S = 1_000_000_000


class Stamps:
    """Of one shard: makes the reading of its sockets tell when the bytes of the last read came."""

    def __init__(self) -> None:
        self._stamp_ns = 0
        self._offset_ns = 0
        self.measure()

    def measure(self) -> None:
        """How far the kernel's clock is from the monotonic one, by the reading that took the least time."""
        best_ns = 1 << 62
        for _ in range(_READINGS):
            before_ns = monotonic_ns()
            real_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
            took_ns = monotonic_ns() - before_ns
            if took_ns < best_ns:
                best_ns = took_ns
                self._offset_ns = real_ns - before_ns - took_ns // 2

    def receiver(self, opened: Socket) -> Callable[[int], bytes] | None:
        """The socket's `recv`, stamped from now on; None where it is none of the system's own."""
        if not isinstance(opened, PlainSocket):
            return None
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        except OSError:
            return None
        receive, unpack, room_for_stamp = opened.recvmsg, _TIMESPEC.unpack, _ROOM_BYTES

        def stamped(room_bytes: int) -> bytes:
            data, ancillary, _, _ = receive(room_bytes, room_for_stamp)
            if ancillary:
                seconds, rest_ns = unpack(ancillary[0][2])
                self._stamp_ns = seconds * _NS_PER_S + rest_ns
            else:
                self._stamp_ns = 0
            return data

        return stamped

    def came_ns(self, earliest_ns: int, now_ns: int) -> int:
        """When the last bytes of the last read came, between these two; `now_ns` where the kernel did not say."""
        if not self._stamp_ns:
            return now_ns
        came_ns = self._stamp_ns - self._offset_ns
        if not earliest_ns <= came_ns <= now_ns:
            self.measure()
            came_ns = self._stamp_ns - self._offset_ns
        return came_ns if earliest_ns <= came_ns <= now_ns else now_ns
