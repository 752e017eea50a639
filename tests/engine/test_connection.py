"""One connection, with a socket that does exactly what the test says."""

from __future__ import annotations

import errno

import pytest

from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import RaggedEnd
from cannon.errors import Fault
from tests.engine.connecting import AGAIN, GONE, GOOD, REQUEST, Fired
from tests.engine.fakes import FakeSocket


def test_requests_follow_one_another_until_there_are_no_more() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD, GOOD, GOOD]), amount=3)
    fired.turn(3)
    assert fired.sockets[0].sent == REQUEST * 3
    assert (fired.finished, fired.sockets[0].closed, fired.poller.watched) == (1, True, {})
    told = fired.tally()
    assert (told.sent, told.status, told.received_bytes) == (3, {200: 3}, 3 * len(GOOD))


def test_the_stamp_that_ends_a_request_starts_the_next() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD, GOOD]), amount=2)
    began_ns = fired.connection.firing_since()
    fired.turn(2)
    told = fired.tally()
    assert began_ns is not None
    assert told.service.count == 2


def test_a_large_request_goes_out_in_pieces_and_its_answer_counts_once() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD], rooms=[5, AGAIN, 4]))
    assert fired.poller.watched == {5: READ | WRITE}
    assert fired.tally().sent_bytes == 5
    fired.sockets[0].pieces.clear()
    fired.turn(3)
    assert fired.sockets[0].sent == REQUEST
    assert fired.poller.watched == {5: READ}
    fired.sockets[0].pieces.append(GOOD)
    fired.turn()
    told = fired.tally()
    assert (told.status, told.sent_bytes) == ({200: 1}, len(REQUEST) - 5)


def test_after_an_answer_to_half_a_request_the_connection_is_not_used_again() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD], rooms=[5, AGAIN]), FakeSocket(6, pieces=[GOOD]), amount=2)
    fired.turn()
    assert fired.sockets[0].closed
    assert fired.sockets[1].sent == REQUEST
    fired.turn()
    assert fired.tally().status == {200: 2}


def test_what_the_server_said_before_it_reset_half_a_request_is_heard() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD], rooms=[5, GONE]))
    fired.turn(2)
    assert fired.tally().status == {200: 1}


def test_a_request_that_found_the_connection_closed_goes_out_on_the_next_and_counts_once() -> None:
    fired = Fired(
        FakeSocket(pieces=[GOOD], rooms=[len(REQUEST), GONE]), FakeSocket(6, pieces=[GOOD]), amount=2
    )
    fired.turn(2)
    told = fired.tally()
    assert (told.sent, told.status, told.closed_idle, told.errors) == (2, {200: 2}, 1, {})
    assert told.sent_bytes == 2 * len(REQUEST)


@pytest.mark.parametrize(
    ("pieces", "fault"),
    [
        ([b""], Fault.EMPTY_REPLY),
        ([GONE], Fault.RESET),
        ([GOOD[:10], b""], Fault.TRUNCATED),
        ([GOOD[:-1], GONE], Fault.RESET),
        ([GOOD, b""], Fault.STALE),
        ([GOOD, GONE], Fault.STALE),
        ([b"no http at all\r\n\r\n"], Fault.MALFORMED),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000], Fault.HEAD_TOO_LARGE),
    ],
)
def test_each_end_of_a_request_has_its_fault(pieces: list[bytes | OSError], fault: Fault) -> None:
    good = GOOD in pieces
    fired = Fired(FakeSocket(pieces=pieces), FakeSocket(6, pieces=[GOOD]), amount=2 + good)
    fired.turn(4)
    told = fired.tally()
    assert (told.errors, told.status) == ({fault: 1}, {200: 1 + good})
    assert told.sent == told.completed + told.failed


def test_after_a_request_that_asks_for_the_close_nothing_more_is_sent() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD]), FakeSocket(6, pieces=[GOOD]), amount=2, closes=True)
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.errors, told.made) == ({200: 2}, {}, 2)
    assert [opened.sent for opened in fired.sockets] == [REQUEST, REQUEST]


def test_a_reset_in_the_middle_of_a_request_is_a_reset_though_the_read_only_sees_an_end() -> None:
    fired = Fired(FakeSocket(pieces=[b""], rooms=[5, GONE]))
    fired.turn(2)
    assert fired.tally().errors == {Fault.RESET: 1}


def test_a_stopped_connection_reads_what_is_in_flight_and_sends_no_more() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD, GOOD]), amount=9)
    fired.connection.stop()
    assert fired.finished == 0
    fired.turn()
    assert (fired.finished, fired.tally().status) == (1, {200: 1})


def test_a_connection_that_is_stopped_in_the_dial_counts_as_connecting() -> None:
    fired = Fired(FakeSocket(dialled=errno.EINPROGRESS))
    fired.connection.stop()
    told = fired.tally()
    assert (told.attempted, told.made, told.connecting, fired.finished) == (1, 0, 1, 1)
    assert fired.sockets[0].closed


def test_an_abandoned_connection_is_closed_and_finishes_nobody() -> None:
    fired = Fired(FakeSocket())
    assert fired.connection.firing_since() is not None
    fired.connection.abandon()
    assert (fired.finished, fired.sockets[0].closed, fired.connection.firing_since()) == (0, True, None)


def test_after_excess_bytes_the_connection_is_closed_and_they_are_noted() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD + b"more"]), FakeSocket(6, pieces=[GOOD]), amount=2)
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.excess, told.made) == ({200: 2}, 1, 2)


def test_a_large_response_makes_the_reads_larger() -> None:
    body = b"x" * 40_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n"
    data = head + body
    fired = Fired(FakeSocket(pieces=[data[:16_384], data[16_384:], data]), amount=2)
    fired.turn(3)
    told = fired.tally()
    assert (told.status, told.received_body_bytes, told.service.count) == ({200: 2}, 80_000, 2)


class _HoldingBack(FakeSocket):
    """A socket that got several pieces from the system at once, as one over TLS does."""

    def recv(self, bufsize: int, /) -> bytes:
        try:
            return super().recv(bufsize)
        finally:
            self.pending = bool(self.pieces)


@pytest.mark.parametrize("rest", [[GOOD[30:]], [GOOD[30:35], GOOD[35:]]])
def test_what_a_socket_holds_back_is_read_without_its_getting_ready(rest: list[bytes | OSError]) -> None:
    fired = Fired(_HoldingBack(pieces=[GOOD[:30], *rest]))
    fired.turn()
    assert fired.tally().status == {200: 1}


def test_the_end_that_a_socket_holds_back_ends_a_body_that_lasts_until_the_close() -> None:
    fired = Fired(_HoldingBack(pieces=[b"HTTP/1.1 200 OK\r\n\r\nbody", b""]))
    fired.turn()
    told = fired.tally()
    assert (told.status, told.received_body_bytes, told.errors) == ({200: 1}, 4, {})


def test_an_end_that_anybody_could_have_made_ends_no_body() -> None:
    ragged = RaggedEnd(0, "closed without close_notify")
    fired = Fired(FakeSocket(pieces=[b"HTTP/1.1 200 OK\r\n\r\nbody", ragged]))
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.errors) == ({}, {Fault.TRUNCATED: 1})
    assert "without close_notify" in told.examples[Fault.TRUNCATED].message
