"""The real servers start, count by their own means, and end."""

from __future__ import annotations

import os
import socket
import urllib.request
from http.client import HTTPConnection

import pytest

from tests.servers.ports import HOST
from tests.servers.process import ServerProcess
from tests.servers.real import HAProxy, Nginx, Node

pytest_plugins = ("tests.servers.fixtures",)


def get(server: ServerProcess, path: str = "/", times: int = 3) -> bytes:
    """The body of a path, asked for on a connection each time."""
    bodies = set()
    for _ in range(times):
        with urllib.request.urlopen(server.url(path), timeout=5) as response:
            bodies.add(response.read())
    assert len(bodies) == 1
    return bytes(bodies.pop())


def refuses(port: int) -> bool:
    """Whether nobody listens there any more."""
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) != 0


def gone(server: ServerProcess) -> bool:
    """Whether no process is left of its session."""
    try:
        os.killpg(server.process_id, 0)
    except ProcessLookupError:
        return True
    return False


def test_nginx_counts_the_lines_of_its_log() -> None:
    with Nginx() as nginx:
        assert get(nginx) == b"hello"
        assert nginx.statuses() == {200: 3}
        assert nginx.count() == 3
    assert refuses(nginx.port)
    assert gone(nginx)


def test_nginx_closes_after_as_many_requests_as_it_was_told() -> None:
    with Nginx(keepalive_requests=2) as nginx:
        connection = HTTPConnection(HOST, nginx.port, timeout=5)
        said = []
        for _ in range(2):
            connection.request("GET", "/")
            response = connection.getresponse()
            response.read()
            said.append(response.getheader("Connection"))
        connection.close()
    assert said == ["keep-alive", "close"]


def test_node_counts_requests_connections_and_bodies(node: Node) -> None:
    get(node, "/chunked")
    urllib.request.urlopen(urllib.request.Request(node.url("/upload"), data=b"12345"), timeout=5).close()
    seen = node.seen()
    assert (seen.requests, seen.connections, seen.body_bytes) == (4, 4, 5)
    assert gone(node)


def test_haproxy_counts_what_its_frontend_received(node: Node) -> None:
    with HAProxy(node.url()) as haproxy:
        assert get(haproxy) == b"hello"
        assert haproxy.count() == 3
    assert refuses(haproxy.port)
    assert gone(haproxy)
    assert node.count() == 3


@pytest.mark.parametrize(("upstream_http", "connections"), [("1.0", 3), ("1.1", 1)])
def test_nginx_is_a_proxy_of_either_kind(node: Node, upstream_http: str, connections: int) -> None:
    with Nginx(upstream=node.url(), upstream_http=upstream_http) as nginx:
        assert get(nginx) == b"hello"
        assert nginx.count() == 3
    seen = node.seen()
    assert (seen.requests, seen.connections) == (3, connections)


@pytest.mark.parametrize(
    ("make", "package"),
    [(Nginx, "nginx"), (Node, "nodejs"), (lambda: HAProxy("http://127.0.0.1:1"), "haproxy")],
)
def test_a_missing_server_is_an_error_that_names_its_package(
    monkeypatch: pytest.MonkeyPatch, make: type[Nginx | Node], package: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(FileNotFoundError, match=f"apt-get install {package}"), make():
        pass


def test_a_server_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(RuntimeError, match=r"nginx did not start: .*no host in upstream"),
        Nginx(upstream="http://:1"),
    ):
        pass
