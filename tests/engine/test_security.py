"""What one connection hands on to the next over TLS, and what is told when the other side refuses."""

from __future__ import annotations

import ssl
from typing import cast

import pytest

from cannon.engine.secure import Security, reason, refusal
from cannon.tls import Sessions, Tls
from tests.engine.securing import Server
from tests.servers.certificates import NAME, Certificates

pytest_plugins = ("tests.servers.fixtures",)


def test_the_next_connection_resumes_the_session_and_so_does_the_one_after(
    certificates: Certificates,
) -> None:
    server = Server(certificates, sessions=Sessions.RESUME)
    resumed = []
    for _ in range(3):
        server.shaken()
        assert server.socket.secured is not None
        resumed.append(server.socket.secured.resumed)
        server.socket.close()
        server.dial()
    assert resumed == [False, True, True]


class _Closing:
    """A connection that closes: whether it had resumed its session, and how often it was asked for one."""

    def __init__(self, *, reused: bool) -> None:
        self.session_reused = reused
        self.asked = 0

    @property
    def session(self) -> object:
        self.asked += 1
        return self


class _Context:
    """Notes what OpenSSL is asked for."""

    def __init__(self) -> None:
        self.server_hostname: object = None
        self.session: object = None

    def wrap_bio(self, incoming: object, outgoing: object, *, server_hostname: str, session: object) -> None:
        self.server_hostname = server_hostname
        self.session = session


class _Kept:
    """A Security that is told how connections closed."""

    def __init__(self, sessions: Sessions = Sessions.RESUME, host: str = "a", server_name: str = "") -> None:
        self.context = _Context()
        tls = Tls(sessions=sessions, server_name=server_name)
        self.security = Security(cast("ssl.SSLContext", self.context), tls, host)

    def offered(self) -> object:
        """The session that the next connection may resume."""
        self.security.wrap(ssl.MemoryBIO(), ssl.MemoryBIO())
        return self.context.session

    def closed(self, *, reused: bool) -> _Closing:
        closing = _Closing(reused=reused)
        self.security.keep(cast("ssl.SSLObject", closing))
        return closing


def test_a_session_is_taken_once_and_kept_while_it_is_resumed() -> None:
    kept = _Kept()
    assert kept.offered() is None
    first = kept.closed(reused=False)
    assert (first.asked, kept.offered()) == (1, first)
    later = [kept.closed(reused=True) for _ in range(100)]
    assert [closing.asked for closing in later] == [0] * 100
    assert kept.offered() is first


def test_a_session_that_was_refused_is_replaced() -> None:
    kept = _Kept()
    kept.closed(reused=False)
    second = kept.closed(reused=False)
    assert (second.asked, kept.offered()) == (1, second)


def test_after_some_refusals_in_a_row_no_session_is_asked_for_any_more() -> None:
    kept = _Kept()
    asked = [kept.closed(reused=False).asked for _ in range(100)]
    assert sum(asked) <= 5 and asked == sorted(asked, reverse=True)
    assert kept.offered() is None


def test_refusals_that_are_not_in_a_row_give_up_nothing() -> None:
    kept = _Kept()
    kept.closed(reused=False)
    for _ in range(10):
        refused = [kept.closed(reused=False) for _ in range(3)]
        kept.closed(reused=True)
        assert kept.offered() is refused[-1]


def test_fresh_sessions_ask_for_none_and_offer_none() -> None:
    kept = _Kept(Sessions.FRESH)
    assert kept.closed(reused=False).asked == 0
    assert kept.offered() is None


@pytest.mark.parametrize(
    ("host", "server_name", "asked_for"),
    [("example.org", "", "example.org"), ("example.org.", "", "example.org"), ("127.0.0.1", NAME, NAME)],
)
def test_the_name_that_is_asked_for_has_no_dot_at_its_end(
    host: str, server_name: str, asked_for: str
) -> None:
    kept = _Kept(host=host, server_name=server_name)
    kept.offered()
    assert kept.context.server_hostname == asked_for


# What is told of it.


@pytest.mark.parametrize(
    ("code", "begins", "helps"),
    [
        (62, "the certificate is for another host: ", "-s NAME"),
        (64, "the certificate is for another host: ", "-s NAME"),
        (10, "the certificate is not valid now: ", "-k"),
        (9, "the certificate is not valid now: ", "-k"),
        (18, "the certificate is not trusted: ", "--ca FILE"),
        (19, "the certificate is not trusted: ", "--ca FILE"),
        (20, "the certificate is not trusted: ", "--ca FILE"),
    ],
)
def test_a_certificate_is_refused_with_the_reason_and_the_option_that_helps(
    code: int, begins: str, helps: str
) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "as OpenSSL says\x1b."
    told = refusal(error)
    assert told.startswith(begins + "as OpenSSL says")
    assert helps in told and "\x1b" not in told


def _error(reason_of_it: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "strerror")
    error.reason = reason_of_it
    return error


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "the server wants a certificate; give yours with --cert"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "the server takes none of the ciphers offered"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "the server speaks no version of TLS that is allowed here"),
        ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"),
        ("TLSV1_UNRECOGNIZED_NAME", "the server does not know this name; give another with -s NAME"),
        ("TLSV1_ALERT_INTERNAL_ERROR", "tlsv1 alert internal error"),
    ],
)
def test_a_reason_of_openssl_is_told_as_a_phrase(name: str, said: str) -> None:
    assert reason(_error(name)).startswith(said)
    assert refusal(_error(name)).startswith(said)


def test_an_error_without_a_reason_is_told_in_the_words_it_has() -> None:
    error = _error("")
    error.strerror = "Some_thing"
    assert reason(error) == "some thing"
    assert refusal(ssl.SSLEOFError(8, "EOF")) == "closed in the TLS handshake"
