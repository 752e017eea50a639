"""Sockets are the system's own, whatever their way; a trace says what passes through one, and changes nothing."""

from __future__ import annotations

import errno
import io
import socket
from pathlib import Path

import pytest

from cannon.engine.loop import READ
from cannon.engine.sockets import (
    PlainSocket,
    ProxyError,
    TlsError,
    TracedSocket,
    bind_locally,
    dial_fault,
    open_socket,
)
from cannon.errors import Fault
from cannon.route import Address, Peer
from tests.engine.fakes import FakeSocket

HERE = Address("127.0.0.1", 80)


@pytest.mark.parametrize(
    ("address", "family"),
    [
        (HERE, socket.AF_INET),
        (Address("::1", 80), socket.AF_INET6),
        (Address(path="/run/server.sock"), socket.AF_UNIX),
    ],
)
def test_a_socket_is_of_its_addresss_family_and_never_blocks(address: Address, family: int) -> None:
    with open_socket(address) as opened:
        assert (opened.family, opened.type, opened.getblocking()) == (family, socket.SOCK_STREAM, False)
        if family != socket.AF_UNIX:
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert (opened.handshake(), opened.tunnelling, opened.pending, opened.secured) == (
            0,
            False,
            False,
            None,
        )


def test_a_plain_socket_receives_and_sends_by_the_systems_own_methods() -> None:
    with open_socket(HERE) as opened:
        assert PlainSocket.recv is socket.socket.recv and PlainSocket.send is socket.socket.send
        opened.passage = _Passage([0])
        assert opened.handshake() == 0
        assert "recv" not in vars(opened) and "send" not in vars(opened)


class _Passage:
    """Waits as it is told."""

    def __init__(self, waits: list[int]) -> None:
        self.waits = waits

    def advance(self, wire: PlainSocket, /) -> int:
        return self.waits.pop(0)


def test_a_passage_is_what_the_handshake_waits_for_and_is_passed_once() -> None:
    with open_socket(HERE) as opened:
        opened.passage = _Passage([READ, 0])
        assert (opened.handshake(), opened.tunnelling) == (READ, True)
        assert (opened.handshake(), opened.tunnelling) == (0, False)
        assert opened.handshake() == 0


@pytest.mark.parametrize("ip", ["127.0.0.2", "::1"])
def test_a_local_end_is_an_address_whose_port_the_dial_chooses(ip: str) -> None:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with (
        socket.create_server(("::1" if ":" in ip else "127.0.0.1", 0), family=family) as listener,
        open_socket(Address(ip, 1)) as opened,
    ):
        bind_locally(opened, ip)
        assert opened.getsockname()[:2] == (ip, 0)
        assert opened.connect_ex(listener.getsockname()) == errno.EINPROGRESS
        listener.settimeout(5)
        accepted, came_from = listener.accept()
        accepted.close()
        assert came_from[0] == ip and came_from[1] == opened.getsockname()[1] != 0


def test_a_unix_socket_is_dialled_by_its_path(tmp_path: Path) -> None:
    address = Address(path=str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX) as listener, open_socket(address) as opened:
        assert opened.connect_ex(address.sockaddr) == errno.ENOENT
        listener.bind(address.path)
        assert opened.connect_ex(address.sockaddr) == errno.ECONNREFUSED
        listener.listen(0)
        assert opened.connect_ex(address.sockaddr) == 0
        with open_socket(address) as second:
            assert second.connect_ex(address.sockaddr) == errno.EAGAIN


@pytest.mark.parametrize(
    ("code", "fault", "of_a_proxy"),
    [
        (errno.ECONNREFUSED, Fault.REFUSED, Fault.PROXY),
        (errno.ECONNRESET, Fault.REFUSED, Fault.PROXY),
        (errno.ENETUNREACH, Fault.REFUSED, Fault.PROXY),
        (errno.EHOSTUNREACH, Fault.REFUSED, Fault.PROXY),
        (errno.ENOENT, Fault.REFUSED, Fault.PROXY),
        (errno.ETIMEDOUT, Fault.TIMEOUT, Fault.TIMEOUT),
        (errno.EADDRNOTAVAIL, Fault.LOCAL, Fault.LOCAL),
        (errno.EAFNOSUPPORT, Fault.LOCAL, Fault.LOCAL),
        (errno.EACCES, Fault.LOCAL, Fault.LOCAL),
        (errno.EMFILE, Fault.LOCAL, Fault.LOCAL),
    ],
)
def test_whose_fault_a_dial_is_depends_on_who_was_dialled(code: int, fault: Fault, of_a_proxy: Fault) -> None:
    assert dial_fault(code) is dial_fault(code, HERE) is fault
    assert dial_fault(code, Address("127.0.0.1", 80, peer=Peer.PROXY)) is of_a_proxy


# The trace.


def _traced(socket: FakeSocket) -> tuple[TracedSocket, io.StringIO]:
    output = io.StringIO()
    return TracedSocket(socket, output), output


def test_lines_sent_and_received_are_marked() -> None:
    traced, output = _traced(FakeSocket(pieces=[b"HTTP/1.1 204 No Content\r\n\r\n", b""]))
    assert traced.connect_ex(("127.0.0.1", 80)) == 0
    assert traced.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 27
    assert traced.recv(100) == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert traced.recv(100) == b""
    lines = output.getvalue().splitlines()
    assert lines[:4] == ["* dialling 127.0.0.1 port 80", "* connected", "> GET / HTTP/1.1", "> Host: a"]
    assert "< HTTP/1.1 204 No Content" in lines
    assert lines[-1] == "* closed by the server"


def test_only_what_was_sent_is_shown() -> None:
    traced, output = _traced(FakeSocket(rooms=[3]))
    assert traced.send(b"GET / HTTP/1.1\r\n") == 3
    assert output.getvalue() == "> (3 bytes of body)\n"


def test_secrets_and_escapes_never_reach_the_terminal() -> None:
    head = b"HTTP/1.1 200 \x1b[2J\r\nSet-Cookie: id=canary\r\nSet-Cookie:canary\r\n\r\n"
    traced, output = _traced(FakeSocket(pieces=[head]))
    traced.send(
        b"POST /?token=canary HTTP/1.1\r\nAuthorization: Basic canary\r\nCookie: a=canary\r\n\r\nx=canary"
    )
    traced.recv(100)
    shown = output.getvalue()
    assert "canary" not in shown
    assert "\x1b" not in shown


def test_a_long_body_is_cut() -> None:
    traced, output = _traced(FakeSocket(pieces=[b"line\n" * 1000]))
    traced.recv(10_000)
    assert len(output.getvalue().splitlines()) < 50
    assert "more lines" in output.getvalue()


def test_errors_are_told_and_passed_on() -> None:
    traced, output = _traced(
        FakeSocket(pieces=[ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")])
    )
    with pytest.raises(ConnectionResetError):
        traced.recv(100)
    with pytest.raises(BlockingIOError):
        traced.recv(100)
    assert output.getvalue() == "* Connection reset by peer\n"


def test_a_reader_that_has_gone_is_no_fault_of_the_connections() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "gone")

    traced = TracedSocket(FakeSocket(), Gone())
    assert traced.send(b"GET /") == 5


def test_a_unix_socket_is_traced_by_its_path() -> None:
    traced, output = _traced(FakeSocket())
    traced.connect_ex("/run/a\x1b.sock")
    assert output.getvalue().splitlines() == ["* dialling /run/a\\x1b.sock", "* connected"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ProxyError(0, "the proxy wants authorization (407)"), "* the proxy wants authorization (407)"),
        (TlsError(1, "the certificate is not trusted"), "* TLS: the certificate is not trusted"),
    ],
)
def test_a_handshake_that_fails_is_traced_as_whose_it_was(error: OSError, said: str) -> None:
    class Failing(FakeSocket):
        def handshake(self) -> int:
            raise error

    traced, output = _traced(Failing())
    with pytest.raises(type(error)):
        traced.handshake()
    assert output.getvalue().splitlines() == [said]


def test_a_trace_passes_on_whether_a_tunnel_is_being_opened() -> None:
    opened = FakeSocket()
    traced, _ = _traced(opened)
    assert not traced.tunnelling
    opened.tunnelling = True
    assert traced.tunnelling
