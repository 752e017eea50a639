"""Bytes and errors are counted over all rounds, and no more is made of them than a count tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.totals import Totals, bytes_of, errors_of
from cannon.verdict import Change, Verdict
from tests.comparisons import a_slot

TOTALS = "totals of all rounds, without an interval"


def test_bytes_are_of_all_responses_not_of_rounds() -> None:
    base = [a_slot(bytes_per_response=100.0, completed=300), a_slot(bytes_per_response=200.0, completed=100)]
    found = bytes_of(base, [a_slot(bytes_per_response=150.0, completed=1000)] * 2, 0.05)
    assert found == Totals(125.0, 150.0, Verdict.HIGHER, TOTALS)
    assert found.added == Change(25.0, None, None)
    assert found.change_pct is not None
    assert found.change_pct.estimate == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("side", "verdict"),
    [
        (100.0, Verdict.EQUIVALENT),
        (104.0, Verdict.EQUIVALENT),
        (96.0, Verdict.EQUIVALENT),
        (106.0, Verdict.HIGHER),
        (94.0, Verdict.LOWER),
    ],
)
def test_bytes_are_set_against_the_margin(side: float, verdict: Verdict) -> None:
    found = bytes_of([a_slot(bytes_per_response=100.0)], [a_slot(bytes_per_response=side)], 0.05)
    assert found.verdict is verdict


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**6)), min_size=1, max_size=10))
def test_the_same_bytes_in_other_slots_are_equal(counted: list[tuple[int, int]]) -> None:
    slots = [
        a_slot(bytes_per_response=received / completed, completed=completed)
        for received, completed in counted
    ]
    whole = sum(received for received, _ in counted), sum(completed for _, completed in counted)
    one = a_slot(bytes_per_response=whole[0] / whole[1], completed=whole[1])
    found = bytes_of(slots, [one], 0.05)
    assert found.change_pct == Change(0.0, None, None)
    assert found.verdict is Verdict.EQUIVALENT


def test_without_responses_there_are_no_bytes() -> None:
    found = bytes_of([a_slot()], [a_slot(bytes_per_response=None, completed=0)], 0.05)
    assert found == Totals(
        178.0, None, Verdict.INCONCLUSIVE, "there are no bytes where there are no responses"
    )
    assert found.added is found.change_pct is None


def test_errors_are_what_failed_or_was_not_as_expected_or_found_no_connection() -> None:
    slot = a_slot(sent=980, errors={"timeout": 3, "reset": 2}, mismatched=5, connects_failed=20)
    found = errors_of([a_slot(sent=1000)], [slot])
    assert (found.base, found.side) == (0.0, 3.0)
    assert found.added == Change(3.0, None, None)


def test_errors_of_none_have_no_change_in_percent() -> None:
    found = errors_of([a_slot()], [a_slot(errors={"reset": 1})])
    assert found.added is not None
    assert found.change_pct is None


@pytest.mark.parametrize("count", [0, 7])
def test_as_many_errors_on_both_sides_are_equivalent(count: int) -> None:
    slots = [a_slot(sent=1000, errors={"reset": count})] * 3
    found = errors_of(slots, slots)
    assert found == Totals(count / 10, count / 10, Verdict.EQUIVALENT, TOTALS)
    assert found.change_pct == Change(0.0, None, None)


def test_a_few_more_errors_are_not_told_apart() -> None:
    base = [a_slot(sent=2000)] * 9 + [a_slot(sent=2000, errors={"reset": 1})]
    side = [a_slot(sent=2000, errors={"reset": 3})] + [a_slot(sent=2000)] * 9
    found = errors_of(base, side)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == f"cannot tell: 3 of 20,000 against 1 of 20,000; {TOTALS}"


@pytest.mark.parametrize(
    ("base", "side", "direction"), [([0] * 6, [9, 3, 5, 8, 1, 2], "higher"), ([9] * 6, [0] * 6, "lower")]
)
def test_more_errors_in_every_round_are(base: list[int], side: list[int], direction: str) -> None:
    found = errors_of(
        *([a_slot(sent=1000, errors={"reset": count}) for count in side] for side in (base, side))
    )
    assert found.verdict is Verdict.UNCERTAIN
    counts = f"{sum(side)} of 6,000 against {sum(base)} of 6,000"
    assert found.reason == f"{direction}: {counts}; {TOTALS}"


def test_fewer_than_six_rounds_tell_no_errors_apart() -> None:
    found = errors_of([a_slot()] * 5, [a_slot(errors={"reset": 100})] * 5)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_where_nothing_was_sent_nothing_is_told() -> None:
    found = errors_of([a_slot(sent=0)], [a_slot()])
    assert found == Totals(None, 0.0, Verdict.INCONCLUSIVE, "there are no errors where nothing was sent")
    assert found.added is found.change_pct is None


def test_a_round_in_which_nothing_was_sent_is_no_fault_of_the_others() -> None:
    found = errors_of(
        [a_slot(sent=0), a_slot(sent=100)], [a_slot(sent=100), a_slot(sent=100, errors={"reset": 2})]
    )
    assert (found.base, found.side) == (0.0, 1.0)
