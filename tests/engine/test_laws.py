"""The laws of counting hold for whatever is fired, and whatever the server, the kernel and the user do, at any moment.

A whole shard is fired at a server that is made up (simulation.py); what it tells is held against what that server saw.
"""

from __future__ import annotations

import os
from itertools import islice, takewhile
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.engine.native import fire_natively
from cannon.errors import Fault
from cannon.pace import Arrivals, Pace, Scope
from cannon.plan import Engine, Limits, Plan, Stop, Timestamps
from cannon.profile import Constant, Steps
from cannon.route import Address
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from tests.engine.simulation import US, Answer, Dial, Simulation
from tests.firing import conserved

_HOST = (Address("127.0.0.1", 1),)
_PATH = (Address(path="/a/socket"),)
_TARGETS = tuple(
    msgspec.structs.replace(Target.parse(f"http://127.0.0.1:1/{name}"), addresses=_HOST) for name in "ab"
)
_UNIX = tuple(msgspec.structs.replace(target, addresses=_PATH) for target in _TARGETS)

_limits = st.builds(
    Limits,
    per_connection=st.none() | st.integers(1, 6),
    overall=st.none() | st.integers(1, 12),
    reconnect_after=st.none() | st.integers(1, 4),
    bailout=st.none() | st.integers(1, 6),
)
_paces = st.builds(
    Pace,
    profile=st.builds(Constant, st.sampled_from([200.0, 1_000.0, 4_000.0]))
    | st.just(Steps((1_000.0, 0.0), 4_000 * US)),
    arrivals=st.sampled_from(Arrivals),
    seed=st.integers(0, 3),
    scope=st.sampled_from(Scope),
)


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    connections = draw(st.integers(1, 4))
    amount = draw(st.none() | st.integers(connections, 20))
    pipelining = draw(st.integers(1, 4))
    closes = pipelining == 1 and draw(st.booleans())
    targets = draw(st.sampled_from([_TARGETS, _TARGETS[:1], _UNIX]))
    return Plan(
        targets=targets,
        method="POST",
        body=b"x" * draw(st.sampled_from([0, 0, 150])),
        headers=(("Connection", "close"),) if closes else (),
        expect_body=draw(st.sampled_from([None, None, b"ok"])),
        connections=connections,
        pipelining=pipelining,
        stop=Stop(duration_ns=draw(st.integers(1, 15)) * 1_000 * US, amount=amount),
        limits=draw(_limits | st.just(Limits())),
        pace=draw(st.none() | _paces),
        timeout_ns=draw(st.sampled_from([2_000, 8_000])) * US,
        drain_ns=draw(st.sampled_from([0, 1_000, 20_000])) * US,
        sample_ns=10_000 * US,
        engine=draw(st.sampled_from([Engine.NATIVE, Engine.NATIVE, Engine.H11])),
        timestamps=Timestamps.LOOP,
        excludes_errors=draw(st.booleans()),
    )


_simulations = st.builds(
    Simulation,
    answers=st.lists(st.sampled_from([*Answer, *[Answer.GOOD] * 10]), min_size=1, max_size=12),
    dials=st.lists(st.sampled_from([*Dial, *[Dial.AT_ONCE, Dial.LATER] * 4]), min_size=1, max_size=6),
    room_bytes=st.sampled_from([1 << 20, 1 << 20, 500, 70]),
    sealed=st.booleans(),
    hiccups_ns=st.sampled_from([(0,), (0, 0, 0, 400 * US)]),
)


def _fired(plan: Plan, world: Simulation, interrupted: tuple[int, bytes] | None = None) -> Tally:
    """The sum of what a shard tells; `interrupted`: after so long, by a byte, or, if it is none, by the end."""
    reading, writing = os.pipe()
    ends = [reading, writing]

    def interrupt() -> None:
        if interrupted is not None and interrupted[1]:
            os.write(writing, interrupted[1])
        else:
            os.close(ends.pop())

    if interrupted is not None:
        world.later(interrupted[0], interrupt)
    try:
        with world.instead_of_the_system():
            return sum(fire_natively(split(plan, 1)[0], reading, world), Tally())
    finally:
        for descriptor in ends:
            os.close(descriptor)


def _due(plan: Plan, tally: Tally) -> int:
    """How many requests were due, as the pace has it, by the end of the window that was told."""
    pace, each = plan.pace, plan.limits.per_connection
    assert pace is not None
    if not tally.sent + tally.never_sent and (tally.bailed_out or not tally.made):
        # It may have ended in the opening.
        return 0
    until_ns = tally.row.window_ns
    if plan.stop.amount is None:
        until_ns = min(until_ns, plan.stop.duration_ns)
    if pace.scope is Scope.TOOL:
        sequences, most = [pace.due_ns()], each and each * plan.connections
    else:
        numbers = range(plan.connections)
        sequences, most = [pace.connection_due_ns(number, plan.connections) for number in numbers], each
    due = sum(
        sum(1 for _ in takewhile(lambda due_ns: due_ns < until_ns, islice(sequence, most)))
        for sequence in sequences
    )
    return min(due, plan.most_requests or due)


@settings(max_examples=100)
@given(
    plan=_plans(),
    world=_simulations,
    interrupted=st.none() | st.tuples(st.integers(0, 20_000 * US), st.sampled_from([b".", b""])),
)
def test_whatever_happens_every_request_dial_and_byte_ends_in_exactly_one_count(
    plan: Plan, world: Simulation, interrupted: tuple[int, bytes] | None
) -> None:
    tally = _fired(plan, world, interrupted)
    assert conserved(tally)
    # What the server saw.
    assert tally.sent_bytes == world.sent_bytes
    assert 0 <= tally.sent - world.begun <= world.blocked * (plan.pipelining if world.sealed else 1)
    # The limits.
    most = plan.most_requests
    assert most is None or tally.sent <= most
    if plan.limits.per_connection is not None:
        assert tally.sent <= plan.limits.per_connection * plan.connections
    if plan.limits.reconnect_after is not None:
        assert all(opened.begun <= plan.limits.reconnect_after for opened in world.sockets)
    assert all(opened.most_in_flight <= plan.pipelining for opened in world.sockets)
    # The distributions.
    counted = tally.completed + tally.errors.get(Fault.TIMEOUT, 0)
    if plan.excludes_errors:
        counted = tally.succeeded
    assert tally.service.count == counted
    assert tally.first_byte.count == (tally.succeeded if plan.excludes_errors else tally.completed)
    for histogram in (tally.service, tally.first_byte, tally.response, tally.late, tally.connect):
        assert min(histogram.counts, default=0) >= 0
    if plan.pace is not None:
        due = tally.sent + tally.never_sent
        # Of an amount whose server has gone all the rest was never sent.
        gone = tally.never_sent and plan.stop.amount is not None
        assert due == _due(plan, tally) or (gone and due == plan.most_requests)
        assert tally.response.count == counted
        assert tally.late.count == tally.sent
    shares = tally.steps.values()
    if len(plan.targets) > 1:
        assert sum(sum(share.status.values()) for share in shares) == tally.completed
        assert sum(share.latency.count for share in shares) == counted
    if plan.limits.bailout is not None and not tally.bailed_out:
        wrong = tally.failed - tally.errors.get(Fault.ABORTED, 0) + tally.mismatched + tally.connects_failed
        assert wrong < plan.limits.bailout


@settings(max_examples=100)
@given(
    plan=_plans().filter(lambda plan: plan.stop.amount is None),
    lead_in_ns=st.integers(1, 12_000 * US),
    world=_simulations,
    interrupted=st.none() | st.tuples(st.integers(0, 20_000 * US), st.sampled_from([b".", b""])),
)
def test_a_lead_in_is_in_no_figure_and_its_requests_are_counted_apart(
    plan: Plan, lead_in_ns: int, world: Simulation, interrupted: tuple[int, bytes] | None
) -> None:
    tally = _fired(msgspec.structs.replace(plan, lead_in_ns=lead_in_ns), world, interrupted)
    assert conserved(tally)
    assert tally.sent >= 0
    assert tally.row.window_ns <= plan.stop.duration_ns + 10_000 * US
    sent = tally.sent + tally.led_in
    assert 0 <= sent - world.begun <= world.blocked * (plan.pipelining if world.sealed else 1)
    assert plan.most_requests is None or sent <= plan.most_requests
    counted = tally.completed + tally.errors.get(Fault.TIMEOUT, 0)
    assert tally.service.count == (tally.succeeded if plan.excludes_errors else counted)
    if (
        plan.pace is not None
        and plan.limits == Limits()
        and plan.pace.scope is Scope.TOOL
        and not interrupted
    ):
        until_ns = lead_in_ns + plan.stop.duration_ns
        due = sum(1 for _ in takewhile(lambda due_ns: due_ns < until_ns, plan.pace.due_ns()))
        assert sent + tally.never_sent == due


@settings(max_examples=50)
@given(
    plan=_plans(),
    answers=st.lists(st.sampled_from([Answer.GOOD, Answer.PIECES]), min_size=1, max_size=5),
    room_bytes=st.sampled_from([1 << 20, 500, 70]),
    sealed=st.booleans(),
)
def test_a_server_that_does_nothing_wrong_is_told_of_no_fault(
    plan: Plan, answers: list[Answer], room_bytes: int, sealed: bool
) -> None:
    world = Simulation(answers=answers, dials=[Dial.LATER], room_bytes=room_bytes, sealed=sealed)
    tally = _fired(msgspec.structs.replace(plan, timeout_ns=10**12, drain_ns=10**9), world)
    assert (tally.errors, tally.connect_errors, tally.closed_idle, tally.in_flight) == ({}, {}, 0, 0)
    assert tally.sent == tally.succeeded


def _plan(**settings: Any) -> Plan:
    return Plan(targets=_TARGETS[:1], timeout_ns=2_000 * US, sample_ns=10_000 * US, **settings)


def test_a_server_that_is_seldom_asked_has_not_gone() -> None:
    # The answers come at once, and between two requests lies more than twice the timeout.
    plan = _plan(connections=2, stop=Stop(amount=6), pace=Pace(Constant(200.0)))
    tally = _fired(plan, Simulation(answers=[Answer.GOOD], dials=[Dial.LATER]))
    assert (tally.completed, tally.never_sent) == (6, 0)


def test_an_amount_of_which_no_more_is_ever_due_ends() -> None:
    plan = _plan(connections=2, stop=Stop(amount=60), pace=Pace(Steps((1_000.0, 0.0), 5_000 * US)))
    tally = _fired(plan, Simulation(answers=[Answer.GOOD], dials=[Dial.LATER]))
    assert (tally.completed, tally.never_sent) == (5, 0)


def test_whoever_has_not_dialled_when_the_errors_are_enough_does_not() -> None:
    plan = _plan(connections=4, limits=Limits(bailout=1))
    tally = _fired(plan, Simulation(answers=[Answer.GOOD], dials=[Dial.REFUSED, Dial.LATER]))
    assert (tally.attempted, tally.connects_failed, tally.connecting) == (1, 1, 0)


def test_of_connections_that_may_send_no_more_nothing_is_due() -> None:
    pace = Pace(Constant(1_000.0), scope=Scope.CONNECTION)
    plan = _plan(
        connections=3, stop=Stop(duration_ns=50_000 * US), limits=Limits(per_connection=5), pace=pace
    )
    # One of them waits for its answer to the end.
    answers = [Answer.GOOD] * 2 + [Answer.SLOW] * 20
    tally = _fired(plan, Simulation(answers=answers, dials=[Dial.LATER]))
    assert (tally.sent, tally.never_sent) == (15, 0)
