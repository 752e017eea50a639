"""One connection with several requests in flight, with limits, and under a schedule."""

from __future__ import annotations

import errno
from time import monotonic_ns

from cannon.errors import Fault
from cannon.plan import Limits
from tests.engine.connecting import AGAIN, GONE, GOOD, REQUEST, Fired
from tests.engine.fakes import FakeSocket


def test_pipelined_requests_go_out_together_and_each_answer_makes_room_for_one() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD + GOOD, GOOD + GOOD + GOOD]), amount=5, pipelining=3)
    assert fired.sockets[0].sent == REQUEST * 3
    fired.turn()
    assert fired.sockets[0].sent == REQUEST * 5
    fired.turn()
    told = fired.tally()
    assert (told.sent, told.status, told.service.count, fired.finished) == (5, {200: 5}, 5, 1)


def test_a_fault_aborts_what_was_sent_behind_it_and_the_rest_goes_on() -> None:
    fired = Fired(
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
    fired = Fired(FakeSocket(pieces=[close]), FakeSocket(6, pieces=[GOOD]), amount=4, pipelining=3)
    fired.turn(2)
    told = fired.tally()
    assert (told.status, told.errors, told.sent) == ({200: 2}, {Fault.ABORTED: 2}, 4)


def test_a_connection_is_made_anew_after_so_many_requests_and_all_are_counted() -> None:
    sockets = [FakeSocket(number, pieces=[GOOD, GOOD]) for number in (5, 6, 7)]
    fired = Fired(*sockets, amount=6, limits=Limits(reconnect_after=2))
    fired.turn(6)
    told = fired.tally()
    assert (told.status, told.made, told.closed_idle, fired.finished) == ({200: 6}, 3, 0, 1)
    assert [opened.sent for opened in sockets] == [REQUEST * 2] * 3


def test_a_connection_with_a_limit_of_its_own_ends_there() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD] * 3), amount=None, limits=Limits(per_connection=3))
    fired.turn(3)
    assert (fired.tally().status, fired.finished, fired.sockets[0].sent) == ({200: 3}, 1, REQUEST * 3)


def test_an_answer_of_another_body_is_a_mismatch() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD, GOOD.replace(b"ok", b"no")]), amount=2, body=b"ok")
    fired.turn(2)
    told = fired.tally()
    assert (told.completed, told.succeeded, told.mismatched) == (2, 1, 1)


def test_of_successes_alone_the_bytes_of_others_are_in_no_row() -> None:
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    fired = Fired(FakeSocket(pieces=[missing, GOOD]), amount=2, only_successes=True)
    fired.turn(2)
    told = fired.tally()
    assert (told.received_bytes, told.row.received_bytes) == (len(missing + GOOD), len(GOOD))
    assert told.service.count == 1


def test_under_a_schedule_nothing_is_sent_before_it_is_due() -> None:
    fired = Fired(FakeSocket(pieces=[GOOD, GOOD]), amount=None, due_ns=[0, 10**12])
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
    fired = Fired(
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
    fired = Fired(
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
    fired = Fired(
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
    fired = Fired(
        FakeSocket(pieces=[GOOD + GOOD[:10], GOOD[10:] + GOOD], rooms=[2 * len(REQUEST), GONE]),
        FakeSocket(6, pieces=[GOOD]),
        amount=3,
        pipelining=2,
    )
    fired.turn(3)
    told = fired.tally()
    assert (told.sent, told.status, told.excess, told.errors) == (3, {200: 3}, 1, {})


def test_of_requests_sent_together_those_that_did_not_fit_wait_and_abort_nothing() -> None:
    fired = Fired(
        FakeSocket(pieces=[GOOD, GOOD + GOOD], rooms=[len(REQUEST) + 5, AGAIN]), amount=3, pipelining=3
    )
    assert (fired.supply.sent, fired.connection.in_flight) == (2, 2)
    fired.turn(3)
    told = fired.tally()
    assert (told.sent, told.status, told.errors, told.made) == (3, {200: 3}, {}, 1)
    assert fired.sockets[0].sent == REQUEST * 3


def test_requests_of_which_nothing_went_out_are_unsent_when_the_connection_ends() -> None:
    fired = Fired(
        FakeSocket(pieces=[b""], rooms=[5, AGAIN]), FakeSocket(6, pieces=[GOOD * 2]), amount=3, pipelining=3
    )
    fired.turn(2)
    told = fired.tally()
    assert (told.sent, told.status, told.errors) == (3, {200: 2}, {Fault.EMPTY_REPLY: 1})
