"""The real servers speak TLS as they were told, and say what came of each handshake."""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.servers.certificates import NAME, Certificates
from tests.servers.ports import HOST
from tests.servers.process import Secure, ServerProcess
from tests.servers.real import HAProxy, Nginx, Node

pytest_plugins = ("tests.servers.fixtures",)

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def visit(
    server: ServerProcess, context: ssl.SSLContext, name: str = HOST, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLSession | None, str | None, bytes]:
    """Ask on a connection of its own: the session to resume, the version spoken, the first bytes of the answer."""
    with (
        socket.create_connection((HOST, server.port), 5) as plain,
        context.wrap_socket(plain, server_hostname=name, session=session) as sock,
    ):
        sock.sendall(REQUEST)
        data = sock.recv(1 << 16)
        return sock.session, sock.version(), data


def resumes(server: ServerProcess, context: ssl.SSLContext, name: str = HOST) -> None:
    """Ask four times, each time with the session of the time before."""
    session = None
    for _ in range(4):
        session, _, data = visit(server, context, name, session)
        assert data.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.fixture
def trusting(certificates: Certificates) -> ssl.SSLContext:
    """A client that trusts the root of the tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates.ca)
    return context


@pytest.mark.parametrize(("resumable", "resumed"), [(True, 3), (False, 0)])
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_nginx_logs_the_version_the_name_and_which_sessions_were_resumed(
    certificates: Certificates, trusting: ssl.SSLContext, version: str, resumable: bool, resumed: int
) -> None:
    with Nginx(secure=Secure(certificates.server, versions=(version,), resumes=resumable)) as nginx:
        resumes(nginx, trusting, NAME)
        visits = nginx.visits()
        assert nginx.resumed() == Counter({True: resumed, False: 4 - resumed})
    assert {(visit.status, visit.version, visit.name, visit.ordinal) for visit in visits} == {
        (200, version, NAME, 1)
    }
    assert len({visit.connection for visit in visits}) == 4


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_node_counts_handshakes_and_those_that_resumed(
    certificates: Certificates, trusting: ssl.SSLContext, version: str
) -> None:
    with Node(secure=Secure(certificates.server, versions=(version,))) as node:
        resumes(node, trusting)
        seen = node.seen()
    assert (seen.requests, seen.connections, seen.secured, seen.resumed, seen.refused) == (4, 4, 4, 3, 0)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_haproxy_terminates_tls_before_a_plain_server(
    node: Node, certificates: Certificates, trusting: ssl.SSLContext, version: str
) -> None:
    with HAProxy(node.url(), secure=Secure(certificates.server, versions=(version,))) as haproxy:
        assert haproxy.url().startswith("https://")
        resumes(haproxy, trusting)
        assert visit(haproxy, trusting)[1] == version
        assert haproxy.count() == 5
    assert node.count() == 5


def test_nginx_answers_400_to_a_client_that_shows_no_certificate(
    certificates: Certificates, trusting: ssl.SSLContext
) -> None:
    with Nginx(secure=Secure(certificates.server, client_ca=certificates.ca)) as nginx:
        assert visit(nginx, trusting)[2].startswith(b"HTTP/1.1 400 ")
        trusting.load_cert_chain(certificates.client_whole)
        assert visit(nginx, trusting)[2].startswith(b"HTTP/1.1 200 ")
        assert nginx.statuses() == {400: 1, 200: 1}


def shown_to_haproxy(node: Node, secure: Secure, context: ssl.SSLContext) -> int:
    """How many requests HAProxy let through."""
    with HAProxy(node.url(), secure=secure) as haproxy:
        with suppress(OSError):
            visit(haproxy, context)
        return haproxy.count()


def shown_to_node(_: Node, secure: Secure, context: ssl.SSLContext) -> int:
    """How many requests a Node over TLS saw."""
    with Node(secure=secure) as server:
        with suppress(OSError):
            visit(server, context)
        seen = server.seen()
        assert seen.refused == 1 - seen.requests
        return seen.requests


@pytest.mark.parametrize("shown", [shown_to_haproxy, shown_to_node])
def test_haproxy_and_node_let_nobody_in_without_a_good_certificate(
    node: Node,
    certificates: Certificates,
    trusting: ssl.SSLContext,
    shown: Callable[[Node, Secure, ssl.SSLContext], int],
) -> None:
    secure = Secure(certificates.server, client_ca=certificates.ca)
    assert shown(node, secure, trusting) == 0
    trusting.load_cert_chain(certificates.stranger)
    assert shown(node, secure, trusting) == 0
    trusting.load_cert_chain(certificates.client, certificates.client_key)
    assert shown(node, secure, trusting) == 1
