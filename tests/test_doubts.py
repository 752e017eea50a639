"""A saturated client is told from a slow server: what is found, and whether it means that cannon was the limit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.doubts import BUSY, LEAST_WINDOW_NS, NOTICEABLE, STANDSTILL_NS, STOLEN, saturated
from cannon.durations import Durations, OwnDelay
from cannon.evidence import NEVER_IDLE, Evidence, Lateness
from cannon.tally import Histogram
from tests.evidence import LATENCY, a_load, a_share, evidences, latency, reason, reasons, some_evidence

SECOND_NS = 1_000_000_000
MS = 1_000_000


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
    assert saturated(evidence)


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


# Waiting for a CPU.


def test_a_client_that_others_kept_from_the_cpu_says_how_long() -> None:
    evidence = some_evidence(a_load(0.4, 0.25))
    assert reason(evidence) == (
        "cannon waited 2.50 s of 10.0 s for a CPU (other programs had it);"
        " close other programs, or fire from another machine"
    )
    assert not saturated(evidence), "it had time to spare all the same"


def test_one_that_always_ran_or_waited_was_the_limit_too() -> None:
    evidence = some_evidence(a_load(0.6, 0.38))
    said = reason(evidence)
    assert said.startswith(
        "cannon waited 3.80 s of 10.0 s for a CPU (other programs had it) and was never idle:"
        " it was the limit, not the server; "
    )
    assert saturated(evidence)


def test_under_a_rate_a_wait_whose_doing_is_measured_is_no_doubt_of_its_own() -> None:
    paced: dict[str, Any] = {"lateness": Lateness(OwnDelay(0.01, 0.05, 1.0), 10_000)}
    assert reasons(some_evidence(a_load(0.4, 0.25), **paced, stamped=1.0)) == []
    # Without stamps nobody knows how long a response lay there before cannon could look.
    assert "waited 2.50 s" in reason(some_evidence(a_load(0.4, 0.25), **paced))
    assert "was never idle" in reason(some_evidence(a_load(0.6, 0.38), **paced, stamped=1.0))


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
    assert saturated(evidence)


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


def test_pipelined_responses_wait_for_each_other_on_one_connection_too() -> None:
    own_delay = OwnDelay(0.1, 1.0, 2.0)
    assert reasons(some_evidence(connections=1, own_delay=own_delay)) == []
    said = reason(some_evidence(connections=1, pipelining=10, own_delay=own_delay))
    assert said.startswith("up to 900 µs of the p99 latency of 2.00 ms is cannon's own delay; ")


@pytest.mark.parametrize(
    ("stamped", "own", "said"),
    [
        (1.0, OwnDelay(1.2, 1.9, 2.0), []),
        (0.995, OwnDelay(1.2, 1.9, 2.0), []),
        (0.98, OwnDelay(1.2, 1.9, 2.0), ["up to 1.71 ms of the p99 latency"]),
        (0.4, OwnDelay(1.2, 1.3, 2.0), ["up to all of the p50 latency"]),
    ],
)
def test_own_delay_is_no_part_of_a_latency_that_the_kernel_stamped(
    stamped: float, own: OwnDelay, said: list[str]
) -> None:
    evidence = some_evidence(stamped=stamped, own_delay=own)
    assert [
        text.partition(" of 2.00 ms")[0].partition(" of 1.00 ms")[0] for text in reasons(evidence)
    ] == said
    assert saturated(evidence) == bool(said)


# Its lateness.


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (
            OwnDelay(0.01, 0.5, 9.0),
            "up to 500 µs of the p99 latency of 2.00 ms is how late cannon itself was",
        ),
        (
            OwnDelay(0.3, 0.41, 9.0),
            "up to 300 µs of the p50 latency of 1.00 ms is how late cannon itself was",
        ),
        (OwnDelay(0.01, 7.0, 9.0), "up to all of the p99 latency of 2.00 ms is how late cannon itself was"),
    ],
)
def test_how_much_of_a_response_time_is_cannons_lateness_is_told(late: OwnDelay, said: str) -> None:
    evidence = some_evidence(lateness=Lateness(late, 10_000), stamped=1.0)
    assert reason(evidence) == f"{said}; try -w 2"
    assert saturated(evidence)


@pytest.mark.parametrize(
    ("late", "count"),
    [(OwnDelay(0.1, 0.39, 9.0), 10_000), (OwnDelay(0.1, 0.9, 9.0), 1_999), (OwnDelay(None, None, None), 0)],
    ids=["small", "of too few", "none"],
)
def test_a_lateness_that_is_small_or_not_known_is_not_told(late: OwnDelay, count: int) -> None:
    assert reasons(some_evidence(lateness=Lateness(late, count))) == []


# The machine.


def test_a_time_in_which_cannon_stood_still_is_told() -> None:
    evidence = some_evidence(standstill_ns=2_300 * MS)
    assert reason(evidence) == (
        "cannon itself stood still for at least 2.30 s: it was stopped, suspended or starved, and what came meanwhile"
        " was seen late; run it again"
    )
    assert not saturated(evidence)


def test_time_that_the_hypervisor_kept_is_told() -> None:
    evidence = some_evidence(steal=0.31)
    assert reason(evidence) == (
        "this virtual machine did not get 31 % of its CPU time (steal);"
        " run it again when its host is quieter, or fire from another machine"
    )
    assert not saturated(evidence)
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
    assert not saturated(short)
    assert reasons(some_evidence(a_load(1.0, 0.0, window_ns=LEAST_WINDOW_NS))) != []


def test_nothing_fired_is_nothing_busy() -> None:
    evidence = some_evidence(a_load(window_ns=0))
    assert evidence.busy is None
    assert reasons(evidence) == []


# Any run.


@given(
    st.lists(st.tuples(st.floats(0, BUSY - 0.01), a_share), min_size=1, max_size=4),
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
    assert not saturated(evidence)


@given(evidences, st.integers(0, 7), a_share)
def test_a_worker_that_did_more_never_makes_a_client_less_saturated(
    evidence: Evidence, index: int, more: float
) -> None:
    workers = list(evidence.workers)
    worker = workers.pop(index % len(workers))
    cpu_ns = worker.cpu_ns + round(more * (worker.window_ns - worker.cpu_ns))
    workers.append(msgspec.structs.replace(worker, cpu_ns=cpu_ns))
    busier = msgspec.structs.replace(evidence, workers=tuple(workers))
    assert saturated(busier) >= saturated(evidence)
