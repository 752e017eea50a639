"""A gate knows its name, how many samples it takes, and what its bound comes to."""

from __future__ import annotations

import msgspec
import pytest

from cannon.gate_grammar import Known, parse
from cannon.gates import Allowance, Gate, Operator, Reference, Verdict
from cannon.metrics import Unit

KNOWN = Known(("direct", "haproxy"), ("haproxy", "nginx"), baseline=True)


def a_reference(amount: float = 0.0, *, is_relative: bool = False, name: str = "direct") -> Reference:
    return Reference(name, Allowance(amount, is_relative))


@pytest.mark.parametrize(
    ("operation", "below", "at", "above"),
    [
        (Operator.BELOW, True, False, False),
        (Operator.AT_MOST, True, True, False),
        (Operator.ABOVE, False, False, True),
        (Operator.AT_LEAST, False, True, True),
        (Operator.EQUAL, False, True, False),
    ],
)
def test_an_operator_holds_on_its_side_of_the_bound(
    operation: Operator, below: bool, at: bool, above: bool
) -> None:
    assert [operation.holds(value, 2) for value in (1, 2, 3)] == [below, at, above]


def test_an_operator_wants_less_or_more_or_neither() -> None:
    assert [operation for operation in Operator if operation.wants_less] == ["<", "<="]
    assert [operation for operation in Operator if operation.wants_more] == [">", ">="]


def test_the_verdicts_are_those_of_the_file() -> None:
    assert [verdict.value for verdict in Verdict] == ["pass", "fail", "inconclusive"]


@pytest.mark.parametrize(
    ("reference", "bound", "told"),
    [
        (a_reference(), 10, "direct 10.0 ms"),
        (a_reference(2), 12, "direct 10.0 ms + 2.00 ms"),
        (a_reference(-0.5), 9.5, "direct 10.0 ms - 500 \N{MICRO SIGN}s"),
        (a_reference(10, is_relative=True), 11, "direct 10.0 ms + 10%"),
        (a_reference(-2.5, is_relative=True, name="base"), 9.75, "base 10.0 ms - 2.5%"),
    ],
)
def test_a_reference_makes_a_bound_and_says_of_what(reference: Reference, bound: float, told: str) -> None:
    assert reference.bound(10) == pytest.approx(bound)
    assert reference.told(10, Unit.MS) == told


@pytest.mark.parametrize(
    ("text", "name", "least"),
    [
        ("p50 < 1ms", "p50", 40),
        ("p90 < 1ms", "p90", 200),
        ("p99 < 1ms", "p99", 2000),
        ("p99.9 < 1ms", "p99.9", 20_000),
        ("p99.99 < 1ms", "p99.99", 200_000),
        ("p1 < 1ms", "p1", 2000),
        ("late < 1ms", "late", 2000),
        ("mean < 1ms", "mean", 1),
        ("errors == 0", "errors", 1),
        ("p99@direct < 1ms", "p99@direct", 2000),
        ("cpu @ nginx < 1ms", "cpu@nginx", 1),
    ],
)
def test_a_percentile_takes_twenty_samples_beyond_it(text: str, name: str, least: int) -> None:
    gate = parse(text, KNOWN)
    assert gate.name == name
    assert gate.least_samples == least


@pytest.mark.parametrize(
    ("text", "is_ratio"),
    [
        ("p99 < 5ms", False),
        ("p99 < direct + 2ms", False),
        ("p99 < direct", True),
        ("p99 < base + 10%", True),
        ("rps > direct - 10%", True),
        ("errors <= direct", False),
        ("errors < direct + 0.1%", False),
    ],
)
def test_what_has_an_allowance_in_percent_or_none_is_apart_by_a_factor_and_shares_never(
    text: str, is_ratio: bool
) -> None:
    assert parse(text, KNOWN).is_ratio is is_ratio


def test_a_value_is_told_in_the_unit_of_the_gate() -> None:
    assert parse("p99.9@direct < 1s", KNOWN).told(61.2) == "p99.9@direct was 61.2 ms"
    assert parse("errors < 1%").told(0.25) == "errors was 0.25 %"
    assert parse("errors < 1").told(24) == "errors was 24"


@pytest.mark.parametrize("text", ["p99.9 < 1.5ms", "p99@haproxy < direct + 2ms", "cpu@nginx < base + 5%"])
def test_a_gate_round_trips_through_msgspec(text: str) -> None:
    gate = parse(text, KNOWN)
    assert msgspec.json.decode(msgspec.json.encode(gate), type=Gate) == gate
