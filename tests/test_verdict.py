"""What is made of a change in percent, and what is said where it is open."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.verdict import Change, Verdict, judged

HIGHER, LOWER, EQUIVALENT, UNCERTAIN, INCONCLUSIVE = Verdict
SPREAD = [-0.05, 0.05] * 5
"""ln(B / A) of ten rounds, with an SD of 5.27 %."""


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (36.0, 41.0, HIGHER),
        (5.1, 60.0, HIGHER),
        (-26.0, -23.0, LOWER),
        (-60.0, -5.1, LOWER),
        (-1.0, 1.0, EQUIVALENT),
        (-5.0, 5.0, EQUIVALENT),
        (1.0, 4.0, EQUIVALENT),
        (-4.0, -1.0, EQUIVALENT),
        (0.1, 5.1, UNCERTAIN),
        (5.0, 9.0, UNCERTAIN),
        (-9.0, -0.1, UNCERTAIN),
        (-0.1, 5.1, INCONCLUSIVE),
        (-9.0, 4.0, INCONCLUSIVE),
        (-9.0, 9.0, INCONCLUSIVE),
        (0.0, 9.0, INCONCLUSIVE),
    ],
)
def test_an_interval_beside_nothing_and_beside_a_margin_of_5_percent(
    low: float, high: float, verdict: Verdict
) -> None:
    assert judged(Change((low + high) / 2, low, high), SPREAD, 0.05, 10)[0] is verdict


@pytest.mark.parametrize(("margin", "verdict"), [(0.01, HIGHER), (0.03, UNCERTAIN), (0.04, EQUIVALENT)])
def test_the_margin_is_the_one_that_was_asked(margin: float, verdict: Verdict) -> None:
    assert judged(Change(3, 2, 4), SPREAD, margin, 10)[0] is verdict


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [
        (0.1, 5.1, "higher, size uncertain"),
        (-9.0, -0.1, "lower, size uncertain"),
        (36.0, 41.0, ""),
        (-41.0, -36.0, ""),
        (-1.0, 1.0, ""),
    ],
)
def test_a_change_of_open_size_has_its_direction_told(low: float, high: float, reason: str) -> None:
    assert judged(Change((low + high) / 2, low, high), SPREAD, 0.05, 10)[1] == reason


@pytest.mark.parametrize(
    ("spread", "rounds"), [(0.06, "15"), (0.1, "37"), (0.25, "220"), (1.0, "3,500"), (2.0, "14,000")]
)
def test_what_cannot_be_told_says_how_many_rounds_would(spread: float, rounds: str) -> None:
    logs = [-spread, spread] * 5
    assert judged(Change(0, -9, 9), logs, 0.05, 10)[1] == f"cannot tell: would need about {rounds} rounds"


def test_where_there_were_enough_as_a_rule_it_takes_so_many_as_narrow_this_one() -> None:
    # An SD of 3.2 % takes 6 rounds, and there were 10. A half-width of 3.5 has to become 2.5.
    logs = [-0.03, 0.03] * 5
    assert judged(Change(2.5, -1, 6), logs, 0.05, 10)[1] == "cannot tell: would need about 20 rounds"


@given(
    st.floats(-30, 0),
    st.floats(0, 30),
    st.floats(0, 1),
    st.floats(0.001, 0.5),
    st.floats(0.005, 0.3),
    st.integers(6, 60),
)
def test_it_never_takes_fewer_rounds_than_there_were(
    low: float, high: float, place: float, spread: float, margin: float, rounds: int
) -> None:
    logs = [spread * math.sin(number) for number in range(rounds)]
    verdict, reason = judged(Change(low + place * (high - low), low, high), logs, margin, rounds)
    if verdict is INCONCLUSIVE:
        told = reason.removeprefix("cannot tell: would need about ").removesuffix(" rounds")
        assert int(told.replace(",", "")) > rounds
    else:
        assert verdict is EQUIVALENT


@pytest.mark.parametrize(
    ("rounds", "asked", "reason"),
    [
        (1, 1, "1 round, and an interval takes 6 at least (--rounds 6)"),
        (5, 5, "5 rounds, and an interval takes 6 at least (--rounds 6)"),
        (3, 10, "3 of 10 rounds, and an interval takes 6 at least"),
    ],
)
def test_without_an_interval_nothing_is_told_but_what_it_takes(rounds: int, asked: int, reason: str) -> None:
    assert judged(Change(38.0, None, None), [0.3] * rounds, 0.05, asked) == (INCONCLUSIVE, reason)


@pytest.mark.parametrize(
    ("low", "high", "direction"),
    [(1.0, 2.0, "higher"), (-2.0, -1.0, "lower"), (-1.0, 1.0, ""), (0.0, 1.0, ""), (None, None, "")],
)
def test_the_direction_of_a_change_is_that_of_its_whole_interval(
    low: float | None, high: float | None, direction: str
) -> None:
    assert Change(1.0, low, high).direction == direction
