"""What is sent, in the words of the user: one request a target, or several in order.

A connection walks through the steps of its target in order, and begins again after the last.
"""

from __future__ import annotations

import msgspec

__all__ = ["Body", "FilePiece", "Step", "Streamed"]


class FilePiece(msgspec.Struct, frozen=True):
    """A whole file as a part of a body, read while it is sent; `size_bytes` as it was when the plan was made."""

    path: str
    size_bytes: int


class Streamed(msgspec.Struct, frozen=True):
    """A body too large to be held: bytes and files, in order."""

    pieces: tuple[bytes | FilePiece, ...]

    def __len__(self) -> int:
        return sum(len(piece) if isinstance(piece, bytes) else piece.size_bytes for piece in self.pieces)


Body = bytes | Streamed


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a sequence. `target`: the position of its URL in the plan; `name`: what results call it."""

    name: str
    target: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = b""
