"""The run over time: one row every sample interval, summed over all shards.

Every shard yields its Tallies in order, each with the part of its window that it tells of; all windows begin together.
A Tally belongs to the row in which its part began. A row ends, as measured, when the first shard has told beyond its
interval, so no row takes the time of another, and the rows add up to the run. A row is closed, and its histogram
forgotten, once no shard can add to it any more: an hour of rows costs an hour of numbers, not an hour of histograms.
"""

from __future__ import annotations

import msgspec

from cannon.tally import Histogram, Row, Tally

__all__ = ["Series", "SeriesRow"]

_EARLY_NS = 1_000_000
"""A tick never comes before its time but for what a timer may round."""


class SeriesRow(msgspec.Struct, frozen=True):
    """One row: `t_s` is its end, in seconds since the start; `window_s` how long it was (the last may be short).

    Requests are whole responses; percentiles are of their response times, and None where there were none. Where
    every shard was held up over whole intervals there is no row for those: the one before is as much longer.
    """

    t_s: float
    window_s: float
    requests: int
    succeeded: int
    failed: int
    bytes: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None


class Series:
    """Rows in the making. `shards`: how many will tell; `row_ns`: the interval, a multiple of a tick."""

    def __init__(self, shards: int, row_ns: int) -> None:
        self.rows: list[SeriesRow] = []
        self._row_ns = row_ns
        self._told_ns: dict[int, int] = dict.fromkeys(range(shards), 0)
        self._furthest_ns = 0
        self._closed_ns = 0
        self._open: dict[int, list[tuple[Row, Histogram]]] = {}
        self._ends_ns: dict[int, int] = {}

    def add(self, shard: int, tally: Tally) -> list[SeriesRow]:
        """The next Tally of a shard; returns the rows that this closed. One without a window is no row's."""
        if tally.row.window_ns:
            began_ns = self._told_ns[shard]
            ended_ns = self._told_ns[shard] = began_ns + tally.row.window_ns
            self._furthest_ns = max(self._furthest_ns, ended_ns)
            durations = tally.response if tally.response.counts else tally.service
            first = self._place(began_ns)
            self._open.setdefault(first, []).append((tally.row, durations))
            for passed in range(first, self._place(ended_ns)):
                self._ends_ns[passed] = min(self._ends_ns.get(passed, ended_ns), ended_ns)
        return self._close()

    def end(self, shard: int) -> list[SeriesRow]:
        """A shard has told all it will; returns the rows that this closed."""
        self._told_ns.pop(shard, None)
        return self._close()

    def _place(self, at_ns: int) -> int:
        """The position of the row in which this moment of the window lies."""
        return (at_ns + _EARLY_NS) // self._row_ns

    def _close(self) -> list[SeriesRow]:
        """Close the rows that every shard still telling has passed."""
        passed = min(map(self._place, self._told_ns.values()), default=None)
        closed: list[SeriesRow] = []
        for place in sorted(self._open):
            if passed is not None and place >= passed:
                break
            parts = self._open.pop(place)
            last = not self._told_ns and not self._open
            closed.append(self._summary(parts, self._furthest_ns if last else self._ends_ns[place]))
        if closed and passed is not None:
            self._ends_ns = {place: ends_ns for place, ends_ns in self._ends_ns.items() if place >= passed}
        self.rows += closed
        return closed

    def _summary(self, parts: list[tuple[Row, Histogram]], ends_ns: int) -> SeriesRow:
        total, durations = Row(), Histogram()
        for row, histogram in parts:
            total, durations = total + row, durations + histogram
        p50_ns, p99_ns = durations.percentiles_ns((50, 99))
        window_ns, self._closed_ns = ends_ns - self._closed_ns, ends_ns
        return SeriesRow(
            t_s=round(ends_ns / 1e9, 6),
            window_s=window_ns / 1e9,
            requests=total.requests,
            succeeded=total.succeeded,
            failed=total.failed,
            bytes=total.received_bytes,
            p50_ms=_ms(p50_ns),
            p99_ms=_ms(p99_ns),
            max_ms=_ms(durations.max_ns),
        )


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6
