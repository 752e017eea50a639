"""Law 3: a Tally has a zero, + is associative and commutative, bytes round-trip. Law 7: what was measured stays."""

from __future__ import annotations

import math

import msgspec
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import Fault
from cannon.tally import Example, Histogram, Tally
from tests.strategies import histograms, tallies

durations_ns = st.integers(0, 3_600_000_000_000)
PERCENTILES = (1, 2.5, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.9, 99.99, 99.999, 100)


@given(tallies)
def test_a_tally_plus_zero_is_itself(tally: Tally) -> None:
    assert tally + Tally() == tally
    assert Tally() + tally == tally


@given(tallies, tallies)
def test_addition_commutes(one: Tally, other: Tally) -> None:
    assert one + other == other + one


@given(tallies, tallies, tallies)
def test_addition_associates(one: Tally, two: Tally, three: Tally) -> None:
    assert (one + two) + three == one + (two + three)


@given(tallies)
def test_bytes_round_trip(tally: Tally) -> None:
    assert Tally.from_bytes(tally.to_bytes()) == tally


def test_bytes_that_are_no_tally_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        Tally.from_bytes(msgspec.msgpack.encode({"sent": "many"}))


@given(tallies)
def test_a_shard_that_was_cut_off_still_adds_up(tally: Tally) -> None:
    cut = tally.cut_off()
    assert cut.sent == cut.completed + cut.failed + cut.in_flight
    assert cut.attempted == cut.made + cut.connects_failed + cut.connecting


def test_of_two_examples_the_earliest_is_kept_and_then_the_first_by_text() -> None:
    late = Tally(examples={Fault.RESET: Example(9, "a")})
    early = Tally(examples={Fault.RESET: Example(2, "z")})
    same = Tally(examples={Fault.RESET: Example(2, "b")})
    assert (late + early + same).examples == {Fault.RESET: Example(2, "b")}


@given(st.lists(durations_ns, min_size=1, max_size=300))
def test_a_quantile_is_at_most_a_thousandth_or_64_ns_above_the_exact_order_statistic(
    values: list[int],
) -> None:
    histogram = Histogram.of(*values)
    ordered = sorted(values)
    for percentile in PERCENTILES:
        rank = max(1, math.ceil(percentile * len(ordered) / 100 - 1e-9))
        exact = ordered[rank - 1]
        found = histogram.percentile_ns(percentile)
        assert found is not None
        assert exact <= found <= exact + max(64, exact / 1000)


@given(st.lists(durations_ns, min_size=1, max_size=200))
def test_what_is_reported_agrees_with_hdrhistogram(values: list[int]) -> None:
    ours = Histogram.of(*values)
    theirs = HdrHistogram.decode(ours.encode())
    assert theirs.get_total_count() == len(values)
    for percentile in (50, 90, 99, 100):
        rank = math.ceil(percentile * len(values) / 100)
        # The library rounds the rank to the nearest, so it is asked for the middle of the rank that is meant.
        assert theirs.get_value_at_percentile((rank - 0.25) / len(values) * 100) == ours.percentile_ns(
            percentile
        )


@given(histograms)
def test_an_encoded_histogram_reads_back_as_the_same(histogram: Histogram) -> None:
    small = Histogram({unit % (1 << 40): min(count, 1000) for unit, count in histogram.counts.items()})
    assert Histogram.decode(small.encode()) == small


@given(st.lists(durations_ns, min_size=1), st.lists(durations_ns))
def test_a_sum_of_histograms_is_the_histogram_of_all(one: list[int], other: list[int]) -> None:
    assert Histogram.of(*one) + Histogram.of(*other) == Histogram.of(*one, *other)
    assert hash(Histogram.of(*one)) == hash(Histogram.of(*reversed(one)))


@given(st.lists(st.integers(1_000_000, 10_000_000_000), min_size=1))
def test_mean_and_deviation_are_those_of_the_values(values: list[int]) -> None:
    histogram = Histogram.of(*values)
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    assert histogram.mean_ns == pytest.approx(mean, rel=1e-3)
    assert histogram.stddev_ns == pytest.approx(deviation, abs=mean * 2e-3 + deviation * 2e-3)
    assert histogram.min_ns is not None and histogram.max_ns is not None
    assert histogram.min_ns <= min(values) <= max(values) <= histogram.max_ns


def test_an_empty_histogram_has_nothing_to_tell() -> None:
    empty = Histogram()
    assert (empty.min_ns, empty.max_ns, empty.mean_ns, empty.stddev_ns, empty.percentile_ns(50)) == (
        None,
    ) * 5
    assert empty.count == 0


@given(st.lists(st.integers(0, 3_600_000_000_000), min_size=1, max_size=50))
def test_memory_is_bounded_by_the_range_of_the_values(values: list[int]) -> None:
    histogram = Histogram()
    for value in values:
        histogram += Histogram.of(*(value + step for step in range(0, 500_000, 1_000)))
    assert all(
        unit.bit_length() <= 11 or unit % (1 << unit.bit_length() - 11) == 0 for unit in histogram.counts
    )
