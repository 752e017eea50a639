"""One connection, with a socket that does exactly what the test says."""

from __future__ import annotations

import errno
from time import monotonic_ns

import pytest

from cannon.engine.connection import Connection
from cannon.engine.framing import FastFraming
from cannon.engine.loop import READ, WRITE, Loop
from cannon.engine.meter import Meter
from cannon.engine.schedule import Schedule
from cannon.engine.sockets import RaggedEnd
from cannon.engine.supply import Feed, Prepared, Supply
from cannon.errors import Fault
from cannon.plan import Limits
from cannon.request import Request
from cannon.route import Address
from cannon.tally import Tally
from tests.engine.fakes import FakePoller, FakeSocket

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
AGAIN = BlockingIOError(errno.EAGAIN, "again")
GONE = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


class _Fired:
    """A connection over sockets given in advance, turned by hand."""

    def __init__(
        self,
        *sockets: FakeSocket,
        amount: int | None = 1,
        closes: bool = False,
        pipelining: int = 1,
        limits: Limits | None = None,
        body: bytes | None = None,
        only_successes: bool = False,
        due_ns: list[int] | None = None,
    ) -> None:
        self.sockets = list(sockets)
        self.poller = FakePoller()
        self.loop = Loop(self.poller)
        prepared = Prepared(Request("GET", REQUEST, closes), 0, body)
        self.supply = Supply(amount, prepared)
        self.schedule = None if due_ns is None else Schedule(self.loop, iter(due_ns))
        self.meter = Meter(
            lambda status: status < 400,
            monotonic_ns(),
            self.supply,
            due=due_ns is not None,
            only_successes=only_successes,
        )
        self.finished = 0
        unused = iter(sockets)
        self.connection = Connection(
            loop=self.loop,
            meter=self.meter,
            addresses=(Address("127.0.0.1", 1),),
            timeout_ns=10**12,
            feed=Feed(prepared, self.supply.tickets),
            limits=limits or Limits(),
            pipelining=pipelining,
            frame=lambda: FastFraming(bodies=self.meter.bodies),
            open_socket=lambda address: next(unused),
            dialled=lambda: None,
            finished=self._finished,
            schedule=self.schedule,
        )
        self.connection.begin(monotonic_ns())
        self.connection.dial(monotonic_ns())

    def _finished(self) -> None:
        self.finished += 1

    def turn(self, times: int = 1, *, ready: bool = True) -> None:
        """Say of the open socket that it is ready, that often; or only let timers ring."""
        for _ in range(times):
            if ready:
                self.poller.ready.append([(fd, READ) for fd in self.poller.watched])
            now_ns = monotonic_ns()
            self.loop.call_at(now_ns, lambda when: self.loop.halt())
            self.loop.run(now_ns + 10**9, self.meter.settle)

    def tally(self) -> Tally:
        return self.meter.tally(window_ns=1, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)


def test_requests_follow_one_another_until_there_are_no_more() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD, GOOD, GOOD]), amount=3)
    fired.turn(3)
    assert fired.sockets[0].sent == REQUEST * 3
    assert (fired.finished, fired.sockets[0].closed, fired.poller.watched) == (1, True, {})
    told = fired.tally()
    assert (told.sent, told.status, told.received_bytes) == (3, {200: 3}, 3 * len(GOOD))


def test_the_stamp_that_ends_a_request_starts_the_next() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD, GOOD]), amount=2)
    began_ns = fired.connection.firing_since()
    fired.turn(2)
    told = fired.tally()
    assert began_ns is not None
    assert told.service.count == 2


def test_a_large_request_goes_out_in_pieces_and_its_answer_counts_once() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD], rooms=[5, AGAIN, 4]))
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
    fired = _Fired(FakeSocket(pieces=[GOOD], rooms=[5, AGAIN]), FakeSocket(6, pieces=[GOOD]), amount=2)
    fired.turn()
    assert fired.sockets[0].closed
    assert fired.sockets[1].sent == REQUEST
    fired.turn()
    assert fired.tally().status == {200: 2}


def test_what_the_server_said_before_it_reset_half_a_request_is_heard() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD], rooms=[5, GONE]))
    fired.turn(2)
    assert fired.tally().status == {200: 1}


def test_a_request_that_found_the_connection_closed_goes_out_on_the_next_and_counts_once() -> None:
    fired = _Fired(
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
    fired = _Fired(FakeSocket(pieces=pieces), FakeSocket(6, pieces=[GOOD]), amount=2 + good)
    fired.turn(4)
    told = fired.tally()
    assert (told.errors, told.status) == ({fault: 1}, {200: 1 + good})
    assert told.sent == told.completed + told.failed


def test_after_a_request_that_asks_for_the_close_nothing_more_is_sent() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD]), FakeSocket(6, pieces=[GOOD]), amount=2, closes=True)
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.errors, told.made) == ({200: 2}, {}, 2)
    assert [opened.sent for opened in fired.sockets] == [REQUEST, REQUEST]


def test_a_reset_in_the_middle_of_a_request_is_a_reset_though_the_read_only_sees_an_end() -> None:
    fired = _Fired(FakeSocket(pieces=[b""], rooms=[5, GONE]))
    fired.turn(2)
    assert fired.tally().errors == {Fault.RESET: 1}


def test_a_stopped_connection_reads_what_is_in_flight_and_sends_no_more() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD, GOOD]), amount=9)
    fired.connection.stop()
    assert fired.finished == 0
    fired.turn()
    assert (fired.finished, fired.tally().status) == (1, {200: 1})


def test_a_connection_that_is_stopped_in_the_dial_counts_as_connecting() -> None:
    fired = _Fired(FakeSocket(dialled=errno.EINPROGRESS))
    fired.connection.stop()
    told = fired.tally()
    assert (told.attempted, told.made, told.connecting, fired.finished) == (1, 0, 1, 1)
    assert fired.sockets[0].closed


def test_an_abandoned_connection_is_closed_and_finishes_nobody() -> None:
    fired = _Fired(FakeSocket())
    assert fired.connection.firing_since() is not None
    fired.connection.abandon()
    assert (fired.finished, fired.sockets[0].closed, fired.connection.firing_since()) == (0, True, None)


def test_after_excess_bytes_the_connection_is_closed_and_they_are_noted() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD + b"more"]), FakeSocket(6, pieces=[GOOD]), amount=2)
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.excess, told.made) == ({200: 2}, 1, 2)


def test_a_large_response_makes_the_reads_larger() -> None:
    body = b"x" * 40_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n"
    data = head + body
    fired = _Fired(FakeSocket(pieces=[data[:16_384], data[16_384:], data]), amount=2)
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
    fired = _Fired(_HoldingBack(pieces=[GOOD[:30], *rest]))
    fired.turn()
    assert fired.tally().status == {200: 1}


def test_the_end_that_a_socket_holds_back_ends_a_body_that_lasts_until_the_close() -> None:
    fired = _Fired(_HoldingBack(pieces=[b"HTTP/1.1 200 OK\r\n\r\nbody", b""]))
    fired.turn()
    told = fired.tally()
    assert (told.status, told.received_body_bytes, told.errors) == ({200: 1}, 4, {})


def test_an_end_that_anybody_could_have_made_ends_no_body() -> None:
    ragged = RaggedEnd(0, "closed without close_notify")
    fired = _Fired(FakeSocket(pieces=[b"HTTP/1.1 200 OK\r\n\r\nbody", ragged]))
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.errors) == ({}, {Fault.TRUNCATED: 1})
    assert "without close_notify" in told.examples[Fault.TRUNCATED].message


def test_pipelined_requests_go_out_together_and_each_answer_makes_room_for_one() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD + GOOD, GOOD + GOOD + GOOD]), amount=5, pipelining=3)
    assert fired.sockets[0].sent == REQUEST * 3
    fired.turn()
    assert fired.sockets[0].sent == REQUEST * 5
    fired.turn()
    told = fired.tally()
    assert (told.sent, told.status, told.service.count, fired.finished) == (5, {200: 5}, 5, 1)


def test_a_fault_aborts_what_was_sent_behind_it_and_the_rest_goes_on() -> None:
    fired = _Fired(
        FakeSocket(pieces=[GOOD + b"garbage\r\n\r\n"]),
        FakeSocket(6, pieces=[GOOD + GOOD]),
        amount=6,
        pipelining=4,
    )
    fired.turn(2)
    told = fired.tally()
    assert told.status == {200: 3}
    assert told.errors == {Fault.MALFORMED: 1, Fault.ABORTED: 2}
    assert told.sent == told.completed + told.failed


def test_a_close_behind_an_answer_aborts_those_that_wait() -> None:
    close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    fired = _Fired(FakeSocket(pieces=[close]), FakeSocket(6, pieces=[GOOD]), amount=4, pipelining=3)
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.errors, told.sent) == ({200: 2}, {Fault.ABORTED: 2}, 4)


def test_a_connection_is_made_anew_after_so_many_requests_and_all_are_counted() -> None:
    sockets = [FakeSocket(number, pieces=[GOOD, GOOD]) for number in (5, 6, 7)]
    fired = _Fired(*sockets, amount=6, limits=Limits(reconnect_after=2))
    fired.turn(6)
    told = fired.tally()
    assert (told.status, told.made, told.closed_idle, fired.finished) == ({200: 6}, 3, 0, 1)
    assert [opened.sent for opened in sockets] == [REQUEST * 2] * 3


def test_a_connection_with_a_limit_of_its_own_ends_there() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD] * 3), amount=None, limits=Limits(per_connection=3))
    fired.turn(3)
    assert (fired.tally().status, fired.finished, fired.sockets[0].sent) == ({200: 3}, 1, REQUEST * 3)


def test_an_answer_of_another_body_is_a_mismatch() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD, GOOD.replace(b"ok", b"no")]), amount=2, body=b"ok")
    fired.turn(2)
    told = fired.tally()
    assert (told.completed, told.succeeded, told.mismatched) == (2, 1, 1)


def test_of_successes_alone_the_bytes_of_others_are_in_no_row() -> None:
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    fired = _Fired(FakeSocket(pieces=[missing, GOOD]), amount=2, only_successes=True)
    fired.turn(2)
    told = fired.tally()
    assert (told.received_bytes, told.row.received_bytes) == (len(missing + GOOD), len(GOOD))
    assert told.service.count == 1


def test_under_a_schedule_nothing_is_sent_before_it_is_due() -> None:
    fired = _Fired(FakeSocket(pieces=[GOOD, GOOD]), amount=None, due_ns=[0, 10**12])
    schedule = fired.schedule
    assert schedule is not None and fired.sockets[0].sent == b""
    schedule.begin(monotonic_ns(), None)
    fired.turn(ready=False)
    assert fired.sockets[0].sent == REQUEST
    fired.turn(2)
    told = fired.tally()
    assert (told.sent, told.status, told.response.count, told.late.count) == (1, {200: 1}, 1, 1)
    assert told.woke_late.count == 1


def test_a_parked_connection_that_the_server_closes_is_dialled_when_it_is_needed() -> None:
    fired = _Fired(
        FakeSocket(pieces=[b""]), FakeSocket(6, pieces=[GOOD]), amount=None, due_ns=[50_000_000, 10**12]
    )
    schedule = fired.schedule
    assert schedule is not None
    schedule.begin(monotonic_ns(), None)
    fired.turn()
    assert (fired.tally().closed_idle, fired.tally().attempted, fired.sockets[1].sent) == (1, 0, b"")
    until_ns = monotonic_ns() + 5_000_000_000
    while not fired.sockets[1].sent and monotonic_ns() < until_ns:
        fired.turn()
    assert fired.sockets[1].sent == REQUEST


def test_what_was_due_and_still_waits_for_a_dial_was_never_sent() -> None:
    fired = _Fired(
        FakeSocket(pieces=[b""]), FakeSocket(6, dialled=errno.EINPROGRESS), amount=None, due_ns=[1, 10**12]
    )
    schedule = fired.schedule
    assert schedule is not None
    fired.turn()
    schedule.begin(monotonic_ns(), None)
    until_ns = monotonic_ns() + 5_000_000_000
    while fired.meter.attempted != 2 and monotonic_ns() < until_ns:
        fired.turn()
    fired.connection.stop()
    assert (fired.connection.never_sent, fired.supply.sent, fired.finished) == (1, 0, 1)


def test_a_due_time_outlasts_a_socket_that_would_not_take_the_request() -> None:
    # The second request that it may have in flight is not due, so it was free when the first could not be sent.
    fired = _Fired(
        FakeSocket(rooms=[GONE]), FakeSocket(6, pieces=[GOOD]), amount=None, pipelining=2, due_ns=[0, 10**12]
    )
    schedule = fired.schedule
    assert schedule is not None
    schedule.begin(monotonic_ns(), None)
    until_ns = monotonic_ns() + 5_000_000_000
    while not fired.sockets[1].sent and monotonic_ns() < until_ns:
        fired.turn(ready=False)
    assert fired.sockets[1].sent == REQUEST
    assert fired.tally().late.count == 1


def test_an_answer_to_what_could_not_be_sent_is_excess() -> None:
    fired = _Fired(
        FakeSocket(pieces=[GOOD + GOOD[:10], GOOD[10:] + GOOD], rooms=[2 * len(REQUEST), GONE]),
        FakeSocket(6, pieces=[GOOD]),
        amount=3,
        pipelining=2,
    )
    fired.turn(3)
    told = fired.tally()
    assert (told.sent, told.status, told.excess, told.errors) == (3, {200: 3}, 1, {})


def test_of_requests_sent_together_those_that_did_not_fit_wait_and_abort_nothing() -> None:
    fired = _Fired(
        FakeSocket(pieces=[GOOD, GOOD + GOOD], rooms=[len(REQUEST) + 5, AGAIN]), amount=3, pipelining=3
    )
    assert (fired.supply.sent, fired.connection.in_flight) == (2, 2)
    fired.turn(3)
    told = fired.tally()
    assert (told.sent, told.status, told.errors, told.made) == (3, {200: 3}, {}, 1)
    assert fired.sockets[0].sent == REQUEST * 3


def test_requests_of_which_nothing_went_out_are_unsent_when_the_connection_ends() -> None:
    fired = _Fired(
        FakeSocket(pieces=[b""], rooms=[5, AGAIN]), FakeSocket(6, pieces=[GOOD * 2]), amount=3, pipelining=3
    )
    fired.turn(2)
    told = fired.tally()
    assert (told.sent, told.status, told.errors) == (3, {200: 2}, {Fault.EMPTY_REPLY: 1})
