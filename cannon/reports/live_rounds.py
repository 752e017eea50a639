"""The lines that move while a comparison goes on: which round of which side, and what is known by now.

Law: a function from a Standing and the seconds since to lines; what has no room is left out, the least important
first. An interval stands there from the sixth round on, and is seen to become narrower; nothing is ended by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from cannon.reports.drawn import REDRAW_S, Drawn, Room
from cannon.reports.figures import Figures
from cannon.reports.verdicts import label
from cannon.rows import Row
from cannon.standing import Stage, Standing
from cannon.text import clean

__all__ = ["LiveRounds", "lines_of"]

_GAP = "  "
_STAGES: Mapping[Stage, str] = {
    Stage.PROBE: "asking whether the sides answer the same",
    Stage.CAPACITY: "capacity pass",
    Stage.LATENCY: "latency pass",
    Stage.HANDSHAKES: "handshakes",
}
_WITHOUT_MARGIN = 0.0


class LiveRounds(Drawn[Standing]):
    """A context manager around a comparison, fed by `update`. Without a terminal nothing is drawn; `note` still says
    its line, but for where there is no stream.

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
        super().__init__(stream, lines_of, environment=environment, clock=clock, redraw_s=redraw_s)

    def update(self, standing: Standing) -> None:
        """Where the comparison is now."""
        self.tell(standing)


def lines_of(standing: Standing, since_s: float, room: Room) -> list[str]:
    """One line for the whole, and one for each side of which something is known, as many as there is room for."""
    lines = [_fitting(_whole(standing, since_s), room)]
    rows, space = standing.rows, max(0, room.height - 1)
    if len(rows) > space:
        rows, more = rows[: max(0, space - 1)], len(rows) - max(0, space - 1)
    else:
        more = 0
    names = max((len(row.side) for row in rows), default=0)
    lines += [_fitting(_side(row, names), room) for row in rows]
    if more and space:
        lines.append(_fitting([f"  {more} more"], room))
    return lines


def _whole(standing: Standing, since_s: float) -> list[str]:
    """The most important first: what, which round, how long still, which side."""
    parts = [_STAGES[standing.stage]]
    if standing.stage in (Stage.CAPACITY, Stage.LATENCY):
        parts.append(_round(standing))
    if standing.side:
        parts.append(clean(standing.side))
    if standing.left_s is not None:
        parts.append(f"{_clock(standing.left_s - since_s)} left")
    return parts


def _round(standing: Standing) -> str:
    if not standing.number:
        return "a round to throw away"
    # A precision that was asked for takes rounds beyond those that were planned.
    of = f" of {standing.rounds}" if standing.number <= standing.rounds else ""
    return f"round {standing.number}{of}"


def _side(row: Row, names: int) -> list[str]:
    if row.added is None:
        return [f"  {clean(row.side).ljust(names)} {label(row.metric)}", clean(row.reason)]
    figures = Figures.of(row, _WITHOUT_MARGIN)
    parts = [
        f"  {clean(row.side).ljust(names)} {label(row.metric)} {figures.added} {figures.added_interval}".rstrip()
    ]
    if figures.change:
        parts.append(f"{figures.change} {figures.change_interval}".rstrip())
    return parts


def _clock(left_s: float) -> str:
    """`1:12`, `1:02:09`; no less than nothing."""
    minutes, seconds = divmod(max(0, round(left_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _fitting(parts: Sequence[str], room: Room) -> str:
    """As many of the parts, from the first, as there is room for."""
    kept = [*parts]
    while len(kept) > 1 and len(_GAP.join(kept)) > room.width:
        kept.pop()
    text = _GAP.join(kept)
    return (text if room.unicode else text.replace("\N{MICRO SIGN}s", "us"))[: room.width]
