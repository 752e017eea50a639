"""How many rounds it takes, and Student's t, against published tables."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.power import LEAST_ROUNDS, rounds_for, rounds_needed, student_quantile

STUDENT = (
    (1, 12.706, 6.314, 1.376),
    (2, 4.303, 2.920, 1.061),
    (3, 3.182, 2.353, 0.978),
    (4, 2.776, 2.132, 0.941),
    (5, 2.571, 2.015, 0.920),
    (9, 2.262, 1.833, 0.883),
    (10, 2.228, 1.812, 0.879),
    (20, 2.086, 1.725, 0.860),
    (30, 2.042, 1.697, 0.854),
    (60, 2.000, 1.671, 0.848),
    (100, 1.984, 1.660, 0.845),
    (120, 1.980, 1.658, 0.845),
    (1_000_000, 1.960, 1.645, 0.842),
)
"""Degrees of freedom, and the quantiles of 97.5, 95 and 80 %."""

widths = st.floats(0.001, 100)


@pytest.mark.parametrize(("degrees", "t_975", "t_95", "t_80"), STUDENT)
def test_student_s_t_is_that_of_the_table(degrees: int, t_975: float, t_95: float, t_80: float) -> None:
    found = [student_quantile(probability, degrees) for probability in (0.975, 0.95, 0.8)]
    assert [round(value, 3) for value in found] == [t_975, t_95, t_80]


@given(st.floats(0.001, 0.999))
def test_for_one_and_two_degrees_it_is_a_closed_formula(probability: float) -> None:
    assert student_quantile(probability, 1) == pytest.approx(
        math.tan(math.pi * (probability - 0.5)), rel=1e-9, abs=1e-12
    )
    around = 2 * probability - 1
    assert student_quantile(probability, 2) == pytest.approx(
        around * math.sqrt(2 / (1 - around**2)), rel=1e-9, abs=1e-12
    )


@given(st.floats(0.001, 0.999), st.integers(1, 300))
def test_it_is_the_same_on_both_sides_of_nothing(probability: float, degrees: int) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(
        -student_quantile(1 - probability, degrees), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("probability", [0.6, 0.8, 0.9, 0.95, 0.975, 0.995])
def test_more_degrees_bring_it_nearer_without_a_jump(probability: float) -> None:
    found = [student_quantile(probability, degrees) for degrees in range(80, 130)]
    steps = [one - other for one, other in pairwise(found)]
    assert all(0 < later < first for first, later in pairwise(steps))


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 9), (1.0, 9), (math.nan, 9), (0.9, 0)])
def test_no_t_without_a_probability_and_a_degree(probability: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="probability lies between"):
        student_quantile(probability, degrees)


@pytest.mark.parametrize(
    ("sd", "change", "rounds"),
    [(5, 5, 10), (10, 5, 34), (0.05, 0.05, 10), (1, 5, 6), (0, 5, 6), (20, 5, 128)],
)
def test_rounds_that_find_a_change(sd: float, change: float, rounds: int) -> None:
    assert rounds_needed(sd, change) == rounds


@given(st.floats(0, 1), st.floats(0.001, 1))
def test_it_is_a_few_more_than_the_normal_says_and_never_under_six(sd: float, change: float) -> None:
    normal = 7.8489 * (sd / change) ** 2
    assert (
        max(LEAST_ROUNDS, normal * 0.9999)
        <= rounds_needed(sd, change)
        <= max(LEAST_ROUNDS, normal * 1.0001 + 4)
    )


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 1), st.floats(0.001, 1))
def test_more_noise_and_smaller_changes_take_more(
    sd: float, other: float, change: float, smaller: float
) -> None:
    assert rounds_needed(min(sd, other), max(change, smaller)) <= rounds_needed(
        max(sd, other), min(change, smaller)
    )


@pytest.mark.parametrize("sd", [1.0, 2.0])
def test_so_many_rounds_do_find_it_four_times_in_five(sd: float) -> None:
    rounds, draw = rounds_needed(sd, 1.0), random.Random(1)
    beyond = student_quantile(0.975, rounds - 1)
    found = 0
    for _ in range(2000):
        values = [draw.gauss(1.0, sd) for _ in range(rounds)]
        found += fmean(values) > beyond * stdev(values) / math.sqrt(rounds)
    # Four SDs of the count about 80 %, and what a round more or less makes.
    assert 1530 <= found <= 1720


@pytest.mark.parametrize(("sd", "change"), [(5, 0), (5, -1), (-1, 5), (5, math.nan)])
def test_nothing_is_no_change_to_be_found(sd: float, change: float) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        rounds_needed(sd, change)


@pytest.mark.parametrize(
    ("half_width", "wanted", "most", "rounds"),
    [
        (6, 3, 40, 40),
        (6, 3, 100, 40),
        (4, 3, 40, 18),
        (3, 3, 40, 10),
        (1, 3, 40, 10),
        (9, 3, 40, 40),
        (0, 3, 40, 10),
    ],
)
def test_the_second_stage_is_as_long_as_the_width_of_the_first_asks(
    half_width: float, wanted: float, most: int, rounds: int
) -> None:
    assert rounds_for(half_width, wanted, 10, most) == rounds


def test_what_is_already_more_than_the_most_stays() -> None:
    assert rounds_for(9, 3, 50, 40) == 50


@given(widths, widths, st.integers(6, 100), st.integers(6, 400))
def test_it_is_never_less_than_there_are_nor_more_than_allowed(
    half_width: float, wanted: float, rounds: int, most: int
) -> None:
    found = rounds_for(half_width, wanted, rounds, most)
    assert rounds <= found <= max(rounds, most)
    if rounds < found < most:
        assert half_width * math.sqrt(rounds / found) <= wanted * (1 + 1e-9)


@pytest.mark.parametrize(("half_width", "wanted"), [(5, 0), (5, -3), (-1, 3), (5, math.nan)])
def test_nothing_is_no_width_to_be_reached(half_width: float, wanted: float) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        rounds_for(half_width, wanted, 10, 40)
