"""Every Tally is added once, and those who watch are told of the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.errors import Fault
from cannon.fleets.ledger import Ledger
from cannon.plan import Plan, Stop, Target
from cannon.progress import Phase, State
from cannon.tally import Histogram, Row, Tally
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
    assert (first.index, first.state, first.told_s, first.failed) == (0, State.RUNNING, 1.0, 1)
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
    assert ledger.states == (State.LOST, State.RUNNING)


def test_a_tick_that_came_late_is_a_pause_of_that_worker() -> None:
    ledger = Ledger(PLAN, Phase.FIRE, 2)
    ledger.add(0, _tick(5, window_ns=4 * SECOND_NS), 4.0)
    ledger.add(1, _tick(5, window_ns=SECOND_NS + 1_000_000), 4.0)
    assert [tally.longest_pause_ns for tally in ledger.sums] == [3 * SECOND_NS, 0]
