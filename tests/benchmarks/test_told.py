from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import told
from clients import Fault
from told import FIGURES, Told, Visit, build_told, telling

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
DELAY_US = 20_000


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_told(tmp_path_factory.mktemp("told"))


@pytest.fixture
def server(program: Path) -> Iterator[Told]:
    with telling(program, 0, DELAY_US) as running:
        yield running


def _connected(server: Told, place: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.ports[place]), timeout=10)


def _asked(connection: socket.socket) -> tuple[bytes, int]:
    """The response to one request, and how long it took in ns."""
    before_ns = time.monotonic_ns()
    connection.sendall(REQUEST)
    data = b""
    while not data.endswith(b"\r\n\r\nhello, world"):
        got = connection.recv(4096)
        assert got, data
        data += got
    return data, time.monotonic_ns() - before_ns


def _told_ms(response: bytes) -> float:
    found = re.search(rb"\r\nServer-Timing: held;dur=(\d{5}\.\d{6})\r\n", response)
    assert found is not None, response
    return float(found[1])


def test_each_port_holds_a_request_as_long_as_it_says(server: Told) -> None:
    for place, least_ns in ((0, 0), (1, DELAY_US * 1_000)):
        with _connected(server, place) as connection:
            response, took_ns = _asked(connection)
        assert response.startswith(b"HTTP/1.1 200 OK\r\n")
        assert took_ns >= _told_ms(response) * 1e6 >= least_ns


def test_all_responses_are_of_one_length_whatever_they_tell(server: Told) -> None:
    lengths = set()
    for place in (0, 1, 0):
        with _connected(server, place) as connection:
            lengths.add(len(_asked(connection)[0]))
    assert len(lengths) == 1


def test_what_a_response_tells_is_in_the_record(server: Told) -> None:
    with _connected(server, 1) as connection:
        response, _ = _asked(connection)
    (visit,) = server.visits()
    assert (visit.place, visit.count) == (1, 1)
    for figure in FIGURES:
        assert visit.service_ms[figure] == pytest.approx(_told_ms(response), abs=0.1)


def test_a_service_time_is_the_wait_for_the_server_and_what_it_held(server: Told) -> None:
    with _connected(server, 1) as connection:
        _asked(connection)
    (visit,) = server.visits()
    assert visit.service_ns[0] == visit.wait_ns[0] + visit.held_ns[0]
    assert visit.held_ns[0] >= DELAY_US * 1_000
    assert visit.write_ns[0] > 0


def test_a_service_time_begins_when_the_kernel_has_the_request(server: Told) -> None:
    with _connected(server, 0) as connection:
        _asked(connection)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            connection.sendall(REQUEST)
            time.sleep(0.02)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        response = connection.recv(4096)
    assert _told_ms(response) >= 20
    (visit,) = server.visits()
    assert visit.wait_ns[2] >= 20_000_000 > visit.held_ns[2]


def test_a_visit_lasts_until_the_last_of_its_connections_is_closed(server: Told) -> None:
    with _connected(server, 0) as first:
        _asked(first)
        with _connected(server, 0) as second:
            _asked(second)
        _asked(first)
    with _connected(server, 0) as third:
        _asked(third)
    assert [visit.count for visit in server.visits()] == [3, 1]
    assert server.visits() == []


def test_percentiles_are_those_of_all_requests_of_a_visit(server: Told) -> None:
    with _connected(server, 0) as connection:
        told_ms = sorted(_told_ms(_asked(connection)[0]) for _ in range(200))
    (visit,) = server.visits()
    # What a response tells is stamped just before it is written, the record a moment later.
    for figure, rank in (("p50", 100), ("p90", 180), ("p99", 198)):
        assert visit.service_ms[figure] >= told_ms[rank - 1]
    assert visit.service_ms["mean"] >= sum(told_ms) / 200
    assert visit.service_ns[0] <= visit.service_ns[1] <= visit.service_ns[2]


def test_a_connection_that_is_never_asked_anything_is_no_visit(server: Told) -> None:
    with _connected(server, 0):
        pass
    assert server.visits() == []


def test_whoever_stays_connected_keeps_the_record_from_being_told(
    server: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "_LIMIT_S", 0.05)
    with _connected(server, 0) as connection:
        _asked(connection)
        with pytest.raises(Fault, match="still connected"):
            server.visits()


def test_requests_do_not_wait_for_each_other(server: Told) -> None:
    connections = [_connected(server, 1) for _ in range(20)]
    before_ns = time.monotonic_ns()
    for connection in connections:
        connection.sendall(REQUEST)
    for connection in connections:
        assert connection.recv(4096)
        connection.close()
    assert time.monotonic_ns() - before_ns < 20 * DELAY_US * 1_000 / 2


def test_a_server_that_waits_takes_no_core(program: Path) -> None:
    with telling(program, 0, 500_000) as server, _connected(server, 1) as connection:
        _asked(connection)
        on_cpu_ns = int(Path(f"/proc/{server.pid}/schedstat").read_text().split()[0])
    assert on_cpu_ns < 100_000_000


def test_a_program_that_is_no_server_is_a_fault() -> None:
    with pytest.raises(Fault, match="did not start"), telling(Path("/bin/true"), 0, 0):
        pass


def test_a_server_that_has_gone_is_a_fault(program: Path) -> None:
    with telling(program, 0, 0) as server:
        pass
    with pytest.raises((Fault, ValueError)):
        server.visits()


def test_a_visit_tells_its_figures_in_ms_by_name() -> None:
    nothing = (0.0, 0.0, 0.0, 0.0)
    visit = Visit(0, 9, (1e6, 2e6, 3e6, 1.5e6), nothing, nothing, nothing)
    assert visit.service_ms == {"p50": 1.0, "p90": 2.0, "p99": 3.0, "mean": 1.5}
