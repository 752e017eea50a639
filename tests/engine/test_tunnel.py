"""A tunnel is opened byte for byte as its protocol has it, and whatever comes instead is told in words."""

from __future__ import annotations

import errno
import io
import socket
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import PlainSocket, ProxyError, Trace
from cannon.engine.tunnel import tunnels
from cannon.route import Proxy
from cannon.version import __version__

HTTP, SOCKS5 = Proxy.parse("http://p"), Proxy.parse("socks5://p")
AUTHORIZED = Proxy.parse("http://user:canary@p")
LOGGED_IN = Proxy.parse("socks5://user:canary@p")
MET = b"HTTP/1.1 200 Connection established\r\n\r\n"
BOUND = b"\x01\x7f\x00\x00\x01\x04\x38"


class Dialled:
    """A socket that is led through a proxy, and `far`, where the proxy is."""

    def __init__(self, proxy: Proxy, host: str = "a.example", port: int = 443) -> None:
        self.shown = io.StringIO()
        near, self.far = socket.socketpair()
        self.far.setblocking(False)
        self.wire = PlainSocket(fileno=near.detach())
        self.wire.setblocking(False)
        self.wire.passage = tunnels(proxy, host, port, Trace(self.shown))()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()
        self.far.close()

    def says(self, *pieces: bytes) -> int:
        """The proxy says this; what the handshake then waits for."""
        waits_for = self.wire.handshake()
        for piece in pieces:
            assert waits_for == READ
            self.far.send(piece)
            waits_for = self.wire.handshake()
        return waits_for

    def heard(self) -> bytes:
        """What the proxy has been told since the last time."""
        try:
            return self.far.recv(65_536)
        except BlockingIOError:
            return b""

    def left(self) -> bytes:
        """What is there for whoever uses the tunnel."""
        try:
            return self.wire.recv(65_536)
        except BlockingIOError:
            return b""


@pytest.fixture
def dialled() -> Iterator[Dialled]:
    with Dialled(HTTP) as made:
        yield made


def refused(proxy: Proxy, *pieces: bytes) -> str:
    """What is said of a proxy that says this."""
    with Dialled(proxy) as made:
        with pytest.raises(ProxyError) as raised:
            made.says(*pieces)
        # It is not given up for a tunnel that stands.
        assert made.wire.tunnelling
        assert "canary" not in made.shown.getvalue()
        message = str(raised.value.strerror)
        assert "canary" not in message
        assert message.isprintable()
        return message


def in_pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(places)]


# CONNECT.


@pytest.mark.parametrize(
    ("host", "port", "server"),
    [
        ("a.example", 443, b"a.example:443"),
        ("127.0.0.1", 8443, b"127.0.0.1:8443"),
        ("::1", 443, b"[::1]:443"),
    ],
)
def test_connect_names_the_server_with_its_port(host: str, port: int, server: bytes) -> None:
    with Dialled(HTTP, host, port) as made:
        assert made.says() == READ
        agent = f"User-Agent: cannon/{__version__}\r\n\r\n".encode()
        assert made.heard() == b"CONNECT " + server + b" HTTP/1.1\r\nHost: " + server + b"\r\n" + agent


def test_connect_carries_the_authorization_of_the_proxy() -> None:
    with Dialled(AUTHORIZED) as made:
        made.says()
        assert b"\r\nProxy-Authorization: Basic dXNlcjpjYW5hcnk=\r\n" in made.heard()


@pytest.mark.parametrize(
    "answer",
    [
        MET,
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 204 \r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 200 OK\nVia: x\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + MET,
    ],
)
@given(cuts=st.lists(st.integers(0, 200), max_size=4))
def test_a_tunnel_stands_after_any_answer_of_2xx_and_nothing_behind_it_is_taken(
    answer: bytes, cuts: list[int]
) -> None:
    with Dialled(HTTP) as made:
        pieces = in_pieces(answer, cuts)
        tunnelling = [made.wire.tunnelling]
        assert made.says(*pieces[:-1], pieces[-1] + b"\x16\x03server") == 0
        tunnelling.append(made.wire.tunnelling)
        assert (tunnelling, made.left()) == ([True, False], b"\x16\x03server")
        assert made.wire.handshake() == 0


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 407 No\r\n\r\n", "the proxy wants authorization (407)"),
        (
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
            "the proxy answered 502 Bad Gateway to CONNECT a.example:443",
        ),
        (b"HTTP/1.1 403 \r\n\r\n", "the proxy answered 403 to CONNECT a.example:443"),
        (b"HTTP/1.1 302 \x1b[2J\r\n\r\n", "the proxy answered 302 \\x1b[2J to CONNECT a.example:443"),
        (b"HTTP/1.1 101 Switched\r\n\r\n", "the proxy answered 101 Switched to CONNECT a.example:443"),
        (b"SSH-2.0", "the proxy's response is not HTTP/1: starts with b'SSH-2.0' "),
        (b"\x15\x03\x01\x00\x02", "(looks like TLS)"),
        (b"HTTP/2 200\r\n\r\n", "(looks like HTTP/2)"),
        (b"\x05\xff", "the proxy's response is not HTTP/1"),
    ],
)
def test_any_other_answer_is_told(answer: bytes, message: str) -> None:
    assert message in refused(HTTP, answer)


def test_a_password_that_is_refused_is_told_from_one_that_is_missing() -> None:
    for status in (401, 407):
        answer = f"HTTP/1.1 {status} x\r\n\r\n".encode()
        assert refused(AUTHORIZED, answer) == f"the proxy refuses this user and password ({status})"
        assert refused(HTTP, answer) == f"the proxy wants authorization ({status})"


@pytest.mark.parametrize("line", [b"X: y\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"x"])
def test_an_answer_without_an_end_is_not_read_for_ever(line: bytes) -> None:
    pieces = [b"HTTP/1.1 200 OK\r\n" if line != b"HTTP/1.1 100 Continue\r\n\r\n" else line]
    pieces += [line * (2_000 // len(line))] * 10
    assert refused(HTTP, *pieces) == "the proxy's answer to CONNECT does not end within 16384 bytes"


@pytest.mark.parametrize("proxy", [HTTP, SOCKS5])
@pytest.mark.parametrize("said", [b"", b"\x05", b"\x05\x00\x05"])
def test_a_proxy_that_closes_is_told_with_what_it_was_asked_for(proxy: Proxy, said: bytes) -> None:
    if proxy is HTTP and said:
        said = b"HTTP/1.1 200 OK\r\n"
    with Dialled(proxy) as made:
        assert made.says(*([said] if said else [])) == READ
        made.far.shutdown(socket.SHUT_WR)
        with pytest.raises(ProxyError, match=r"the proxy closed, asked for a tunnel to a\.example:443"):
            made.wire.handshake()


def test_a_proxy_that_resets_is_told_as_one(dialled: Dialled) -> None:
    dialled.says()
    dialled.far.close()
    # What it was told lies there unread: that is a reset.
    with pytest.raises(ProxyError) as raised:
        dialled.wire.handshake()
    assert raised.value.errno == errno.ECONNRESET
    said = "Connection reset by peer, from the proxy, asked for a tunnel to a.example:443"
    assert raised.value.strerror == said


def test_with_no_room_to_write_it_waits_for_some_and_goes_on(dialled: Dialled) -> None:
    filled_bytes = 0
    with pytest.raises(BlockingIOError):
        while True:
            filled_bytes += dialled.wire.send(b"x" * 65_536)
    assert dialled.wire.handshake() == WRITE
    while filled_bytes:
        filled_bytes -= len(dialled.far.recv(filled_bytes))
    assert dialled.wire.handshake() == READ
    assert dialled.heard().startswith(b"CONNECT a.example:443 HTTP/1.1\r\n")


# SOCKS 5.


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("a.example", b"\x03\x09a.example"),
        ("127.0.0.1", b"\x01\x7f\x00\x00\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
    ],
)
def test_a_socks_proxy_is_asked_for_a_name_as_it_stands(host: str, named: bytes) -> None:
    with Dialled(SOCKS5, host, 8443) as made:
        made.says()
        assert made.heard() == b"\x05\x01\x00"
        assert made.says(b"\x05\x00") == READ
        assert made.heard() == b"\x05\x01\x00" + named + b"\x20\xfb"


def test_a_socks_proxy_that_asks_is_told_user_and_password() -> None:
    with Dialled(LOGGED_IN) as made:
        made.says()
        assert made.heard() == b"\x05\x02\x00\x02"
        made.says(b"\x05\x02")
        assert made.heard() == b"\x01\x04user\x06canary"
        made.says(b"\x01\x00")
        assert made.heard().startswith(b"\x05\x01\x00\x03\x09a.example")
        assert made.says(b"\x05\x00\x00" + BOUND) == 0


def test_a_socks_proxy_that_asks_for_nothing_is_told_no_password() -> None:
    with Dialled(LOGGED_IN) as made:
        made.says(b"\x05\x00")
        assert b"canary" not in made.heard()


@pytest.mark.parametrize(
    "bound", [BOUND, b"\x03\x04name\x00\x50", b"\x03\x00\x00\x00", b"\x04" + bytes(18)], ids=len
)
@given(cuts=st.lists(st.integers(0, 30), max_size=4))
def test_nothing_behind_a_socks_answer_is_taken_however_its_bytes_come(bound: bytes, cuts: list[int]) -> None:
    with Dialled(SOCKS5) as made:
        *pieces, last = in_pieces(b"\x05\x00\x05\x00\x00" + bound, cuts)
        assert made.says(*pieces, last + b"server") == 0
        assert made.left() == b"server"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "general failure"),
        (2, "not allowed by its rules"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "too many hops"),
        (7, "it takes no such command"),
        (8, "it takes no such kind of address"),
        (99, "reply 99, which no standard knows"),
    ],
)
def test_every_reply_of_a_socks_proxy_is_told_in_words_even_where_it_says_no_more(
    code: int, words: str
) -> None:
    said = f"the proxy cannot reach a.example:443: {words} (SOCKS 5)"
    assert refused(SOCKS5, b"\x05\x00", bytes((5, code))) == said


@pytest.mark.parametrize(
    ("proxy", "pieces", "message"),
    [
        (SOCKS5, [b"\x05\xff"], "the proxy wants authorization (SOCKS 5)"),
        (SOCKS5, [b"\x05\x02"], "the proxy wants authorization (SOCKS 5)"),
        (LOGGED_IN, [b"\x05\xff"], "the proxy takes no user and password (SOCKS 5)"),
        (LOGGED_IN, [b"\x05\x01"], "the proxy takes no user and password (SOCKS 5)"),
        (LOGGED_IN, [b"\x05\x02", b"\x01\x01"], "the proxy refuses this user and password (SOCKS 5)"),
        (SOCKS5, [b"\x04\x00"], r"the proxy does not speak SOCKS 5: it begins with b'\x04\x00'"),
        (SOCKS5, [b"HTTP/1.1 400"], "(it answers as HTTP does; try --proxy http://...)"),
        (SOCKS5, [b"\x05\x00", b"\x04\x00"], "the proxy does not speak SOCKS 5"),
        (
            SOCKS5,
            [b"\x05\x00", b"\x05\x00\x00\x09\x00"],
            "the proxy's answer has an address of kind 9, which no standard knows",
        ),
    ],
)
def test_what_a_socks_proxy_says_against_it_is_told(proxy: Proxy, pieces: list[bytes], message: str) -> None:
    assert message in refused(proxy, *pieces)


# The trace.


def test_the_talk_with_an_http_proxy_is_shown_line_by_line_without_secrets() -> None:
    with Dialled(AUTHORIZED) as made:
        made.says(b"HTTP/1.1 200 OK\r\n", b"X-Proxy: \x1b[2J\r\n\r\n")
        lines = made.shown.getvalue().splitlines()
    assert lines[0] == "> CONNECT a.example:443 HTTP/1.1"
    assert "> Proxy-Authorization: ***" in lines
    assert lines[-3:] == ["< HTTP/1.1 200 OK", "< X-Proxy: \\x1b[2J", "< "]


def test_the_talk_with_a_socks_proxy_is_shown_in_words_without_secrets() -> None:
    with Dialled(LOGGED_IN) as made:
        made.says(b"\x05\x02", b"\x01\x00", b"\x05\x00\x00" + BOUND)
        assert made.shown.getvalue().splitlines() == [
            "* SOCKS 5: the proxy wants a user and a password",
            "* SOCKS 5: asking for a.example:443",
            "* SOCKS 5: the tunnel stands",
        ]
