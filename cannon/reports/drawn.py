"""Lines that move: drawn over and over in their place, by a thread of their own.

Law: drawing never touches what is watched. `tell` only keeps a value; the thread draws it, at most four times a second,
and a terminal that takes nothing stops that thread alone. The terminal is left as it was found: no mode is set and no
cursor hidden, so the worst end leaves a picture behind. Written by hand: rich's live display took twelve times the CPU
of these 12 ms in ten seconds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Generic, Self, TextIO, TypeVar

import msgspec

from cannon.reports.terminal import LEAST_COLUMNS, Terminal, columns, put

__all__ = ["REDRAW_S", "Drawn", "Room"]

REDRAW_S = 0.25
"""How long one picture stands."""

_JOIN_S = 1.0
_UNKNOWN_LINES = 24
_CLEAR_LINE = "\r\x1b[K"
_CLEAR_REST = "\x1b[J"

_Told = TypeVar("_Told")


class Room(msgspec.Struct, frozen=True):
    """What a picture may take: `height` lines of `width` characters. `unicode`: some beyond ASCII can be shown."""

    width: int
    height: int
    unicode: bool


class Drawn(Generic[_Told]):
    """A context manager around what is watched, fed by `tell`. Silent without a stream, or where it is no terminal.

    `picture` makes the lines of what was told last and the seconds since then, never more or longer ones than there is
    room for. `clock` gives seconds and never goes back.
    """

    def __init__(
        self,
        stream: TextIO | None,
        picture: Callable[[_Told, float, Room], Sequence[str]],
        *,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        redraw_s: float = REDRAW_S,
    ) -> None:
        terminal = Terminal() if stream is None else Terminal.of(stream, environment)
        self._stream = stream
        self._picture = picture
        self._shown = terminal.ansi
        self._unicode = terminal.unicode
        self._clock = clock
        self._redraw_s = redraw_s
        self._last: tuple[_Told, float] | None = None
        self._lines = 1
        self._drawing = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def silent(self) -> bool:
        """Whether there is no stream: a note would be lost."""
        return self._stream is None

    @property
    def last(self) -> _Told | None:
        """What was told last."""
        return None if self._last is None else self._last[0]

    def tell(self, told: _Told) -> None:
        """What is to be drawn from now on."""
        self._last = (told, self._clock())

    def note(self, text: str) -> None:
        """Say one line, above the moving ones."""
        if self._stream is not None:
            with self._drawing:
                put(f"{self._wiped(self._stream) if self._shown else ''}{text}\n", self._stream)

    def __enter__(self) -> Self:
        if self._shown:
            self._thread = threading.Thread(target=self._draw_until_over, name="live", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            # A terminal that was stopped (Ctrl-S) holds the thread in its write; the run does not wait for it.
            self._thread.join(_JOIN_S)

    def _draw_until_over(self) -> None:
        stream = self._stream
        if stream is None:
            return
        try:
            while not self._over.wait(self._redraw_s):
                with self._drawing:
                    self._draw(stream)
            with self._drawing:
                put(self._wiped(stream), stream)
        except (OSError, ValueError):
            # The terminal has gone; the run has not.
            return

    def _draw(self, stream: TextIO) -> None:
        if self._last is None:
            return
        told, told_s = self._last
        # One line is left for what stands above: the words that it was begun with, or a note.
        room = Room((columns(stream) or LEAST_COLUMNS) - 1, _height(stream) - 1, self._unicode)
        lines = self._picture(told, self._clock() - told_s, room)
        picture = self._up(stream) + "\n".join(_CLEAR_LINE + line for line in lines)
        if len(lines) < self._lines:
            picture += _CLEAR_REST
        self._lines = len(lines)
        put(picture, stream)

    def _up(self, stream: TextIO) -> str:
        """To the first line of the picture, as far as the screen reaches."""
        lines = min(self._lines, _height(stream))
        return f"\x1b[{lines - 1}A" if lines > 1 else ""

    def _wiped(self, stream: TextIO) -> str:
        """The picture gone, and the cursor where it began."""
        wiped = self._up(stream) + (f"\r{_CLEAR_REST}" if self._lines > 1 else _CLEAR_LINE)
        self._lines = 1
        return wiped


def _height(stream: TextIO) -> int:
    """How many lines the terminal has now."""
    try:
        return os.get_terminal_size(stream.fileno()).lines or _UNKNOWN_LINES
    except (OSError, ValueError):
        return _UNKNOWN_LINES
