"""Rows are the sums of ticks, closed in order, whoever tells first, and they add up to the run."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cannon.series import Series, SeriesRow
from cannon.tally import Histogram, Row, Tally

SECOND_NS = 1_000_000_000


def _tick(requests: int, window_ns: int = SECOND_NS, duration_ns: int = 1_000_000) -> Tally:
    return Tally(
        whole=Histogram.of(*[duration_ns] * requests),
        row=Row(window_ns, requests, requests, 0, requests * 100),
    )


def test_a_row_of_one_shard_closes_at_once() -> None:
    series = Series(1, SECOND_NS)
    (row,) = series.add(0, _tick(5))
    assert (row.t_s, row.window_s, row.requests, row.bytes) == (1.0, 1.0, 5, 500)
    assert row.p50_ms is not None and 1.0 <= row.p50_ms <= 1.002


def test_a_row_waits_for_every_shard() -> None:
    series = Series(2, SECOND_NS)
    assert series.add(0, _tick(5)) == []
    assert series.add(0, _tick(1)) == []
    (row,) = series.add(1, _tick(3))
    assert row.requests == 8
    assert row.window_s == 1.0


def test_ticks_are_gathered_into_rows_of_the_sample_interval() -> None:
    series = Series(1, 3 * SECOND_NS)
    assert series.add(0, _tick(1)) == []
    assert series.add(0, _tick(2)) == []
    (row,) = series.add(0, _tick(3))
    assert (row.t_s, row.requests) == (3.0, 6)


def test_the_last_row_may_be_short_and_the_drain_belongs_to_none() -> None:
    series = Series(1, SECOND_NS)
    series.add(0, _tick(4))
    assert series.add(0, _tick(2, window_ns=SECOND_NS // 2)) == []
    assert series.add(0, Tally(whole=Histogram.of(5), sent=1)) == []
    assert len(series.end(0)) == 1
    assert [(row.t_s, row.window_s, row.requests) for row in series.rows] == [(1.0, 1.0, 4), (1.5, 0.5, 2)]


def test_a_lost_shard_holds_no_row_back() -> None:
    series = Series(2, SECOND_NS)
    series.add(0, _tick(5))
    series.add(0, _tick(5))
    assert [row.requests for row in series.end(1)] == [5, 5]


def test_a_second_without_responses_has_no_percentiles() -> None:
    series = Series(1, SECOND_NS)
    (row,) = series.add(0, _tick(0))
    assert (row.requests, row.p50_ms, row.p99_ms, row.max_ms) == (0, None, None, None)


def test_a_row_ends_as_measured_when_the_first_shard_has_told_beyond_it() -> None:
    series = Series(2, SECOND_NS)
    series.add(0, _tick(5, window_ns=SECOND_NS + 2_000_000))
    (row,) = series.add(1, _tick(5, window_ns=SECOND_NS + 1_000_000))
    assert (row.t_s, row.window_s) == (1.001, 1.001)


def test_a_shard_that_was_held_up_takes_no_time_from_the_others() -> None:
    series = Series(2, SECOND_NS)
    # Shard 1 was stopped from 1.5 to 4.2, then told four ticks at once.
    for window_ns in (SECOND_NS, 3_200_000_000, 50_000, 50_000, 799_900_000):
        series.add(1, _tick(10, window_ns=window_ns))
    for _ in range(5):
        series.add(0, _tick(100))
    for shard in (0, 1):
        series.end(shard)
    assert [(row.t_s, row.requests) for row in series.rows] == [
        (1.0, 110),
        (2.0, 110),
        (3.0, 100),
        (4.0, 100),
        (5.0, 130),
    ]


def test_where_every_shard_was_held_up_a_row_is_longer() -> None:
    series = Series(1, SECOND_NS)
    for window_ns in (SECOND_NS, 3_200_000_000, 50_000, 50_000, 799_900_000):
        series.add(0, _tick(10, window_ns=window_ns))
    series.end(0)
    assert [(row.t_s, row.requests) for row in series.rows] == [(1.0, 10), (4.2, 10), (5.0, 30)]


def test_a_timer_that_rings_a_hair_early_moves_no_tick_into_another_row() -> None:
    series = Series(1, SECOND_NS)
    for window_ns in (SECOND_NS - 1_000, SECOND_NS, SECOND_NS):
        series.add(0, _tick(10, window_ns=window_ns))
    assert [row.requests for row in series.rows] == [10, 10, 10]


_windows = st.lists(
    st.integers(0, 40_000_000) | st.integers(0, 5 * SECOND_NS).filter(lambda late_ns: late_ns > 0), max_size=8
)


@given(st.lists(_windows, min_size=1, max_size=4), st.randoms(use_true_random=False), st.integers(1, 3))
def test_rows_add_up_to_the_run_however_shards_were_held_up(
    delays_ns: list[list[int]], order: random.Random, ticks: int
) -> None:
    """Each shard ticks once a second, each tick late by some delay; they tell in any order."""
    told: list[tuple[int, int]] = []
    latest_ns = 0
    for shard, delays in enumerate(delays_ns):
        at_ns = 0
        for number, delay_ns in enumerate(delays, start=1):
            until_ns = max(at_ns + 50_000, number * SECOND_NS + delay_ns)
            told.append((shard, until_ns - at_ns))
            at_ns = until_ns
        latest_ns = max(latest_ns, at_ns - len(delays) * SECOND_NS)
    windows = [[window for each, window in told if each == shard] for shard in range(len(delays_ns))]
    series = Series(len(windows), ticks * SECOND_NS)
    heard: list[SeriesRow] = []
    waiting = {shard: list(parts) for shard, parts in enumerate(windows)}
    while waiting:
        shard = order.choice(sorted(waiting))
        if waiting[shard]:
            heard += series.add(shard, _tick(1, window_ns=waiting[shard].pop(0)))
        else:
            del waiting[shard]
            heard += series.end(shard)
    furthest_ns = max(map(sum, windows))
    assert heard == series.rows
    assert sum(row.requests for row in heard) == len(told)
    rows_ns = sum(round(row.window_s * 1e9) for row in heard)
    # A whole last row ends when the first shard has told it, and others may be a little behind.
    assert 0 <= furthest_ns - rows_ns <= latest_ns
    assert len(windows) > 1 or rows_ns == furthest_ns
    assert all(row.window_s > 0 for row in heard)
    assert all(one.t_s < other.t_s for one, other in pairwise(heard))
