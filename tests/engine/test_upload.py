"""What the kernel would not take at once is sent on, and known to the byte all the while."""

from __future__ import annotations

import errno
from time import monotonic_ns

from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.engine.loop import READ, WRITE, Loop
from cannon.engine.meter import Meter
from cannon.engine.upload import Upload
from tests.engine.fakes import FakePoller, FakeSocket

REST = bytes(range(100))
AGAIN = BlockingIOError(errno.EAGAIN, "again")
GONE = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


class _Uploaded:
    """An upload to a socket that takes what the test says, turned by hand."""

    def __init__(self, *rooms: int | OSError) -> None:
        self.poller = FakePoller()
        self.loop = Loop(self.poller)
        self.meter = Meter(lambda status: True, monotonic_ns())
        self.socket = FakeSocket(rooms=rooms)
        self.reads = 0
        self.ends: list[bool] = []
        self.upload = Upload(
            loop=self.loop,
            meter=self.meter,
            opened=self.socket,
            rest=memoryview(REST),
            readable=self._readable,
            ended=self.ends.append,
        )

    def _readable(self, ready_ns: int) -> None:
        self.reads += 1

    def turn(self) -> None:
        self.poller.ready.append([(5, WRITE)])
        now_ns = monotonic_ns()
        self.loop.call_at(now_ns, lambda when_ns: self.loop.halt())
        self.loop.run(now_ns + 10**9, self.meter.settle)


@settings(max_examples=50)
@given(st.lists(st.one_of(st.integers(1, 60), st.just(AGAIN)), max_size=8), st.booleans())
def test_what_is_not_sent_is_known_to_the_byte(rooms: list[int | OSError], broken: bool) -> None:
    uploaded = _Uploaded(*rooms, *([GONE] if broken else []))
    assert uploaded.meter.unsent_bytes == len(REST)
    while not uploaded.ends:
        uploaded.turn()
        assert uploaded.meter.unsent_bytes == len(REST) - len(uploaded.socket.sent)
        assert uploaded.socket.sent == REST[: len(uploaded.socket.sent)]
    assert uploaded.ends == [len(uploaded.socket.sent) == len(REST)]


def test_a_whole_upload_ends_once_and_with_true() -> None:
    uploaded = _Uploaded(60, 40)
    uploaded.turn()
    assert uploaded.ends == []
    uploaded.turn()
    assert (uploaded.ends, uploaded.meter.unsent_bytes, uploaded.reads) == ([True], 0, 0)


def test_a_broken_upload_ends_with_false_and_what_it_lacks_stays_unsent() -> None:
    uploaded = _Uploaded(60, GONE)
    uploaded.turn()
    uploaded.turn()
    assert (uploaded.ends, uploaded.meter.unsent_bytes, uploaded.reads) == ([False], 40, 0)


def test_answers_are_read_while_sending_would_block() -> None:
    uploaded = _Uploaded(60, AGAIN, AGAIN, 40)
    assert uploaded.poller.watched == {5: READ | WRITE}
    reads = []
    for _ in range(4):
        uploaded.turn()
        reads.append(uploaded.reads)
    assert (reads, uploaded.ends) == ([0, 1, 2, 2], [True])
