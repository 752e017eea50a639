"""A peer that answers what it likes, on a port or on a unix socket: once, over and over, bit by bit, or never.

Bounded in bytes and time, and gone when its block is left.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

__all__ = ["Liar", "Manner"]

_LARGEST_BYTES = 256 * 1024 * 1024
_LIFE_LIMIT_S = 10.0
_DRIP_S = 0.01


class Manner(StrEnum):
    """How it gives its answer."""

    ONCE = "once"
    """And closes."""
    HELD = "held"
    """And says nothing more."""
    ENDLESS = "endless"
    """Over and over."""
    DRIPPED = "dripped"
    """A byte now and then, over and over."""
    RESET = "reset"
    """Not at all: the connection is closed unread."""


class Liar:
    """`with Liar(listener, answer, manner):` serves whoever dials, one after the other."""

    def __init__(self, listener: socket.socket, answer: bytes, manner: Manner = Manner.ONCE) -> None:
        self._listener = listener
        self._answer = answer
        self._manner = manner
        self._accepted: list[socket.socket] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.heard = b""

    @classmethod
    def at(cls, path: str, answer: bytes, manner: Manner = Manner.ONCE) -> Self:
        """On a unix socket of this path."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        return cls(listener, answer, manner)

    @classmethod
    def on_port(cls, answer: bytes, manner: Manner = Manner.ONCE) -> Self:
        """On a free port."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        return cls(listener, answer, manner)

    @property
    def url(self) -> str:
        """Of its port."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/status"

    def __enter__(self) -> Self:
        self._listener.listen()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for sock in (self._listener, *self._accepted):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        assert not self._thread.is_alive(), "the liar did not stop"
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                accepted, _ = self._listener.accept()
                self._accepted.append(accepted)
                with accepted, suppress(OSError):
                    accepted.settimeout(_LIFE_LIMIT_S)
                    self._converse(accepted)

    def _converse(self, accepted: socket.socket) -> None:
        if self._manner is Manner.RESET:
            return
        self.heard += accepted.recv(65536)
        until_s = time.monotonic() + _LIFE_LIMIT_S
        match self._manner:
            case Manner.ENDLESS:
                more = self._answer * (65536 // len(self._answer) + 1)
                for _ in range(_LARGEST_BYTES // len(more)):
                    accepted.sendall(more)
            case Manner.DRIPPED:
                at = 0
                while not self._over.wait(_DRIP_S) and time.monotonic() < until_s:
                    accepted.sendall(self._answer[at : at + 1])
                    at = (at + 1) % len(self._answer)
            case _:
                accepted.sendall(self._answer)
        if self._manner is Manner.HELD:
            accepted.recv(1)
