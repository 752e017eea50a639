from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.verdict import Change
from intervals import Misses, lies, most_by_chance


@pytest.mark.parametrize(("count", "most"), [(200, 18), (400, 31), (1_000, 67)])
def test_more_misses_than_these_come_by_chance_less_than_once_in_a_hundred(count: int, most: int) -> None:
    assert most_by_chance(count) == most


def test_of_forty_intervals_thirty_five_must_hold_the_truth() -> None:
    assert 40 - most_by_chance(40, 0.025) == 35


@given(st.integers(1, 300), st.sampled_from([0.01, 0.025, 0.1]))
def test_the_count_is_the_smallest_that_is_not_too_likely_to_be_exceeded(count: int, chance: float) -> None:
    def beyond(most: int) -> float:
        return sum(comb(count, k) * 0.05**k * 0.95 ** (count - k) for k in range(most + 1, count + 1))

    most = most_by_chance(count, chance)
    assert beyond(most) <= chance + 1e-9
    assert most == 0 or beyond(most - 1) > chance - 1e-9


@pytest.mark.parametrize(
    ("low", "high", "place"), [(1.0, 2.0, 1), (-2.0, -1.0, -1), (-1.0, 1.0, 0), (0.0, 1.0, 0), (-1.0, 0.0, 0)]
)
def test_an_interval_lies_above_or_below_the_truth_or_holds_it_with_its_ends(
    low: float, high: float, place: int
) -> None:
    assert lies(Change((low + high) / 2, low, high), 0.0) == place


def test_misses_are_counted_by_their_side() -> None:
    misses = Misses.of([0, 1, 0, -1, 1, 0])
    assert (misses.count, misses.below, misses.above) == (6, 1, 2)
    assert (misses.missed, misses.held) == (3, 3)
    assert str(misses) == "3 (1 below, 2 above)"
