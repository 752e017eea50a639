"""A comparison from its plan to what it found, at servers that are made up: whole rounds, failures, interrupts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
import pytest

from cannon.comparer import compare
from cannon.comparison import Comparison
from cannon.durations import Durations
from cannon.equivalence import Probe
from cannon.errors import InvalidRun
from cannon.plan import Plan
from cannon.result import Result, Validity
from cannon.rounds import Order, Pass
from cannon.runner import Interrupt
from cannon.standing import Stage, Standing
from cannon.tally import Histogram
from tests.comparisons import BASE, SIDE, a_comparison_plan
from tests.results import a_paced_plan, a_paced_tally, a_plan, a_result, a_tally, latencies_ns

SECOND_NS = 1_000_000_000
_NAMES = {8000: BASE, 8080: SIDE}
_ANSWER = Probe(
    step="",
    status=200,
    protocol="HTTP/1.1",
    tls=None,
    cipher=None,
    encoding="",
    wire_bytes=14,
    body_bytes=14,
    digest="d",
)


def _name(plan: Plan) -> str:
    return _NAMES[plan.targets[0].port]


@cache
def _result(through: bool, paced: bool, wobble: int) -> Result:
    middle_ns = round((400_000 + 300_000 * through) * (1 + 0.002 * wobble))
    count = 750 + wobble if through and not paced else 1_000
    tally = (a_paced_tally if paced else a_tally)(latencies_ns(count, middle_ns), cpu_ns=10_000_000)
    return a_result(plan=a_paced_plan() if paced else a_plan(), tally=tally)


@dataclass
class World:
    """Two servers: HAProxy takes 0.3 ms longer, and lets three quarters through. `fails`: what becomes of the slot of
    this place among all that were fired, instead of a result; `dead`: the sides that answer no more.
    """

    fails: dict[int, Callable[[World, Plan], Result]] = field(default_factory=dict)
    answers: dict[str, Probe] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    dead: set[str] = field(default_factory=set)
    interrupt: Interrupt = field(default_factory=Interrupt)
    told: list[Standing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fire(self, plan: Plan, **given: Any) -> Result:
        self.plans.append(plan)
        failing = self.fails.get(len(self.plans))
        result = self.result(plan) if failing is None else failing(self, plan)
        self.asked[_name(plan)] += result.requests.sent + result.outside.preflight
        return result

    def result(self, plan: Plan) -> Result:
        """A slot that went well; both wobble by the same each time."""
        result = _result(_name(plan) == SIDE, plan.pace is not None, len(self.plans) // 2 % 3)
        return msgspec.structs.replace(result, interrupted=self.interrupt.reason)

    def greet(self, plan: Plan, control: int | None) -> int:
        if _name(plan) in self.dead:
            raise InvalidRun("cannot connect: refused")
        self.asked[_name(plan)] += 1
        return 1

    def ask(self, plan: Plan, control: int | None) -> tuple[Probe, ...]:
        self.asked[_name(plan)] += 1
        return (self.answers.get(_name(plan), _ANSWER),)

    def compare(self, **changes: Any) -> Comparison:
        plan = a_comparison_plan(**({"rounds": 6, "duration_ns": 6 * SECOND_NS} | changes))
        try:
            return compare(
                plan,
                command="cannon compare",
                watch=self.told.append,
                note=self.notes.append,
                interrupt=self.interrupt,
                fire=self.fire,
                greet=self.greet,
                ask=self.ask,
            )
        finally:
            self.interrupt.close()


def _whole(comparison: Comparison) -> Counter[Pass]:
    return Counter(found.of for found in comparison.rounds)


def _raises(world: World, plan: Plan) -> Result:
    raise InvalidRun("the workers could not be started")


def _invalid(world: World, plan: Plan) -> Result:
    return msgspec.structs.replace(world.result(plan), validity=Validity("invalid", ["no request succeeded"]))


def _dies(world: World, plan: Plan) -> Result:
    world.dead.add(_name(plan))
    return _invalid(world, plan)


def _interrupted(world: World, plan: Plan) -> Result:
    world.interrupt.stop("SIGINT")
    return world.result(plan)


# What is fired.


def test_each_pass_throws_a_round_away_and_then_fires_every_side_once_a_round() -> None:
    world = World()
    found = world.compare()
    assert len(world.plans) == 2 * (1 + 6) * 2
    assert _whole(found) == {Pass.CAPACITY: 6, Pass.LATENCY: 6}
    assert all(set(one.order) == set(one.slots) == {BASE, SIDE} for one in found.rounds)
    firsts = Counter((one.of, one.order[0]) for one in found.rounds)
    assert set(firsts.values()) == {3}, "each side begins as often as the other"
    assert found.validity.verdict != "invalid"
    assert found.exit_code == 0


def test_a_slot_is_its_share_of_the_duration_after_a_lead_in_on_its_own_connections() -> None:
    world = World()
    world.compare(duration_ns=12 * SECOND_NS)
    kept = world.plans[2:14]
    assert {(plan.stop.duration_ns, plan.lead_in_ns) for plan in kept} == {(2 * SECOND_NS, 400_000_000)}
    assert {plan.stop.duration_ns for plan in world.plans[:2]} == {SECOND_NS}, (
        "the round thrown away is short"
    )
    assert not any(plan.preflight or plan.warmup for plan in world.plans)


def test_all_sides_have_one_rate_which_is_half_of_what_the_slower_can_take() -> None:
    world = World()
    found = world.compare()
    assert all(plan.pace is None for plan in world.plans[:14])
    paces = {plan.pace.profile.highest_per_s for plan in world.plans[14:] if plan.pace}
    assert found.rate is not None
    assert paces == {found.rate.per_s}
    slower = min(slot.rps or 0 for one in found.rounds for slot in one.slots.values())
    assert found.rate.per_s == pytest.approx(slower / 2, rel=0.01)


def test_without_the_capacity_pass_a_rate_is_given() -> None:
    world = World()
    found = world.compare(capacity=False, rate_per_s=500.0)
    assert _whole(found) == {Pass.LATENCY: 6}
    assert {plan.pace.profile.highest_per_s for plan in world.plans if plan.pace} == {500.0}
    assert {row.of for row in found.rows} == {"latency"}


def test_the_order_is_that_of_the_seed_and_another_seed_has_another() -> None:
    def drawn(**changes: Any) -> list[list[str]]:
        return [one.order for one in World().compare(rounds=10, duration_ns=10**10, **changes).rounds]

    assert drawn(seed=1) == drawn(seed=1) != drawn(seed=2)
    assert drawn(order=Order.ABBA)[:3] == [[BASE, SIDE], [SIDE, BASE], [BASE, SIDE]]


def test_a_precision_adds_rounds_once_and_no_more_than_allowed() -> None:
    world = World()
    found = world.compare(precision=0.000_01, most_rounds=9)
    assert _whole(found) == {Pass.CAPACITY: 9, Pass.LATENCY: 9}
    assert any("3 more rounds" in note for note in world.notes)
    assert _whole(World().compare(precision=0.5)) == {Pass.CAPACITY: 6, Pass.LATENCY: 6}


@pytest.mark.parametrize("times", [0.1, 1.0, 10.0])
def test_how_many_rounds_a_precision_adds_is_seen_from_the_spread_and_not_from_the_effect(
    times: float,
) -> None:
    spread = (0.9, 1.1, 0.95, 1.05, 1.0, 1.02)

    def at_some_speed(world: World, plan: Plan) -> Result:
        own = times * spread[(len(world.plans) - 1) // 2 % len(spread)] if _name(plan) == SIDE else 1.0
        latency = Durations.of(Histogram.of(*[round(own * 10_000_000)] * 100))
        return msgspec.structs.replace(world.result(plan), latency_ms=latency)

    world = World(fails=dict.fromkeys(range(1, 1000), at_some_speed))
    found = world.compare(capacity=False, rate_per_s=100.0, precision=0.05, most_rounds=40)
    assert abs(_whole(found)[Pass.LATENCY] - 27) <= 1


# What is found.


def test_the_rows_tell_what_the_side_adds() -> None:
    found = World().compare()
    row = next(row for row in found.rows if row.metric == "p50")
    assert row.added is not None
    assert row.added.low is not None
    assert row.added.high is not None
    assert row.added.low <= 0.3 <= row.added.high
    assert found.plan.rate == found.rate.per_s if found.rate else False
    capacity = next(row for row in found.rows if row.metric == "rps")
    assert capacity.change_pct is not None
    assert capacity.change_pct.estimate == pytest.approx(-25, abs=0.5)


def test_every_request_is_in_a_slot_or_outside() -> None:
    world = World(fails={9: _invalid, 20: _raises})
    found = world.compare()
    for side in found.sides:
        told = sum(one.slots[side.name].sent + one.slots[side.name].outside for one in found.rounds)
        assert told + side.outside == world.asked[side.name]


def test_who_watches_is_told_of_every_slot_and_of_what_is_known() -> None:
    world = World()
    world.compare()
    stages = [told.stage for told in world.told]
    assert [stage for stage in Stage if stage in stages] == [Stage.PROBE, Stage.CAPACITY, Stage.LATENCY]
    assert stages.count(Stage.LATENCY) == 14
    last = world.told[-1]
    assert (last.number, last.rounds) == (6, 6)
    assert [row.metric for row in last.rows] == ["p50"]
    left = [told.left_s for told in world.told if told.left_s is not None]
    assert left == sorted(left, reverse=True)


# Equivalence.


def test_sides_that_answer_differently_are_not_fired_at() -> None:
    world = World(answers={SIDE: msgspec.structs.replace(_ANSWER, status=404)})
    found = world.compare()
    assert world.plans == []
    assert not found.equivalence.same
    assert found.validity.verdict == "invalid"
    assert found.exit_code == 3
    assert found.rows == []


def test_a_side_that_is_down_is_named_before_anything_is_compared() -> None:
    world = World(dead={SIDE})
    with pytest.raises(InvalidRun, match=f"side '{SIDE}': cannot connect"):
        world.compare()


# Faults.


@pytest.mark.parametrize("failing", [_invalid, _raises])
def test_a_slot_that_fails_drops_its_round_and_no_other(failing: Callable[[World, Plan], Result]) -> None:
    found = World(fails={9: failing}).compare()
    assert _whole(found) == {Pass.CAPACITY: 5, Pass.LATENCY: 6}
    (dropped,) = found.dropped
    assert (dropped.of, dropped.number) == (Pass.CAPACITY, 4)
    assert found.validity.verdict == "suspect"
    assert "1 of 6 rounds of the capacity pass were dropped" in found.validity.reasons[0]


def test_a_side_that_dies_ends_the_comparison_with_its_name_and_the_rounds_so_far() -> None:
    world = World(fails={25: _dies})
    found = world.compare()
    assert _whole(found) == {Pass.CAPACITY: 6, Pass.LATENCY: 4}
    assert len(world.plans) == 25
    (name,) = world.dead
    assert f"side '{name}'" in found.validity.reasons[0]
    assert "round 5 of the latency pass" in found.validity.reasons[0]
    assert found.exit_code == 3
    assert found.rows


def test_a_side_that_dies_in_its_last_slot_is_found_out_though_it_had_answered() -> None:
    def goes(world: World, plan: Plan) -> Result:
        world.dead.add(_name(plan))
        result = world.result(plan)
        refused = msgspec.structs.replace(result.connects, failed=3, errors={"refused": 3})
        return msgspec.structs.replace(result, connects=refused)

    world = World(fails={28: goes})
    found = world.compare()
    assert _whole(found) == {Pass.CAPACITY: 6, Pass.LATENCY: 5}
    (name,) = world.dead
    assert f"side '{name}'" in found.validity.reasons[0]
    assert found.exit_code == 3


def test_dials_that_fail_at_a_side_that_answers_fail_no_slot() -> None:
    def refuses(world: World, plan: Plan) -> Result:
        result = world.result(plan)
        refused = msgspec.structs.replace(result.connects, failed=3, errors={"refused": 3})
        return msgspec.structs.replace(result, connects=refused)

    assert World(fails={28: refuses}).compare().dropped == []


def test_what_fails_every_time_is_not_tried_for_ever() -> None:
    world = World(fails=dict.fromkeys(range(5, 100), _invalid))
    found = world.compare()
    assert len(world.plans) < 12
    assert "3 rounds were dropped one after the other" in found.validity.reasons[0]


def test_more_rounds_dropped_than_kept_are_no_comparison_and_the_reason_says_why() -> None:
    found = World(fails=dict.fromkeys((3, 4, 7, 9), _invalid)).compare(capacity=False, rate_per_s=100.0)
    assert found.validity.verdict == "invalid"
    (lost,) = found.validity.reasons
    name = found.dropped[-1].side
    assert lost == f"the latency pass lost 4 of its 6 rounds; at last '{name}' failed: no request succeeded"


def test_a_pass_without_a_whole_round_says_why_it_has_none() -> None:
    found = World(fails={3: _invalid}).compare(
        capacity=False, rate_per_s=100.0, rounds=1, duration_ns=SECOND_NS
    )
    (none,) = found.validity.reasons
    name = found.dropped[0].side
    assert none == f"the latency pass has no whole round; at last '{name}' failed: no request succeeded"


def test_a_slot_in_which_no_status_was_a_success_tells_them_and_what_helps() -> None:
    def is_missing(world: World, plan: Plan) -> Result:
        return msgspec.structs.replace(_invalid(world, plan), status={"404": 9, "410": 1})

    (dropped,) = World(fails={9: is_missing}).compare().dropped
    assert dropped.reason == (
        "no request succeeded (every response had status 404 or 410; --expect-status says what counts as success)"
    )


@pytest.mark.parametrize(
    ("at", "rounds"), [(1, {}), (4, {Pass.CAPACITY: 0}), (20, {Pass.CAPACITY: 6, Pass.LATENCY: 1})]
)
def test_an_interrupt_keeps_the_whole_rounds_and_drops_the_one_it_cut(
    at: int, rounds: dict[Pass, int]
) -> None:
    world = World(fails={at: _interrupted})
    found = world.compare()
    assert len(world.plans) == at
    assert _whole(found) == {of: count for of, count in rounds.items() if count}
    assert (found.interrupted, found.exit_code) == ("SIGINT", 130)


def test_an_interrupt_before_the_first_slot_is_no_complaint() -> None:
    world = World()
    world.interrupt.stop("SIGTERM")
    found = world.compare()
    assert (found.exit_code, found.rounds, world.plans) == (143, [], [])
    assert found.validity.verdict == "invalid", "nobody can build on nothing"


def test_what_ended_one_slot_by_its_errors_does_not_end_the_next() -> None:
    def bails_out(world: World, plan: Plan) -> Result:
        world.interrupt.end()
        return _invalid(world, plan)

    found = World(fails={9: bails_out}).compare()
    assert _whole(found) == {Pass.CAPACITY: 5, Pass.LATENCY: 6}
    assert found.interrupted is None
