"""The line that moves while a run goes on: how far it is, how fast, what goes wrong.

Law: drawing never touches the run. `update` only keeps a value; a thread of its own draws it, at most four times a
second, and a terminal that takes nothing stops that thread alone. The terminal is left as it was found: no mode is set
and no cursor hidden, so the worst end leaves one line behind. Written by hand, for one line: rich's live display
took twelve times the CPU of these 12 ms in ten seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TextIO

import msgspec

from cannon.progress import Phase, Progress
from cannon.reports.terminal import LEAST_COLUMNS, Terminal, columns, put
from cannon.units import format_count, format_duration, format_rate

__all__ = ["REDRAW_S", "Live", "line"]

REDRAW_S = 0.25
"""How long one picture stands."""

_LONGEST_GUESS_S = 2.0
"""How far the line runs ahead of what it was told: a worker that tells nothing for longer stands still."""

_LEAST_BAR, _MOST_BAR = 8, 16
_JOIN_S = 1.0
_CLEAR = "\r\x1b[K"
_NAMES: Mapping[Phase, str] = {
    Phase.PREFLIGHT: "first request",
    Phase.WARMUP: "warm-up",
    Phase.FIRE: "running",
}


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
        self._drawing = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def update(self, progress: Progress) -> None:
        """Where the run is now. A progress without a row keeps the row of its phase that was told last."""
        if progress.row is None and self._told is not None and self._told[0].phase is progress.phase:
            progress = msgspec.structs.replace(progress, row=self._told[0].row)
        self._told = (progress, self._clock())

    def note(self, text: str) -> None:
        """Say one line, above the moving one."""
        if self._stream is not None:
            with self._drawing:
                put(f"{_CLEAR if self._shown else ''}{text}\n", self._stream)

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
                put(_CLEAR, stream)
        except (OSError, ValueError):
            # The terminal has gone; the run has not.
            return

    def _draw(self, stream: TextIO) -> None:
        if self._told is None:
            return
        progress, told_s = self._told
        ahead_s = min(self._clock() - told_s, _LONGEST_GUESS_S)
        width = (columns(stream) or LEAST_COLUMNS) - 1
        put(_CLEAR + line(progress, ahead_s, width, self._unicode), stream)


def line(progress: Progress, ahead_s: float, width: int, unicode: bool) -> str:
    """The line, at most `width` characters: what was told, moved on by the seconds since. No room: left out."""
    share, where = _position(progress, ahead_s)
    parts = [_NAMES[progress.phase], *([where] if where else []), *_figures(progress)]
    while len(parts) > 1 and len("  ".join(parts)) > width:
        parts.pop()
    text = "  ".join(parts)
    room = width - len(text) - 2
    if share is not None and room >= _LEAST_BAR:
        parts.insert(1, _bar(share, min(room, _MOST_BAR), unicode))
        text = "  ".join(parts)
    return (text if unicode else text.replace("\N{MICRO SIGN}s", "us"))[:width]


def _position(progress: Progress, ahead_s: float) -> tuple[float | None, str]:
    """How much of the phase is done, 0..1 or None where it has no end, and the same in words."""
    elapsed_s = progress.elapsed_s + ahead_s
    if progress.amount is not None:
        row = progress.row
        rate = row.requests / row.window_s if row is not None and row.window_s > 0 else 0.0
        done = progress.completed + progress.failed
        # The last request is done when it is told, not when it is guessed.
        guess = min(done + int(rate * ahead_s), max(done, progress.amount - 1))
        return guess / max(1, progress.amount), f"{format_count(guess)} of {format_count(progress.amount)}"
    if progress.duration_s is not None and progress.duration_s > 0:
        shown_s = min(elapsed_s, progress.duration_s)
        return shown_s / progress.duration_s, f"{int(shown_s)} of {progress.duration_s:g} s"
    return None, ""


def _figures(progress: Progress) -> list[str]:
    """The parts of the line, the most important first."""
    parts: list[str] = []
    row = progress.row
    if row is not None and row.window_s > 0:
        parts.append(format_rate(row.requests / row.window_s))
        if row.p50_ms is not None and row.p99_ms is not None:
            parts.append(f"p50 {format_duration(row.p50_ms * 1e6)}")
            parts.append(f"p99 {format_duration(row.p99_ms * 1e6)}")
    errors = progress.failed + progress.connects_failed
    if errors:
        parts.insert(0, f"{format_count(errors)} error{'' if errors == 1 else 's'}")
    return parts


def _bar(share: float, width: int, unicode: bool) -> str:
    full, empty = ("━", "─") if unicode else ("#", ".")
    filled = int(min(share, 1.0) * width)
    return full * filled + empty * (width - filled)
