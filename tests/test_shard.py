"""Law 2: for any number of shards, connections, amounts and due times add up to the plan's, exactly."""

from __future__ import annotations

from itertools import islice

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cannon.pace import Pace
from cannon.plan import Plan
from cannon.profile import Constant
from cannon.shard import Shard, split
from tests.strategies import plans

shards = st.integers(1, 9)


@given(plans(), shards)
def test_connections_add_up(plan: Plan, parts: int) -> None:
    assert sum(shard.connections for shard in split(plan, parts)) == plan.connections


@given(plans(), shards)
def test_amounts_add_up_and_differ_by_one_at_most(plan: Plan, parts: int) -> None:
    amounts = [shard.amount for shard in split(plan, parts)]
    if plan.stop.amount is None:
        assert amounts == [None] * parts
        return
    told = [amount for amount in amounts if amount is not None]
    assert sum(told) == plan.stop.amount
    assert max(told) - min(told) <= 1


@given(plans(), shards)
def test_a_shard_round_trips_as_bytes(plan: Plan, parts: int) -> None:
    for shard in split(plan, parts):
        assert Shard.from_bytes(shard.to_bytes()) == shard


@given(st.integers(1, 10**6), shards)
def test_due_times_of_all_shards_are_those_of_the_plan(per_s: int, parts: int) -> None:
    pace = Pace(Constant(per_s))
    taken = [list(islice(pace.due_ns(index, parts), 20)) for index in range(parts)]
    merged = [due for turn in zip(*taken, strict=True) for due in turn]
    assert merged == list(islice(pace.due_ns(), 20 * parts))


@given(plans())
def test_one_shard_is_the_plan(plan: Plan) -> None:
    (shard,) = split(plan, 1)
    assert (shard.plan, shard.connections, shard.amount) == (plan, plan.connections, plan.stop.amount)
    assert msgspec.structs.asdict(shard)["count"] == 1
