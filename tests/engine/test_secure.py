"""TLS between two buffers: one call to the system for each read and send, and no end taken for another."""

from __future__ import annotations

import errno
import ssl
from contextlib import suppress
from time import monotonic_ns

import pytest

from cannon.engine.connection import Connection
from cannon.engine.framing import FastFraming
from cannon.engine.loop import READ, Loop
from cannon.engine.sockets import RaggedEnd, TlsError
from cannon.engine.supply import Feed
from cannon.plan import Limits
from cannon.route import Address
from tests.engine.fakes import FakePoller
from tests.engine.metering import meter_of, prepared
from tests.engine.securing import AGAIN, NEW, OLD, Server, shaken
from tests.servers.certificates import Certificates

pytest_plugins = ("tests.servers.fixtures",)

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GONE = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
BOTH = pytest.mark.parametrize("version", [OLD, NEW], ids=["TLS 1.2", "TLS 1.3"])


# Receiving.


@BOTH
@pytest.mark.parametrize(
    ("room_bytes", "sizes"),
    [(479, range(400, 480)), (4_096, range(4_060, 4_097)), (16_384, range(16_340, 16_385))],
    ids=["479", "4096", "16384"],
)
def test_a_response_that_has_room_takes_one_call_to_receive(
    certificates: Certificates, version: ssl.TLSVersion, room_bytes: int, sizes: range
) -> None:
    server = shaken(certificates, version)
    for size in sizes:
        server.write(b"x" * size)
        server.wire.receives = 0
        assert server.socket.recv(room_bytes) == b"x" * size
        assert (server.wire.receives, server.socket.pending) == (1, False)


@pytest.mark.parametrize(("room_bytes", "sizes"), [(479, range(480, 501)), (4_096, range(4_097, 4_101))])
def test_a_response_just_beyond_the_room_is_pending_and_takes_no_second_call(
    certificates: Certificates, room_bytes: int, sizes: range
) -> None:
    server = shaken(certificates)
    for size in sizes:
        data = b"x" * room_bytes + b"y" * (size - room_bytes)
        server.write(data)
        server.wire.receives = 0
        assert server.socket.recv(room_bytes) == data[:room_bytes]
        assert server.socket.pending
        assert server.socket.recv(room_bytes) == data[room_bytes:]
        assert (server.wire.receives, server.socket.pending) == (1, False)


@BOTH
def test_records_that_came_in_one_read_are_joined(
    certificates: Certificates, version: ssl.TLSVersion
) -> None:
    server = shaken(certificates, version)
    server.write(b"one", b"two", b"three")
    assert (server.socket.recv(479), server.wire.receives) == (b"onetwothree", 1)
    large = [bytes([n]) * 16_384 for n in range(3)]
    server.write(*large, b"end")
    server.wire.receives = 0
    assert (server.socket.recv(65_536), server.wire.receives) == (b"".join(large) + b"end", 1)


@BOTH
def test_a_record_in_pieces_is_waited_for_and_nothing_of_it_is_lost(
    certificates: Certificates, version: ssl.TLSVersion
) -> None:
    server = shaken(certificates, version)
    server.tls.write(GOOD)
    server.tls.write(b"second")
    said = server.said.read()
    for byte in said[: len(GOOD) + 5]:
        server.wire.arrived = bytes([byte])
        with pytest.raises(BlockingIOError):
            server.socket.recv(479)
        assert not server.socket.pending
    server.wire.arrived = said[len(GOOD) + 5 : -3]
    assert server.socket.recv(479) == GOOD
    # Of the second all but its end has come, and nothing says that there is more to be had.
    assert not server.socket.pending
    with pytest.raises(BlockingIOError):
        server.socket.recv(479)
    server.wire.arrived = said[-3:]
    assert server.socket.recv(479) == b"second"


def test_with_nothing_to_read_there_is_nothing_yet(certificates: Certificates) -> None:
    server = shaken(certificates)
    with pytest.raises(BlockingIOError):
        server.socket.recv(479)


# The end.


@BOTH
def test_behind_a_response_and_close_notify_nothing_can_be_sent(
    certificates: Certificates, version: ssl.TLSVersion
) -> None:
    server = shaken(certificates, version)
    server.write_and_close(GOOD)
    assert server.socket.recv(479) == GOOD
    assert server.socket.pending
    before = server.wire.sent
    with pytest.raises(OSError, match="closed behind") as raised:
        server.socket.send(REQUEST)
    assert not isinstance(raised.value, BlockingIOError)
    assert server.wire.sent == before
    server.wire.receives = 0
    assert (server.socket.recv(479), server.wire.receives) == (b"", 0)


def test_what_breaks_behind_a_response_is_told_after_it(certificates: Certificates) -> None:
    server = shaken(certificates)
    server.tls.write(GOOD)
    whole = server.said.read()
    server.tls.write(b"damaged")
    damaged = server.said.read()
    server.wire.arrived = whole + damaged[:-1] + bytes([damaged[-1] ^ 1])
    assert server.socket.recv(479) == GOOD
    assert server.socket.pending
    with pytest.raises(OSError, match="closed behind"):
        server.socket.send(REQUEST)
    with pytest.raises(TlsError, match="bad record mac"):
        server.socket.recv(479)


def test_a_connection_that_ended_behind_a_response_is_dialled_again_and_no_request_is_lost(
    certificates: Certificates,
) -> None:
    first, second = shaken(certificates), shaken(certificates)
    unused = iter((first, second))
    poller = FakePoller()
    loop = Loop(poller)
    kind = prepared(REQUEST)
    meter = meter_of(kind, 2)
    connection = Connection(
        loop=loop,
        meter=meter,
        addresses=(Address("127.0.0.1", 1),),
        timeout_ns=10**12,
        feed=Feed(kind, meter.supply.tickets),
        limits=Limits(),
        pipelining=1,
        frame=lambda: FastFraming(bodies=meter.bodies),
        open_socket=lambda address: next(unused).socket,
        dialled=lambda: None,
        finished=loop.halt,
    )
    connection.begin(monotonic_ns())
    connection.dial(monotonic_ns())
    assert first.read_all() == REQUEST
    first.write_and_close(GOOD)
    second.write(GOOD)
    poller.ready.extend([[(5, READ)], [(5, READ)]])
    loop.run(monotonic_ns() + 10**9, meter.settle)
    told = meter.tally(window_ns=1, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)
    assert (told.sent, told.status, told.errors, told.closed_idle, told.made) == (2, {200: 2}, {}, 1, 2)
    assert second.read_all() == REQUEST


@BOTH
def test_an_end_with_close_notify_is_an_end(certificates: Certificates, version: ssl.TLSVersion) -> None:
    server = shaken(certificates, version)
    server.write_and_close()
    assert server.socket.recv(479) == b""


@BOTH
def test_an_end_without_close_notify_is_a_ragged_one(
    certificates: Certificates, version: ssl.TLSVersion
) -> None:
    server = shaken(certificates, version)
    server.write(GOOD)
    server.wire.ended = True
    assert server.socket.recv(479) == GOOD
    assert not server.socket.pending
    with pytest.raises(RaggedEnd):
        server.socket.recv(479)


def test_an_end_in_the_middle_of_a_record_is_a_ragged_one(certificates: Certificates) -> None:
    server = shaken(certificates)
    server.write(GOOD)
    server.wire.arrived = server.wire.arrived[:-1]
    server.wire.ended = True
    with pytest.raises(BlockingIOError):
        server.socket.recv(479)
    with pytest.raises(RaggedEnd):
        server.socket.recv(479)


def test_an_alert_after_the_handshake_is_told_with_what_helps(certificates: Certificates) -> None:
    # In TLS 1.3 the client has done its part before the server looks at what it was shown.
    server = Server(certificates, asks=True)
    server.socket.handshake()
    with suppress(ssl.SSLWantReadError):
        server.tls.do_handshake()
    server.flush()
    assert server.socket.handshake() == 0
    with pytest.raises(ssl.SSLError):
        server.tls.do_handshake()
    server.flush()
    with pytest.raises(TlsError, match="TLS: the server wants a certificate; give yours with --cert"):
        server.socket.recv(479)


@BOTH
def test_closing_says_close_notify(certificates: Certificates, version: ssl.TLSVersion) -> None:
    server = shaken(certificates, version)
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.read(479)
    server.socket.close()
    assert server.tls.read(479) == b""
    assert server.wire.closed


def test_closing_stands_a_server_that_has_gone(certificates: Certificates) -> None:
    server = shaken(certificates)
    server.wire.rooms.append(GONE)
    server.socket.close()
    assert server.wire.closed


# Sending.


def test_a_request_is_one_record_and_one_call(certificates: Certificates) -> None:
    server = shaken(certificates)
    server.wire.rooms.extend([10_000, GONE])
    assert server.socket.send(REQUEST) == len(REQUEST)
    assert server.read_all() == REQUEST


@BOTH
@pytest.mark.parametrize(
    "rooms",
    [[AGAIN], [1], [100, AGAIN, AGAIN, 16_000, 1], [16_000, 5, AGAIN, 300, AGAIN, 1]],
    ids=["none", "one byte", "pieces", "many pieces"],
)
def test_the_same_bytes_again_finish_what_was_sent_in_part_and_double_nothing(
    certificates: Certificates, version: ssl.TLSVersion, rooms: list[int | OSError]
) -> None:
    server = shaken(certificates, version)
    body = bytes(range(256)) * 200
    server.wire.rooms.extend(rooms)
    rest = memoryview(body)
    blocked = 0
    accepted = []
    received = b""
    while rest:
        try:
            sent_bytes = server.socket.send(rest)
        except BlockingIOError:
            blocked += 1
        else:
            accepted.append(sent_bytes)
            rest = rest[sent_bytes:]
            received += server.read_all()
    assert blocked == len(rooms)
    assert accepted == [16_384, 16_384, 16_384, len(body) - 3 * 16_384]
    assert received == body
    assert server.socket.send(REQUEST) == len(REQUEST)
    assert server.read_all() == REQUEST


def test_what_goes_out_while_something_is_received_is_not_taken_again(certificates: Certificates) -> None:
    server = shaken(certificates, NEW)
    body = bytes(range(256)) * 128
    server.wire.rooms.append(1_000)
    with pytest.raises(BlockingIOError):
        server.socket.send(body)
    # The head of a record alone: OpenSSL wants more, and what waits is sent on the occasion.
    server.write(b"early")
    server.wire.arrived = server.wire.arrived[:7]
    with pytest.raises(BlockingIOError):
        server.socket.recv(4_096)
    assert server.socket.send(body) == 16_384
    assert server.socket.send(body[16_384:]) == len(body) - 16_384
    assert server.read_all() == body
