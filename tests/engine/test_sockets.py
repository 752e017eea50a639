"""The trace says what passes through a socket, safe to look at, and changes nothing."""

from __future__ import annotations

import errno
import io

import pytest

from cannon.engine.sockets import TracedSocket
from tests.engine.fakes import FakeSocket


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
