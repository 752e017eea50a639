"""Several requests in flight on a connection (-p): in order, each with its own answer, latency and end."""

from __future__ import annotations

from collections import Counter

import pytest

from cannon.errors import Fault
from cannon.pace import Pace
from cannon.plan import Engine
from cannon.profile import Constant
from cannon.sequence import Step
from tests.firing import counted, fire_at, result_of, run_cli
from tests.servers.real import Nginx, Node
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = pytest.mark.parametrize("engine", [Engine.NATIVE, Engine.H11])
MS = 1_000_000


def steps(*paths: str) -> tuple[Step, ...]:
    return tuple(Step(name=path, target=0, method="GET", path=path) for path in paths)


@ENGINES
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_as_many_requests_as_asked_for_are_in_flight_on_each_connection(
    rude: Rude, engine: Engine, depth: int
) -> None:
    tally = fire_at(rude.url("/slow/10"), amount=6 * depth, connections=2, pipelining=depth, engine=engine)
    deepest = {
        number: max(request.in_flight for request in rude.received if request.connection == number)
        for number in (1, 2)
    }
    assert deepest == {1: depth, 2: depth}
    assert tally.completed == 6 * depth
    assert counted(rude, tally)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_amount_is_exact_at_any_depth(node: Node, workers: str) -> None:
    result = result_of(run_cli("-j", "-p", "10", "-c", "7", "-a", "1003", "-w", workers, node.url()))
    assert (result.requests.sent, result.requests.completed, result.errors) == (1003, 1003, {})
    assert node.count() == 1003 + result.outside.preflight


def test_nginx_logs_what_was_sent_behind_each_other() -> None:
    with Nginx(keepalive_requests=50) as nginx:
        tally = fire_at(nginx.url(), duration_s=0.2, connections=3, pipelining=8)
        # Behind the last that it answers on a connection it may have read some, which it then forgets.
        assert nginx.count() == tally.completed
    assert set(tally.status) == {200}
    assert set(tally.errors) <= {Fault.ABORTED, Fault.STALE}
    assert tally.sent == tally.completed + tally.failed


@ENGINES
def test_each_answer_goes_to_its_own_request(rude: Rude, engine: Engine) -> None:
    tally = fire_at(
        rude.url(),
        amount=30,
        pipelining=4,
        engine=engine,
        sequence=steps("/status/201", "/status/404", "/status/503"),
    )
    assert {step: share.status for step, share in tally.steps.items()} == {
        0: {201: 10},
        1: {404: 10},
        2: {503: 10},
    }
    assert [request.target for request in rude.received[:4]] == [
        "/status/201",
        "/status/404",
        "/status/503",
        "/status/201",
    ]


def test_each_request_has_the_latency_of_its_own_and_not_of_the_batch(rude: Rude) -> None:
    tally = fire_at(rude.url("/slow/60"), amount=3, pipelining=3)
    shortest, middle, longest = tally.service.percentiles_ns((1, 50, 100))
    # Sent together, answered one after the other.
    assert shortest is not None and middle is not None and longest is not None
    assert 60 * MS <= shortest < middle < longest
    assert middle >= 120 * MS
    assert longest >= 180 * MS


def test_with_two_in_flight_both_are_as_slow_as_the_server(rude: Rude) -> None:
    tally = fire_at(rude.url("/slow/50"), amount=2, pipelining=2)
    assert tally.service.count == 2
    assert tally.service.min_ns is not None and tally.service.min_ns >= 49 * MS


@ENGINES
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("close", Fault.STALE),
        ("reset/body", Fault.RESET),
        ("truncate/body", Fault.TRUNCATED),
        ("garbage/text", Fault.MALFORMED),
    ],
)
@pytest.mark.parametrize("before", [1, 3])
def test_a_fault_in_the_middle_is_one_error_and_the_rest_is_aborted(
    rude: Rude, engine: Engine, fault: str, kind: Fault, before: int
) -> None:
    # All six are there before the first is answered: the server reads them whole, and then writes.
    tally = fire_at(rude.url(f"/after/{before}/{fault}"), amount=6, pipelining=6, engine=engine)
    assert tally.completed == before
    assert tally.errors == {kind: 1, Fault.ABORTED: 5 - before}
    assert counted(rude, tally)


def test_a_fault_costs_one_connection_and_no_other_and_the_amount_is_met(rude: Rude) -> None:
    tally = fire_at(rude.url("/after/4/close"), amount=60, connections=3, pipelining=5)
    assert tally.sent == tally.completed + tally.failed == 60
    assert tally.errors[Fault.STALE] <= tally.made == rude.accepted
    per_connection = Counter(request.connection for request in rude.received)
    assert tally.completed == sum(min(4, count) for count in per_connection.values())


@ENGINES
def test_each_outstanding_request_times_out_once(rude: Rude, engine: Engine) -> None:
    tally = fire_at(rude.url("/stall"), amount=6, connections=2, pipelining=3, timeout_s=0.1, engine=engine)
    assert (tally.sent, tally.completed, tally.errors) == (6, 0, {Fault.TIMEOUT: 6})
    assert tally.service.count == 6
    assert counted(rude, tally)


def test_what_was_answered_before_does_not_time_out(rude: Rude) -> None:
    tally = fire_at(rude.url("/after/2/stall"), amount=5, pipelining=5, timeout_s=0.1)
    assert (tally.sent, tally.completed, tally.errors) == (5, 2, {Fault.TIMEOUT: 3})
    assert tally.service.count == 5


@ENGINES
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/ok", 200),
        ("GET", "/no-content", 204),
        ("GET", "/interim/2", 200),
        ("GET", "/chunks/good", 200),
    ],
)
def test_answers_without_a_body_or_with_more_than_one_head_keep_the_order(
    rude: Rude, engine: Engine, method: str, path: str, status: int
) -> None:
    tally = fire_at(rude.url(path), amount=24, pipelining=6, method=method, engine=engine)
    assert (tally.status, tally.errors, tally.made) == ({status: 24}, {}, 1)


def test_bodies_are_sent_behind_each_other_as_they_are(rude: Rude) -> None:
    body = bytes(range(256)) * 3
    tally = fire_at(rude.url("/ok"), amount=20, pipelining=5, method="POST", body=body)
    rude.wait_for(lambda seen: seen.body_bytes == 20 * len(body))
    assert {bytes(request.body) for request in rude.received} == {body}
    assert tally.completed == 20


def test_under_a_rate_due_requests_go_behind_each_other_and_each_counts(rude: Rude) -> None:
    tally = fire_at(
        rude.url("/slow/20"), duration_s=0.3, pipelining=4, pace=Pace(Constant(200.0)), timeout_s=2
    )
    assert max(request.in_flight for request in rude.received) == 4
    assert tally.sent + tally.never_sent == 60
    assert tally.response.count == tally.completed == tally.sent
