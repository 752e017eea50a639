"""The lines that move while a run goes on, drawn over and over in their place.

Law: drawing never touches the run. `update` only keeps a value; a thread of its own draws it, at most four times a
second, and a terminal that takes nothing stops that thread alone. The terminal is left as it was found: no mode is set
and no cursor hidden, so the worst end leaves a picture behind. Written by hand: rich's live display took twelve times
the CPU of these 12 ms in ten seconds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TextIO

import msgspec

from cannon.progress import Progress
from cannon.reports.panel import panel
from cannon.reports.terminal import LEAST_COLUMNS, Terminal, columns, put

__all__ = ["REDRAW_S", "Live"]

REDRAW_S = 0.25
"""How long one picture stands."""

_LONGEST_GUESS_S = 2.0
"""How far the line runs ahead of what it was told: a worker that tells nothing for longer stands still."""

_JOIN_S = 1.0
_UNKNOWN_LINES = 24
_CLEAR_LINE = "\r\x1b[K"
_CLEAR_REST = "\x1b[J"


class Live:
    """A context manager around the run, fed by `update`. Silent without a stream, or where it is no terminal.

    `clock` gives seconds and never goes back.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        redraw_s: float = REDRAW_S,
    ) -> None:
        terminal = Terminal() if stream is None else Terminal.of(stream, environment)
        self._stream = stream
        self._shown = terminal.ansi
        self._unicode = terminal.unicode
        self._clock = clock
        self._redraw_s = redraw_s
        self._told: tuple[Progress, float] | None = None
        self._lines = 1
        self._drawing = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def update(self, progress: Progress) -> None:
        """Where the run is now. A progress without a row keeps the row of its phase that was told last."""
        if progress.row is None and self._told is not None and self._told[0].phase is progress.phase:
            before = self._told[0]
            progress = msgspec.structs.replace(progress, row=before.row, asked_per_s=before.asked_per_s)
        self._told = (progress, self._clock())

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
        if self._told is None:
            return
        progress, told_s = self._told
        ahead_s = min(self._clock() - told_s, _LONGEST_GUESS_S)
        width = (columns(stream) or LEAST_COLUMNS) - 1
        # One line is left for what stands above: the words that the run was begun with, or a note.
        lines = panel(progress, ahead_s, width, _height(stream) - 1, self._unicode)
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
