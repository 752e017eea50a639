"""What is sent, in the words of the user: one request a target, or several in order.

A connection walks through the steps of its target in order, and begins again after the last. A step is data and
nothing else: what may differ from one round to the next (rows of a file, what was captured from a response) and what
is expected of an answer will be fields here, filled in where a request is made.

Law: whatever step there is can be put on one request line (RFC 9112, section 3), whoever made it.
"""

from __future__ import annotations

import re

import msgspec

from cannon.errors import UsageError
from cannon.text import clean, redact_url

__all__ = ["Body", "FilePiece", "Step", "Streamed"]

_OUTSIDE_A_PATH = re.compile(r"[^\x21-\x7e]")


class FilePiece(msgspec.Struct, frozen=True):
    """A whole file as a part of a body, read while it is sent; `size_bytes` as it was when the plan was made."""

    path: str
    size_bytes: int

    def __post_init__(self) -> None:
        if self.size_bytes < 0:
            raise UsageError(f"'{clean(self.path)}' cannot hold {self.size_bytes} bytes; give 0 or more")


class Streamed(msgspec.Struct, frozen=True):
    """A body too large to be held: bytes and files, in order."""

    pieces: tuple[bytes | FilePiece, ...]

    def __len__(self) -> int:
        return sum(len(piece) if isinstance(piece, bytes) else piece.size_bytes for piece in self.pieces)


Body = bytes | Streamed


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a sequence. `target`: the position of its URL in the plan; `name`: what results call it;
    `path`: path and query, percent-encoded.
    """

    name: str
    target: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = b""

    def __post_init__(self) -> None:
        if self.target < 0:
            raise UsageError(f"step '{clean(self.name)}' has no target {self.target}; the first URL is 0")
        if not self.path or _OUTSIDE_A_PATH.search(self.path):
            shown = clean(redact_url(self.path))
            raise UsageError(
                f"the path '{shown}' cannot stand on a request line; e.g. /a%20b?c=%C3%A9, percent-encoded"
            )

    @property
    def closes(self) -> bool:
        """Whether it asks for the connection to be closed, so that nothing may be sent after it (RFC 9112, 9.6)."""
        return any(
            name.lower() == "connection"
            and "close" in [option.strip().lower() for option in value.split(",")]
            for name, value in self.headers
        )
