"""A dial ends in exactly one count, and a server that refuses, or has no room, gets no hot loop."""

from __future__ import annotations

import errno
from time import monotonic_ns

import pytest

from cannon.engine.dialler import Dialler
from cannon.engine.loop import READ, Loop
from cannon.engine.sockets import Socket, TlsError
from cannon.errors import Fault
from cannon.route import Address
from cannon.tally import Tally
from tests.engine.dialling import HERE, PROXY, THERE, UNIX, Held, Shaking
from tests.engine.fakes import FakePoller, FakeSocket
from tests.engine.metering import meter_of


class _Dialled:
    """A dialler whose addresses answer with the errno that a test gives, or raise it on opening."""

    def __init__(self, answers: dict[Address, int], *, opening: int = 0, timeout_ns: int = 10**12) -> None:
        self.loop = Loop(FakePoller())
        self.meter = meter_of()
        self.tried: list[Address] = []
        self.connected: list[Socket] = []

        def open_socket(address: Address) -> Socket:
            self.tried.append(address)
            if opening:
                raise OSError(opening, "no socket")
            return FakeSocket(dialled=answers[address])

        self.dialler = Dialler(
            loop=self.loop,
            meter=self.meter,
            addresses=tuple(answers),
            timeout_ns=timeout_ns,
            open_socket=open_socket,
            connected=self._connected,
            ended=lambda: None,
        )
        self.dialler.release(monotonic_ns())
        self.dialler.dial(monotonic_ns())

    def _connected(self, opened: Socket, now_ns: int) -> None:
        self.connected.append(opened)
        self.loop.halt()

    def turn_for(self, duration_ns: int) -> None:
        self.loop.run(monotonic_ns() + duration_ns, lambda own_delay_ns, handled: None)

    def tally(self) -> Tally:
        return self.meter.tally(window_ns=1, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)


def test_a_dial_that_is_answered_is_made_and_timed() -> None:
    dialled = _Dialled({HERE: 0})
    told = dialled.tally()
    assert (len(dialled.connected), told.attempted, told.made, told.connect.count) == (1, 1, 1, 1)


def test_every_address_is_tried_within_one_attempt() -> None:
    dialled = _Dialled({THERE: errno.ECONNREFUSED, HERE: 0})
    told = dialled.tally()
    assert dialled.tried == [THERE, HERE]
    assert (told.attempted, told.made, told.connect_errors) == (1, 1, {})
    dialled.dialler.dial(monotonic_ns())
    assert dialled.tried == [THERE, HERE, HERE]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (errno.ECONNREFUSED, Fault.REFUSED),
        (errno.ENETUNREACH, Fault.REFUSED),
        (errno.ETIMEDOUT, Fault.TIMEOUT),
        (errno.EADDRNOTAVAIL, Fault.LOCAL),
    ],
)
def test_a_failed_dial_has_the_fault_of_its_errno(code: int, fault: Fault) -> None:
    told = _Dialled({HERE: code}).tally()
    assert told.connect_errors == {fault: 1}
    assert "127.0.0.1:1" in told.examples[fault].message


def test_a_proxy_that_refuses_is_a_fault_of_the_proxy_which_is_named() -> None:
    told = _Dialled({PROXY: errno.ECONNREFUSED}).tally()
    assert told.connect_errors == {Fault.PROXY: 1}
    assert told.examples[Fault.PROXY].message == "Connection refused, dialling the proxy 127.0.0.1:1"


def test_no_descriptors_is_our_own_fault() -> None:
    told = _Dialled({HERE: 0}, opening=errno.EMFILE).tally()
    assert told.connect_errors == {Fault.LOCAL: 1}
    assert Fault.LOCAL.ours and not Fault.LOCAL.theirs
    assert Fault.REFUSED.theirs and not Fault.REFUSED.ours


def test_pauses_between_refused_dials_double() -> None:
    dialled = _Dialled({HERE: errno.ECONNREFUSED})
    dialled.turn_for(165_000_000)
    # At 0, 10, 30, 70 and 150 ms, or later.
    assert 2 <= len(dialled.tried) <= 5


def test_an_unanswered_dial_ends_at_its_deadline() -> None:
    dialled = _Dialled({HERE: errno.EINPROGRESS}, timeout_ns=5_000_000)
    dialled.turn_for(6_000_000)
    told = dialled.tally()
    # A busy machine may grant the next dial its time, and its end, too.
    assert told.connect_errors[Fault.TIMEOUT] >= 1
    assert told.attempted - told.connects_failed <= 1


def test_an_address_that_never_answers_does_not_keep_the_next_from_being_tried() -> None:
    dialled = _Dialled({THERE: errno.EINPROGRESS, HERE: 0}, timeout_ns=5_000_000)
    dialled.turn_for(10_000_000_000)
    assert dialled.tried[:2] == [THERE, HERE]
    assert len(dialled.connected) == 1


def test_stopped_in_a_pause_it_dials_no_more() -> None:
    dialled = _Dialled({HERE: errno.ECONNREFUSED})
    dialled.dialler.stop()
    dialled.turn_for(30_000_000)
    told = dialled.tally()
    assert (told.attempted, told.connects_failed, told.connecting) == (1, 1, 0)


class _Queue(FakeSocket):
    """A unix socket whose server has no room for so many dials; they are counted."""

    def __init__(self, full: int) -> None:
        super().__init__()
        self.full = full
        self.dials: list[tuple[str, int] | str] = []

    def connect_ex(self, address: tuple[str, int] | str, /) -> int:
        self.dials.append(address)
        return errno.EAGAIN if len(self.dials) <= self.full else 0


def test_a_queue_without_room_is_asked_again_within_the_attempt_and_ever_less_often() -> None:
    queue = _Queue(full=4)
    began_ns = monotonic_ns()
    held = Held(queue, addresses=(UNIX,))
    while held.ended == 0 and monotonic_ns() - began_ns < 10**10:
        held.turn_for(1_000_000)
    # After 1, 2, 4 and 8 ms, or later.
    assert monotonic_ns() - began_ns >= 15_000_000
    told = held.tally()
    assert queue.dials == [UNIX.path] * 5
    assert (told.attempted, told.made, told.connect_errors, held.opened) == (1, 1, {}, 1)
    assert told.connect.count == 1


def test_a_queue_that_never_has_room_is_a_timeout_and_no_hot_loop() -> None:
    queue = _Queue(full=1_000_000)
    held = Held(queue, FakeSocket(6), addresses=(UNIX,), timeout_ns=40_000_000)
    held.wait_for(2)
    told = held.tally()
    assert told.connect_errors == {Fault.TIMEOUT: 1}
    said = "no answer, dialling /run/server.sock (the queue of its server is full)"
    assert told.examples[Fault.TIMEOUT].message == said
    assert queue.closed
    # At 0, 1, 3, 7, 15 and 31 ms, or later.
    dials = len(queue.dials)
    assert 2 <= dials <= 6
    held.turn_for(40_000_000)
    assert len(queue.dials) == dials, "one that was given up is dialled no more"


def test_stopped_while_a_queue_has_no_room_the_attempt_is_in_progress() -> None:
    queue = _Queue(full=1_000_000)
    held = Held(queue, addresses=(UNIX,))
    held.dialler.stop()
    held.turn_for(5_000_000)
    told = held.tally()
    assert (queue.dials, told.connecting, told.attempted) == ([UNIX.path], 1, 1)


def test_a_dial_that_finds_no_room_elsewhere_is_not_taken_for_a_queue() -> None:
    assert _Dialled({HERE: errno.EAGAIN}).tally().connects_failed == 1


GONE = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


@pytest.mark.parametrize("last", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n", GONE, TlsError(1, "alert")])
def test_a_held_connection_that_the_server_ends_is_counted_and_dialled_again_after_a_pause(
    last: bytes | OSError,
) -> None:
    held = Held(FakeSocket(5, [last]), FakeSocket(6))
    assert held.poller.watched == {5: READ}
    ended_ns = monotonic_ns()
    held.turn()
    told = held.tally()
    assert (told.closed_idle, told.made, told.attempted, held.poller.watched) == (1, 1, 1, {})
    held.wait_for(2)
    assert monotonic_ns() - ended_ns >= 10_000_000
    told = held.tally()
    assert (told.closed_idle, told.made, told.attempted, told.connect_errors) == (0, 1, 1, {})
    assert (held.ended, held.connected, held.poller.watched) == (1, [], {6: READ})
    held.dialler.release(monotonic_ns())
    assert [opened.fileno() for opened in held.connected] == [6]


def test_a_held_connection_that_the_server_ended_is_closed() -> None:
    first = FakeSocket(5, [b""])
    Held(first).turn()
    assert first.closed


def test_what_only_tls_had_to_know_does_not_end_a_held_connection() -> None:
    first = FakeSocket(5, [BlockingIOError(errno.EAGAIN, "tickets")])
    held = Held(first)
    held.turn()
    assert (held.tally().closed_idle, first.closed, held.poller.watched) == (0, False, {5: READ})
    held.dialler.release(monotonic_ns())
    assert held.connected == [first]


def test_after_the_release_a_socket_is_handed_over_as_soon_as_it_is_there() -> None:
    first = Shaking(5, steps=[READ])
    held = Held(first)
    held.dialler.release(monotonic_ns())
    assert held.connected == []
    held.turn()
    assert (held.connected, held.tally().closed_idle) == ([first], 0)


def test_stopped_while_it_holds_it_closes_and_dials_no_more() -> None:
    first = FakeSocket(5)
    held = Held(first)
    held.dialler.stop()
    told = held.tally()
    assert (first.closed, told.made, told.connecting, held.poller.watched) == (True, 1, 0, {})
