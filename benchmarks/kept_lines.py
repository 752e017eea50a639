"""A file with a line of JSON for each of a kind, as it comes.

Law: a line is written as soon as there is one, so what is cut loses the one under way and goes on after the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

import msgspec

__all__ = ["Lines"]

_Kept = TypeVar("_Kept", bound=msgspec.Struct)


class Lines(Generic[_Kept]):
    """The file of all that is of one type."""

    def __init__(self, path: Path, of: type[_Kept]) -> None:
        self._path = path
        self._of = of

    def read(self) -> list[_Kept]:
        """All that was kept; nothing where there is no file. What was cut in the midst of a line is left out."""
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        # Without its newline the last one is no line yet.
        return [msgspec.json.decode(line, type=self._of) for line in lines[:-1] if line]

    def keep(self, kept: _Kept) -> None:
        """Add one to the file."""
        with self._path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(msgspec.json.encode(kept) + b"\n")
