"""What a stream can show: escape sequences, characters beyond ASCII, how wide.

Law: asked once, at the border; everything that draws takes the answer as a value. Colour, cursor movement and live
lines go together: a terminal takes all of them or none. NO_COLOR is that of no-color.org: set to anything but an
empty text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

import msgspec

__all__ = ["Terminal", "put"]

LEAST_COLUMNS = 80
"""The tables are made for this width. A narrower terminal wraps them: a cut figure would be a wrong one."""

MOST_COLUMNS = 120
_DRAWN = "─│└█▁µ–…✗"
_DUMB = frozenset({"", "dumb", "unknown"})


class Terminal(msgspec.Struct, frozen=True):
    """`ansi`: a terminal that wants escape sequences. `unicode`: its encoding has the characters that are drawn."""

    ansi: bool = False
    unicode: bool = True
    columns: int = LEAST_COLUMNS

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] | None = None) -> Terminal:
        """What this stream can show now."""
        environment = os.environ if environment is None else environment
        wanted = not environment.get("NO_COLOR") and environment.get("TERM", "") not in _DUMB
        return cls(
            ansi=wanted and _is_terminal(stream),
            unicode=_encodes(stream, _DRAWN),
            columns=columns(stream) or LEAST_COLUMNS,
        )

    @property
    def page_columns(self) -> int:
        """How wide a page of tables and text is."""
        return max(LEAST_COLUMNS, min(self.columns, MOST_COLUMNS))


def columns(stream: TextIO) -> int | None:
    """How wide the terminal behind the stream is now; None where there is none, or where it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def put(text: str, stream: TextIO) -> None:
    """Write and flush. What the stream's encoding has no character for becomes a visible escape."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False


def _encodes(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
