"""The lines that move while a run goes on: where it is, and how fast.

Law: what is drawn runs ahead of what was told, but not far: a worker that tells nothing stands still.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TextIO

import msgspec

from cannon.progress import Progress
from cannon.reports.drawn import REDRAW_S, Drawn, Room
from cannon.reports.panel import panel

__all__ = ["Live"]

_LONGEST_GUESS_S = 2.0


class Live(Drawn[Progress]):
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
        super().__init__(stream, _lines, environment=environment, clock=clock, redraw_s=redraw_s)

    def update(self, progress: Progress) -> None:
        """Where the run is now. A progress without a row keeps the row of its phase that was told last."""
        before = self.last
        if progress.row is None and before is not None and before.phase is progress.phase:
            progress = msgspec.structs.replace(progress, row=before.row, asked_per_s=before.asked_per_s)
        self.tell(progress)


def _lines(progress: Progress, since_s: float, room: Room) -> list[str]:
    return panel(progress, min(since_s, _LONGEST_GUESS_S), room.width, room.height, room.unicode)
