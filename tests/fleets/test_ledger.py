"""Every Tally is added once, and those who watch are told of the same."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.errors import Fault
from cannon.fleets.ledger import Ledger
from cannon.pace import Pace, Scope
from cannon.plan import Limits, Plan, Stop
from cannon.profile import Constant, Profile, Ramp
from cannon.progress import Phase, State
from cannon.tally import Histogram, Row, Tally
from cannon.target import Target
from tests.strategies import tallies

SECOND_NS = 1_000_000_000
PLAN = Plan(targets=(Target.parse("http://host/"),), stop=Stop(duration_ns=10 * SECOND_NS))


def _tick(requests: int, window_ns: int = SECOND_NS) -> Tally:
    return Tally(
        sent=requests,
        status={200: requests},
        errors={Fault.RESET: 1},
        whole=Histogram.of(*[1_000_000] * requests),
        row=Row(window_ns, requests, requests, 1, 0),
    )


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 2), tallies), max_size=6))
def test_each_worker_has_the_sum_of_what_it_told(told: list[tuple[int, Tally]]) -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 3)
    for index, tally in told:
        ledger.add(index, tally, 0.0)
    expected = [sum((tally for index, tally in told if index == each), Tally()) for each in range(3)]
    for found, wanted in zip(ledger.sums, expected, strict=True):
        assert (found.sent, found.status, found.row) == (wanted.sent, wanted.status, wanted.row)
        assert found.service == wanted.service


def test_a_watcher_is_told_of_each_worker() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, _tick(5), 1.0)
    ledger.add(1, _tick(3), 1.1)
    ledger.end(1, State.LOST)
    progress = ledger.progress(1.5, None)
    first, second = progress.workers
    assert (first.index, first.state, first.failed) == (0, State.RUNNING, 1)
    assert (progress.elapsed_s, first.told_s) == (1.5, 1.0)
    assert first.row is not None and first.row.requests == 5
    assert (second.state, second.told_s) == (State.LOST, 1.1)
    assert (progress.completed, progress.failed) == (8, 2)


def test_one_worker_is_the_run_and_needs_no_line_of_its_own() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 1)
    (row,) = ledger.add(0, _tick(5), 1.0)
    assert ledger.progress(1.0, row).workers == ()


def test_what_a_lost_worker_had_under_way_is_in_flight_for_ever() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, Tally(sent=9, status={200: 5}, row=Row(window_ns=SECOND_NS)), 1.0)
    ledger.end(0, State.LOST)
    assert ledger.sums[0].in_flight == 4
    assert ledger.states == (State.LOST, State.STARTING)


def test_a_tick_that_came_late_is_a_pause_of_that_worker() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, _tick(5, window_ns=4 * SECOND_NS), 4.0)
    ledger.add(1, _tick(5, window_ns=SECOND_NS + 1_000_000), 4.0)
    assert [tally.longest_pause_ns for tally in ledger.sums] == [3 * SECOND_NS, 0]


@pytest.mark.parametrize(
    ("cpu_ns", "run_delay_ns", "pause_ns"),
    [
        (0, 0, 3 * SECOND_NS),
        (SECOND_NS, 0, 3 * SECOND_NS),
        (3 * SECOND_NS, 0, SECOND_NS),
        (4 * SECOND_NS, 0, 0),
        (2 * SECOND_NS, 2 * SECOND_NS, 0),
        (5 * SECOND_NS, 0, 0),
    ],
)
def test_what_the_cpu_or_the_wait_for_it_explains_is_no_pause(
    cpu_ns: int, run_delay_ns: int, pause_ns: int
) -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 1)
    late = msgspec.structs.replace(_tick(5, 4 * SECOND_NS), cpu_ns=cpu_ns, run_delay_ns=run_delay_ns)
    ledger.add(0, late, 4.0)
    assert ledger.sums[0].longest_pause_ns == pause_ns


def _opening(made: int) -> Tally:
    return Tally(attempted=made + 1, made=made, connecting=1)


def test_a_watcher_is_told_that_connections_are_being_opened() -> None:
    ledger = Ledger(msgspec.structs.replace(PLAN, connections=3_000), Phase.FIRE, 2)
    assert ledger.progress(0.0, None).state is State.STARTING
    ledger.add(0, _opening(700), 1.0)
    ledger.add(1, _opening(500), 1.1)
    progress = ledger.progress(1.1, None)
    assert (progress.state, progress.made, progress.connections) == (State.CONNECTING, 1_200, 3_000)
    assert [worker.state for worker in progress.workers] == [State.CONNECTING] * 2


def test_the_time_counts_from_the_begin_of_the_first_window() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, _opening(4), 1.0)
    ledger.add(0, _tick(5), 3.5)
    progress = ledger.progress(3.5, None)
    assert (progress.state, progress.elapsed_s) == (State.RUNNING, 1.0)
    ledger.add(1, _tick(5), 3.75)
    assert ledger.progress(4.0, None).elapsed_s == 1.5
    assert [worker.told_s for worker in ledger.progress(4.0, None).workers] == [1.0, 1.25]


def test_a_short_opening_is_never_shown() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 1)
    before = ledger.progress(0.0, None).state
    ledger.add(0, _opening(PLAN.connections), 0.2)
    progress = ledger.progress(0.7, None)
    assert (before, progress.state) == (State.STARTING, State.RUNNING)
    assert progress.elapsed_s == pytest.approx(0.5)


def test_the_drain_is_no_opening() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, _tick(5), 1.0)
    ledger.add(0, Tally(), 2.0)
    assert ledger.progress(2.0, None).workers[0].state is State.RUNNING


def test_ticks_that_come_often_are_gathered_into_the_same_rows() -> None:
    plan = msgspec.structs.replace(PLAN, workers=2, limits=Limits(bailout=1_000))
    ticks = plan.sample_ns // plan.tick_ns
    assert ticks > 1, "errors of several workers are told before a second is over"
    ledger = Ledger(plan, Phase.FIRE, 2)
    for _ in range(2 * ticks):
        for index in range(2):
            ledger.add(index, _tick(5, plan.tick_ns), 1.0)
    assert [(row.t_s, row.requests) for row in ledger.rows] == [(1.0, 10 * ticks), (2.0, 10 * ticks)]
    (first, _) = ledger.progress(2.0, None).workers
    assert first.row is not None and first.row.requests == 5 * ticks


def test_the_total_is_what_all_of_them_told() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, _tick(5), 1.0)
    ledger.add(1, _tick(3), 1.0)
    assert ledger.total.sent == 8


def test_what_a_lost_worker_told_as_never_sent_stays() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, Tally(sent=9, never_sent=4, row=Row(window_ns=SECOND_NS)), 1.0)
    ledger.end(0, State.LOST)
    assert (ledger.sums[0].in_flight, ledger.sums[0].never_sent) == (9, 4)


@pytest.mark.parametrize(
    ("profile", "scope", "asked"),
    [
        (Constant(500), Scope.TOOL, [500, 500]),
        (Constant(50), Scope.CONNECTION, [500, 500]),
        (Ramp(0, 400, 4 * SECOND_NS), Scope.TOOL, [50, 150]),
    ],
)
def test_a_watcher_is_told_the_rate_that_was_due_while_a_row_was_made(
    profile: Profile, scope: Scope, asked: list[float]
) -> None:
    plan = msgspec.structs.replace(PLAN, pace=Pace(profile, scope=scope))
    ledger = Ledger(plan, Phase.FIRE, 1)
    rows = [ledger.add(0, _tick(5), 1.0)[0] for _ in asked]
    assert [ledger.progress(1.0, row).asked_per_s for row in rows] == pytest.approx(asked)


def test_in_a_closed_loop_no_rate_is_asked() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 1)
    (row,) = ledger.add(0, _tick(5), 1.0)
    assert ledger.progress(1.0, row).asked_per_s is None


def test_what_each_worker_told_is_handed_over_with_its_fastest_tick() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, Tally(), 0.1)
    assert ledger.so_far.fastest_per_s == (0.0, 0.0)
    for requests, window_ns in ((5, SECOND_NS), (19, 2 * SECOND_NS), (3, SECOND_NS)):
        ledger.add(0, _tick(requests, window_ns), 1.0)
    ledger.add(1, _tick(2), 1.0)
    so_far = ledger.so_far
    assert (so_far.plan, so_far.sums) == (PLAN, ledger.sums)
    assert so_far.fastest_per_s == (10.0, 3.0), "nineteen, and the reset, in two seconds"
