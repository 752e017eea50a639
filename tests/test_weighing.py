"""A value, its bound and its ends: by the formulas, exact where they are, and as often right as they say."""

from __future__ import annotations

import math
import random
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.gate_grammar import parse
from cannon.gates import Gate, Reference
from cannon.samples import Sample
from cannon.weighing import Weighed, against_literal, against_overheads, against_runs, against_side
from tests.gated import SIDES

T_95_4 = 2.1318468
"""Of Student's t with four degrees of freedom."""

MANY = 1000
MOST_OUTSIDE = 67
"""Of MANY ends that hold with 95 %, so many may not: more do not once in a hundred such tests."""

ROUNDS = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
TEN_PERCENT = 1.1

positive = st.floats(0.001, 1e6)
values = st.lists(positive, min_size=1, max_size=12)


def referring(text: str) -> tuple[Gate, Reference]:
    gate = parse(text, SIDES)
    assert isinstance(gate.bound, Reference)
    return gate, gate.bound


def beside(text: str, own: list[float], other: list[float]) -> Weighed:
    return against_side(*referring(text), Sample(tuple(own)), Sample(tuple(other)))


def after(text: str, value: float, earlier: list[float]) -> Weighed:
    return against_runs(*referring(text), Sample((value,)), [Sample((each,)) for each in earlier])


def test_a_run_is_a_point() -> None:
    assert against_literal(Sample((12.5,)), 10.0) == Weighed(value=12.5, bound=10.0)


def test_rounds_have_the_ends_of_the_signed_rank_interval_of_90_percent() -> None:
    # The third of 21 Walsh averages from either end.
    found = against_literal(Sample(tuple(ROUNDS)), 10.0)
    assert (found.value, found.low, found.high, found.by) == (12.5, 11.0, 14.0, "6 rounds")
    assert found.notes == ()


def test_fewer_than_six_rounds_are_a_point_and_it_is_said_so() -> None:
    found = against_literal(Sample(tuple(ROUNDS[:5])), 10.0)
    assert (found.value, found.low, found.high) == (12.0, None, None)
    assert found.notes == ("judged as a point value: an interval takes 6 rounds, and there were 5",)


def test_a_side_is_set_against_another_round_by_round_and_told_beside_its_middle() -> None:
    found = beside("p99 < direct + 2ms", [each + 1 for each in ROUNDS], ROUNDS)
    assert (found.bound, found.origin) == (14.5, "direct 12.5 ms + 2.00 ms")
    assert (found.value, found.low, found.high) == (13.5, 13.5, 13.5)


def test_with_an_allowance_in_percent_the_rounds_are_apart_by_factors() -> None:
    found = beside("p99 < direct + 10%", [each * 1.2 for each in ROUNDS], ROUNDS)
    assert found.bound == pytest.approx(12.5 * TEN_PERCENT)
    assert found.value == pytest.approx(12.5 * 1.2)
    assert [found.low, found.high] == pytest.approx([found.value, found.value])


@pytest.mark.parametrize("text", ["p99 <= direct", "p99 <= direct + 0ms", "p99 <= direct + 0%"])
@given(values=values)
def test_sides_that_are_equal_are_equal_to_the_last_digit(text: str, values: list[float]) -> None:
    found = beside(text, values, values)
    assert found.value == found.bound
    assert {found.low, found.high} <= {found.bound, None}


@pytest.mark.parametrize("text", ["p99 <= base", "p99 <= base + 0ms", "p99 <= base + 0%"])
@given(value=positive, count=st.integers(1, 9))
def test_runs_that_are_equal_are_equal_to_the_last_digit(text: str, value: float, count: int) -> None:
    found = after(text, value, [value] * count)
    assert found.value == found.bound == value
    assert (found.low, found.high) == ((None, None) if count < 5 else (value, value))


def test_a_value_that_is_0_has_no_factor_and_is_apart_by_how_much() -> None:
    found = beside("rps > direct - 10%", [0.0] * 6, [100.0] * 6)
    assert (found.value, found.bound, found.low, found.high) == (0.0, 90.0, 0.0, 0.0)
    assert after("rps > base - 10%", 0.0, [100.0]).value == 0.0
    assert after("rps > base - 10%", 5.0, [0.0]).bound == 0.0


def test_totals_are_points() -> None:
    found = beside("bytes < direct + 5%", [190.0], [178.0])
    assert (found.value, found.low, found.notes) == (190.0, None, ())
    assert found.bound == pytest.approx(186.9)


def test_shares_lie_between_what_the_rounds_tell_and_what_was_counted() -> None:
    gate, reference = referring("errors < direct + 0.1%")
    own = Sample((1.0,), (0.0,) * 9 + (10.0,))
    other = Sample((0.0,), (0.0,) * 10)
    found = against_side(gate, reference, own, other)
    # One heap of errors in ten rounds: it was counted, and may be chance.
    assert (found.value, found.bound, found.low, found.high) == (1.0, 0.1, 0.0, 1.0)
    assert found.by == "10 rounds"
    steady = against_side(gate, reference, Sample((1.0,), (1.0,) * 10), other)
    assert (steady.low, steady.high) == (1.0, 1.0)


def test_shares_of_fewer_than_six_rounds_are_points() -> None:
    gate, reference = referring("errors < direct + 0.1%")
    few = Sample((1.0,), (1.0,) * 5)
    assert against_side(gate, reference, few, few).low is None


BASELINES = [10.0, 10.4, 9.8, 10.1, 9.9]


def test_five_baselines_give_the_prediction_interval_of_ratios() -> None:
    found = after("p99 < base + 10%", 12.0, BASELINES)
    logs = [math.log(each) for each in BASELINES]
    stray = T_95_4 * stdev(logs) * math.sqrt(1.2)
    assert found.value == 12.0
    assert found.bound == pytest.approx(math.exp(fmean(logs)) * TEN_PERCENT)
    assert found.low == pytest.approx(12.0 * math.exp(-stray), rel=1e-6)
    assert found.high == pytest.approx(12.0 * math.exp(stray), rel=1e-6)
    assert (found.by, found.notes) == ("5 baselines", ("5 baselines",))
    assert found.origin == "base 10.0 ms + 10%"


def test_with_an_allowance_in_ms_it_is_that_of_differences() -> None:
    found = after("p99 < base + 2ms", 12.0, BASELINES)
    stray = T_95_4 * stdev(BASELINES) * math.sqrt(1.2)
    assert found.bound == pytest.approx(fmean(BASELINES) + 2)
    assert [found.low, found.high] == pytest.approx([12.0 - stray, 12.0 + stray], rel=1e-6)


@pytest.mark.parametrize(
    ("count", "note"),
    [
        (1, "judged as a point value: 1 baseline does not tell chance from change, and 5 do"),
        (4, "judged as a point value: 4 baselines do not tell chance from change, and 5 do"),
    ],
)
def test_fewer_than_five_baselines_are_a_point_and_it_is_said_so(count: int, note: str) -> None:
    found = after("p99 < base + 10%", 12.0, BASELINES[:count])
    assert (found.value, found.low, found.high, found.notes) == (12.0, None, None, (note,))


def test_rounds_keep_their_ends_beside_few_baselines_and_that_is_said_too() -> None:
    gate, reference = referring("p99@direct < base + 10%")
    found = against_runs(gate, reference, Sample(tuple(ROUNDS)), [Sample(tuple(ROUNDS))])
    assert found.low is not None and found.high is not None
    assert found.low < found.value < found.high
    assert found.notes == ("1 baseline does not tell chance from change, and 5 do",)
    few = against_runs(gate, reference, Sample((10.0, 11.0)), [Sample((10.0, 11.0))])
    assert few.notes == (
        "judged as a point value: an interval takes 6 rounds, and there were 2",
        "1 baseline does not tell chance from change, and 5 do",
    )


def test_ends_are_those_of_the_rounds_or_of_the_baselines_whichever_lie_farther_apart() -> None:
    gate, reference = referring("p99@direct < base + 10%")
    steady, shaky = Sample((12.0,) * 6), Sample(tuple(ROUNDS))
    apart = [Sample((each,)) for each in BASELINES]
    alike = [Sample((12.0,))] * 5
    assert against_runs(gate, reference, steady, apart).by == "5 baselines"
    assert against_runs(gate, reference, shaky, alike).by == "6 rounds"


def overheads(text: str, today: tuple[float, float], earlier: list[tuple[float, float]]) -> Weighed:
    """Six equal rounds each: first the side, then the one it is set upon."""
    pairs = [(Sample((side,) * 6), Sample((first,) * 6)) for side, first in (today, *earlier)]
    return against_overheads(*referring(text), pairs[0], pairs[1:], "direct")


def test_what_a_side_takes_beyond_the_first_one_carries_over_to_a_slower_machine() -> None:
    # Twice as slow a machine, and the same overhead: 20 % on top.
    found = overheads("p99 < base + 5%", (24.0, 20.0), [(12.0, 10.0)] * 5)
    assert found.value == pytest.approx(24.0)
    assert found.bound == pytest.approx(24.0 * 1.05)
    assert found.origin == "base 24.0 ms + 5%, where direct is 20.0 ms"


def test_an_allowance_in_ms_is_of_the_ms_that_are_added() -> None:
    found = overheads("p99 < base + 1ms", (23.0, 20.0), [(12.0, 10.0)] * 5)
    assert [found.value, found.bound] == pytest.approx([23.0, 20.0 + 2.0 + 1.0])


def test_overheads_that_stray_from_run_to_run_have_the_ends_that_they_foretell() -> None:
    factors = [1.2, 1.25, 1.15, 1.22, 1.18]
    found = overheads("p99 < base + 5%", (13.0, 10.0), [(10 * factor, 10.0) for factor in factors])
    stray = T_95_4 * stdev([math.log(factor) for factor in factors]) * math.sqrt(1.2)
    ends = [13.0 * math.exp(-stray), 13.0 * math.exp(stray)]
    assert [found.low, found.high] == pytest.approx(ends, rel=1e-6)


def test_who_was_limited_is_told() -> None:
    gate, reference = referring("p99 < direct + 10%")
    fine, limited = Sample((10.0,) * 6), Sample((10.0,) * 6, limited=True)
    assert against_literal(limited, 10.0).limited
    found = against_side(gate, reference, fine, limited)
    assert (found.limited, found.bound_limited) == (False, "direct")
    gate, reference = referring("p99 < base + 10%")
    assert against_runs(gate, reference, limited, [fine]).limited
    assert against_runs(gate, reference, fine, [limited, limited, fine]).bound_limited == "base"
    assert not against_runs(gate, reference, fine, [limited, fine]).bound_limited


@given(
    st.lists(st.floats(1e-300, 1e18), min_size=1, max_size=8),
    st.lists(st.floats(0, 1e18), min_size=1, max_size=8),
    st.sampled_from(["p99 < base + 10%", "p99 < base", "rps > base - 99%", "p99 < base + 5s"]),
)
def test_whatever_was_measured_the_figures_are_numbers_in_their_order(
    own: list[float], earlier: list[float], text: str
) -> None:
    gate, reference = referring(text)
    found = against_runs(gate, reference, Sample(tuple(own)), [Sample((each,)) for each in earlier])
    assert math.isfinite(found.value) and math.isfinite(found.bound)
    if found.low is not None and found.high is not None:
        assert math.isfinite(found.low) and math.isfinite(found.high)
        assert found.low <= found.value * (1 + 1e-9)
        assert found.value <= found.high * (1 + 1e-9)


def test_each_end_of_a_side_holds_as_often_as_it_says() -> None:
    draw = random.Random(41)
    below = above = 0
    for _ in range(MANY):
        first = [10 * math.exp(draw.gauss(0, 0.1)) for _ in range(10)]
        own = [each * 1.1 * math.exp(draw.gauss(0, 0.05)) for each in first]
        found = beside("p99 < direct + 10%", own, first)
        assert found.low is not None and found.high is not None
        below += found.bound < found.low
        above += found.bound > found.high
    assert max(below, above) <= MOST_OUTSIDE


def test_each_end_of_a_run_after_five_holds_as_often_as_it_says() -> None:
    draw = random.Random(43)
    below = above = 0
    for _ in range(MANY):
        value, *earlier = (10 * math.exp(draw.gauss(0, 0.08)) for _ in range(6))
        found = after("p99 < base + 10%", value * TEN_PERCENT, earlier)
        assert found.low is not None and found.high is not None
        below += found.bound < found.low
        above += found.bound > found.high
    assert max(below, above) <= MOST_OUTSIDE
    assert min(below, above) > MANY * 0.05 - (MOST_OUTSIDE - MANY * 0.05)
