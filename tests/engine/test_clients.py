"""A shard fired with httpx: its window, its ticks, its end, and what real servers say they were asked."""

from __future__ import annotations

import os
import time

import msgspec
import pytest

from cannon.engine.clients import _Battery, fire_with_httpx
from cannon.errors import InvalidRun
from cannon.plan import Engine, Plan, Stop
from cannon.preflight import preflight, resolve
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from tests.firing import conserved, counted, fire_at, result_of, run_cli
from tests.servers.ports import HOST, black_hole, reserved_port
from tests.servers.real import Nginx, Node
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

SECOND_NS = 1_000_000_000


def _plan(url: str, **settings: object) -> Plan:
    plan = Plan(targets=(resolve(Target.parse(url)),), connections=1, engine=Engine.HTTPX)
    return msgspec.structs.replace(plan, **settings)


def _fire(plan: Plan, control: int | None = None) -> list[Tally]:
    return list(fire_with_httpx(split(plan, 1)[0], control))


def _sum(tallies: list[Tally]) -> Tally:
    return sum(tallies, Tally())


def test_a_tally_comes_every_tick_and_windows_add_up_to_the_time_that_was_fired(rude: Rude) -> None:
    tallies = _fire(_plan(rude.url("/ok"), stop=Stop(duration_ns=SECOND_NS // 4), sample_ns=SECOND_NS // 10))
    in_window = [bool(tally.row.window_ns) for tally in tallies]
    # Three, unless the machine was away for a tick.
    assert in_window == [False, *[True] * (len(tallies) - 2), False]
    assert len(tallies) in (3, 4, 5)
    total = _sum(tallies)
    assert SECOND_NS // 4 <= total.row.window_ns < 5 * SECOND_NS
    assert total.row.requests <= total.completed
    assert counted(rude, total)


def test_what_ends_in_the_drain_belongs_to_no_row(rude: Rude) -> None:
    total = _sum(_fire(_plan(rude.url("/slow/300"), stop=Stop(duration_ns=SECOND_NS // 10))))
    assert (total.sent, total.completed, total.row.requests) == (1, 1, 0)


def test_what_outlasts_the_drain_is_in_flight(rude: Rude) -> None:
    plan = _plan(
        rude.url("/stall"), stop=Stop(duration_ns=SECOND_NS // 10), drain_ns=SECOND_NS // 20, connections=3
    )
    total = _sum(_fire(plan))
    assert (total.sent, total.completed, total.in_flight) == (3, 0, 3)
    assert total.oldest_in_flight_ns >= SECOND_NS // 20
    assert counted(rude, total)


@pytest.mark.parametrize("stops", [b".", b".."])
def test_a_byte_on_the_control_stops_the_sending_and_still_drains(rude: Rude, stops: bytes) -> None:
    reading, writing = os.pipe()
    plan = _plan(rude.url("/slow/200"), stop=Stop(duration_ns=60 * SECOND_NS), sample_ns=SECOND_NS // 50)
    total, stopped = Tally(), False
    for tally in fire_with_httpx(split(plan, 1)[0], reading):
        total += tally
        if total.sent and not stopped:
            os.write(writing, stops)
            stopped = True
    os.close(writing)
    os.close(reading)
    assert (total.sent, total.completed, total.in_flight) == (1, 1, 0)
    assert total.row.window_ns < 5 * SECOND_NS


def test_the_end_of_the_control_ends_the_run_at_once(rude: Rude) -> None:
    reading, writing = os.pipe()
    plan = _plan(rude.url("/stall"), stop=Stop(duration_ns=60 * SECOND_NS), sample_ns=SECOND_NS // 50)
    total = Tally()
    began_s = time.monotonic()
    for tally in fire_with_httpx(split(plan, 1)[0], reading):
        total += tally
        if total.sent and writing:
            os.close(writing)
            writing = 0
    os.close(reading)
    assert time.monotonic() - began_s < 5
    assert (total.sent, total.in_flight) == (1, 1)


def test_the_control_is_looked_at_between_two_requests_of_one_turn(rude: Rude) -> None:
    reading, writing = os.pipe()
    battery = _Battery(split(_plan(rude.url("/ok"), sample_ns=SECOND_NS // 50), 1)[0], None)
    telling = battery.fire(reading)
    next(telling)
    assert battery._take()
    os.write(writing, b".")
    battery._looked_ns = 0
    assert not battery._take()
    del telling
    battery.close()
    os.close(reading)
    os.close(writing)


def test_a_byte_that_was_read_within_a_turn_is_not_waited_for_at_its_end(rude: Rude) -> None:
    reading, writing = os.pipe()
    # Who would wait is told so.
    os.set_blocking(reading, False)
    battery = _Battery(split(_plan(rude.url("/ok"), sample_ns=SECOND_NS // 50), 1)[0], None)
    telling = battery.fire(reading)
    next(telling)

    def take() -> None:
        battery._looked_ns = 0
        taken.append(battery._take())

    taken: list[bool] = []
    broken: list[object] = []
    battery._loop.set_exception_handler(lambda loop, context: broken.append(context))
    # The loop sees the byte before it calls this, and then calls what it has planned for the byte.
    battery._loop.call_soon(take)
    os.write(writing, b".")
    total = sum(telling, Tally())
    assert (taken, broken) == ([False], [])
    assert total.in_flight == 0
    battery.close()
    os.close(reading)
    os.close(writing)


def test_a_word_comes_each_tick_while_connections_are_opened() -> None:
    with black_hole() as port:
        plan = _plan(
            f"http://{HOST}:{port}/",
            stop=Stop(duration_ns=SECOND_NS // 50),
            sample_ns=SECOND_NS // 100,
            timeout_ns=60 * SECOND_NS,
        )
        telling = fire_with_httpx(split(plan, 1)[0])
        first = next(telling)
        later = list(telling)
    assert (first.row.window_ns, first.attempted, first.made) == (0, 1, 0)
    assert any(tally.row.window_ns for tally in later)


def test_the_opening_goes_on_while_anything_comes_though_no_dial_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    battery = _Battery(split(_plan("http://127.0.0.1:4000/", connections=2), 1)[0], None)
    comes = [3, 1, 0, 2]

    def run_until(until_ns: int) -> None:
        battery._readiness.seen += comes.pop(0)

    with monkeypatch.context() as patched:
        patched.setattr(battery, "_run_until", run_until)
        assert [tally.row.window_ns for tally in battery._open()] == [0]
    assert comes == [2]
    battery.close()


def test_connections_begin_to_fire_a_hundred_in_a_turn() -> None:
    battery = _Battery(split(_plan("http://127.0.0.1:4000/", connections=250), 1)[0], None)
    battery._begin()
    begun = []
    for _ in range(3):
        begun.append(sum(gate.is_set() for gate in battery._gates))
        battery._loop.call_soon(battery._loop.stop)
        battery._loop.run_forever()
    assert begun == [100, 200, 250]
    battery.close()


def test_who_is_stopped_while_connections_are_opened_has_no_window() -> None:
    reading, writing = os.pipe()
    os.write(writing, b".")
    with black_hole() as port:
        plan = _plan(
            f"http://{HOST}:{port}/",
            stop=Stop(duration_ns=60 * SECOND_NS),
            sample_ns=60 * SECOND_NS,
            timeout_ns=60 * SECOND_NS,
        )
        total = _sum(_fire(plan, reading))
    os.close(writing)
    os.close(reading)
    assert total.row.window_ns < plan.tick_ns
    assert (total.sent, total.attempted, total.connecting) == (0, 1, 1)


def test_a_shard_that_nobody_listens_to_any_more_closes_its_connections(rude: Rude) -> None:
    telling = fire_with_httpx(split(_plan(rude.url("/ok"), sample_ns=SECOND_NS // 50, connections=3), 1)[0])
    next(telling)
    del telling
    rude.wait_for(lambda server: server.open == 0)


def test_amounts_are_exact_over_shards(rude: Rude) -> None:
    plan = _plan(rude.url("/ok"), stop=Stop(amount=103), connections=7)
    shards = [_sum(list(fire_with_httpx(shard))) for shard in split(plan, 3)]
    assert [tally.sent for tally in shards] == [35, 34, 34]
    total = _sum(shards)
    assert (total.completed, rude.requests, total.made) == (103, 103, 7)


def test_no_connection_is_dialled_for_nothing(rude: Rude) -> None:
    total = fire_at(rude.url("/http10"), amount=13, connections=10, engine=Engine.HTTPX)
    assert (total.sent, total.completed, total.attempted, total.made) == (13, 13, 13, 13)


def test_what_each_connection_got_is_told_once(rude: Rude) -> None:
    tallies = _fire(_plan(rude.url("/ok"), stop=Stop(amount=45), connections=3, sample_ns=SECOND_NS // 50))
    assert all(tally.most_answered is None for tally in tallies[:-1])
    fewest, most = tallies[-1].fewest_answered, tallies[-1].most_answered
    assert fewest is not None
    assert most is not None
    assert 1 <= fewest <= 15 <= most <= 43


def test_an_amount_is_given_up_when_nothing_can_be_reached_for_twice_the_timeout() -> None:
    with reserved_port() as port:
        total = fire_at(
            f"http://127.0.0.1:{port}/",
            amount=7,
            connections=2,
            timeout_s=0.1,
            sample_ns=20_000_000,
            engine=Engine.HTTPX,
        )
    assert (total.sent, total.never_sent, total.made) == (0, 7, 0)
    assert conserved(total)


def test_every_latency_is_logged_raw(rude: Rude, tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "latencies")
    total = _sum(_fire(_plan(rude.url("/ok"), stop=Stop(amount=20), log=path)))
    with open(path, encoding="ascii") as lines:
        rows = [line.rstrip("\n").split(",") for line in lines]
    assert [status for _, status in rows] == ["200"] * 20
    longest_ns = total.service.max_ns
    assert longest_ns is not None
    exact_ns = max(int(duration_ns) for duration_ns, _ in rows)
    assert exact_ns <= longest_ns <= exact_ns + max(64, exact_ns / 1000)


@pytest.mark.parametrize(("method", "requests"), [("GET", 1), ("POST", 0)])
def test_a_preflight_sends_one_request_or_only_dials(rude: Rude, method: str, requests: int) -> None:
    assert preflight(_plan(rude.url("/ok"), method=method)).sent == requests
    rude.wait_for(lambda server: server.accepted == 1)
    assert rude.requests == requests


def test_a_refused_preflight_says_so_at_once() -> None:
    with reserved_port() as port:
        began_s = time.monotonic()
        with pytest.raises(InvalidRun, match=rf"127.0.0.1:{port}/: Connection refused"):
            preflight(_plan(f"http://127.0.0.1:{port}/"))
        assert time.monotonic() - began_s < 2


def test_nginx_logs_as_many_requests_as_were_sent() -> None:
    with Nginx(keepalive_requests=50) as nginx:
        process = run_cli("-j", "-d", "500ms", "-c", "4", "--engine", "httpx", nginx.url())
        result = result_of(process)
        assert nginx.statuses() == {200: result.requests.sent + result.outside.preflight}
    assert process.returncode == 0, process.stderr
    assert (result.errors, result.requests.in_flight) == ({}, 0)
    assert result.cannon.engine == "httpx"
    assert result.connects.made >= result.requests.sent // 50


def test_node_counts_as_many_requests_as_were_sent(node: Node) -> None:
    total = fire_at(node.url("/gzip"), amount=60, connections=4, engine=Engine.HTTPX)
    seen = node.seen()
    assert (seen.requests, seen.connections) == (total.sent, total.made) == (60, 4)
    assert total.status == {200: 60}
