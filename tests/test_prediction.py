"""How far the next run strays is what it is said to be: by the formula, and by chance itself."""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.prediction import LEAST, reach

STUDENT_95 = {2: 6.314, 3: 2.920, 4: 2.353, 5: 2.132, 6: 2.015, 10: 1.833, 21: 1.725, 31: 1.697}
"""The quantile of 95 % of Student's t, as it is printed, for so many earlier values."""

MANY = 4000
earlier_values = st.lists(st.floats(-100, 100), min_size=2, max_size=20)


def spread_out(count: int) -> list[float]:
    """So many values with the mean 0 and the standard deviation 1."""
    values = [float(index) for index in range(count)]
    middle = fmean(values)
    sd = math.sqrt(sum((value - middle) ** 2 for value in values) / (count - 1))
    return [(value - middle) / sd for value in values]


@pytest.mark.parametrize("count", STUDENT_95)
def test_the_reach_is_that_of_the_formula_and_of_the_printed_table(count: int) -> None:
    found = reach(spread_out(count))
    assert found == pytest.approx(STUDENT_95[count] * math.sqrt(1 + 1 / count), abs=0.0006)


def test_two_sides_reach_as_far_as_the_table_says() -> None:
    assert reach(spread_out(5), 0.975) == pytest.approx(2.776 * math.sqrt(1.2), abs=0.0006)


@pytest.mark.parametrize("count", [LEAST, 10])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_of_runs_that_differ_by_chance_so_many_go_beyond_it_as_it_says(count: int, confidence: float) -> None:
    draw = random.Random(20 + count)
    beyond = 0
    for _ in range(MANY):
        *earlier, new = (draw.gauss(3, 0.1) for _ in range(count + 1))
        beyond += new - fmean(earlier) > reach(earlier, confidence)
    expected = MANY * (1 - confidence)
    assert abs(beyond - expected) < 2.6 * math.sqrt(expected * confidence)


@given(earlier_values)
def test_runs_that_do_not_differ_reach_nowhere_and_others_somewhere(earlier: list[float]) -> None:
    assert (reach(earlier) > 0) is (len(set(earlier)) > 1)


@given(earlier_values, st.floats(-100, 100), st.floats(0.01, 100))
def test_the_reach_moves_with_the_spread_and_not_with_the_place(
    earlier: list[float], place: float, times: float
) -> None:
    moved = [place + times * value for value in earlier]
    assert reach(moved) == pytest.approx(times * reach(earlier), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("earlier", [[], [1.0]])
def test_one_value_tells_nothing_of_the_next(earlier: list[float]) -> None:
    with pytest.raises(ValueError, match="one value does not tell"):
        reach(earlier)


@pytest.mark.parametrize("confidence", [0.0, 0.4, 1.0, math.nan])
def test_a_confidence_lies_between_a_half_and_one(confidence: float) -> None:
    with pytest.raises(ValueError, match="a confidence lies between"):
        reach([1, 2], confidence)
