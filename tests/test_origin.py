"""The bundled origin on the network: it comes up, answers, and goes away."""

from __future__ import annotations

import asyncio
import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest

from cannon import origin
from cannon.answers import LARGEST_BODY_BYTES
from cannon.errors import InvalidRun, UsageError

COMMAND = (sys.executable, "-m", "cannon.origin")
LIMIT_S = 20


@pytest.fixture(scope="module")
def connection() -> Iterator[http.client.HTTPConnection]:
    """A connection to an origin of its own process."""
    with origin.started() as url:
        connected = http.client.HTTPConnection(urlsplit(url).netloc, timeout=LIMIT_S)
        yield connected
        connected.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request; the response and its body."""
    connection.request(method, path, body)
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize(
    ("path", "status", "length"),
    [("/", 200, "23"), ("/bytes/200000", 200, "200000"), ("/status/503", 503, "24"), ("/nowhere", 404, "69")],
)
def test_get_and_head_tell_the_same_length(
    connection: http.client.HTTPConnection, path: str, status: int, length: str
) -> None:
    for method in ("GET", "HEAD"):
        response, body = ask(connection, method, path)
        assert (response.status, response.headers["content-length"]) == (status, length)
        assert len(body) == (int(length) if method == "GET" else 0)


@pytest.mark.parametrize("status", [204, 304])
def test_the_connection_goes_on_after_a_response_without_a_body(
    connection: http.client.HTTPConnection, status: int
) -> None:
    response, body = ask(connection, "GET", f"/status/{status}")
    assert (response.status, body, response.headers["content-length"]) == (status, b"", None)
    assert ask(connection, "GET", "/")[0].status == 200


def test_a_body_comes_back(connection: http.client.HTTPConnection) -> None:
    assert b'"body":"hello"' in ask(connection, "POST", "/echo", b"hello")[1]


def test_a_client_that_hangs_up_in_the_middle_does_not_hurt_the_others(
    connection: http.client.HTTPConnection,
) -> None:
    with socket.create_connection((connection.host, connection.port), timeout=LIMIT_S) as hasty:
        hasty.sendall(b"GET /bytes/1000000000 HTTP/1.1\r\nhost: h\r\n\r\n")
        assert hasty.recv(100).startswith(b"HTTP/1.1 200")
    assert ask(connection, "GET", "/")[0].status == 200


class Client:
    """The other end of an ASGI application: messages to receive, and what was sent."""

    def __init__(self, *messages: dict[str, object]) -> None:
        self._messages = list(messages)
        self.sent: list[dict[str, object]] = []

    async def receive(self) -> dict[str, object]:
        """Give the next message."""
        return self._messages.pop(0)

    async def send(self, message: dict[str, object]) -> None:
        """Keep a message."""
        self.sent.append(message)

    def call(self, path: str) -> None:
        """Run the application on one request."""
        asyncio.run(
            origin.application(
                {"method": "POST", "path": path, "query_string": b"", "headers": []}, self.receive, self.send
            )
        )


def test_a_client_that_goes_before_its_body_ends_gets_no_answer() -> None:
    client = Client(
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.disconnect"},
    )
    client.call("/echo")
    assert client.sent == []


def test_a_body_is_kept_only_up_to_its_bound() -> None:
    piece = bytes(LARGEST_BODY_BYTES // 2)
    client = Client(
        *({"type": "http.request", "body": piece, "more_body": True} for _ in range(5)),
        {"type": "http.request"},
    )
    client.call("/echo")
    assert client.sent[0]["status"] == 413


def test_a_delay_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(delay_s: float) -> None:
        waited.append(delay_s)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    Client({"type": "http.request"}).call("/delay/40000")
    assert waited[0] == 40


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_even_in_the_middle_of_an_answer(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        announced = urlsplit(process.stdout.readline().split()[-1].decode())
        with socket.create_connection((announced.hostname, announced.port), timeout=LIMIT_S) as waiting:
            waiting.sendall(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            assert waiting.recv(100)
            waiting.sendall(b"GET /delay/60000 HTTP/1.1\r\nhost: h\r\n\r\n")
            process.send_signal(number)
            _, complaints = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, complaints) == (0, b"")


def test_it_stops_when_the_one_who_started_it_is_gone() -> None:
    command = [*COMMAND, "--port", "0", "--leashed"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"listening on http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(LIMIT_S) == 0


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, check=False, timeout=LIMIT_S
        )
    assert ran.returncode == 2
    assert ran.stderr == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use; --port 0 takes a free port\n"
    )


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 65_536, "65536 is no port"),
        ("127.0.0.1", -1, "-1 is no port"),
        ("192.0.2.1", 0, "cannot listen on 192.0.2.1 port 0"),
        ("a" * 70 + ".example", 0, "cannot listen on aaaa"),
        ("no\x00host", 0, r"cannot listen on no\\x00host"),
    ],
)
def test_an_address_that_cannot_be_had_is_a_usage_error(host: str, port: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        origin.serve(host, port)


def test_two_origins_take_two_ports() -> None:
    with origin.started() as first, origin.started("::1") as second:
        assert first.startswith("http://127.0.0.1:")
        assert second.startswith("http://[::1]:")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no such module')", "no such module"),
        ("pass", "it said nothing"),
        ("import signal; signal.pause()", "it said nothing"),
    ],
)
def test_an_origin_that_does_not_come_up_is_ended_and_told(
    program: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(_host: str) -> Sequence[str]:
        return [sys.executable, "-c", program]

    monkeypatch.setattr(origin, "_command", command)
    # What ends by itself is told at once, whatever the limit; only what stays silent has to be waited for.
    monkeypatch.setattr(origin, "_STARTUP_S", 0.3 if "pause" in program else 30)
    with pytest.raises(InvalidRun, match=message), origin.started():
        pass


def test_the_process_is_gone_after_the_block() -> None:
    with origin.started() as url:
        address = urlsplit(url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=LIMIT_S).close()
