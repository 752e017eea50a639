"""What the rude server reads from and writes to: an accepted socket, non-blocking, and the ways to end with it.

A Wire over TLS has the same shape (`tls_wires.py`), so that no script asks which of them it writes to.
"""

from __future__ import annotations

import socket
from contextlib import suppress

__all__ = ["LINGER_RESET", "Wire"]

LINGER_RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"
"""Linger, but for no time: the close that follows is a RST."""


class Wire:
    """A plain one. What ends it never fails, whether or not the peer is still there."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def fileno(self) -> int:
        """For a selector."""
        return self._sock.fileno()

    def recv(self, limit_bytes: int) -> bytes:
        """What has come; b"" at the end. BlockingIOError when nothing has."""
        return self._sock.recv(limit_bytes)

    def send(self, data: bytes | memoryview) -> int:
        """How many bytes were taken; whoever tries again after a BlockingIOError does so with the same bytes."""
        return self._sock.send(data)

    def fin(self) -> None:
        """Close the writing half."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def notify(self) -> None:
        """Say goodbye as TLS has it, then FIN."""
        self.fin()

    def alert(self) -> None:
        """End with a fatal alert of TLS, then FIN."""
        self.fin()

    def spoil(self) -> None:
        """Write a record that nobody can decrypt, and leave it at that."""
        self.fin()

    def close(self, *, reset: bool = False) -> None:
        """Close both halves: with a FIN, or with a RST."""
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self._sock.close()
