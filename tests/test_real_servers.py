"""Fired as a user fires: what cannon says it sent is what nginx, Node and HAProxy say they were asked.

Every count on the servers' side is their own: an access log, a counter, a stats socket.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cannon.plan import Plan, Stop
from cannon.result import Result
from cannon.runner import run
from cannon.target import Target
from tests.firing import result_of, run_cli
from tests.servers.real import HAProxy, Nginx, Node

pytest_plugins = ("tests.servers.fixtures",)

BODY_BYTES = 2_000_000


def fired(*arguments: str) -> Result:
    """The result of a run that nothing went wrong in: exit 0, nothing in flight, its counts in order."""
    process: subprocess.CompletedProcess[str] = run_cli("-j", *arguments)
    assert process.returncode == 0, process.stderr
    result = result_of(process)
    requests = result.requests
    assert requests.in_flight == 0
    assert requests.sent == requests.completed + requests.failed
    assert requests.completed == sum(result.status.values()) == result.latency_ms.count
    assert requests.failed == sum(result.errors.values())
    return result


def sent(result: Result) -> int:
    """All that was ever sent: in the window, and off the clock."""
    return result.requests.sent + result.outside.preflight + result.outside.warmup


def test_nginx_logs_as_many_requests_as_were_sent() -> None:
    with Nginx() as nginx:
        result = fired("-d", "400ms", "-c", "10", nginx.url())
        assert nginx.statuses() == {200: sent(result)}
    assert (result.errors, result.status) == ({}, {"200": result.requests.sent})
    assert result.outside.preflight == 1
    assert result.connects.made == 10
    assert result.requests.sent > 100


def test_node_counts_as_many_requests_as_were_sent(node: Node) -> None:
    result = fired("-d", "400ms", "-c", "10", node.url())
    seen = node.seen()
    assert seen.requests == sent(result)
    assert seen.connections == result.connects.made + 1
    assert result.errors == {}


def test_two_workers_send_what_they_say_together(node: Node) -> None:
    result = run(Plan(targets=(Target.parse(node.url()),), connections=5, workers=2, stop=Stop(amount=1003)))
    seen = node.seen()
    assert (result.requests.sent, result.requests.completed, result.errors) == (1003, 1003, {})
    assert seen.requests == sent(result)
    assert seen.connections == 5 + result.outside.preflight
    assert sum(worker.sent for worker in result.workers) == 1003


def test_haproxy_and_the_node_behind_it_count_the_same(node: Node) -> None:
    with HAProxy(node.url()) as haproxy:
        result = fired("-d", "400ms", "-c", "10", haproxy.url())
        assert haproxy.count() == sent(result)
    assert node.count() == sent(result)
    assert result.errors == {}


@pytest.mark.parametrize("upstream_http", ["1.0", "1.1"])
def test_nginx_as_a_proxy_and_the_node_behind_it_count_the_same(node: Node, upstream_http: str) -> None:
    with Nginx(upstream=node.url(), upstream_http=upstream_http) as nginx:
        result = fired("-d", "400ms", "-c", "10", nginx.url())
        assert nginx.statuses() == {200: sent(result)}
    assert node.count() == sent(result)
    assert result.errors == {}


def test_a_warm_up_is_counted_apart(node: Node) -> None:
    result = fired("-d", "300ms", "-c", "4", "-W", "200ms", node.url())
    assert result.outside.warmup > 0
    assert node.count() == sent(result)


def test_an_amount_is_sent_exactly(node: Node) -> None:
    result = fired("-a", "1003", "-c", "10", node.url())
    assert result.requests.sent == result.requests.completed == 1003
    assert node.count() == 1003 + result.outside.preflight


def test_nginx_may_close_every_connection_after_five_requests() -> None:
    with Nginx(keepalive_requests=5) as nginx:
        result = fired("-a", "1000", "-c", "10", nginx.url())
        assert nginx.count() == sent(result)
    assert (result.errors, result.status) == ({}, {"200": 1000})
    # nginx says so with the fifth response; ten may have had fewer when the amount was reached.
    assert 200 <= result.connects.made <= 210


def test_a_large_body_reaches_node_whole(node: Node, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * BODY_BYTES)
    result = fired("-a", "20", "-c", "4", "-m", "POST", "-i", str(body), node.url("/upload"))
    seen = node.seen()
    assert (result.errors, result.status) == ({}, {"200": 20})
    assert (seen.requests, seen.body_bytes) == (20, 20 * BODY_BYTES)
    assert result.outside.preflight == 0, "a POST is not tried out"
    assert result.bytes.sent > 20 * BODY_BYTES


def test_a_large_body_reaches_node_through_nginx(node: Node, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * BODY_BYTES)
    with Nginx(upstream=node.url()) as nginx:
        result = fired("-a", "20", "-c", "4", "-m", "PUT", "-i", str(body), nginx.url("/upload"))
        assert nginx.count() == 20
    seen = node.seen()
    assert (result.errors, result.status) == ({}, {"200": 20})
    assert (seen.requests, seen.body_bytes) == (20, 20 * BODY_BYTES)


def test_nginx_may_answer_before_it_has_read_a_large_body(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * BODY_BYTES)
    with Nginx() as nginx:
        result = fired("-a", "20", "-c", "4", "-m", "POST", "-i", str(body), nginx.url())
        assert nginx.statuses() == {200: 20}
    assert (result.errors, result.status) == ({}, {"200": 20})


@pytest.mark.parametrize(
    ("path", "status", "options", "body_bytes"),
    [
        ("/", 200, ("-m", "HEAD"), 0),
        ("/", 200, ("-m", "OPTIONS"), 5),
        ("/", 200, ("-m", "POST", "-b", "hello=1"), 5),
        ("/no-content", 204, (), 0),
        ("/not-modified", 304, ("-H", 'If-None-Match="1"'), 0),
        ("/chunked", 200, (), 13),
        ("/gzip", 200, (), 1024),
    ],
)
def test_node_answers_in_many_ways(
    node: Node, path: str, status: int, options: tuple[str, ...], body_bytes: int
) -> None:
    result = fired("-a", "200", "-c", "4", *options, node.url(path))
    seen = node.seen()
    assert (result.errors, result.status) == ({}, {str(status): 200})
    assert seen.requests == sent(result)
    assert seen.connections == 4 + 1, "the preflight dials, whatever the method"
    assert result.bytes.received_body == 200 * body_bytes


def test_a_zipped_body_is_counted_as_it_was_on_the_wire(node: Node) -> None:
    result = fired("-a", "200", "-c", "4", "-H", "Accept-Encoding=gzip", node.url("/gzip"))
    assert node.count() == sent(result)
    assert result.errors == {}
    assert 0 < result.bytes.received_body < 200 * 200


@pytest.mark.parametrize(
    ("path", "status", "options"),
    [
        ("/", 200, ("-m", "HEAD")),
        ("/file", 200, ()),
        ("/file", 200, ("-H", "Accept-Encoding=gzip")),
        ("/file", 206, ("-H", "Range=bytes=0-9")),
        ("/no-content", 204, ()),
        ("/not-modified", 304, ()),
    ],
)
def test_nginx_answers_in_many_ways(path: str, status: int, options: tuple[str, ...]) -> None:
    with Nginx() as nginx:
        result = fired("-a", "200", "-c", "4", *options, nginx.url(path))
        assert nginx.statuses() == {status: sent(result)}
    assert (result.errors, result.status) == ({}, {str(status): 200})
    assert result.connects.made == 4


def test_a_path_that_nobody_has_is_a_response_but_no_success() -> None:
    with Nginx() as nginx:
        process = run_cli("-j", "-a", "50", "-c", "2", nginx.url("/missing"))
        result = result_of(process)
        assert nginx.statuses() == {404: sent(result)}
    assert process.returncode == 3
    assert (result.requests.completed, result.requests.succeeded, result.errors) == (50, 0, {})
