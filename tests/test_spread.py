"""How answers are spread: counted by a key of their bodies, each request on a connection of its own."""

from __future__ import annotations

import itertools
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cannon import certificate, spread
from cannon.plan import Plan
from cannon.scenario_report import NO_KEY
from cannon.spread import spread_of
from cannon.target import Target
from cannon.tls import Tls
from tests.results import a_plan
from tests.servers.ports import reserved_port

ASKED = 12


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many requests as make the point."""
    monkeypatch.setattr(spread, "ASKED", ASKED)


class Answering(ThreadingHTTPServer):
    """Answers with these bodies in turn, and keeps what came: path, headers and the client's port."""

    request_queue_size = 64

    def __init__(self, *bodies: bytes, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies = itertools.cycle(bodies)
        self.status = status
        self.came: list[tuple[str, dict[str, str], int]] = []

    def finish_request(self, request: Any, client_address: Any) -> None:
        if isinstance(request, ssl.SSLSocket):
            request.do_handshake()
        super().finish_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.came.append((self.path, headers, self.client_address[1]))
        body = next(self.server.bodies)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: object) -> None:
        """It says nothing."""


@contextmanager
def answering(*bodies: bytes, status: int = 200, secure: ssl.SSLContext | None = None) -> Iterator[Answering]:
    with Answering(*bodies, status=status) as server:
        if secure is not None:
            server.socket = secure.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def plan_at(server: Answering, path: str = "/who?a=1", scheme: str = "http", **changes: Any) -> Plan:
    return a_plan(targets=(Target.parse(f"{scheme}://127.0.0.1:{server.server_port}{path}"),), **changes)


def said(**values: object) -> bytes:
    return json.dumps(values).encode()


def test_answers_are_counted_by_the_value_of_their_key() -> None:
    with answering(said(pid=7, other=1), said(pid=8), said(pid=7)) as server:
        report = spread_of("proxied", plan_at(server), "pid")
    assert (report.side, report.key, report.asked) == ("proxied", "pid", ASKED)
    assert report.counts == {"7": 8, "8": 4}


def test_values_are_in_order() -> None:
    with answering(said(pid="b"), said(pid="a"), said(pid="c")) as server:
        assert [*spread_of("", plan_at(server), "pid").counts] == ["a", "b", "c"]


def test_each_request_is_on_a_connection_of_its_own_with_the_headers_of_the_side() -> None:
    with answering(said(pid=1)) as server:
        spread_of("a", plan_at(server, headers=(("Cookie", "server=web1"),)), "pid")
    assert len({port for _, _, port in server.came}) == ASKED
    assert Counter(path for path, _, _ in server.came) == {"/who?a=1": ASKED}
    for _, headers, _ in server.came:
        assert (headers["cookie"], headers["connection"]) == ("server=web1", "close")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"",
        b"[1]",
        b"7",
        b"null",
        b'"pid"',
        b"\xff",
        b'{"pid": ',
        b"[" * 100_000,
        b'{"pid": %s}' % (b"1" * 5000),
    ],
    ids=["no key", "nothing", "a list", "a number", "null", "a text", "bytes", "half", "nested", "too long"],
)
def test_an_answer_without_the_key_counts_under_no_name(body: bytes) -> None:
    with answering(body, said(pid=1)) as server:
        assert spread_of("a", plan_at(server), "pid").counts == {NO_KEY: ASKED // 2, "1": ASKED // 2}


def test_values_move_no_terminal_and_are_of_bounded_length() -> None:
    with answering(said(pid="\x1b[31m" + "x" * 5000)) as server:
        (value,) = spread_of("a", plan_at(server), "pid").counts
    assert value.startswith(r"\x1b[31mxxx")
    assert len(value) <= 60


def test_a_refusal_is_an_answer_too() -> None:
    with answering(said(pid=1), status=503) as server:
        assert spread_of("a", plan_at(server), "pid").counts == {"1": ASKED}


def test_whoever_is_not_there_counts_under_no_name() -> None:
    with reserved_port() as port:
        plan = a_plan(targets=(Target.parse(f"http://127.0.0.1:{port}/"),))
        assert spread_of("a", plan, "pid").counts == {NO_KEY: ASKED}


def test_over_tls_whom_the_side_trusts_is_asked_and_nobody_else(tmp_path: Path) -> None:
    certificate.make(tmp_path)
    places = certificate.places(tmp_path)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(places["cert"])
    with answering(said(pid=1), secure=secure) as server:
        trusting = plan_at(server, scheme="https", tls=Tls(ca=(places["cert"],)))
        assert spread_of("a", trusting, "pid").counts == {"1": ASKED}
        asked = len(server.came)
        doubting = msgspec.structs.replace(trusting, tls=Tls())
        assert spread_of("a", doubting, "pid").counts == {NO_KEY: ASKED}
        assert len(server.came) == asked


def test_when_its_time_is_over_nobody_is_asked_any_more() -> None:
    found = spread_of("web", a_plan(targets=(Target.parse("http://127.0.0.1:1/"),)), "pid", limit_s=0)
    assert (found.asked, found.counts) == (0, {})
