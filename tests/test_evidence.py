"""The numbers of a run are its workers' own, and nothing is made of them yet."""

from __future__ import annotations

import pytest

from cannon.durations import Durations, OwnDelay
from cannon.evidence import Evidence, Place
from cannon.plan import Engine, Plan
from cannon.tally import Histogram, Tally
from tests.evidence import a_load, some_evidence
from tests.results import a_paced_plan, a_paced_tally, a_plan, a_tally, an_empty_tally

SECOND_NS = 1_000_000_000
MS = 1_000_000


def evidence_of(plan: Plan, *shards: Tally) -> Evidence:
    """Of a run on two cores, at a server beside it."""
    tally = sum(shards, Tally())
    latency = Durations.of(tally.service)
    return Evidence.of(plan, tally, shards, latency=latency, cores=2, steal=None, place=Place.HERE)


def test_the_evidence_of_a_run_is_its_workers_numbers() -> None:
    evidence = evidence_of(
        a_plan(workers=2, pipelining=3),
        a_tally(cpu_ns=9 * SECOND_NS, longest_pause_ns=5 * MS),
        a_tally(cpu_ns=2 * SECOND_NS, own_delay=Histogram.of(4 * MS)),
    )
    assert [worker.busy for worker in evidence.workers] == [0.9, 0.2]
    assert evidence.standstill_ns == 5 * MS
    assert (evidence.connections, evidence.pipelining) == (10, 3)
    assert (evidence.engine, evidence.place) == (Engine.NATIVE, Place.HERE)
    assert (evidence.stamped, evidence.lateness) == (0, None)


def test_the_share_that_the_kernel_stamped_is_of_whole_responses() -> None:
    assert evidence_of(a_plan(), a_tally(stamped=9_000)).stamped == 0.9
    assert evidence_of(a_plan(), an_empty_tally()).stamped == 0


def test_under_a_rate_it_is_known_how_late_cannon_itself_was() -> None:
    late = Histogram.of(*[30_000] * 99, 5 * MS)
    lateness = evidence_of(a_paced_plan(), a_paced_tally(woke_late=late)).lateness
    assert lateness is not None
    assert (lateness.count, lateness.delay) == (100, OwnDelay.of(late))


@pytest.mark.parametrize(
    ("connections", "workers", "pipelining", "together"), [(10, 1, 1, 10), (10, 4, 1, 3), (10, 4, 5, 15)]
)
def test_a_turn_may_handle_all_that_a_worker_has_in_flight(
    connections: int, workers: int, pipelining: int, together: int
) -> None:
    evidence = some_evidence(*[a_load()] * workers, connections=connections, pipelining=pipelining)
    assert evidence.together == together


@pytest.mark.parametrize(("stamped", "p50", "p99"), [(0, False, False), (0.6, True, False), (1, True, True)])
def test_a_percentile_is_the_kernels_where_fewer_are_unstamped_than_lie_beyond_it(
    stamped: float, p50: object, p99: object
) -> None:
    evidence = some_evidence(stamped=stamped)
    assert (evidence.stamped_beyond(50), evidence.stamped_beyond(99)) == (p50, p99)
