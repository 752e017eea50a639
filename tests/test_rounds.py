"""Orders are fair to every side, and a plan that cannot be fired is refused."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.rounds import LEAST_SLOT_NS, ComparisonPlan, Order, Pass, Side, orders
from tests.results import a_plan

SECOND_NS = 1_000_000_000
NAMES = ("direct", "haproxy", "nginx", "node", "envoy")

sides = st.integers(2, 5).map(lambda count: NAMES[:count])
counts = st.integers(0, 60)
seeds = st.integers(0, 2**32)


def a_comparison_plan(*names: str, **changes: Any) -> ComparisonPlan:
    chosen = tuple(Side(name, a_plan()) for name in names or NAMES[:2])
    return ComparisonPlan(**({"sides": chosen} | changes))


@given(sides, counts, st.sampled_from(Order), seeds)
def test_a_round_fires_every_side_once(names: tuple[str, ...], count: int, order: Order, seed: int) -> None:
    rounds = orders(names, count, order, seed)
    assert len(rounds) == count
    assert all(sorted(line) == sorted(names) for line in rounds)


@given(sides, counts, seeds)
def test_every_side_stands_in_every_place_equally_often_give_or_take_one(
    names: tuple[str, ...], count: int, seed: int
) -> None:
    rounds = orders(names, count, Order.SHUFFLED, seed)
    for place in range(len(names)):
        times = Counter(dict.fromkeys(names, 0))
        times.update(line[place] for line in rounds)
        assert max(times.values()) - min(times.values()) <= 1


@given(sides, counts, counts, seeds)
def test_rounds_that_are_added_are_as_fair(names: tuple[str, ...], count: int, more: int, seed: int) -> None:
    rounds = (
        *orders(names, count, Order.SHUFFLED, seed, "latency"),
        *orders(names, more, Order.SHUFFLED, seed, "latency", after=count),
    )
    for place in range(len(names)):
        times = Counter(dict.fromkeys(names, 0))
        times.update(line[place] for line in rounds)
        assert max(times.values()) - min(times.values()) <= 1


@given(counts, counts)
def test_rounds_that_are_added_go_on_by_turns(count: int, more: int) -> None:
    first, added = orders("AB", count, Order.ABBA, 0), orders("AB", more, Order.ABBA, 0, after=count)
    assert (*first, *added) == orders("AB", count + more, Order.ABBA, 0)


@given(sides, counts, seeds, st.sampled_from(("", *Pass)))
def test_the_same_seed_gives_the_same_orders(
    names: tuple[str, ...], count: int, seed: int, part: str
) -> None:
    assert orders(names, count, Order.SHUFFLED, seed, part) == orders(
        names, count, Order.SHUFFLED, seed, part
    )


def test_these_are_the_orders_of_seed_4127_in_every_version() -> None:
    firsts = [line[0] for line in orders("AB", 10, Order.SHUFFLED, 4127, Pass.LATENCY)]
    assert "".join(firsts) == "BBBBAAAAAB"


def test_seeds_and_parts_have_orders_of_their_own() -> None:
    drawn = {
        orders("AB", 20, Order.SHUFFLED, seed, part) for seed in range(50) for part in ("capacity", "latency")
    }
    assert len(drawn) == 100


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_each_side_begins_any_round_as_often_as_another(count: int) -> None:
    for number in range(count):
        begun = Counter(orders("AB", count, Order.SHUFFLED, seed)[number][0] for seed in range(2000))
        # Of 2,000 fair coins: four SDs.
        assert abs(begun["A"] - 1000) < 90


def test_no_pattern_goes_through_the_rounds() -> None:
    turned = 0
    for seed in range(1000):
        firsts = [line[0] for line in orders("AB", 10, Order.SHUFFLED, seed)]
        turned += sum(one != other for one, other in pairwise(firsts))
    # Five of each, mixed: neighbours differ in 5 of 9 cases. Always the same, or by turns, it would be 1 of 9, or all.
    assert turned / 9000 == pytest.approx(5 / 9, abs=0.02)


def test_three_sides_stand_in_every_order() -> None:
    drawn = Counter(line for seed in range(600) for line in orders("ABC", 3, Order.SHUFFLED, seed))
    assert set(drawn) == set(permutations("ABC"))
    assert min(drawn.values()) > 240


@given(sides, counts, seeds)
def test_abba_goes_forward_and_backward_by_turns(names: tuple[str, ...], count: int, seed: int) -> None:
    rounds = orders(names, count, Order.ABBA, seed)
    assert all(line == (names if number % 2 == 0 else names[::-1]) for number, line in enumerate(rounds))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sides": (Side("direct", a_plan()),)}, "two sides, e.g. cannon compare direct=http"),
        ({"sides": (Side("direct", a_plan()), Side("direct", a_plan()))}, "the same name"),
        ({"rounds": 0}, "--rounds must be 1 to 1000, e.g. --rounds 10"),
        ({"rounds": 1001}, "--rounds must be 1 to 1000"),
        ({"duration_ns": SECOND_NS - 1}, "10 rounds take -d 1 or more; give that, or fewer --rounds"),
        ({"duration_ns": SECOND_NS, "rounds": 25}, "25 rounds take -d 2.5 or more"),
        ({"margin": 0.0}, "--margin must be between 0 % and 100 %, e.g. --margin 5%"),
        ({"margin": 1.0}, "--margin must be"),
        ({"margin": float("nan")}, "--margin must be"),
        ({"precision": 0.0}, "--precision must be between 0 % and 100 %, e.g. --precision 3%"),
        ({"precision": 1.0}, "--precision must be"),
        (
            {"precision": 0.03, "most_rounds": 9},
            "--max-rounds must not be less than --rounds; e.g. --max-rounds 40",
        ),
        ({"capacity": False}, "--rate auto is half of the capacity that --no-capacity leaves out"),
    ],
)
def test_what_cannot_be_fired_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=r".") as refused:
        a_comparison_plan(**changes)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"rounds": 1},
        {"rounds": 1000, "duration_ns": 1000 * LEAST_SLOT_NS},
        {"duration_ns": SECOND_NS},
        {"margin": 0.001},
        {"precision": 0.03, "rounds": 40},
        {"most_rounds": 1},
        {"capacity": False, "rate_per_s": 500.0},
    ],
)
def test_what_is_just_possible_is_taken(changes: dict[str, Any]) -> None:
    plan = a_comparison_plan(**changes)
    assert plan.slot_ns >= LEAST_SLOT_NS


def test_names_and_passes_stand_in_order() -> None:
    assert a_comparison_plan(*NAMES).names == NAMES
    assert a_comparison_plan().passes == (Pass.CAPACITY, Pass.LATENCY)
    assert a_comparison_plan(capacity=False, rate_per_s=500.0).passes == (Pass.LATENCY,)


@given(st.integers(1, 1000), st.integers(100_000_000, 3600 * SECOND_NS))
def test_slots_share_the_duration_and_are_never_longer(rounds: int, duration_ns: int) -> None:
    plan = a_comparison_plan(rounds=rounds, duration_ns=max(duration_ns, rounds * LEAST_SLOT_NS))
    assert 0 <= plan.duration_ns - rounds * plan.slot_ns < rounds


@pytest.mark.parametrize(
    ("slot_s", "lead_in_s", "expected_s"), [(1, None, 0.2), (60, None, 1), (5, None, 1), (1, 3, 3), (1, 0, 0)]
)
def test_a_slot_has_a_lead_in_of_a_fifth_up_to_a_second_or_what_was_asked(
    slot_s: int, lead_in_s: int | None, expected_s: float
) -> None:
    plan = a_comparison_plan(
        duration_ns=10 * slot_s * SECOND_NS,
        lead_in_ns=None if lead_in_s is None else lead_in_s * SECOND_NS,
    )
    assert plan.slot_lead_in_ns == expected_s * SECOND_NS
