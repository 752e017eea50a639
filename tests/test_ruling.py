"""From a value beside its bound to one of three verdicts, and a reason that a reviewer understands."""

from __future__ import annotations

from typing import Any

import pytest

from cannon.gate_grammar import parse
from cannon.result import GateVerdict
from cannon.ruling import rule, unmeasured
from cannon.weighing import Weighed
from tests.gated import SIDES


def ruled(text: str, value: float, bound: float, *ends: float, **changes: Any) -> GateVerdict:
    low, high = ends or (None, None)
    return rule(parse(text, SIDES), Weighed(value=value, bound=bound, low=low, high=high, **changes))


@pytest.mark.parametrize(
    ("operation", "below", "at", "above"),
    [
        ("<", "pass", "fail", "fail"),
        ("<=", "pass", "pass", "fail"),
        (">", "fail", "fail", "pass"),
        (">=", "fail", "pass", "pass"),
        ("==", "fail", "pass", "fail"),
    ],
)
def test_a_point_holds_or_does_not(operation: str, below: str, at: str, above: str) -> None:
    assert [ruled(f"p99 {operation} 2ms", value, 2).verdict for value in (1, 2, 3)] == [below, at, above]


@pytest.mark.parametrize(
    ("operation", "verdicts"),
    [
        ("<", ["pass", "inconclusive", "inconclusive", "fail", "fail", "fail"]),
        ("<=", ["pass", "pass", "inconclusive", "inconclusive", "fail", "pass"]),
        (">", ["fail", "fail", "inconclusive", "inconclusive", "pass", "fail"]),
        (">=", ["fail", "inconclusive", "inconclusive", "pass", "pass", "pass"]),
        ("==", ["fail", "inconclusive", "inconclusive", "inconclusive", "fail", "pass"]),
    ],
)
def test_ends_on_both_sides_of_the_bound_leave_it_open(operation: str, verdicts: list[str]) -> None:
    ends = [(7, 9), (8, 10), (9, 11), (10, 12), (11, 13), (10, 10)]
    found = [ruled(f"p99 {operation} 10ms", sum(each) / 2, 10, *each).verdict for each in ends]
    assert found == verdicts


def test_a_verdict_carries_what_it_is_made_of() -> None:
    assert ruled(
        "p99@haproxy  <  direct + 10%", 12.4, 11, 12.1, 12.9, origin="direct 10.0 ms + 10%"
    ) == GateVerdict(
        expression="p99@haproxy < direct + 10%",
        verdict="fail",
        value=12.4,
        bound=11,
        low=12.1,
        high=12.9,
        unit="ms",
        reason="p99@haproxy was 12.4 ms [12.1, 12.9], bound 11.0 ms (direct 10.0 ms + 10%)",
    )


def test_a_pass_says_nothing_but_what_is_to_be_known_of_it() -> None:
    assert not ruled("p99 < 11ms", 10, 11, 9, 10.5).reason
    assert ruled("p99 < base + 10%", 10, 11, 9, 10.5, notes=("5 baselines",)).reason == "5 baselines"


def test_what_does_not_hold_a_written_value_says_what_was_measured() -> None:
    assert ruled("p99 < 50ms", 61.2, 50).reason == "p99 was 61.2 ms"
    assert ruled("p99 < 1ms", 1.01, 1, 0.99, 1.04).reason.startswith(
        "p99 was 1.01 ms [990 \N{MICRO SIGN}s, 1.04 ms]"
    )


def test_notes_follow_what_was_measured() -> None:
    found = ruled(
        "p99 < base + 10%", 12, 11, origin="base 10.0 ms + 10%", notes=("judged as a point value: x",)
    )
    assert found.reason == "p99 was 12.0 ms, bound 11.0 ms (base 10.0 ms + 10%); judged as a point value: x"


@pytest.mark.parametrize(
    ("text", "value", "ends", "told"),
    [
        ("p99 < 10ms", 10, (9.174311926605505, 10.9), "cannot tell: 10 rounds can see 9 %"),
        ("p99 < direct + 10%", 10, (5, 20), "cannot tell: 10 rounds can see 100 %"),
        ("p99 < direct + 10%", 10, (9.9, 10.1), "cannot tell: 10 rounds can see 1 %"),
        ("p99 < direct + 2ms", 10, (9, 12), "cannot tell: 10 rounds can see 1.50 ms"),
        ("errors < direct + 0.1%", 10, (9, 11), "cannot tell: 10 rounds can see 1 %"),
        ("rps > 10/s", 10, (0, 20), "cannot tell: 10 rounds can see 10/s"),
    ],
)
def test_what_is_open_says_how_small_a_change_could_have_been_seen(
    text: str, value: float, ends: tuple[float, float], told: str
) -> None:
    found = ruled(text, value, 10, *ends, by="10 rounds")
    assert found.verdict == "inconclusive"
    assert found.reason.endswith(f"; {told}")


VALUE, BOUND = {"limited": True}, {"bound_limited": "direct"}


@pytest.mark.parametrize(
    ("text", "value", "whose", "verdict"),
    [
        # The value looks worse than it is: it may fail for that, not pass.
        ("p99 < 10ms", 9, VALUE, "pass"),
        ("p99 < 10ms", 11, VALUE, "inconclusive"),
        ("rps > 10/s", 11, VALUE, "pass"),
        ("rps > 10/s", 9, VALUE, "inconclusive"),
        # What wants it bad may pass for that, not fail.
        ("p99 > 10ms", 11, VALUE, "inconclusive"),
        ("p99 > 10ms", 9, VALUE, "fail"),
        ("rps < 10/s", 9, VALUE, "inconclusive"),
        ("rps < 10/s", 11, VALUE, "fail"),
        # The bound looks worse than it is: the other way round.
        ("p99 < direct", 9, BOUND, "inconclusive"),
        ("p99 < direct", 11, BOUND, "fail"),
        ("rps > direct", 11, BOUND, "inconclusive"),
        ("rps > direct", 9, BOUND, "fail"),
        ("p99 > direct", 11, BOUND, "pass"),
        ("p99 > direct", 9, BOUND, "inconclusive"),
        # Where either way is wrong, what holds stands, and what does not is open.
        ("errors == 10", 10, VALUE, "pass"),
        ("errors == 10", 11, VALUE, "inconclusive"),
        ("errors == direct", 11, BOUND, "inconclusive"),
        # Responses are as long as they are.
        ("bytes < 10B", 11, VALUE, "fail"),
        ("bytes < direct", 9, BOUND, "pass"),
    ],
)
def test_saturation_opens_what_it_may_have_brought_about_and_nothing_else(
    text: str, value: float, whose: dict[str, Any], verdict: str
) -> None:
    found = ruled(text, value, 10, **whose)
    assert found.verdict == verdict
    assert ("cannon was the limit" in found.reason) is (verdict == "inconclusive")


def test_whose_limit_it_was_is_told() -> None:
    assert ruled("p99 < 10ms", 11, 10, limited=True).reason == "p99 was 11.0 ms, and cannon was the limit"
    found = ruled("rps > direct - 10%", 95, 90, origin="direct 100/s - 10%", bound_limited="direct")
    assert (
        found.reason == "rps was 95/s, bound 90/s (direct 100/s - 10%), and cannon was the limit for direct"
    )


def test_what_chance_leaves_open_is_not_laid_to_cannon() -> None:
    found = ruled("p99 < 10ms", 10, 10, 9, 11, by="6 rounds", limited=True)
    assert found.reason == "p99 was 10.0 ms [9.00, 11.0]; cannot tell: 6 rounds can see 11 %"


def test_what_was_not_measured_fails_with_its_reason() -> None:
    found = unmeasured(parse("p99 < 10ms"), (), "nothing was measured of p99")
    assert (found.verdict, found.value, found.bound) == ("fail", None, 10)
    assert (found.low, found.high, found.unit, found.reason) == (
        None,
        None,
        "ms",
        "nothing was measured of p99",
    )


def test_a_value_that_is_too_weak_is_told_and_rounds_are_not() -> None:
    gate = parse("p99 < direct", SIDES)
    assert unmeasured(gate, (12.0,), "too few").value == 12
    assert unmeasured(gate, (12.0, 13.0), "too few").value is None
    assert unmeasured(gate, (12.0,), "too few").bound is None
