"""A handshake between two buffers, through a tunnel too: what it waits for, and how it fails."""

from __future__ import annotations

import ssl
from contextlib import suppress
from time import monotonic_ns

import pytest

from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import ProxyError, TlsError
from tests.engine.securing import AGAIN, NEW, OLD, Server
from tests.servers.certificates import Certificates

pytest_plugins = ("tests.servers.fixtures",)

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BOTH = pytest.mark.parametrize("version", [OLD, NEW], ids=["TLS 1.2", "TLS 1.3"])
HANDSHAKE_RECORD, ALERT_RECORD = 22, 21


@BOTH
def test_a_handshake_waits_to_read_until_it_is_done_and_says_nothing_else(
    certificates: Certificates, version: ssl.TLSVersion
) -> None:
    server = Server(certificates, version=version)
    waited = 0
    while waits_for := server.socket.handshake():
        waited += 1
        assert (waits_for, server.socket.secured) == (READ, None)
        with suppress(ssl.SSLWantReadError):
            server.tls.do_handshake()
        server.flush()
    assert waited >= 1
    secured = server.socket.secured
    assert secured is not None and not secured.resumed
    assert secured.agreed.startswith("TLSv1.2 " if version is OLD else "TLSv1.3 ")
    with suppress(ssl.SSLWantReadError):
        server.tls.do_handshake()
    assert server.read_all() == b""


def test_a_handshake_whose_bytes_do_not_fit_waits_to_write_and_goes_on(certificates: Certificates) -> None:
    server = Server(certificates)
    server.wire.rooms.extend([100, AGAIN])
    assert [server.socket.handshake() for _ in range(2)] == [WRITE, WRITE]
    server.shaken()
    assert server.socket.secured is not None


def test_what_came_right_behind_the_last_flight_waits_for_no_readiness(certificates: Certificates) -> None:
    server = Server(certificates, version=OLD)
    server.socket.handshake()
    with suppress(ssl.SSLWantReadError):
        server.tls.do_handshake()
    server.flush()
    assert server.socket.handshake() == READ
    server.tls.do_handshake()
    server.write(GOOD)
    assert server.socket.handshake() == 0
    server.wire.receives = 0
    assert server.socket.pending
    assert (server.socket.recv(479), server.wire.receives, server.socket.pending) == (GOOD, 0, False)


class _Talk:
    """What a proxy is told and tells: a piece is waited for as often as the test says."""

    def __init__(self, *waits: int | OSError) -> None:
        self.waits = list(waits)

    def handshake(self) -> int:
        if not self.waits:
            return 0
        wait = self.waits.pop(0)
        if isinstance(wait, OSError):
            raise wait
        return wait


def test_a_tunnel_is_opened_before_anything_of_tls_is_said(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(certificates)
    monkeypatch.setattr(server.wire, "handshake", _Talk(WRITE, READ).handshake)
    server.wire.tunnelling = True
    assert [server.socket.handshake() for _ in range(2)] == [WRITE, READ]
    assert (server.socket.tunnelling, server.wire.sent, server.wire.receives) == (True, b"", 0)
    server.wire.tunnelling = False
    stood_ns = monotonic_ns()
    server.shaken()
    secured = server.socket.secured
    assert secured is not None
    assert stood_ns <= secured.began_ns <= monotonic_ns()


def test_without_a_tunnel_there_is_no_server_to_shake_hands_with(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(certificates)
    refused = ProxyError(0, "the proxy wants authorization (407)")
    monkeypatch.setattr(server.wire, "handshake", _Talk(READ, refused).handshake)
    assert server.socket.handshake() == READ
    with pytest.raises(ProxyError, match="407"):
        server.socket.handshake()
    server.socket.close()
    assert (server.wire.sent, server.wire.closed) == (b"", True)


def _refused(server: Server) -> str:
    """Why the handshake failed."""
    with pytest.raises(TlsError) as raised:
        server.shaken()
    assert server.socket.secured is None
    return str(raised.value.strerror)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("self_signed", "the certificate is not trusted: self-signed certificate (--ca FILE"),
        ("expired", "the certificate is not valid now: certificate has expired (-k"),
        (
            "wrong_host",
            "the certificate is for another host: IP address mismatch, certificate is not valid for",
        ),
    ],
)
def test_whoever_is_not_trusted_is_told_so_and_gets_nothing_more(
    certificates: Certificates, shown: str, said: str
) -> None:
    server = Server(certificates, version=OLD, shown=getattr(certificates, shown))
    assert _refused(server).startswith(said)
    assert server.wire.sent[0] == HANDSHAKE_RECORD
    # The last record is an alert of two bytes: an alert is all that they get.
    assert server.wire.sent[-7] == ALERT_RECORD
    with pytest.raises(ssl.SSLError, match="ALERT"):
        server.tls.do_handshake()
    server.socket.close()
    assert server.wire.closed


def test_an_end_in_the_handshake_is_told_as_one(certificates: Certificates) -> None:
    server = Server(certificates)
    server.wire.ended = True
    assert _refused(server) == "closed in the TLS handshake"


def test_a_server_without_tls_is_told_as_one(certificates: Certificates) -> None:
    server = Server(certificates)
    server.wire.arrived = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert _refused(server) == "the server does not speak TLS on this port; try http://"
