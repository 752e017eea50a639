"""What a server does wrong is counted once, in the right place, in bounded time and memory.

The law of every test here: sent = completed + failed + in flight, and what cannon sent is what the server
counted.
"""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from typing import NamedTuple
from urllib.parse import quote

import pytest

from cannon.errors import Fault
from cannon.plan import Engine
from cannon.tally import Tally
from tests.firing import conserved, counted, fire_at
from tests.servers.ports import HOST, black_hole, reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = (Engine.NATIVE, Engine.H11)
MEGABYTE = 1 << 20
MESSAGE_LIMIT = 300


def shown_safely(message: str) -> bool:
    """Whether a message is one line of bounded length that a terminal can only print."""
    return 0 < len(message) <= MESSAGE_LIMIT and message.isprintable()


class Case(NamedTuple):
    """Every answer of `path` ends in `fault`, and the example says `words`."""

    path: str
    fault: Fault
    words: tuple[str, ...] = ()


CASES = (
    Case("/close", Fault.EMPTY_REPLY, ("closed before any byte",)),
    Case("/truncate/head", Fault.TRUNCATED, ("head",)),
    Case("/truncate/body", Fault.TRUNCATED, ("3", "5")),
    Case("/truncate/chunk", Fault.TRUNCATED),
    Case("/truncate/last-chunk", Fault.TRUNCATED),
    Case("/reset", Fault.RESET, ("reset", "before any byte")),
    Case("/reset/body", Fault.RESET, ("reset", "mid-response")),
    Case("/garbage/tls", Fault.MALFORMED, ("TLS",)),
    Case("/garbage/http09", Fault.MALFORMED, ("<html>",)),
    Case("/garbage/h2", Fault.MALFORMED),
    Case("/garbage/text", Fault.MALFORMED, ("220 mail.test",)),
    Case("/garbage/lengths", Fault.MALFORMED),
    Case("/garbage/version", Fault.MALFORMED),
    Case("/hostile-error", Fault.MALFORMED),
    Case("/head/endless/lines", Fault.HEAD_TOO_LARGE),
    Case("/head/endless/value", Fault.HEAD_TOO_LARGE),
    Case("/head/endless/name", Fault.HEAD_TOO_LARGE),
    Case("/head/endless/reason", Fault.HEAD_TOO_LARGE),
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_a_fault_is_counted_once_under_its_own_kind(rude: Rude, case: Case, engine: Engine) -> None:
    tally = fire_at(rude.url(case.path), amount=4, connections=2, timeout_s=2, engine=engine)
    assert tally.errors == {case.fault: 4}
    assert tally.status == {}
    assert counted(rude, tally)
    assert shown_safely(tally.examples[case.fault].message)
    assert rude.accepted == tally.attempted == 4, "a connection that failed is not used again"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_the_example_of_a_fault_says_what_came(rude: Rude, case: Case) -> None:
    tally = fire_at(rude.url(case.path), amount=1, timeout_s=2)
    message = tally.examples[case.fault].message
    assert all(word in message for word in case.words), message


@pytest.mark.parametrize("engine", ENGINES)
def test_a_close_on_a_reused_connection_is_stale_and_never_retried(rude: Rude, engine: Engine) -> None:
    tally = fire_at(rude.url("/after/3/close"), amount=8, engine=engine)
    assert (tally.status, tally.errors) == ({200: 6}, {Fault.STALE: 2})
    assert counted(rude, tally)
    assert "reused" in tally.examples[Fault.STALE].message


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", ["truncate/head", "truncate/body", "truncate/chunk"])
def test_the_connection_after_a_truncated_response_starts_afresh(
    rude: Rude, fault: str, engine: Engine
) -> None:
    tally = fire_at(rude.url(f"/after/1/{fault}"), amount=6, engine=engine)
    assert (tally.status, tally.errors) == ({200: 3}, {Fault.TRUNCATED: 3})
    assert counted(rude, tally)
    assert rude.accepted == 3


def test_a_server_that_closes_after_each_response_is_raced_but_never_miscounted(rude: Rude) -> None:
    tally = fire_at(rude.url("/idle-close"), amount=40, connections=4)
    assert set(tally.errors) <= {Fault.STALE}
    assert tally.status[200] + tally.errors.get(Fault.STALE, 0) == 40
    assert counted(rude, tally)


@pytest.mark.parametrize("path", ["/stall", "/stall/body", "/drip/20"])
def test_a_response_that_is_not_whole_at_its_deadline_is_a_timeout(rude: Rude, path: str) -> None:
    took_s: list[float] = []
    # A busy machine is late now and then; cannon itself is not late ten times in a row.
    while not took_s or (min(took_s) > 0.15 and len(took_s) < 10):
        began_s = time.monotonic()
        tally = fire_at(rude.url(path), amount=2, connections=2, timeout_s=0.1)
        took_s.append(time.monotonic() - began_s)
        assert (tally.status, tally.errors) == ({}, {Fault.TIMEOUT: 2})
        assert conserved(tally)
    assert 0.1 <= min(took_s) <= 0.15
    rude.wait_for(lambda server: server.requests == 2 * len(took_s))


def test_a_timeout_counts_in_the_latency_at_its_deadline(rude: Rude) -> None:
    tally = fire_at(rude.url("/after/2/stall"), amount=3, timeout_s=0.1)
    assert tally.service.count == 3
    slowest_ns = tally.service.max_ns
    assert slowest_ns is not None
    assert 100_000_000 <= slowest_ns <= 100_200_000


def test_the_end_of_a_run_waits_no_longer_than_its_drain(rude: Rude) -> None:
    began_s = time.monotonic()
    tally = fire_at(rude.url("/stall"), duration_s=0.1, connections=3, timeout_s=10, drain_s=0.1)
    assert 0.2 <= time.monotonic() - began_s <= 0.5
    assert (tally.sent, tally.in_flight, tally.errors) == (3, 3, {})
    assert tally.oldest_in_flight_ns >= 150_000_000
    assert counted(rude, tally)


def test_what_is_in_flight_at_the_end_is_read_in_the_drain(rude: Rude) -> None:
    tally = fire_at(rude.url("/slow/200"), duration_s=0.1, connections=3, drain_s=5)
    assert (tally.status, tally.in_flight) == ({200: 3}, 0)
    assert tally.row.requests == 0, "it ended outside the window"
    assert counted(rude, tally)


def test_a_stop_from_outside_still_reads_what_is_in_flight(rude: Rude) -> None:
    watched, held = socket.socketpair()

    def stop() -> None:
        rude.wait_for(lambda server: server.requests == 3)
        held.send(b".")

    with watched, held:
        stopping = threading.Thread(target=stop)
        stopping.start()
        tally = fire_at(
            rude.url("/slow/300"),
            duration_s=10,
            connections=3,
            drain_s=5,
            control=watched.fileno(),
            sample_ns=100_000_000,
        )
        stopping.join()
    assert (tally.status, tally.in_flight) == ({200: 3}, 0)
    assert tally.row.window_ns < 300_000_000
    assert counted(rude, tally)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["chunked", "chunk", "length", "close"])
def test_an_endless_body_is_counted_thrown_away_and_ended_by_the_deadline(
    rude: Rude, kind: str, engine: Engine
) -> None:
    tally, peak_bytes, sent = Tally(), 0, 0
    # A busy machine may need longer for enough bytes to tell whether they are kept.
    for timeout_s in (0.5, 2, 8):
        tracemalloc.start()
        try:
            tally = fire_at(rude.url(f"/body/endless/{kind}"), amount=1, timeout_s=timeout_s, engine=engine)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        sent += tally.sent
        if tally.received_bytes > 12 * MEGABYTE:
            break
    rude.wait_for(lambda server: server.requests == sent)
    assert tally.errors == {Fault.TIMEOUT: 1}
    assert tally.received_bytes > 12 * MEGABYTE
    assert peak_bytes < 6 * MEGABYTE
    assert tally.received_body_bytes > 0.9 * tally.received_bytes


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "path", ["/body/endless/trailers", "/chunks/extensions/endless", "/interim/1000000000"]
)
def test_what_never_ends_and_is_no_body_is_bounded_in_memory_and_time(
    rude: Rude, path: str, engine: Engine
) -> None:
    tracemalloc.start()
    began_s = time.monotonic()
    try:
        tally = fire_at(rude.url(path), amount=1, timeout_s=1.0, engine=engine)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tally.failed == 1
    assert set(tally.errors) <= {Fault.MALFORMED, Fault.HEAD_TOO_LARGE, Fault.TIMEOUT}
    assert counted(rude, tally)
    assert time.monotonic() - began_s < 10
    assert peak_bytes < 4 * MEGABYTE


@pytest.mark.parametrize("path", [case.path for case in CASES if case.fault is Fault.HEAD_TOO_LARGE])
def test_an_endless_head_is_given_up_long_before_a_megabyte(rude: Rude, path: str) -> None:
    tally = fire_at(rude.url(path), amount=1)
    assert 4096 < tally.received_bytes < MEGABYTE


@pytest.mark.parametrize(
    "text",
    [
        b"\x1b]0;owned\x07\x1b[2J",
        b"[/red][link=http://x]\n::error::owned\r\n\r\n",
        b"\xe2\x80\xae\x9b31m\x00\x7f",
        b"</script><img src=x onerror=alert(1)>",
        b"HTTP/1.1 200 OK\r\nbad name: \x1b[31m\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \x1b[31m\r\n\r\n",
        b"x" * 20_000,
    ],
)
def test_the_example_of_a_fault_is_one_bounded_line_that_moves_no_terminal(rude: Rude, text: bytes) -> None:
    tally = fire_at(rude.url(f"/raw?bytes={quote(text)}"), amount=1)
    assert tally.failed == 1
    assert all(shown_safely(example.message) for example in tally.examples.values()), tally.examples


def test_refused_dials_are_counted_apart_and_backed_off() -> None:
    with reserved_port() as port:
        tally = fire_at(f"http://{HOST}:{port}/", duration_s=0.6, connections=3)
    assert (tally.sent, tally.errors, set(tally.connect_errors)) == (0, {}, {Fault.REFUSED})
    assert conserved(tally)
    assert 3 <= tally.attempted <= 3 * 30
    assert "refused" in tally.examples[Fault.REFUSED].message
    assert str(port) in tally.examples[Fault.REFUSED].message


def test_a_dial_that_nobody_answers_is_a_timeout_of_the_connect() -> None:
    began_s = time.monotonic()
    with black_hole() as port:
        tally = fire_at(f"http://{HOST}:{port}/", duration_s=0.4, connections=2, timeout_s=0.15, drain_s=0)
    assert time.monotonic() - began_s < 10
    assert (tally.sent, tally.errors, set(tally.connect_errors)) == (0, {}, {Fault.TIMEOUT})
    assert conserved(tally)
    assert tally.connect.count == tally.made == 0
    assert str(port) in tally.examples[Fault.TIMEOUT].message


def test_an_amount_that_nobody_takes_ends_when_the_one_who_asked_is_gone() -> None:
    watched, held = socket.socketpair()
    with reserved_port() as port, watched:
        leaving = threading.Timer(0.2, held.close)
        began_s = time.monotonic()
        leaving.start()
        tally = fire_at(f"http://{HOST}:{port}/", amount=5, connections=2, control=watched.fileno())
        took_s = time.monotonic() - began_s
        leaving.join()
    assert 0.2 <= took_s <= 1
    assert tally.sent == 0
    assert conserved(tally)


def test_all_connections_come_back_after_a_restart(rude: Rude) -> None:
    connections = 8
    back = threading.Event()

    def restart() -> None:
        rude.wait_for(lambda server: server.requests > 20 * connections)
        rude.restart(down_s=0.1)
        rude.wait_for(lambda server: server.open == connections)
        back.set()

    restarting = threading.Thread(target=restart)
    restarting.start()
    tally = fire_at(rude.url("/ok"), duration_s=1.2, connections=connections)
    restarting.join()
    assert back.is_set(), "not every connection was made again"
    assert conserved(tally)
    assert set(tally.errors) <= {Fault.RESET, Fault.STALE, Fault.EMPTY_REPLY}
    assert tally.failed <= connections
    assert set(tally.connect_errors) == {Fault.REFUSED}
    assert tally.made == rude.accepted
    # What was under way when the connections were reset may have reached nobody.
    assert 0 <= tally.sent - rude.requests <= tally.failed
