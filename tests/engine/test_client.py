"""One connection as httpx drives it: its bytes are cannon's, and what a server does is counted once."""

from __future__ import annotations

import asyncio
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, suppress

import msgspec
import pytest

from cannon.engine.client import check
from cannon.errors import Fault, UsageError
from cannon.pace import Pace
from cannon.plan import Engine, Limits, Plan, Timestamps
from cannon.profile import Constant
from cannon.request import Request
from cannon.route import Proxy, Route
from cannon.sequence import FilePiece, Step, Streamed
from cannon.tally import Tally
from cannon.target import Target
from tests.firing import conserved, counted, fire_at
from tests.servers.ports import reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

MEGABYTE = 1 << 20


def fire(url: str, **settings: object) -> Tally:
    return fire_at(url, engine=Engine.HTTPX, **settings)  # type: ignore[arg-type]  # passed through


class Clerk:
    """Answers every request on one connection after another, and keeps the bytes that came."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/a|b?x=%22'{{}}"
        self.came: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with closing(connection), suppress(OSError):
                connection.settimeout(5)
                request = b""
                while data := connection.recv(65536):
                    request += data
                    head, blank, body = request.partition(b"\r\n\r\n")
                    length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
                    if blank and len(body) == int(length or b"0"):
                        self.came.append(request)
                        request = b""
                        connection.sendall(self._answer)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


@pytest.fixture
def clerk() -> Iterator[Clerk]:
    with closing(
        Clerk(
            b"HTTP/1.1 302 Found\r\nSet-Cookie: kept=1; Path=/\r\nLocation: /elsewhere\r\n"
            b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"
        )
    ) as server:
        yield server


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "HEAD"},
        {"method": "POST", "body": b"x" * 100_000},
        {"method": "POST"},
        {"method": "PURGE"},
        {
            "headers": (
                ("accept", "*/*"),
                ("X-Twice", "1"),
                ("X-Twice", "2"),
                ("X-Name", "Zoë"),
                ("X-None", ""),
            )
        },
        {"headers": (("User-Agent", "mine"), ("hOST", "other.test"), ("Cookie", "a=b"))},
    ],
)
def test_the_bytes_are_those_that_cannon_writes_each_time(settings: dict[str, object]) -> None:
    # A response to HEAD is its head.
    answer = b"HTTP/1.1 204 No Content\r\nSet-Cookie: kept=1; Path=/\r\n\r\n"
    with closing(Clerk(answer)) as clerk:
        tally = fire(clerk.url, amount=3, **settings)
        plan = Plan(targets=(Target.parse(clerk.url),), **settings)  # type: ignore[arg-type]  # as given
    expected = Request.build(plan, plan.steps[0]).data
    assert clerk.came == [expected] * 3
    assert (tally.status, tally.sent_bytes) == ({204: 3}, 3 * len(expected))


def test_no_redirect_is_followed_no_cookie_kept_and_nothing_decoded(clerk: Clerk) -> None:
    tally = fire(clerk.url, amount=3)
    assert (tally.status, tally.errors) == ({302: 3}, {})
    assert len(set(clerk.came)) == 1
    assert b"kept" not in clerk.came[0]
    assert tally.received_body_bytes == 15


def test_a_connection_that_the_request_closes_is_not_closed_by_the_server(clerk: Clerk) -> None:
    tally = fire(clerk.url, amount=3, headers=(("Connection", "close"),))
    assert (tally.status, tally.made, tally.closed_idle) == ({302: 3}, 3, 0)


def test_proxies_of_the_environment_are_not_asked(rude: Rude, monkeypatch: pytest.MonkeyPatch) -> None:
    with reserved_port() as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        assert fire(rude.url("/ok"), amount=2).status == {200: 2}


@pytest.mark.parametrize(
    ("path", "fault", "words"),
    [
        ("/close", Fault.EMPTY_REPLY, "closed before any byte"),
        ("/truncate/head", Fault.TRUNCATED, "head"),
        ("/truncate/body", Fault.TRUNCATED, "received 3 bytes, expected 5"),
        ("/truncate/chunk", Fault.TRUNCATED, "chunk"),
        ("/truncate/last-chunk", Fault.TRUNCATED, "chunk"),
        ("/reset", Fault.RESET, "reset by peer, before any byte"),
        ("/reset/body", Fault.RESET, "in mid-response"),
        ("/garbage/tls", Fault.MALFORMED, "TLS"),
        ("/garbage/http09", Fault.MALFORMED, "<html>"),
        ("/garbage/h2", Fault.MALFORMED, "HTTP/2"),
        ("/garbage/lengths", Fault.MALFORMED, "Content-Length"),
        ("/hostile-error", Fault.MALFORMED, "not HTTP/1"),
        ("/status/101", Fault.MALFORMED, "UPGRADE"),
        ("/head/endless/lines", Fault.HEAD_TOO_LARGE, "head"),
        ("/head/endless/value", Fault.HEAD_TOO_LARGE, "head"),
        ("/body/endless/trailers", Fault.MALFORMED, "too long"),
    ],
)
def test_a_fault_is_counted_once_under_its_own_kind(rude: Rude, path: str, fault: Fault, words: str) -> None:
    tally = fire(rude.url(path), amount=4, connections=2, timeout_s=2)
    assert (tally.errors, tally.status) == ({fault: 4}, {})
    assert counted(rude, tally)
    assert words in tally.examples[fault].message
    assert tally.examples[fault].message.isprintable()
    assert rude.accepted == tally.made == tally.attempted == 4, "a connection that failed is not used again"


def test_a_protocol_that_was_asked_for_and_granted_is_no_response(rude: Rude) -> None:
    upgrade = (("Connection", "upgrade"), ("Upgrade", "websocket"))
    tally = fire(rude.url("/status/101"), amount=2, headers=upgrade)
    assert (tally.errors, tally.status) == ({Fault.MALFORMED: 2}, {})
    assert "101 Switching Protocols" in tally.examples[Fault.MALFORMED].message


def test_a_close_on_a_reused_connection_is_stale_and_never_retried(rude: Rude) -> None:
    tally = fire(rude.url("/after/3/close"), amount=8)
    assert (tally.status, tally.errors) == ({200: 6}, {Fault.STALE: 2})
    assert counted(rude, tally)
    assert "reused" in tally.examples[Fault.STALE].message


@pytest.mark.parametrize("path", ["/stall", "/stall/body", "/drip/30"])
def test_a_response_has_one_deadline_however_often_a_byte_of_it_comes(rude: Rude, path: str) -> None:
    tally = fire(rude.url(path), amount=2, connections=2, timeout_s=0.1)
    assert (tally.errors, tally.status) == ({Fault.TIMEOUT: 2}, {})
    assert counted(rude, tally)
    slowest_ns = tally.service.max_ns
    assert slowest_ns is not None
    assert 100_000_000 <= slowest_ns <= 100_200_000, "it counts at its deadline"


@pytest.mark.parametrize(
    ("path", "status", "dials", "closed_idle"),
    [
        ("/ok", 200, 2, 0),
        ("/interim/3", 200, 2, 0),
        ("/chunks/tiny/100", 200, 2, 0),
        ("/broken-gzip", 200, 2, 0),
        ("/no-content", 204, 2, 0),
        ("/status/304", 304, 2, 0),
        ("/status/503", 503, 2, 0),
        ("/http10", 200, 6, 0),
        ("/says-close/stays", 200, 6, 0),
        ("/close-delimited", 200, 6, 0),
        ("/early", 413, 6, 0),
    ],
)
def test_a_response_is_a_response(rude: Rude, path: str, status: int, dials: int, closed_idle: int) -> None:
    tally = fire(rude.url(path), amount=6, connections=2)
    assert (tally.status, tally.errors) == ({status: 6}, {})
    assert counted(rude, tally)
    assert (tally.attempted, tally.made, tally.closed_idle) == (dials, dials, closed_idle)


def test_a_server_that_closes_what_it_promised_to_keep_is_raced_but_never_miscounted(rude: Rude) -> None:
    tally = fire(rude.url("/idle-close"), amount=20, connections=2)
    assert set(tally.errors) <= {Fault.STALE}
    assert counted(rude, tally)
    # Each connection was closed by the server, with a request in flight or without; at the end nobody looks.
    assert tally.made - 2 <= tally.closed_idle + tally.failed <= tally.made


def test_a_response_that_came_before_its_request_is_none(rude: Rude) -> None:
    tally = fire(rude.url("/excess/response"), amount=4)
    # Of every two requests, the second gets what came with the answer to the first.
    assert (tally.status, tally.errors, tally.excess) == ({200: 2}, {Fault.MALFORMED: 2}, 2)
    assert "nobody had asked for" in tally.examples[Fault.MALFORMED].message
    assert counted(rude, tally)


def test_an_endless_body_is_counted_thrown_away_and_ended_by_the_deadline(rude: Rude) -> None:
    tally, peak_bytes = Tally(), 0
    # A busy machine may need longer for enough bytes to tell whether they are kept.
    for timeout_s in (0.5, 2, 8):
        tracemalloc.start()
        try:
            tally = fire(rude.url("/body/endless/chunk"), amount=1, timeout_s=timeout_s)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        if tally.received_bytes > 8 * MEGABYTE:
            break
    assert tally.errors == {Fault.TIMEOUT: 1}
    assert tally.received_bytes > 8 * MEGABYTE
    assert peak_bytes < 6 * MEGABYTE
    assert tally.received_body_bytes > 0.9 * tally.received_bytes


def test_bytes_are_counted_as_they_were_on_the_wire(rude: Rude) -> None:
    native = fire_at(rude.url("/ok"), amount=5)
    tally = fire(rude.url("/ok"), amount=5)
    assert tally.received_bytes == native.received_bytes
    assert tally.received_body_bytes == native.received_body_bytes
    assert tally.sent_bytes == native.sent_bytes


def test_first_byte_and_own_delay_lie_within_the_latency(rude: Rude) -> None:
    tally = fire(rude.url("/ok"), amount=20)
    assert tally.service.count == tally.first_byte.count == tally.own_delay.count == 20
    longest = [tally.service.max_ns, tally.first_byte.max_ns, tally.own_delay.max_ns]
    assert all(duration_ns is not None and 0 < duration_ns <= (longest[0] or 0) for duration_ns in longest)


PLAN = Plan(targets=(Target.parse("http://127.0.0.1:4000/"),), engine=Engine.HTTPX)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trace": True}, "--debug"),
        ({"method": "purge"}, "-m purge in capitals"),
        ({"targets": (Target.parse("http://127.0.0.1/"),) * 2}, "one URL, and 2 are given"),
        ({"pipelining": 2}, "-p"),
        ({"pace": Pace(Constant(10.0))}, "-R"),
        ({"limits": Limits(per_connection=1)}, "-M"),
        ({"limits": Limits(reconnect_after=1)}, "-D"),
        ({"limits": Limits(bailout=1)}, "-B"),
        ({"ids": True}, "-I"),
        ({"expect_body": b"canary"}, "-E"),
        ({"excludes_errors": True}, "-x"),
        ({"sequence": (Step(name="canary", target=0, method="GET", path="/canary"),)}, "--har"),
        ({"method": "POST", "body": Streamed((FilePiece("canary", 1),))}, "is streamed"),
        ({"route": Route(proxy=Proxy.parse("http://u:canary@127.0.0.1:1"))}, "--proxy"),
        ({"route": Route(socket_path="/x")}, "-S"),
        ({"route": Route(connect_to=("127.0.0.1", 1))}, "--connect-to"),
        ({"route": Route(bind="127.0.0.1")}, "--bind"),
        ({"timestamps": Timestamps.KERNEL}, "--timestamps kernel"),
        ({"headers": (("X-Secret", "can\x0bary"),)}, "headers"),
        ({"targets": (Target.parse("http://300.1.1.1/"),)}, "'300.1.1.1'"),
    ],
)
def test_what_httpx_cannot_do_as_asked_is_refused_and_no_value_repeated(
    settings: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError) as raised:
        check(msgspec.structs.replace(PLAN, **settings))
    assert words in raised.value.message
    assert "ary" not in raised.value.message
    assert "--engine native" in raised.value.message


def test_a_caller_within_an_event_loop_is_told_so() -> None:
    async def call() -> None:
        check(PLAN)

    with pytest.raises(UsageError, match=r"asyncio\.to_thread"):
        asyncio.run(call())


def test_every_request_ends_in_one_count_whatever_the_server_does(rude: Rude) -> None:
    total = Tally()
    for path in ("/ok", "/after/2/reset", "/after/1/truncate/body", "/after/1/excess/text", "/idle-close/1"):
        tally = fire(rude.url(path), duration_s=0.08, connections=3, timeout_s=0.5)
        assert conserved(tally), path
        total += tally
    assert counted(rude, total)
