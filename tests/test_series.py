"""Rows are the sums of ticks, closed in order, whoever tells first."""

from __future__ import annotations

from cannon.series import Series
from cannon.tally import Histogram, Row, Tally

SECOND_NS = 1_000_000_000


def _tick(requests: int, window_ns: int = SECOND_NS, duration_ns: int = 1_000_000) -> Tally:
    return Tally(
        whole=Histogram.of(*[duration_ns] * requests),
        row=Row(window_ns, requests, requests, 0, requests * 100),
    )


def test_a_row_of_one_shard_closes_at_once() -> None:
    series = Series(1, 1)
    (row,) = series.add(0, _tick(5))
    assert (row.t_s, row.window_s, row.requests, row.bytes) == (1.0, 1.0, 5, 500)
    assert row.p50_ms is not None and 1.0 <= row.p50_ms <= 1.002


def test_a_row_waits_for_every_shard() -> None:
    series = Series(2, 1)
    assert series.add(0, _tick(5)) == []
    assert series.add(0, _tick(1)) == []
    (row,) = series.add(1, _tick(3))
    assert row.requests == 8
    assert row.window_s == 1.0


def test_ticks_are_gathered_into_rows_of_the_sample_interval() -> None:
    series = Series(1, 3)
    assert series.add(0, _tick(1)) == []
    assert series.add(0, _tick(2)) == []
    (row,) = series.add(0, _tick(3))
    assert (row.t_s, row.requests) == (3.0, 6)


def test_the_last_row_may_be_short_and_the_drain_belongs_to_none() -> None:
    series = Series(1, 1)
    series.add(0, _tick(4))
    series.add(0, _tick(2, window_ns=SECOND_NS // 2))
    assert series.add(0, Tally(whole=Histogram.of(5), sent=1)) == []
    assert series.end(0) == []
    assert [(row.t_s, row.window_s, row.requests) for row in series.rows] == [(1.0, 1.0, 4), (1.5, 0.5, 2)]


def test_a_lost_shard_holds_no_row_back() -> None:
    series = Series(2, 1)
    series.add(0, _tick(5))
    series.add(0, _tick(5))
    assert [row.requests for row in series.end(1)] == [5, 5]


def test_a_second_without_responses_has_no_percentiles() -> None:
    series = Series(1, 1)
    (row,) = series.add(0, _tick(0))
    assert (row.requests, row.p50_ms, row.p99_ms, row.max_ms) == (0, None, None, None)
