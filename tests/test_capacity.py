"""The common rate of a comparison: what every side can take, and cannon too, with half to spare."""

from __future__ import annotations

from typing import Any

import pytest

from cannon.capacity import common_rate
from cannon.comparison import CommonRate
from cannon.errors import InvalidRun
from cannon.rounds import Pass
from tests.comparisons import a_comparison_plan, a_round, a_slot


def _found(*rps: float, cpu_us: float = 10.0, **changes: Any) -> CommonRate:
    plan = a_comparison_plan(**changes)
    slots = dict(zip(plan.names, (a_slot(rps=each, cpu_us={"cannon": cpu_us}) for each in rps), strict=True))
    return common_rate(plan, [a_round(Pass.CAPACITY, number, slots) for number in range(1, 4)])


def test_it_is_half_of_what_the_slowest_side_can_take_to_three_digits() -> None:
    found = _found(9_810.0, 7_425.0)
    assert (found.per_s, found.asked) == (3_710.0, None)
    assert "slowest side, haproxy" in found.reason


def test_it_is_less_where_cannon_itself_would_be_the_limit() -> None:
    found = _found(160_000.0, 150_000.0, cpu_us=10.0)
    assert found.per_s == 17_500
    assert "without being the limit (-w 1)" in found.reason
    assert _found(30_000.0, 30_000.0).per_s == 15_000


def test_a_rate_that_was_asked_is_taken_as_it_is() -> None:
    found = _found(100.0, 100.0, rate_per_s=5_000.0)
    assert (found.per_s, found.asked, found.reason) == (5_000.0, 5_000.0, "as asked")


def test_a_median_round_decides_and_not_the_worst() -> None:
    plan = a_comparison_plan()
    rounds = [
        a_round(Pass.CAPACITY, number, {"direct": a_slot(rps=2_000.0), "haproxy": a_slot(rps=rps)})
        for number, rps in enumerate((1_000.0, 10.0, 1_000.0), start=1)
    ]
    assert common_rate(plan, rounds).per_s == 500


def test_of_a_side_that_answers_nothing_no_rate_can_be_had() -> None:
    with pytest.raises(InvalidRun, match="'haproxy'"):
        _found(100.0, 0.0)


@pytest.mark.parametrize(("rps", "per_s"), [(0.5, 0.25), (3.0, 1.5), (1_999.0, 999.0), (24_690.0, 12_300.0)])
def test_small_and_large_rates_keep_three_digits(rps: float, per_s: float) -> None:
    assert _found(rps, rps).per_s == per_s
