from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients import Fault
from delays import PROFILES, DelayServer, Profile, build, serving

CORE = max(os.sched_getaffinity(0))
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("delays"))


@pytest.fixture
def server(program: Path) -> Iterator[DelayServer]:
    with serving(program, Profile("20 ms", 20_000), core=CORE, seconds=30) as running:
        yield running


def _connected(server: DelayServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def _read(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        got = connection.recv(length - len(data))
        assert got
        data += got
    return data


def _rest(connection: socket.socket) -> bytes:
    """What is sent after all that was read, until the server has heard that nothing more is asked."""
    connection.shutdown(socket.SHUT_WR)
    return connection.recv(1)


def test_a_request_is_answered_no_sooner_than_its_delay_after_its_last_byte(server: DelayServer) -> None:
    with _connected(server) as connection:
        connection.sendall(REQUEST[:-1])
        before_ns = time.monotonic_ns()
        connection.sendall(REQUEST[-1:])
        response = _read(connection, server.response_bytes)
        assert time.monotonic_ns() - before_ns >= 20_000_000
    assert response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert response.endswith(b"Content-Length: 12\r\n\r\nhello, world")


def test_requests_do_not_wait_for_each_other(server: DelayServer) -> None:
    connections = [_connected(server) for _ in range(50)]
    before_ns = time.monotonic_ns()
    for connection in connections:
        connection.sendall(REQUEST)
    for connection in connections:
        _read(connection, server.response_bytes)
        connection.close()
    assert time.monotonic_ns() - before_ns < 50 * 20_000_000 / 2


def test_a_request_in_pieces_is_one_and_two_in_one_piece_are_two(server: DelayServer) -> None:
    with _connected(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(REQUEST)):
            connection.sendall(REQUEST[place : place + 1])
        connection.sendall(REQUEST * 2)
        _read(connection, 3 * server.response_bytes)
        assert _rest(connection) == b""


def test_whoever_left_is_not_answered_and_nobody_else_in_his_place(server: DelayServer) -> None:
    with _connected(server) as left:
        left.sendall(REQUEST)
    with _connected(server) as connection:
        before_ns = time.monotonic_ns()
        connection.sendall(REQUEST)
        _read(connection, server.response_bytes)
        assert time.monotonic_ns() - before_ns >= 20_000_000
        assert _rest(connection) == b""


def test_so_many_in_a_thousand_take_the_other_time(program: Path) -> None:
    with serving(program, Profile("some", 0, 5_000, 500), core=CORE, seconds=30) as server:
        slow = 0
        with _connected(server) as connection:
            for _ in range(60):
                before_ns = time.monotonic_ns()
                connection.sendall(REQUEST)
                _read(connection, server.response_bytes)
                slow += time.monotonic_ns() - before_ns >= 5_000_000
    assert slow >= 15


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_served(program: Path, name: str) -> None:
    with serving(program, PROFILES[name], core=CORE, seconds=30) as server, _connected(server) as connection:
        connection.sendall(REQUEST)
        assert _read(connection, server.response_bytes)


def test_the_server_ends_when_its_time_is_over(program: Path) -> None:
    with serving(program, PROFILES["none"], core=CORE, seconds=0) as server:
        assert server.process.wait(10) == 0


def test_the_server_ends_with_the_block(server: DelayServer, program: Path) -> None:
    with serving(program, PROFILES["none"], core=CORE, seconds=30) as other:
        process = other.process
    assert process.returncode is not None and server.process.poll() is None


def test_a_program_that_is_no_server_is_a_fault() -> None:
    with (
        pytest.raises(Fault, match="did not start"),
        serving(Path("/bin/true"), PROFILES["none"], core=CORE, seconds=1),
    ):
        pass


def test_a_machine_without_a_compiler_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Fault, match="apt-get install gcc"):
        build(tmp_path)
