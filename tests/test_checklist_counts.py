"""Counts and limits, exact with any number of connections, and with any number of workers: -a -M -O -D.

What is claimed is what a server counted by its own means. Each test is a promise that somebody's load tester broke.
"""

from __future__ import annotations

from collections import Counter

import pytest

from cannon.errors import Fault, UsageError
from cannon.plan import Limits
from tests.firing import conserved, counted, fire_at, plan_at, result_of, run_cli
from tests.servers.real import Nginx, Node
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

MS = 1_000_000


# Amounts.


def test_an_amount_over_a_hundred_connections_is_sent_and_answered_exactly(node: Node) -> None:
    tally = fire_at(node.url(), amount=5_046, connections=100)
    seen = node.seen()
    assert (tally.sent, tally.completed, seen.requests) == (5_046, 5_046, 5_046)
    assert (tally.made, seen.connections) == (100, 100)


@pytest.mark.parametrize("workers", [2, 3])
def test_an_amount_is_exact_with_several_workers_though_it_cannot_be_divided(workers: int) -> None:
    with Nginx() as nginx:
        result = result_of(run_cli("-j", "-w", str(workers), "-c", "100", "-a", "5047", nginx.url()))
        assert nginx.statuses() == {200: 5_047 + result.outside.preflight}
    assert result.requests.sent == result.requests.completed == 5_047
    shares = [worker.sent for worker in result.workers]
    assert sum(shares) == 5_047
    assert max(shares) - min(shares) <= 1, "the remainder is spread"
    assert result.connects.made == 100


def test_an_amount_is_met_though_the_server_closes_between_requests(rude: Rude) -> None:
    tally = fire_at(rude.url("/says-close"), amount=53, connections=5)
    assert (tally.sent, tally.completed, tally.errors) == (53, 53, {})
    assert counted(rude, tally)
    assert rude.accepted == tally.made == 53


def test_an_amount_counts_requests_that_fail_and_no_more_are_sent_for_them(rude: Rude) -> None:
    tally = fire_at(rude.url("/after/3/close"), amount=41, connections=4)
    assert tally.sent == tally.completed + tally.failed == 41
    assert tally.errors == {Fault.STALE: tally.failed}
    assert tally.failed >= 7, "each fourth of a connection"
    assert counted(rude, tally)


def test_beside_an_amount_the_duration_is_not_looked_at(rude: Rude) -> None:
    tally = fire_at(rude.url("/slow/20"), amount=10, duration_s=0.01)
    assert (tally.sent, tally.completed) == (10, 10)
    assert tally.row.window_ns >= 200 * MS


def test_an_amount_of_fewer_requests_than_connections_is_refused_and_nothing_is_sent(rude: Rude) -> None:
    process = run_cli("-a", "9", "-c", "10", rude.url("/ok"))
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "cannon: -a 9 is less than -c 10; give -a 10 or more, or -c 9\n"
    assert (rude.requests, rude.accepted) == (0, 0)


def test_the_larger_half_of_a_run_is_not_lost_with_the_time_between_ticks(rude: Rude) -> None:
    tally = fire_at(rude.url("/ok"), amount=100)
    assert tally.row.requests == tally.completed == 100
    assert tally.row.window_ns < 900 * MS, "the time it took, and no tick"


# Limits of connections and of the run.


@pytest.mark.parametrize("workers", [1, 2])
def test_ten_requests_of_each_of_two_connections_are_twenty(rude: Rude, workers: int) -> None:
    limits = Limits(per_connection=10)
    tally = fire_at(rude.url("/ok"), duration_s=10, connections=2, workers=workers, limits=limits)
    assert (tally.sent, tally.completed, tally.made) == (20, 20, 2)
    assert Counter(request.connection for request in rude.received) == {1: 10, 2: 10}


@pytest.mark.parametrize("workers", [1, 2])
def test_ten_requests_over_all_are_ten_whatever_the_connections(rude: Rude, workers: int) -> None:
    limits = Limits(overall=10)
    tally = fire_at(rude.url("/ok"), duration_s=10, connections=2, workers=workers, limits=limits)
    assert (tally.sent, tally.completed) == (10, 10)
    assert counted(rude, tally)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_what_cannot_be_divided_by_the_connections_is_spread_and_not_dropped(
    rude: Rude, workers: int
) -> None:
    limits = Limits(overall=17)
    tally = fire_at(rude.url("/ok"), duration_s=10, connections=5, workers=workers, limits=limits)
    assert tally.sent == tally.completed == 17
    assert counted(rude, tally)


def test_limits_are_exact_on_the_command_line_with_several_workers() -> None:
    with Nginx() as nginx:
        result = result_of(run_cli("-j", "-w", "2", "-c", "3", "-O", "10", "--no-preflight", nginx.url()))
        assert nginx.count() == 10
    assert (result.requests.sent, result.requests.completed) == (10, 10)
    with Nginx() as nginx:
        result = result_of(run_cli("-j", "-w", "2", "-c", "3", "-M", "10", "--no-preflight", nginx.url()))
        per_connection = Counter(visit.connection for visit in nginx.visits())
    assert sorted(per_connection.values()) == [10, 10, 10]
    assert result.requests.completed == 30


def test_a_limit_of_each_connection_goes_before_that_of_the_run(rude: Rude) -> None:
    limits = Limits(per_connection=4, overall=3)
    tally = fire_at(rude.url("/ok"), duration_s=10, connections=2, limits=limits)
    assert (tally.sent, rude.requests) == (8, 8)


def test_a_limit_of_the_run_that_the_time_does_not_suffice_for_is_no_flaw(rude: Rude) -> None:
    options = ("-O", "1000", "-R", "100", "-c", "1", "-d", "200ms", "--no-preflight")
    process = run_cli("-j", *options, rude.url("/slow/30"))
    result = result_of(process)
    assert 0 < result.requests.never_sent < 100
    assert (process.returncode, [r for r in result.validity.reasons if "never sent" in r]) == (0, [])


def test_a_limit_below_one_is_refused() -> None:
    for name in ("per_connection", "overall", "reconnect_after", "bailout"):
        with pytest.raises(UsageError, match="must be 1 or more"):
            Limits(**{name: 0})
    for name in ("connections", "pipelining", "workers", "timeout_s", "duration_s"):
        with pytest.raises(UsageError, match=r"must be (1 or more|longer than nothing)"):
            plan_at("http://127.0.0.1:4000/", **{name: 0})


# Connections made anew.


@pytest.mark.parametrize(("reconnect_after", "made"), [(1, 20), (2, 10), (3, 7), (20, 1), (50, 1)])
@pytest.mark.parametrize("pipelining", [1, 4])
def test_a_connection_is_made_anew_after_so_many_requests_and_each_response_counts(
    rude: Rude, reconnect_after: int, made: int, pipelining: int
) -> None:
    limits = Limits(reconnect_after=reconnect_after)
    tally = fire_at(rude.url("/ok"), amount=20, limits=limits, pipelining=pipelining)
    assert (tally.sent, tally.completed, tally.whole.count) == (20, 20, 20)
    assert tally.attempted == tally.made == rude.accepted == made
    per_connection = Counter(request.connection for request in rude.received)
    assert set([*per_connection.values()][:-1]) <= {reconnect_after}
    assert counted(rude, tally)


def test_every_connection_of_many_is_made_anew_and_carries_no_more_than_it_may(rude: Rude) -> None:
    tally = fire_at(rude.url("/ok"), amount=101, connections=5, limits=Limits(reconnect_after=2))
    per_connection = Counter(request.connection for request in rude.received)
    assert (tally.sent, tally.completed) == (101, 101)
    assert max(per_connection.values()) == 2
    # Only the last of each of the five may have had less to carry.
    assert list(per_connection.values()).count(1) <= 5
    assert tally.made == rude.accepted == len(per_connection)


def test_a_limit_of_a_connection_outlasts_its_sockets(rude: Rude) -> None:
    limits = Limits(per_connection=5, reconnect_after=2)
    tally = fire_at(rude.url("/ok"), duration_s=10, connections=2, limits=limits)
    assert (tally.sent, tally.completed, tally.made) == (10, 10, 6)


# What ends otherwise.


def test_a_run_in_which_all_time_out_ends_and_counts_each_once(rude: Rude) -> None:
    tally = fire_at(rude.url("/stall"), amount=10, connections=10, timeout_s=0.1)
    assert (tally.sent, tally.completed, tally.errors) == (10, 0, {Fault.TIMEOUT: 10})
    assert tally.spread.count == 10, "each at its deadline, so that the worst do not vanish"
    assert tally.spread.min_ns is not None and tally.spread.min_ns >= 99 * MS
    assert counted(rude, tally)


def test_an_error_tells_what_it_was_and_its_time_is_no_latency(rude: Rude) -> None:
    tally = fire_at(rude.url("/reset"), amount=3)
    assert tally.errors == {Fault.RESET: 3}
    assert "reset" in tally.examples[Fault.RESET].message.lower()
    assert tally.service.count == 0


def test_refused_dials_are_few_and_name_their_cause() -> None:
    with Rude() as gone:
        url = gone.url("/ok")
    tally = fire_at(url, duration_s=0.3, connections=2)
    assert tally.connect_errors == {Fault.REFUSED: tally.attempted}
    assert 2 <= tally.attempted < 60, "a refusal is followed by a pause"
    assert "refused" in tally.examples[Fault.REFUSED].message.lower()
    assert (tally.sent, conserved(tally)) == (0, True)


def test_a_drain_ends_in_time_though_the_server_takes_much_longer(rude: Rude) -> None:
    tally = fire_at(rude.url("/stall"), duration_s=0.05, drain_s=0.05, connections=3)
    assert (tally.sent, tally.in_flight, tally.failed) == (3, 3, 0)
    assert 50 * MS <= tally.oldest_in_flight_ns < 3_000 * MS


def test_a_warm_up_is_no_part_of_the_figures(node: Node) -> None:
    result = result_of(
        run_cli("-j", "-W", "[", "-c", "1", "-a", "13", "]", "-a", "40", "-c", "2", node.url())
    )
    seen = node.seen()
    assert (result.outside.warmup, result.requests.sent, result.latency_ms.count) == (13, 40, 40)
    assert seen.requests == 40 + 13 + result.outside.preflight
    assert seen.connections == 2 + 1 + result.outside.preflight
    assert result.connects.made == 2
