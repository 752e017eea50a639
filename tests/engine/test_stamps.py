"""A stamp of the kernel lies between the request and its reading, whatever becomes of the wall clock."""

from __future__ import annotations

import socket
from time import monotonic_ns

from cannon.engine.sockets import PlainSocket
from cannon.engine.stamps import Stamps
from tests.engine.fakes import FakeSocket


def _pair() -> tuple[PlainSocket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = PlainSocket(socket.AF_INET, socket.SOCK_STREAM)
        here.connect(listening.getsockname())
        there, _ = listening.accept()
    return here, there


def test_bytes_are_stamped_when_they_came_and_not_when_they_were_read() -> None:
    stamps = Stamps()
    here, there = _pair()
    with here, there:
        receive = stamps.receiver(here)
        assert receive is not None
        sent_ns = came_by_ns = came_ns = 0
        stamped = False
        # The kernel begins to stamp a moment after it was asked to.
        until_ns = monotonic_ns() + 5_000_000_000
        while not stamped and monotonic_ns() < until_ns:
            sent_ns = monotonic_ns()
            there.sendall(b"x")
            came_by_ns = monotonic_ns()
            while monotonic_ns() < came_by_ns + 2_000_000:
                pass
            assert receive(10) == b"x"
            now_ns = monotonic_ns()
            came_ns = stamps.came_ns(sent_ns, now_ns)
            stamped = came_ns != now_ns
        assert sent_ns <= came_ns <= came_by_ns


def test_a_stamp_that_cannot_be_is_none() -> None:
    stamps = Stamps()
    stamps._stamp_ns = 1
    assert stamps.came_ns(100, 200) == 200


def test_when_the_wall_clock_was_set_its_distance_is_measured_anew() -> None:
    stamps = Stamps()
    now_ns = monotonic_ns()
    stamps._stamp_ns = now_ns + stamps._offset_ns - 1_000
    stamps._offset_ns += 3_600_000_000_000
    assert now_ns - 100_000 <= stamps.came_ns(now_ns - 100_000, now_ns) < now_ns


def test_what_is_none_of_the_systems_sockets_is_not_stamped() -> None:
    assert Stamps().receiver(FakeSocket()) is None
