"""Messages between a worker and the fleet that started it: four bytes of length, then the bytes.

In this order: the fleet writes the shard; the worker, once it could fire, READY; the fleet, once every worker could,
GO; the worker its Tallies. After GO any byte is a stop. A fleet that ends a worker's input instead of GO wants
nothing fired.
"""

from __future__ import annotations

import os

__all__ = ["GO", "READY", "STOP", "Inbox", "read_message", "write_message"]

READY = b""
"""A message: the worker has loaded all that it fires with. No Tally is empty."""

GO, STOP = b"g", b"."
"""Bytes, without a length."""

_LENGTH_BYTES = 4


class Inbox:
    """Puts the pieces read from a pipe together again."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete."""
        self._data += data
        messages: list[bytes] = []
        while len(self._data) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._data[:_LENGTH_BYTES], "big")
            if len(self._data) < end:
                break
            messages.append(bytes(self._data[_LENGTH_BYTES:end]))
            del self._data[:end]
        return messages


def write_message(descriptor: int, message: bytes) -> None:
    """Write one message whole; BrokenPipeError when nobody reads any more."""
    rest = memoryview(len(message).to_bytes(_LENGTH_BYTES, "big") + message)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read_message(descriptor: int) -> bytes | None:
    """Read one message, and not a byte more; None when the pipe ends before it does."""
    length = _read_exactly(descriptor, _LENGTH_BYTES)
    return None if length is None else _read_exactly(descriptor, int.from_bytes(length, "big"))


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    pieces: list[bytes] = []
    while count:
        piece = os.read(descriptor, min(count, 65_536))
        if not piece:
            return None
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
