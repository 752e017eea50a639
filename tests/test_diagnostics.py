"""What may lead a reader astray is told once, with in how many slots it was, and what to do about it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cannon.diagnostics import saturated, warnings_of
from cannon.rounds import Order, Pass, orders
from cannon.rows import Row
from cannon.slots import Round, Slot
from tests.comparisons import a_comparison_plan, a_round, a_row, a_side, a_slot, some_rounds

P50, RPS = a_row(), a_row("rps")
NAMES = ("direct", "haproxy")


def drawn(count: int, seed: int = 1) -> tuple[tuple[str, ...], ...]:
    return orders(NAMES, count, Order.SHUFFLED, seed)


def changing(
    ratios: Sequence[float], order: Sequence[Sequence[str]] | None = None, of: Pass = Pass.LATENCY
) -> list[Round]:
    """Rounds in which haproxy is so many times direct, by p50 and by successes a second."""
    return [
        a_round(of, number, {"direct": a_slot(1.0, 1000), "haproxy": a_slot(ratio, 1000 * ratio)}, names)
        for number, (ratio, names) in enumerate(
            zip(ratios, order or drawn(len(ratios)), strict=True), start=1
        )
    ]


def told(rounds: Sequence[Round], *rows: Row, **settings: Any) -> list[str]:
    return warnings_of(a_comparison_plan(**settings), rounds, rows)


def with_slots(count: int, changed: Callable[[int], dict[str, Any]], of: Pass = Pass.LATENCY) -> list[Round]:
    """Rounds in which each slot of haproxy is changed by its place, from 0."""
    return [
        a_round(of, place + 1, {"direct": a_slot(), "haproxy": a_slot(**changed(place))})
        for place in range(count)
    ]


def test_a_quiet_comparison_has_no_warnings() -> None:
    rounds = [*some_rounds(Pass.CAPACITY, 10), *some_rounds(Pass.LATENCY, 10)]
    assert told(rounds, P50, RPS) == []
    assert told([], P50, RPS) == []


# Rounds that follow each other.

DRIFTING = [1.0, 1.0, 1.01, 1.02, 1.05, 1.1, 1.15, 1.16, 1.17, 1.17]


def test_rounds_that_resemble_each_other_are_told() -> None:
    (line,) = told(changing(DRIFTING), P50)
    assert line.startswith("the change of p50 of haproxy (+0.7")
    assert "the interval may be too narrow" in line


def test_rounds_that_swing_are_told_as_less_harmful() -> None:
    (line,) = told(changing([1.0, 1.2] * 5, [("direct", "haproxy")] * 10), P50)
    assert line.startswith("the change of p50 of haproxy (-0.9")
    assert "rather too wide" in line


def test_several_rows_are_one_line() -> None:
    rounds = [*changing(DRIFTING, of=Pass.CAPACITY), *changing(DRIFTING)]
    (line,) = told(rounds, RPS, P50)
    assert line.startswith("the change of rps of haproxy (+0.7")
    assert "p50 of haproxy (+0.7" in line


@pytest.mark.parametrize(
    "rounds_and_row",
    [
        (changing([1.0, 1.2, 1.0, 1.2, 1.0, 1.2, 1.0], [("direct", "haproxy")] * 7), P50),
        (changing(DRIFTING), a_row(level=None)),
        (changing(DRIFTING), a_row("p99")),
        (changing(DRIFTING), RPS),
        (changing([1.1] * 10), P50),
    ],
    ids=["too few rounds", "no interval", "another metric", "another pass", "no noise at all"],
)
def test_where_nothing_is_to_be_misread_there_is_no_warning(rounds_and_row: tuple[list[Round], Row]) -> None:
    rounds, row = rounds_and_row
    assert told(rounds, row) == []


def test_rounds_without_a_figure_are_left_out() -> None:
    lacking = a_round(Pass.LATENCY, 11, {"direct": a_slot(p50_ms=None), "haproxy": a_slot()})
    assert len(told([*changing(DRIFTING), lacking], P50)) == 1


def test_independent_rounds_are_seldom_taken_for_dependent_ones_or_for_an_order_effect() -> None:
    draw = random.Random(3)
    warned = {"autocorrelation": 0, "the order": 0}
    comparisons = 1000
    for seed in range(comparisons):
        ratios = [math.exp(draw.gauss(0.1, 0.05)) for _ in range(10)]
        for line in told(changing(ratios, drawn(10, seed)), P50):
            for words in warned:
                warned[words] += words in line
    # 2.0 % and 0.6 % by twenty thousand; these are four standard deviations more, and five.
    assert warned["autocorrelation"] <= 38
    assert warned["the order"] <= 19


# The order in a round.


def ordered(effect: float, noise: float, order: Sequence[Sequence[str]]) -> list[Round]:
    """Rounds in which haproxy takes so much more where it comes first."""
    draw = random.Random(9)
    return changing(
        [math.exp(draw.gauss(0, noise) + effect * (names[0] == "haproxy")) for names in order], order
    )


@pytest.mark.parametrize(("effect", "sign"), [(0.1, "+"), (-0.1, "-")])
def test_an_order_effect_is_told_with_its_interval(effect: float, sign: str) -> None:
    lines = [line for line in told(ordered(effect, 0.01, drawn(20)), P50) if "the order" in line]
    (line,) = lines
    assert line.startswith(f"the order in a round makes a difference: p50 of haproxy by {sign}")
    assert "% [" in line
    assert "where haproxy came first" in line
    assert "--before-slot" in line


@pytest.mark.parametrize(
    "rounds",
    [
        ordered(0.1, 0.01, [("haproxy", "direct")] * 3 + [("direct", "haproxy")] * 8),
        ordered(0.1, 0.3, drawn(20)),
        ordered(0.005, 0.0001, drawn(20)),
    ],
    ids=["too few of one kind", "lost in noise", "too small to matter"],
)
def test_an_order_effect_that_cannot_be_told_or_does_not_matter_is_not(rounds: list[Round]) -> None:
    assert not any("the order" in line for line in told(rounds, P50))


# Slots, taken together.


@pytest.mark.parametrize(
    ("of", "words"),
    [(Pass.CAPACITY, "lower bounds"), (Pass.LATENCY, "partly cannon's own")],
)
@pytest.mark.parametrize("changed", [{"busy": 0.97}, {"busy": 0.97, "saturated": True, "cpu_bound": True}])
def test_cannon_as_the_limit_is_told_once_for_each_pass(
    of: Pass, words: str, changed: dict[str, Any]
) -> None:
    (line,) = told(with_slots(10, lambda place: changed if place < 7 else {}, of))
    assert line.startswith(
        f"cannon was the limit in 7 of 20 slots of the {of} pass (it used up to 97 % of a core)"
    )
    assert words in line
    assert line.endswith(", or try -w 2")


def test_a_worker_more_is_advised_only_where_there_is_a_connection_for_it() -> None:
    sides = tuple(a_side(name, connections=1) for name in NAMES)
    (line,) = told(with_slots(10, lambda _: {"busy": 0.97}), sides=sides)
    assert "-w" not in line


def test_lateness_of_its_own_is_told() -> None:
    (line,) = told(with_slots(10, lambda place: {"late_p99_ms": 4.2 if place < 3 else 0.9}))
    assert line.startswith("cannon itself was more than 1 ms late with 1 in 100 requests in 3 of 20 slots")
    assert "(p99 up to 4.20 ms)" in line


def test_steal_is_told_over_both_passes() -> None:
    rounds = [
        *with_slots(5, lambda _: {"steal": 0.23}),
        *with_slots(5, lambda _: {"steal": 0.09}, Pass.CAPACITY),
    ]
    (line,) = told(rounds)
    assert "in 5 of 20 slots (steal, up to 23 %)" in line
    assert told(with_slots(5, lambda _: {"steal": None})) == []


def test_a_side_whose_answers_change_from_slot_to_slot_is_told() -> None:
    def changed(place: int) -> dict[str, Any]:
        failed = 120 if place == 4 else 0
        return {"completed": 1000, "status": {"200": 1000 - failed, "503": failed}}

    (line,) = told(with_slots(10, changed))
    assert "haproxy answers 200 to 88 % to 100 % of the requests of a slot in the latency pass" in line


def test_a_mix_that_stays_the_same_is_no_warning() -> None:
    draw = random.Random(2)

    def changed(_: int) -> dict[str, Any]:
        failed = sum(draw.random() < 0.2 for _ in range(200))
        return {"completed": 200, "status": {"200": 200 - failed, "503": failed}}

    assert told(with_slots(40, changed)) == []
    assert (
        told(
            [
                *with_slots(5, lambda _: {}),
                *with_slots(5, lambda _: {"status": {"429": 3_700}}, Pass.CAPACITY),
            ]
        )
        == []
    )


def test_bodies_that_change_from_slot_to_slot_are_told() -> None:
    (line,) = told(
        with_slots(10, lambda place: {"body_bytes_per_response": 12_000.0 if place < 2 else 10_000.0})
    )
    assert "haproxy in 2 of 10 slots of the latency pass (10,000 to 12,000 bytes)" in line
    assert told(with_slots(10, lambda place: {"body_bytes_per_response": 10_000.0 + place})) == []
    assert told(with_slots(10, lambda _: {"body_bytes_per_response": None})) == []


def test_each_warning_is_one_line_however_many_slots_it_is_of() -> None:
    def bad(place: int) -> dict[str, Any]:
        return {
            "busy": 0.99,
            "late_p99_ms": 3.0,
            "steal": 0.5,
            "status": {"200": 3_700} if place % 2 else {"503": 3_700},
            "body_bytes_per_response": 100.0 * (1 + place),
        }

    rounds = [*with_slots(20, bad), *with_slots(20, bad, Pass.CAPACITY)]
    lines = told(rounds, P50, RPS)
    assert len(lines) == 6
    assert not any("\n" in line for line in lines)


# A latency pass that is not valid.


def a_verdict(rounds: Sequence[Round]) -> str | None:
    return saturated(a_comparison_plan(), rounds)


def test_a_latency_pass_that_cannon_and_the_sides_kept_up_with_is_valid() -> None:
    assert a_verdict([]) is None
    assert a_verdict([*some_rounds(Pass.CAPACITY, 10), *some_rounds(Pass.LATENCY, 10)]) is None


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"busy": 0.85}, "cannon was the limit in 6 of 10 slots of the latency pass of haproxy"),
        ({"due": 1000, "never_sent": 11}, "haproxy could not keep up with the rate in 6 of 10 slots"),
    ],
)
def test_more_than_half_of_the_slots_of_a_side_make_it_invalid(bad: dict[str, Any], words: str) -> None:
    def spoilt(count: int, of: Pass = Pass.LATENCY) -> list[Round]:
        return with_slots(10, lambda place: bad if place < count else {}, of)

    said = a_verdict(spoilt(6))
    assert said is not None
    assert said.startswith(words)
    assert "--rate" in said
    assert a_verdict(spoilt(5)) is None
    assert a_verdict(spoilt(10, Pass.CAPACITY)) is None


@pytest.mark.parametrize("fine", [{"busy": None}, {"due": 1000, "never_sent": 10}, {"due": 0}, {"due": None}])
def test_what_is_not_known_or_just_enough_is_no_reason(fine: dict[str, Any]) -> None:
    assert a_verdict(with_slots(10, lambda _: fine)) is None


def test_a_slot_is_a_slot_of_its_own_side() -> None:
    rounds = [
        a_round(Pass.LATENCY, number, {"direct": _lagging(), "haproxy": a_slot()}) for number in range(1, 5)
    ]
    said = a_verdict(rounds)
    assert said is not None and said.startswith("direct could not keep up with the rate in 4 of 4 slots")


def _lagging() -> Slot:
    return a_slot(due=1000, never_sent=500)
