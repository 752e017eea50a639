"""The run over time: one row every sample interval, summed over all shards.

Every shard yields one Tally a tick, in order, so the k-th Tally of each shard tells of the same tick; a row is
the sum of its ticks. A row is closed, and its histogram forgotten, once no shard can add to it any more: an hour
of rows costs an hour of numbers, not an hour of histograms.
"""

from __future__ import annotations

import msgspec

from cannon.tally import Histogram, Row, Tally

__all__ = ["Series", "SeriesRow"]


class SeriesRow(msgspec.Struct, frozen=True):
    """One row: `t_s` is its end, in seconds since the start; `window_s` how long it was (the last may be short).

    Requests are whole responses; percentiles are of their response times, and None where there were none.
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
    """Rows in the making. `shards`: how many will tell; `ticks_per_row`: how many Tallies of each make a row."""

    def __init__(self, shards: int, ticks_per_row: int) -> None:
        self.rows: list[SeriesRow] = []
        self._ticks_per_row = ticks_per_row
        self._heard: dict[int, int] = dict.fromkeys(range(shards), 0)
        self._open: dict[int, list[tuple[int, Row, Histogram]]] = {}

    def add(self, shard: int, tally: Tally) -> list[SeriesRow]:
        """The next Tally of a shard; returns the rows that this closed. One without a window is no row's."""
        if tally.row.window_ns:
            index = self._heard[shard] // self._ticks_per_row
            durations = tally.response if tally.response.counts else tally.service
            self._open.setdefault(index, []).append((shard, tally.row, durations))
            self._heard[shard] += 1
        return self._close()

    def end(self, shard: int) -> list[SeriesRow]:
        """A shard has told all it will; returns the rows that this closed."""
        self._heard.pop(shard, None)
        return self._close()

    def _close(self) -> list[SeriesRow]:
        """Close the rows that every shard still telling has passed."""
        passed = min(self._heard.values(), default=None)
        closed: list[SeriesRow] = []
        while len(self.rows) in self._open and (
            passed is None or passed >= (len(self.rows) + 1) * self._ticks_per_row
        ):
            row = self._summary(self._open.pop(len(self.rows)))
            self.rows.append(row)
            closed.append(row)
        return closed

    def _summary(self, parts: list[tuple[int, Row, Histogram]]) -> SeriesRow:
        window_ns: dict[int, int] = {}
        total, durations = Row(), Histogram()
        for shard, row, histogram in parts:
            window_ns[shard] = window_ns.get(shard, 0) + row.window_ns
            total, durations = total + row, durations + histogram
        p50_ns, p99_ns = durations.percentiles_ns((50, 99))
        window_s = max(window_ns.values()) / 1e9
        return SeriesRow(
            t_s=round((self.rows[-1].t_s if self.rows else 0.0) + window_s, 6),
            window_s=window_s,
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
