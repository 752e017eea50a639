"""What is drawn while a run goes on: one line for the run and, where there are several workers, one for each.

Law: pure; a Progress and a size in, lines out, none wider than the size and no more of them than fit. Percentiles of
workers are never added: where many stand in one line, it has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from cannon.progress import Phase, Progress, State, WorkerProgress
from cannon.series import SeriesRow
from cannon.units import format_count, format_duration, format_rate

__all__ = ["panel"]

_LEAST_BAR, _MOST_BAR = 8, 16
_GAP = "  "
_SILENT_S = 3.0
"""A worker tells something every second; one that is silent for so long is held up, and its figures are old."""

_LEAST_LINES = 3
"""Lines of workers below which they are not worth the room."""

_NAMES: Mapping[Phase, str] = {
    Phase.PREFLIGHT: "first request",
    Phase.WARMUP: "warm-up",
}


def panel(progress: Progress, ahead_s: float, width: int, height: int, unicode: bool) -> list[str]:
    """One line or more, at most `height` of at most `width` characters: what was told, moved on by the seconds since.

    What has no room is left out; workers that have none are summed in one line.
    """
    lines = [_line(progress, ahead_s, width, unicode)]
    workers, room = progress.workers, height - 1
    if len(workers) > room:
        shown = room - 1 if room >= _LEAST_LINES else 0
        rest = workers[shown:] if shown else ()
        workers = workers[:shown]
    else:
        rest = ()
    digits = len(str(len(progress.workers) - 1))
    now_s = progress.elapsed_s + ahead_s
    state_width = max((len(worker.state.value) for worker in workers), default=0)
    rows = [_worker(worker, now_s, digits, state_width) for worker in workers]
    if rest:
        rows.append(_rest(rest))
    return lines + [_plain(_fitting(parts, width), width, unicode) for parts in rows]


def _line(progress: Progress, ahead_s: float, width: int, unicode: bool) -> str:
    share, where = _position(progress, ahead_s)
    errors = progress.failed + progress.connects_failed
    parts = [
        _name(progress),
        *([where] if where else []),
        *_figures(progress.row, errors, progress.asked_per_s),
    ]
    text = _fitting(parts, width)
    room = width - len(text) - len(_GAP)
    if share is not None and room >= _LEAST_BAR:
        name, _, rest = text.partition(_GAP)
        bar = _bar(share, min(room, _MOST_BAR), unicode)
        text = _GAP.join([name, bar, rest] if rest else [name, bar])
    return _plain(text, width, unicode)


def _name(progress: Progress) -> str:
    """What the phase is doing."""
    if progress.phase is Phase.FIRE:
        return progress.state.value
    name = _NAMES[progress.phase]
    return name if progress.state is State.RUNNING else f"{name}, {progress.state.value}"


def _worker(worker: WorkerProgress, now_s: float, digits: int, state_width: int) -> list[str]:
    silent_s = now_s - worker.told_s
    state, figures = worker.state.value, _figures(worker.row, worker.failed)
    if worker.state is not State.RUNNING:
        # It has no rate yet, or its rate is over; what went wrong stays.
        figures = _figures(None, worker.failed)
    elif silent_s >= _SILENT_S:
        state, figures = f"silent for {int(silent_s)} s", _figures(None, worker.failed)
    return [f"  worker {worker.index:>{digits}}", f"{state:<{state_width}}", *figures]


def _rest(workers: Sequence[WorkerProgress]) -> list[str]:
    running = [worker.row for worker in workers if worker.state is State.RUNNING]
    rate_per_s = sum(row.requests / row.window_s for row in running if row is not None and row.window_s > 0)
    states = sorted((worker.state for worker in workers), key=[*State].index)
    return [
        f"  {len(workers)} more",
        ", ".join(f"{len([*group])} {state.value}" for state, group in groupby(states)),
        *_figures(None, sum(worker.failed for worker in workers)),
        *([format_rate(rate_per_s)] if rate_per_s else []),
    ]


def _fitting(parts: Sequence[str], width: int) -> str:
    """As many of the parts, from the first, as there is room for."""
    kept = [*parts]
    while len(kept) > 1 and len(_GAP.join(kept)) > width:
        kept.pop()
    return _GAP.join(kept).rstrip()


def _plain(text: str, width: int, unicode: bool) -> str:
    return (text if unicode else text.replace("\N{MICRO SIGN}s", "us"))[:width]


def _position(progress: Progress, ahead_s: float) -> tuple[float | None, str]:
    """How much of the phase is done, 0..1 or None where it has no end, and the same in words."""
    if progress.state is State.CONNECTING:
        return None, f"{min(progress.made, progress.connections):,} of {progress.connections:,}"
    if progress.state is not State.RUNNING:
        return None, ""
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


def _figures(row: SeriesRow | None, errors: int, asked_per_s: float | None = None) -> list[str]:
    """The most important first. Under a rate, what came of it beside what was asked."""
    parts: list[str] = []
    if errors:
        parts.append(f"{format_count(errors)} error{'' if errors == 1 else 's'}")
    if row is not None and row.window_s > 0:
        asked = "" if asked_per_s is None else f" of {format_rate(asked_per_s)}"
        parts.append(format_rate(row.requests / row.window_s) + asked)
        if row.p50_ms is not None and row.p99_ms is not None:
            parts.append(f"p50 {format_duration(row.p50_ms * 1e6)}")
            parts.append(f"p99 {format_duration(row.p99_ms * 1e6)}")
    return parts


def _bar(share: float, width: int, unicode: bool) -> str:
    full, empty = ("━", "─") if unicode else ("#", ".")
    filled = int(min(share, 1.0) * width)
    return full * filled + empty * (width - filled)
