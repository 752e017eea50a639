"""How far a run is: what the one who watches is told about once a second, and nothing that measures ever reads.

Law: a Progress is a frozen value; whoever fires makes it, whoever draws takes it, and no setting of the drawing
reaches the firing.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cannon.plan import Plan
from cannon.series import SeriesRow
from cannon.tally import Tally

__all__ = ["Phase", "Progress", "SoFar", "State", "WorkerProgress"]


class Phase(StrEnum):
    """What the run is doing; they come in this order, and some may be left out."""

    PREFLIGHT = "preflight"
    WARMUP = "warmup"
    FIRE = "fire"


class State(StrEnum):
    """How a worker stands, in this order. One that is connecting has told of dials and of no window yet; one that is
    lost ended without having said so.
    """

    STARTING = "starting"
    CONNECTING = "connecting"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


class WorkerProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Where one worker of a phase stands. `told_s`: when it was heard last, on the clock of `Progress.elapsed_s`.

    `failed` are requests and dials so far; `row` is the newest row of its own, None before the first.
    """

    index: int
    state: State = State.RUNNING
    told_s: float = 0.0
    failed: int = 0
    row: SeriesRow | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a phase stands. `state` is that of its foremost worker.

    `made` of `connections` are there. Under a rate `asked_per_s` is the one that was due while the newest row was made.
    Once it is running, `elapsed_s` counts from the begin of the window that was
    told first; the phase ends at `duration_s`, or at `amount` requests. `completed`, `failed` and `connects_failed` are
    of the phase so far; `row` is the newest closed row of the series. `workers`: each of them, where there are several.
    """

    phase: Phase
    state: State = State.RUNNING
    connections: int = 0
    made: int = 0
    elapsed_s: float = 0.0
    duration_s: float | None = None
    amount: int | None = None
    completed: int = 0
    failed: int = 0
    connects_failed: int = 0
    row: SeriesRow | None = None
    asked_per_s: float | None = None
    workers: tuple[WorkerProgress, ...] = ()


class SoFar(msgspec.Struct, frozen=True):
    """All that a run has counted, for whoever judges it while it fires.

    `sums`: what each worker told; `fastest_per_s`: how many requests a second ended in the fastest tick of each.
    """

    plan: Plan
    sums: tuple[Tally, ...]
    fastest_per_s: tuple[float, ...]
