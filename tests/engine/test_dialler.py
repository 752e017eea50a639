"""A dial ends in exactly one count, and a refusing server gets no hot loop."""

from __future__ import annotations

import errno
from time import monotonic_ns

import pytest

from cannon.engine.dialler import Dialler
from cannon.engine.loop import Loop
from cannon.engine.meter import Meter
from cannon.engine.sockets import Socket
from cannon.errors import Fault
from cannon.plan import Address
from cannon.tally import Tally
from tests.engine.fakes import FakePoller, FakeSocket

HERE, THERE = Address("127.0.0.1", 1), Address("::1", 1)


class _Dialled:
    """A dialler whose addresses answer with the errno that a test gives, or raise it on opening."""

    def __init__(self, answers: dict[Address, int], *, opening: int = 0, timeout_ns: int = 10**12) -> None:
        self.loop = Loop(FakePoller())
        self.meter = Meter(lambda status: True, monotonic_ns())
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
