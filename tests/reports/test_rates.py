"""Rates per second: every row by its own window, the mean over the whole time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.reports.rates import Rates, byte_rates, request_rates, sampled
from cannon.tally import Row
from tests.results import a_plan, a_result, a_row, a_tally


def test_a_row_counts_by_its_own_window() -> None:
    result = a_result(series=[a_row(50, window_s=0.5), a_row(100)])
    assert request_rates(result).percentiles == (100, 100, 100, 100)
    assert byte_rates(result).least == 10_000


def test_a_sample_interval_other_than_a_second_still_gives_rates_per_second() -> None:
    result = a_result(plan=a_plan(sample_ns=100_000_000), series=[a_row(10, window_s=0.1)] * 5)
    assert request_rates(result).least == pytest.approx(100)


@pytest.mark.parametrize(("last_s", "kept"), [(0.49, 2), (0.5, 3), (1.0, 3)])
def test_a_last_row_counts_from_half_an_interval_on(last_s: float, kept: int) -> None:
    assert len(sampled([a_row(10), a_row(10), a_row(1, window_s=last_s)], interval_s=1.0)) == kept


def test_a_short_row_counts_when_it_is_the_only_one() -> None:
    assert request_rates(a_result(series=[a_row(3, window_s=0.01)])).least == pytest.approx(300)


def test_the_mean_is_the_total_over_the_time_and_no_mean_of_samples() -> None:
    tally = a_tally(row=Row(window_ns=2_000_000_000, requests=300, received_bytes=5_000))
    result = a_result(tally=tally, duration_ns=2_000_000_000, series=[a_row(300), a_row(0, window_s=0.1)])
    assert request_rates(result).mean == 150
    assert byte_rates(result).mean == 2_500


def test_without_rows_there_is_nothing_to_tell() -> None:
    assert Rates.of([], None) == Rates(
        percentiles=(None, None, None, None), mean=None, stddev=None, least=None, samples=0
    )


def test_one_sample_has_no_spread() -> None:
    assert Rates.of([5.0], 5.0).stddev is None


def test_the_spread_is_that_of_the_samples() -> None:
    assert Rates.of([2, 4, 4, 4, 5, 5, 7, 9], 5).stddev == 2


@given(st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=300))
def test_percentiles_are_samples_and_never_fall(rates: list[float]) -> None:
    found = Rates.of(rates, None)
    values = [value for value in found.percentiles if value is not None]
    assert values == sorted(values)
    assert set(values) <= set(rates)
    assert found.least == min(rates)
