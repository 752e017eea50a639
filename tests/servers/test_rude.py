"""The rude server does what its paths say, counts what it heard, and ends at once."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress

import pytest

from tests.servers.answers import GOOD
from tests.servers.ports import HOST, black_hole, reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def dial(server: Rude) -> socket.socket:
    """A connection to the server, on which no read waits long."""
    sock = socket.create_connection((HOST, server.port), 5)
    sock.settimeout(5)
    return sock


def request(path: str, method: str = "GET", *, body_bytes: int = 0) -> bytes:
    """The head of a request."""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {body_bytes}\r\n\r\n".encode()


def read(sock: socket.socket, length: int) -> bytes:
    """Exactly so many bytes, or as many as come before the end."""
    data = b""
    while len(data) < length:
        more = sock.recv(length - len(data))
        if not more:
            break
        data += more
    return data


def asked(server: Rude, path: str, limit: int = 1 << 20) -> bytes:
    """What a path answers on a fresh connection, up to its FIN."""
    with dial(server) as sock:
        sock.sendall(request(path))
        return read(sock, limit)


def test_good_responses_come_on_one_connection_in_the_order_of_the_requests(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(request("/slow/30") + request("/nowhere") + request("/ok"))
        data = read(sock, 2 * len(GOOD) + len(NOT_FOUND))
    assert data == GOOD + NOT_FOUND + GOOD
    assert (rude.requests, rude.accepted) == (3, 1)


def test_what_was_received_is_remembered_as_it_came_with_how_deep_it_stood(rude: Rude) -> None:
    body = bytes(range(256))
    with dial(rude) as sock:
        sock.sendall(request("/slow/30?a=b", "PUT", body_bytes=256) + body + request("/ok"))
        read(sock, 2 * len(GOOD))
    first, second = rude.received
    assert (first.method, first.target, bytes(first.body)) == ("PUT", "/slow/30?a=b", body)
    assert first.fields == (("Host", "x"), ("Content-Length", "256"))
    assert (first.values("HOST"), first.values("none")) == (["x"], [])
    assert (second.target, bytes(second.body)) == ("/ok", b"")
    assert [(one.connection, one.in_flight) for one in (first, second)] == [(1, 1), (1, 2)]
    assert first.at_ns <= second.at_ns <= time.monotonic_ns()


def test_a_server_that_was_sick_for_some_connections_is_well_for_those_after(rude: Rude) -> None:
    with ExitStack() as held:
        first, second, third, fourth = (held.enter_context(dial(rude)) for _ in range(4))
        for sock in (first, second, third, fourth):
            sock.sendall(request("/sick/2/3"))
        for sock in (first, fourth):
            assert read(sock, len(GOOD)) == GOOD
        rude.wait_for(lambda server: server.requests == 4)
        for sock in (second, third):
            sock.settimeout(0.02)
            with pytest.raises(TimeoutError):
                sock.recv(1)


def test_a_request_counts_once_its_head_is_whole(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(request("/ok?x=1")[:-2])
        rude.wait_for(lambda server: server.accepted == 1)
        assert rude.requests == 0
        sock.sendall(b"\r\n")
        assert read(sock, len(GOOD)) == GOOD
    assert rude.per_path == {"/ok": 1}


def test_a_request_that_comes_after_the_fin_is_counted_too(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(request("/close"))
        assert sock.recv(1) == b""
        sock.sendall(request("/ok"))
        rude.wait_for(lambda server: server.requests == 2)


def test_a_body_is_read_before_the_answer_and_counted(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(request("/ok", "POST", body_bytes=6) + b"abc")
        rude.wait_for(lambda server: server.body_bytes == 3)
        sock.settimeout(0.02)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(5)
        sock.sendall(b"def")
        assert read(sock, len(GOOD)) == GOOD
    assert rude.body_bytes == 6


def test_an_early_answer_does_not_wait_for_the_body(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(request("/early", "POST", body_bytes=1_000_000))
        assert read(sock, 1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_not_read_fills_the_kernel(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(request("/early/never-reads", "POST", body_bytes=1 << 30))
        rude.wait_for(lambda server: server.requests == 1)
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.sendall(bytes(64 << 20))


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/close", b""),
        ("/truncate/body", GOOD[:-2]),
        ("/garbage/tls", b"\x15\x03\x01\x00\x02\x02\x46"),
        ("/raw?bytes=%1b%00%ff", b"\x1b\x00\xff"),
        ("/http10", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        ("/idle-close", GOOD),
        ("/idle-close/10", GOOD),
        ("/after/0/close", b""),
    ],
)
def test_some_answers_end_in_a_fin(rude: Rude, path: str, answer: bytes) -> None:
    assert asked(rude, path) == answer


def test_a_fault_comes_after_so_many_good_responses_of_its_connection(rude: Rude) -> None:
    for _ in range(2):
        with dial(rude) as sock:
            for _ in range(2):
                sock.sendall(request("/after/2/close"))
                assert read(sock, len(GOOD)) == GOOD
            sock.sendall(request("/after/2/close"))
            assert sock.recv(1) == b""
    assert rude.requests == 6


@pytest.mark.parametrize(("path", "first"), [("/reset", b""), ("/reset/body", GOOD[:-2])])
def test_some_answers_end_in_a_reset(rude: Rude, path: str, first: bytes) -> None:
    with dial(rude) as sock:
        sock.sendall(request(path))
        assert read(sock, len(first)) == first
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


@pytest.mark.parametrize(("path", "first"), [("/stall", b""), ("/stall/body", GOOD[:-2]), ("/ok", GOOD)])
def test_some_answers_leave_the_connection_open(rude: Rude, path: str, first: bytes) -> None:
    with dial(rude) as sock:
        sock.sendall(request(path))
        assert read(sock, len(first)) == first
        sock.settimeout(0.03)
        with pytest.raises(TimeoutError):
            sock.recv(1)


@pytest.mark.parametrize(
    "path",
    [
        "/head/endless/lines",
        "/head/endless/value",
        "/head/endless/name",
        "/head/endless/reason",
        "/body/endless/chunked",
        "/body/endless/chunk",
        "/body/endless/length",
        "/body/endless/close",
        "/body/endless/trailers",
        "/chunks/extensions/endless",
        "/interim/1000000000",
    ],
)
def test_what_is_endless_goes_on_and_starves_nobody(rude: Rude, path: str) -> None:
    with dial(rude) as sock:
        sock.sendall(request(path))
        assert len(read(sock, 1 << 18)) == 1 << 18
        assert asked(rude, "/idle-close") == GOOD


def test_what_is_endless_has_a_bound_after_all(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(request("/body/endless/length"))
        sock.settimeout(0.2)
        received_bytes = 0
        with suppress(TimeoutError):
            while received_bytes < 70 << 20:
                received_bytes += len(sock.recv(1 << 20))
    assert received_bytes < 65 << 20


def test_a_restart_resets_every_connection_refuses_and_comes_back(rude: Rude) -> None:
    with dial(rude) as sock:
        rude.wait_for(lambda server: server.open == 1)
        restarting = threading.Thread(target=rude.restart, args=(0.2,))
        restarting.start()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        with pytest.raises(ConnectionRefusedError):
            dial(rude)
        restarting.join()
    assert asked(rude, "/idle-close") == GOOD
    assert rude.accepted == 2


def test_waiting_for_what_never_comes_ends_with_the_counts(rude: Rude) -> None:
    asked(rude, "/close")
    with pytest.raises(AssertionError, match="/close"):
        rude.wait_for(lambda server: server.requests == 2, limit_s=0.02)


def test_a_request_that_is_none_is_reset_and_the_server_goes_on(rude: Rude) -> None:
    with dial(rude) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert asked(rude, "/idle-close") == GOOD
    assert rude.requests == 1


def test_nothing_is_left_when_the_block_is_left() -> None:
    before = threading.active_count()
    with ExitStack() as clients:
        with Rude() as server:
            for path in ("/stall", "/early/never-reads", "/body/endless/length", "/slow/5000"):
                clients.enter_context(dial(server)).sendall(request(path))
            server.wait_for(lambda seen: seen.requests == 4)
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 1
        assert server.open == 0
        assert threading.active_count() == before
        with pytest.raises(ConnectionRefusedError):
            dial(server)


def test_a_reserved_port_refuses_but_a_server_may_take_it() -> None:
    with reserved_port() as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port), 1)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, port))
            listener.listen()
            socket.create_connection((HOST, port), 1).close()


def test_a_black_hole_answers_no_dial() -> None:
    with black_hole() as port, pytest.raises(TimeoutError):
        socket.create_connection((HOST, port), 0.1)
