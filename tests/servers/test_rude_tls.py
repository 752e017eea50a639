"""The rude server does over TLS what it does without, fails handshakes as it was told, and sees what came."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest

from tests.servers.answers import GOOD
from tests.servers.certificates import NAME, Certificates
from tests.servers.ports import HOST
from tests.servers.rude_tls import RudeTls
from tests.servers.test_rude import read, request
from tests.servers.tls_wires import Greeting

pytest_plugins = ("tests.servers.fixtures",)

UNEXPECTED_END = "(?i)unexpected.eof.while.reading"
MEGABYTE = 1 << 20


@pytest.fixture
def trusting(certificates: Certificates) -> ssl.SSLContext:
    """A client that trusts the root of the tests, and is told of an end without a goodbye."""
    return trusts(certificates.ca)


def trusts(root: str) -> ssl.SSLContext:
    """The same of any root."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root)
    # Python sets it unasked.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def dial(
    server: RudeTls, context: ssl.SSLContext, name: str = HOST, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    """A secured connection, on which no read waits long and an end without a goodbye is an error."""
    sock = socket.create_connection((HOST, server.port), 5)
    try:
        return context.wrap_socket(sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
    except OSError:
        sock.close()
        raise


def test_a_request_over_tls_is_answered_and_counted(rude_tls: RudeTls, trusting: ssl.SSLContext) -> None:
    with dial(rude_tls, trusting) as sock:
        sock.sendall(request("/ok") + request("/slow/5"))
        assert read(sock, 2 * len(GOOD)) == GOOD * 2
    seen = rude_tls.handshakes
    assert (rude_tls.requests, rude_tls.accepted) == (2, 1)
    assert (seen.made, seen.resumed, seen.failed) == (1, 0, {})
    assert seen.application_bytes == len(request("/ok") + request("/slow/5"))
    assert (seen.versions, seen.names, seen.clients) == ({"TLSv1.3": 1}, {"": 1}, {"": 1})
    assert not rude_tls.untouched


def test_the_name_that_was_asked_for_is_remembered(rude_tls: RudeTls, trusting: ssl.SSLContext) -> None:
    for name in (NAME, "localhost", NAME):
        dial(rude_tls, trusting, name).close()
    rude_tls.wait_for(lambda _: rude_tls.handshakes.made == 3)
    assert rude_tls.handshakes.names == {NAME: 2, "localhost": 1}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_while_the_terms_stand(
    certificates: Certificates, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    with RudeTls(certificates.server, newest=version) as server:
        session = None
        for ordinal in range(4):
            if ordinal == 3:
                server.turn_to(certificates.server, newest=version)
            with dial(server, trusting, session=session) as sock:
                sock.sendall(request("/ok"))
                assert read(sock, len(GOOD)) == GOOD
                session = sock.session
        assert (server.handshakes.made, server.handshakes.resumed) == (4, 2)
        assert server.handshakes.versions == {version.name.replace("_", "."): 4}


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (Greeting.FIN, UNEXPECTED_END),
        (Greeting.RESET, "reset by peer"),
        (Greeting.HALF, UNEXPECTED_END),
        (Greeting.GARBAGE, "wrong version number"),
        (Greeting.PLAIN, "wrong version number"),
        (Greeting.ALERT, "handshake failure"),
    ],
)
def test_a_handshake_fails_in_the_way_it_was_told_to(
    certificates: Certificates, trusting: ssl.SSLContext, greeting: Greeting, reason: str
) -> None:
    with RudeTls(certificates.server, greeting=greeting) as server:
        for _ in range(2):
            with pytest.raises(OSError, match=reason):
                dial(server, trusting)
        assert server.handshakes.failed == {greeting.name: 2}
        assert server.accepted == 2
        assert server.untouched


@pytest.mark.parametrize("greeting", [Greeting.SILENCE, Greeting.STALL])
def test_a_handshake_may_never_be_answered_or_only_by_half(
    certificates: Certificates, trusting: ssl.SSLContext, greeting: Greeting
) -> None:
    with (
        RudeTls(certificates.server, greeting=greeting) as server,
        socket.create_connection((HOST, server.port), 0.05) as sock,
    ):
        with pytest.raises(TimeoutError):
            trusting.wrap_socket(sock, server_hostname=HOST)
        assert server.handshakes.failed == {greeting.name: 1}


@pytest.mark.parametrize(
    ("which", "reason", "told"),
    [
        ("expired", "certificate has expired", "CERTIFICATE_EXPIRED"),
        ("wrong_host", "IP address mismatch", "BAD_CERTIFICATE"),
        ("self_signed", "self-signed certificate", "UNKNOWN_CA"),
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_that_must_be_refused_is_refused_and_nothing_sent(
    certificates: Certificates,
    trusting: ssl.SSLContext,
    which: str,
    reason: str,
    told: str,
    version: ssl.TLSVersion,
) -> None:
    with RudeTls(getattr(certificates, which), newest=version) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            dial(server, trusting)
        server.wait_for(lambda _: server.handshakes.failed.total() == 1)
        assert server.handshakes.failed == {told: 1}
        assert server.untouched


def test_a_self_signed_certificate_serves_whoever_trusts_it(certificates: Certificates) -> None:
    with (
        RudeTls(certificates.self_signed) as server,
        dial(server, trusts(certificates.self_signed)) as sock,
    ):
        sock.sendall(request("/ok"))
        assert read(sock, len(GOOD)) == GOOD


def test_a_root_of_the_tests_is_trusted_by_nobody_else(rude_tls: RudeTls) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        dial(rude_tls, ssl.create_default_context())
    rude_tls.wait_for(lambda _: rude_tls.handshakes.failed == {"UNKNOWN_CA": 1})
    assert rude_tls.untouched


def test_old_versions_are_spoken_by_whoever_asks_for_nothing_better(
    certificates: Certificates, trusting: ssl.SSLContext
) -> None:
    old = {"oldest": ssl.TLSVersion.TLSv1, "newest": ssl.TLSVersion.TLSv1_1}
    with RudeTls(certificates.server, **old) as server:
        trusting.minimum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError, match="version"):
            dial(server, trusting)
        server.wait_for(lambda _: server.handshakes.failed.total() == 1)
        with pytest.warns(DeprecationWarning, match="deprecated"):
            trusting.minimum_version = ssl.TLSVersion.TLSv1
        trusting.set_ciphers("ALL:@SECLEVEL=0")
        dial(server, trusting).close()
        server.wait_for(lambda _: server.handshakes.versions == {"TLSv1.1": 1})


def test_a_client_that_shows_its_certificate_is_let_in(
    certificates: Certificates, trusting: ssl.SSLContext
) -> None:
    trusting.load_cert_chain(certificates.client, certificates.client_key)
    with RudeTls(certificates.server, client_ca=certificates.ca) as server:
        with dial(server, trusting) as sock:
            sock.sendall(request("/ok"))
            assert read(sock, len(GOOD)) == GOOD
        assert server.handshakes.clients == {"cannon's client": 1}


@pytest.mark.parametrize(
    ("shown", "reason", "said"),
    [
        (None, "PEER_DID_NOT_RETURN_A_CERTIFICATE", "certificate required"),
        ("stranger", "CERTIFICATE_VERIFY_FAILED", "unknown ca"),
    ],
)
def test_in_tls_1_3_a_client_without_a_good_certificate_learns_so_when_it_reads(
    certificates: Certificates, trusting: ssl.SSLContext, shown: str | None, reason: str, said: str
) -> None:
    if shown is not None:
        trusting.load_cert_chain(getattr(certificates, shown))
    with RudeTls(certificates.server, client_ca=certificates.ca) as server:
        with dial(server, trusting) as sock:
            sock.sendall(request("/ok"))
            with pytest.raises(ssl.SSLError, match=said):
                sock.recv(1)
        assert server.handshakes.failed == {reason: 1}
        assert server.untouched


def test_in_tls_1_2_it_learns_so_in_the_handshake(
    certificates: Certificates, trusting: ssl.SSLContext
) -> None:
    terms = {"client_ca": certificates.ca, "newest": ssl.TLSVersion.TLSv1_2}
    with RudeTls(certificates.server, **terms) as server:
        with pytest.raises(ssl.SSLError, match="handshake failure"):
            dial(server, trusting)
        assert server.untouched


def test_terms_change_for_later_connections_only(
    rude_tls: RudeTls, trusting: ssl.SSLContext, certificates: Certificates
) -> None:
    with dial(rude_tls, trusting) as sock:
        rude_tls.turn_to(certificates.expired)
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            dial(rude_tls, trusting)
        sock.sendall(request("/ok"))
        assert read(sock, len(GOOD)) == GOOD
        rude_tls.turn_to(certificates.other)
        with dial(rude_tls, trusting) as later:
            assert later.getpeercert(binary_form=True) != sock.getpeercert(binary_form=True)


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/close-delimited", None),
        ("/chunks/good/close", None),
        ("/truncate/body", len(GOOD) - 2),
        ("/close", 0),
    ],
)
def test_a_fin_comes_without_a_goodbye(
    rude_tls: RudeTls, trusting: ssl.SSLContext, path: str, length: int | None
) -> None:
    with dial(rude_tls, trusting) as sock:
        sock.sendall(request(path))
        data = b""
        with pytest.raises(ssl.SSLError, match=UNEXPECTED_END):
            while more := sock.recv(1 << 16):
                data += more
    assert data.startswith(b"HTTP/1.1 200") if length is None else data == GOOD[:length]


@pytest.mark.parametrize(
    ("path", "end"), [("/close-delimited/notify", b"hello"), ("/truncate/body/notify", GOOD[-8:-2])]
)
def test_a_goodbye_comes_where_it_was_asked_for(
    rude_tls: RudeTls, trusting: ssl.SSLContext, path: str, end: bytes
) -> None:
    with dial(rude_tls, trusting) as sock:
        sock.sendall(request(path))
        assert read(sock, MEGABYTE).endswith(end)


def test_a_request_that_comes_after_the_end_is_counted_too(
    rude_tls: RudeTls, trusting: ssl.SSLContext
) -> None:
    for path in ("/close", "/close-delimited/notify"):
        with dial(rude_tls, trusting) as sock:
            sock.sendall(request(path))
            rude_tls.wait_for(lambda server: server.requests % 2 == 1)
            sock.sendall(request("/ok"))
            rude_tls.wait_for(lambda server: server.requests % 2 == 0)
    assert rude_tls.per_path == {"/close": 1, "/close-delimited/notify": 1, "/ok": 2}


def test_a_request_counts_even_if_its_connection_breaks_at_once(
    rude_tls: RudeTls, trusting: ssl.SSLContext
) -> None:
    with dial(rude_tls, trusting) as sock:
        # In one segment, so that the server reads both at once.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        sock.sendall(request("/ok"))
        socket.socket.send(sock, b"\x17\x03\x03\x00\x20" + bytes(32))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        rude_tls.wait_for(lambda server: server.requests == 1)
    assert rude_tls.handshakes.application_bytes == len(request("/ok"))


@pytest.mark.parametrize("first", [b"", GOOD[:-2]])
@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/alert", ssl.SSLError, "alert bad record mac"),
        ("/spoilt", ssl.SSLError, "decryption failed or bad record mac"),
        # A RST is an end to Python's ssl; later ones than 3.11 name it.
        ("/reset", (ConnectionResetError, ssl.SSLEOFError), "reset|EOF occurred"),
    ],
)
def test_what_breaks_may_do_so_in_mid_response(
    rude_tls: RudeTls,
    trusting: ssl.SSLContext,
    path: str,
    error: type[OSError] | tuple[type[OSError], ...],
    words: str,
    first: bytes,
) -> None:
    with dial(rude_tls, trusting) as sock:
        sock.sendall(request(f"{path}/body" if first else path))
        assert read(sock, len(first)) == first
        with pytest.raises(error, match=words):
            sock.recv(1)


def test_a_record_may_hold_a_single_byte(certificates: Certificates, trusting: ssl.SSLContext) -> None:
    with RudeTls(certificates.server, record_bytes=1) as server, dial(server, trusting) as sock:
        sock.sendall(request("/ok"))
        parts = [sock.recv(1 << 16) for _ in GOOD]
    assert parts == [bytes((byte,)) for byte in GOOD]


@pytest.mark.parametrize("record_bytes", [1_000, 16_384])
def test_a_large_body_comes_whole(
    certificates: Certificates, trusting: ssl.SSLContext, record_bytes: int
) -> None:
    with RudeTls(certificates.server, record_bytes=record_bytes) as server, dial(server, trusting) as sock:
        sock.sendall(request(f"/length/{MEGABYTE}"))
        head, _, body = read(
            sock, len(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n") + MEGABYTE
        ).partition(b"\r\n\r\n")
    assert head.endswith(b"Content-Length: 1048576")
    assert body == b"x" * MEGABYTE


def test_a_large_upload_is_read_and_counted(rude_tls: RudeTls, trusting: ssl.SSLContext) -> None:
    with dial(rude_tls, trusting) as sock:
        sock.sendall(request("/ok", "POST", body_bytes=4 * MEGABYTE) + bytes(4 * MEGABYTE))
        assert read(sock, len(GOOD)) == GOOD
    assert rude_tls.body_bytes == 4 * MEGABYTE


@pytest.mark.parametrize(
    "speak", [lambda sock: sock.sendall(request("/ok")), lambda _: None], ids=["plain", "mute"]
)
def test_what_is_no_handshake_is_noted_as_failed(
    rude_tls: RudeTls, speak: Callable[[socket.socket], None]
) -> None:
    with socket.create_connection((HOST, rude_tls.port), 5) as sock:
        speak(sock)
        sock.shutdown(socket.SHUT_WR)
        rude_tls.wait_for(lambda _: rude_tls.handshakes.failed.total() == 1)
    assert set(rude_tls.handshakes.failed) <= {"HTTP_REQUEST", "CLOSED"}
    assert rude_tls.untouched
