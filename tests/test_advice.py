"""Every doubt says what to do, and never what could not be done, or would only lead back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.durations import OwnDelay
from cannon.evidence import Evidence, Lateness, Place
from cannon.plan import Engine
from tests.evidence import a_load, a_share, evidences, reason, reasons, some_evidence


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


def test_workers_on_every_core_are_advised_to_leave_one() -> None:
    assert reason(some_evidence(*[a_load(0.4, 0.3)] * 4)).endswith("leave them a core with -w 3")


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


@pytest.mark.parametrize(("cores", "advice"), [(4, "try -w 2"), (1, "read latencies as upper bounds")])
def test_one_that_sends_late_is_advised_more_workers_and_never_fewer_connections(
    cores: int, advice: str
) -> None:
    evidence = some_evidence(cores=cores, lateness=Lateness(OwnDelay(0.9, 1.9, 2.0), 10_000))
    assert reason(evidence).rpartition("; ")[2] == advice


ADVICE = ("try ", "fire from ", "close other programs, or ", "run it again", "read latencies as ")


@given(evidences)
def test_every_reason_ends_in_what_to_do(evidence: Evidence) -> None:
    for text in reasons(evidence):
        found, _, advice = text.rpartition("; ")
        assert found
        assert advice.startswith(ADVICE)
        assert text.isprintable()
        assert len(text) < 240


@given(
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(8, 100),
    st.lists(st.tuples(a_share, a_share), min_size=8),
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
