from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantiles import Quantiles, order_statistic, variation

VALUES = st.lists(st.integers(0, 10**12), min_size=1)


@given(VALUES, st.sampled_from([50, 75, 90, 99, 99.9, 100]))
def test_an_order_statistic_is_the_smallest_value_that_so_many_are_not_above(
    values: list[int], percent: float
) -> None:
    found = order_statistic(sorted(values), percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values) - 1e-6
    assert sum(value < found for value in values) * 100 < percent * len(values)


@pytest.mark.parametrize(("percent", "rank"), [(50, 500), (99, 990), (99.9, 999), (100, 1000), (0, 1)])
def test_the_quantiles_of_a_thousand_are_known_ranks(percent: float, rank: int) -> None:
    assert order_statistic(range(1, 1001), percent) == rank


def test_quantiles_are_of_any_order_and_their_difference_is_taken_one_by_one() -> None:
    durations_ns = list(range(1, 1001))
    random.Random(7).shuffle(durations_ns)
    quantiles = Quantiles.of(durations_ns)
    assert list(quantiles) == [500, 990, 999]
    assert list(Quantiles(501, 980, 1999) - quantiles) == [1, -10, 1000]


def test_even_moments_do_not_vary() -> None:
    assert variation(range(0, 1000, 10)) == 0


def test_moments_of_chance_vary_by_one() -> None:
    chance = random.Random(3)
    moments_ns, now = [], 0.0
    for _ in range(20_000):
        now += chance.expovariate(1e-6)
        moments_ns.append(round(now))
    assert variation(moments_ns) == pytest.approx(1, abs=0.03)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_two_times_that_differ_vary_by_their_half_difference_over_their_mean(one: int, other: int) -> None:
    expected = abs(one - other) / (one + other)
    assert math.isclose(variation([0, one, one + other]), expected, abs_tol=1e-9)
