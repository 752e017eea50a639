"""A saturated client is told from a slow server, and every doubt says what to do."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.durations import Durations, OwnDelay
from cannon.plan import Engine
from cannon.tally import Histogram, Tally
from cannon.validity import (
    BUSY,
    LEAST_WINDOW_NS,
    NEVER_IDLE,
    NOTICEABLE,
    STANDSTILL_NS,
    STOLEN,
    Evidence,
    Place,
    WorkerLoad,
    judge,
)
from tests.results import a_plan, a_tally

SECOND_NS = 1_000_000_000
MS = 1_000_000
TALLY = a_tally()


def a_load(busy: float = 0.3, waiting: float = 0.01, window_ns: int = 10 * SECOND_NS) -> WorkerLoad:
    """A worker that used so much of a core, and waited so much for it."""
    return WorkerLoad(window_ns, round(busy * window_ns), round(waiting * window_ns))


def some_evidence(*workers: WorkerLoad, **changes: Any) -> Evidence:
    """Ten seconds with ten connections, on four cores, of a worker that was idle most of the time."""
    numbers: dict[str, Any] = {
        "workers": workers or (a_load(),),
        "connections": 10,
        "cores": 4,
        "engine": Engine.NATIVE,
        "own_delay": OwnDelay(0.02, 0.1, 3.0),
        "latency": LATENCY,
        "standstill_ns": 3 * MS,
        "steal": 0.0,
    }
    return Evidence(**(numbers | changes))


def latency(p50_ms: float = 1.0, p99_ms: float = 2.0, count: int = 10_000) -> Durations:
    """A distribution of which only these are looked at."""
    figures = dict.fromkeys(Durations.__struct_fields__)
    return Durations(**(figures | {"p50": p50_ms, "p99": p99_ms, "count": count}))  # type: ignore[arg-type]


LATENCY = latency()


def reasons(evidence: Evidence) -> list[str]:
    """What is said of a run whose counts are in order."""
    validity = judge(TALLY, [], evidence)
    assert validity.verdict == ("suspect" if validity.reasons else "valid")
    return validity.reasons


def reason(evidence: Evidence) -> str:
    """The one thing that is said of it."""
    (only,) = reasons(evidence)
    return only


# The CPU.


def test_a_client_that_is_idle_most_of_the_time_measures_a_server() -> None:
    assert reasons(some_evidence(a_load(0.6))) == []


@pytest.mark.parametrize(
    ("busy", "waiting", "said"),
    [
        (0.98, 0.0, "cannon used 98 % of a core: it was the limit, not the server; try -w 2"),
        (1.2, 0.0, "cannon used 100 % of a core: it was the limit, not the server; try -w 2"),
        (0.88, 0.0, "cannon used 88 % of a core: it may have been the limit; try -w 2"),
        (0.88, 0.1, "cannon used 88 % of a core: it was the limit, not the server; try -w 2"),
        (
            0.82,
            0.15,
            (
                "cannon used 82 % of a core and waited for it 15 % of the time:"
                " it was the limit, not the server; try -w 2"
            ),
        ),
    ],
)
def test_a_client_without_a_cpu_to_spare_was_the_limit(busy: float, waiting: float, said: str) -> None:
    evidence = some_evidence(a_load(busy, waiting))
    assert reason(evidence) == said
    assert evidence.saturated


def test_the_busiest_worker_decides() -> None:
    evidence = some_evidence(a_load(0.1), a_load(0.97), a_load(0.2), a_load(0.1), cores=8)
    assert reason(evidence).startswith("one of 4 workers used 97 % of a core: ")
    assert evidence.busy == 0.97


def test_a_busy_worker_is_not_hidden_by_one_that_waited() -> None:
    found = reasons(some_evidence(a_load(0.5, 0.5), a_load(0.9, 0.0)))
    assert [text.split(" of ", 2)[1].split(":")[0] for text in found] == [
        "2 workers used 90 %",
        "2 workers waited 5.00 s",
    ]


@pytest.mark.parametrize(
    ("workers", "cores", "connections", "advice"),
    [
        (1, 4, 10, "try -w 2"),
        (2, 8, 10, "try -w 4"),
        (2, 3, 10, "try -w 3"),
        (1, 8, 1, "fire from another machine"),
        (1, 1, 10, "fire from another machine"),
        (2, 2, 10, "fire from another machine"),
        (4, 2, 10, "fire from another machine"),
    ],
)
def test_more_workers_are_advised_only_where_there_are_cores_and_connections_for_them(
    workers: int, cores: int, connections: int, advice: str
) -> None:
    evidence = some_evidence(*[a_load(1.0, 0.0)] * workers, cores=cores, connections=connections)
    assert reason(evidence).rpartition("; ")[2] == advice


@pytest.mark.parametrize(
    ("cores", "advice"), [(4, "try --engine native, or -w 2"), (1, "try --engine native")]
)
def test_a_slower_engine_is_advised_against_first(cores: int, advice: str) -> None:
    evidence = some_evidence(a_load(0.99), engine=Engine.H11, cores=cores)
    assert reason(evidence).rpartition("; ")[2] == advice


# Waiting for a CPU.


def test_a_client_that_others_kept_from_the_cpu_says_how_long() -> None:
    evidence = some_evidence(a_load(0.4, 0.25))
    assert reason(evidence) == (
        "cannon waited 2.50 s of 10.0 s for a CPU (other programs had it);"
        " close other programs, or fire from another machine"
    )
    assert not evidence.saturated, "it had time to spare all the same"


def test_one_that_always_ran_or_waited_was_the_limit_too() -> None:
    evidence = some_evidence(a_load(0.6, 0.38))
    said = reason(evidence)
    assert said.startswith(
        "cannon waited 3.80 s of 10.0 s for a CPU (other programs had it) and was never idle:"
        " it was the limit, not the server; "
    )
    assert evidence.saturated


def test_workers_on_every_core_are_advised_to_leave_one() -> None:
    assert reason(some_evidence(*[a_load(0.4, 0.3)] * 4)).endswith("leave them a core with -w 3")


# A server on the same machine.


@pytest.mark.parametrize(
    ("workers", "cores", "connections", "advice"),
    [
        (1, 2, 10, "fire from another machine, the server shares these cores"),
        (2, 2, 10, "fire from another machine, the server shares these cores"),
        (1, 1, 10, "fire from another machine, the server shares these cores"),
        (1, 3, 10, "try -w 2"),
        (2, 4, 10, "try -w 3"),
        (3, 4, 10, "fire from another machine, the server shares these cores"),
        (1, 8, 1, "fire from another machine"),
    ],
)
def test_a_server_on_this_machine_is_left_a_core(
    workers: int, cores: int, connections: int, advice: str
) -> None:
    loads = [a_load(1.0, 0.0)] * workers
    evidence = some_evidence(*loads, cores=cores, connections=connections, place=Place.HERE)
    assert reason(evidence).rpartition("; ")[2] == advice


@pytest.mark.parametrize(
    ("workers", "cores", "advice"),
    [
        (2, 2, "fire from another machine, the server shares these cores"),
        (4, 4, "fire from another machine, the server shares these cores"),
        (1, 2, "close other programs, or fire from another machine"),
        (3, 4, "close other programs, or fire from another machine"),
    ],
)
def test_workers_that_wait_beside_the_server_are_not_sent_back_to_fewer(
    workers: int, cores: int, advice: str
) -> None:
    evidence = some_evidence(*[a_load(0.4, 0.3)] * workers, cores=cores, place=Place.HERE)
    assert " for a CPU (the server or other programs had it); " in reason(evidence)
    assert reason(evidence).rpartition("; ")[2] == advice


def test_where_cores_are_contended_no_more_workers_are_advised() -> None:
    found = reasons(some_evidence(a_load(0.7, 0.3), own_delay=OwnDelay(0.5, 1.5, 3.0)))
    assert len(found) == 2
    assert "-w" not in "".join(found)


# Its own delay.


@pytest.mark.parametrize(
    ("connections", "own", "total", "said"),
    [
        (
            10,
            OwnDelay(0.1, 1.0, 2.0),
            LATENCY,
            "up to 900 µs of the p99 latency of 2.00 ms is cannon's own delay",
        ),
        (
            10,
            OwnDelay(1.2, 1.3, 2.0),
            LATENCY,
            "up to all of the p50 latency of 1.00 ms is cannon's own delay",
        ),
        (
            100,
            OwnDelay(0.5, 0.6, 0.6),
            LATENCY,
            "up to 495 µs of the p50 latency of 1.00 ms is cannon's own delay",
        ),
    ],
)
def test_how_much_of_a_latency_may_be_cannons_is_told(
    connections: int, own: OwnDelay, total: Durations, said: str
) -> None:
    evidence = some_evidence(connections=connections, own_delay=own, latency=total)
    assert reason(evidence) == f"{said}; try fewer connections, e.g. -c {connections // 2}, or -w 2"
    assert evidence.saturated


@pytest.mark.parametrize(
    "changes",
    [
        {"own_delay": OwnDelay(0.2, 0.4, 2.0)},
        {"own_delay": OwnDelay(0.9, 1.9, 2.0), "connections": 1},
        {"own_delay": OwnDelay(0.1, 1.0, 2.0), "latency": latency(count=1_999)},
        {"own_delay": OwnDelay(0.9, 1.9, 2.0), "latency": latency(count=39)},
        {"own_delay": OwnDelay(None, None, None)},
        {"own_delay": OwnDelay(0.9, 1.9, 2.0), "latency": Durations.of(Histogram())},
    ],
    ids=[
        "small",
        "one connection waits for nobody",
        "p99 of too few",
        "p50 of too few",
        "none",
        "no latency",
    ],
)
def test_an_own_delay_that_is_small_or_not_known_is_not_told(changes: dict[str, Any]) -> None:
    assert reasons(some_evidence(**changes)) == []


def test_a_worker_of_one_connection_waits_for_nobody() -> None:
    own_delay = OwnDelay(0.9, 1.9, 2.0)
    assert reasons(some_evidence(a_load(), a_load(), connections=2, own_delay=own_delay)) == []
    loads = [a_load()] * 4
    assert "-c 4, or -w 6" in reason(some_evidence(*loads, cores=8, connections=6, own_delay=own_delay))


@pytest.mark.parametrize(
    ("connections", "cores", "advice"),
    [
        (2, 4, "try -w 2"),
        (3, 1, "read latencies as upper bounds"),
        (4, 1, "try fewer connections, e.g. -c 2"),
    ],
)
def test_fewer_connections_are_advised_where_there_are_some_to_spare(
    connections: int, cores: int, advice: str
) -> None:
    evidence = some_evidence(connections=connections, cores=cores, own_delay=OwnDelay(0.9, 1.9, 2.0))
    assert reason(evidence).rpartition("; ")[2] == advice


# The machine.


def test_a_time_in_which_cannon_stood_still_is_told() -> None:
    evidence = some_evidence(standstill_ns=2_300 * MS)
    assert reason(evidence) == (
        "cannon itself stood still for at least 2.30 s: it was stopped, suspended or starved, and what came meanwhile"
        " was seen late; run it again"
    )
    assert not evidence.saturated


def test_time_that_the_hypervisor_kept_is_told() -> None:
    evidence = some_evidence(steal=0.31)
    assert reason(evidence) == (
        "this virtual machine did not get 31 % of its CPU time (steal);"
        " run it again when its host is quieter, or fire from another machine"
    )
    assert not evidence.saturated
    assert reasons(some_evidence(steal=None)) == []


def test_all_doubts_are_told_cannons_own_first() -> None:
    evidence = some_evidence(
        a_load(0.9, 0.0),
        a_load(0.5, 0.5),
        own_delay=OwnDelay(0.5, 1.5, 2.0),
        standstill_ns=2 * SECOND_NS,
        steal=0.5,
    )
    words = ("used", "own delay", "waited", "stood still", "steal")
    found = reasons(evidence)
    assert [word in text for word, text in zip(words, found, strict=True)] == [True] * len(words)


def test_a_run_that_was_over_at_once_is_not_judged_by_shares_of_it() -> None:
    short = some_evidence(a_load(1.0, 0.0, window_ns=LEAST_WINDOW_NS - 1), steal=0.9)
    assert reasons(short) == []
    assert short.busy == 1
    assert not short.saturated
    assert reasons(some_evidence(a_load(1.0, 0.0, window_ns=LEAST_WINDOW_NS))) != []


def test_nothing_fired_is_nothing_busy() -> None:
    evidence = some_evidence(a_load(window_ns=0))
    assert evidence.busy is None
    assert reasons(evidence) == []


# Any run.

shares = st.floats(0, 1)
loads = st.builds(a_load, shares, shares, st.integers(0, 60 * SECOND_NS))
milliseconds = st.integers(1, 5 * SECOND_NS).map(lambda duration_ns: duration_ns / MS)
own_delays = st.builds(OwnDelay, *[st.none() | milliseconds] * 3)
evidences = st.builds(
    Evidence,
    workers=st.lists(loads, min_size=1, max_size=8).map(tuple),
    connections=st.integers(8, 10_000),
    cores=st.integers(1, 64),
    engine=st.sampled_from(Engine),
    own_delay=own_delays,
    latency=st.builds(latency, milliseconds, milliseconds, st.integers(0, 10**7)),
    standstill_ns=st.integers(0, 5 * SECOND_NS),
    steal=st.none() | shares,
    place=st.sampled_from(Place),
)

ADVICE = ("try ", "fire from ", "close other programs, or ", "run it again", "read latencies as ")


@given(evidences)
def test_every_reason_ends_in_what_to_do(evidence: Evidence) -> None:
    for text in reasons(evidence):
        found, _, advice = text.rpartition("; ")
        assert found
        assert advice.startswith(ADVICE)
        assert text.isprintable()
        assert len(text) < 240


@given(evidences)
def test_a_saturated_client_is_never_valid(evidence: Evidence) -> None:
    assert not evidence.saturated or judge(TALLY, [], evidence).verdict == "suspect"


@given(
    st.integers(1, 8), st.integers(1, 8), st.integers(8, 100), st.lists(st.tuples(shares, shares), min_size=8)
)
def test_no_number_of_workers_beside_a_server_is_advised_both_up_and_down(
    workers: int, cores: int, connections: int, loads: list[tuple[float, float]]
) -> None:
    def advised(count: int) -> set[int]:
        evidence = some_evidence(
            *[a_load(*load) for load in loads[:count]], cores=cores, connections=connections, place=Place.HERE
        )
        return {int(number) for text in reasons(evidence) for number in re.findall(r"-w (\d+)", text)}

    assert all(more > workers for more in advised(workers))


@given(evidences)
def test_workers_are_never_advised_beyond_cores_or_connections(evidence: Evidence) -> None:
    for text in reasons(evidence):
        _, option, number = text.partition("-w ")
        if option:
            assert 1 <= int(number) <= min(evidence.cores, evidence.connections)
            assert int(number) != len(evidence.workers)


@given(
    st.lists(st.tuples(st.floats(0, BUSY - 0.01), shares), min_size=1, max_size=4),
    st.integers(0, STANDSTILL_NS - 1),
    st.floats(0, STOLEN - 0.01),
    st.floats(0, NOTICEABLE - 0.01),
)
def test_below_every_threshold_nothing_is_suspect(
    parts: list[tuple[float, float]], standstill_ns: int, steal: float, own_share: float
) -> None:
    workers = [a_load(busy, waiting * (min(NOTICEABLE, NEVER_IDLE - busy) - 0.01)) for busy, waiting in parts]
    evidence = some_evidence(
        *workers,
        standstill_ns=standstill_ns,
        steal=steal,
        own_delay=OwnDelay(1.0 * own_share, 2.0 * own_share, 9.0),
    )
    assert reasons(evidence) == []
    assert not evidence.saturated


@given(evidences, st.integers(0, 7), shares)
def test_a_worker_that_did_more_never_makes_a_client_less_saturated(
    evidence: Evidence, index: int, more: float
) -> None:
    workers = list(evidence.workers)
    worker = workers.pop(index % len(workers))
    cpu_ns = worker.cpu_ns + round(more * (worker.window_ns - worker.cpu_ns))
    workers.append(msgspec.structs.replace(worker, cpu_ns=cpu_ns))
    busier = msgspec.structs.replace(evidence, workers=tuple(workers))
    assert busier.saturated >= evidence.saturated


# The counts.


@pytest.mark.parametrize(
    ("tally", "problems", "said"),
    [
        (Tally(), [], ["no request succeeded"]),
        (a_tally(never_sent=7), [], ["7 requests were never sent: nothing could be reached any more"]),
        (
            a_tally(never_sent=7_000),
            [],
            ["7,000 requests were never sent: nothing could be reached any more"],
        ),
        (a_tally(), ["worker 1 was lost"], ["worker 1 was lost"]),
        (
            a_tally(sent=3),
            [],
            ["cannon lost count: 3 sent, but 10,000 completed, 0 failed and 0 in flight"],
        ),
    ],
)
def test_a_run_without_figures_or_that_does_not_add_up_is_invalid(
    tally: Tally, problems: list[str], said: list[str]
) -> None:
    validity = judge(tally, problems, some_evidence(a_load(1.0)))
    assert (validity.verdict, validity.reasons) == ("invalid", said)


def test_the_evidence_of_a_run_is_its_workers_numbers() -> None:
    shards = (
        a_tally(cpu_ns=9 * SECOND_NS, longest_pause_ns=5 * MS),
        a_tally(cpu_ns=2 * SECOND_NS, own_delay=Histogram.of(4 * MS)),
    )
    tally = shards[0] + shards[1]
    evidence = Evidence.of(
        a_plan(workers=2),
        tally,
        shards,
        latency=Durations.of(tally.service),
        cores=2,
        steal=None,
        place=Place.HERE,
    )
    assert [worker.busy for worker in evidence.workers] == [0.9, 0.2]
    assert evidence.standstill_ns == 5 * MS
    assert (evidence.connections, evidence.engine, evidence.place) == (10, Engine.NATIVE, Place.HERE)
