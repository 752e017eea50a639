"""The scripted engine is exact: what it tells follows from the script alone, and loads add up (laws 4 and 5)."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cannon.engine import fire
from cannon.fleets.inline import fire_inline
from cannon.plan import Engine, Plan, Stop
from cannon.shard import split
from cannon.tally import Histogram, Tally
from cannon.target import Target
from tests.strategies import plans

MILLISECOND_NS = 1_000_000


def _plan(**settings: object) -> Plan:
    plan = Plan(targets=(Target.parse("http://host/"),), engine=Engine.SCRIPTED)
    return msgspec.structs.replace(plan, **settings)


def _total(plan: Plan, shards: int = 1) -> Tally:
    return sum((tally for _, tally in fire_inline(split(plan, shards))), Tally())


def test_an_amount_takes_the_scripted_latencies_in_order() -> None:
    plan = _plan(connections=1, stop=Stop(amount=3), script_ns=(MILLISECOND_NS, 5 * MILLISECOND_NS))
    total = _total(plan)
    assert (total.sent, total.completed, total.in_flight) == (3, 3, 0)
    assert total.service == Histogram.of(MILLISECOND_NS, 5 * MILLISECOND_NS, MILLISECOND_NS)
    assert total.row.window_ns == 7 * MILLISECOND_NS


def test_a_duration_sends_until_it_is_over_and_drains_the_rest() -> None:
    plan = _plan(connections=2, stop=Stop(duration_ns=10 * MILLISECOND_NS), script_ns=(4 * MILLISECOND_NS,))
    total = _total(plan)
    assert (total.sent, total.completed, total.row.requests) == (6, 6, 4)


def test_what_outlasts_the_drain_is_in_flight_and_its_age_is_told() -> None:
    plan = _plan(
        connections=1,
        stop=Stop(duration_ns=10 * MILLISECOND_NS),
        drain_ns=5 * MILLISECOND_NS,
        script_ns=(40 * MILLISECOND_NS,),
    )
    total = _total(plan)
    assert (total.sent, total.completed, total.in_flight) == (1, 0, 1)
    assert total.oldest_in_flight_ns == 15 * MILLISECOND_NS


def test_a_tally_comes_every_tick_and_one_after_the_drain() -> None:
    plan = _plan(
        connections=1, stop=Stop(duration_ns=2_500 * MILLISECOND_NS), script_ns=(100 * MILLISECOND_NS,)
    )
    windows_ns = [tally.row.window_ns for tally in fire(split(plan, 1)[0])]
    assert windows_ns == [1_000 * MILLISECOND_NS, 1_000 * MILLISECOND_NS, 500 * MILLISECOND_NS, 0]


@given(plans())
def test_every_request_ends_in_exactly_one_count(plan: Plan) -> None:
    total = _total(plan)
    assert total.sent == total.completed + total.failed + total.in_flight
    if plan.stop.amount is not None:
        assert total.sent == plan.stop.amount


@given(plans(), st.integers(1, 5))
def test_a_divided_run_counts_the_same(plan: Plan, shards: int) -> None:
    one, divided = _total(plan), _total(plan, min(shards, plan.connections))
    assert (divided.sent, divided.status, divided.service) == (one.sent, one.status, one.service)
