"""A worker is taken for hung when it owes a word and is silent; never because somebody else was held up."""

from __future__ import annotations

import pytest

from cannon.fleets.patience import END_WITHIN_S, Patience
from cannon.plan import Plan, Stop
from cannon.target import Target

SECOND_NS = 1_000_000_000
URL = (Target.parse("http://host/"),)
BY_TIME = Plan(targets=URL, stop=Stop(duration_ns=60 * SECOND_NS), drain_ns=2 * SECOND_NS)
BY_AMOUNT = Plan(targets=URL, stop=Stop(amount=1000), drain_ns=2 * SECOND_NS)
PLANS = pytest.mark.parametrize("plan", [BY_TIME, BY_AMOUNT])


def test_in_mid_run_silence_is_no_fault() -> None:
    patience = Patience(BY_TIME, 0.0)
    patience.began(1.0)
    assert patience.until_s > 61 + 2
    assert not patience.is_over(60.0)


def test_a_run_of_an_amount_owes_a_word_every_tick() -> None:
    patience = Patience(BY_AMOUNT, 0.0)
    patience.began(1.0)
    patience.heard(100.0)
    assert 102 < patience.until_s < 115


@PLANS
def test_every_word_grants_the_others_their_time_anew(plan: Plan) -> None:
    patience = Patience(plan, 0.0)
    patience.began(1.0)
    patience.heard(70.0)
    granted_s = patience.until_s - 70.0
    patience.heard(75.0)
    assert patience.until_s == pytest.approx(75.0 + granted_s)
    assert not patience.is_over(75.0 + granted_s - 0.1)
    assert patience.is_over(75.0 + granted_s)


@PLANS
def test_a_stop_brings_the_end_forward_but_leaves_room_for_the_drain(plan: Plan) -> None:
    patience = Patience(plan, 0.0)
    patience.began(1.0)
    patience.stopped(5.0, at_once=False)
    assert 5 + 2 < patience.until_s < 5 + 15


@PLANS
def test_who_is_told_to_end_at_once_wins_no_time_by_talking(plan: Plan) -> None:
    patience = Patience(plan, 0.0)
    patience.began(1.0)
    patience.stopped(5.0, at_once=False)
    patience.stopped(6.0, at_once=True)
    patience.heard(7.0)
    patience.stopped(7.5, at_once=True)
    assert patience.until_s == 6.0 + END_WITHIN_S


def test_a_start_is_granted_more_than_a_busy_machine_takes() -> None:
    patience = Patience(BY_TIME, 0.0)
    patience.heard(4.0)
    assert 4 + 10 <= patience.until_s <= 4 + 30


@PLANS
def test_a_parent_that_was_held_up_itself_blames_nobody(plan: Plan) -> None:
    patience = Patience(plan, 0.0)
    patience.began(1.0)
    woken_s = patience.until_s + 30.0
    assert not patience.is_over(woken_s)
    assert patience.until_s > woken_s
    assert patience.is_over(patience.until_s)
