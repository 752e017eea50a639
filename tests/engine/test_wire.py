"""One request on one socket, waited for: what is sent, when it stops, and that every wait has an end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat

import pytest

from cannon.engine.sockets import PlainSocket
from cannon.engine.wire import Stopped, Wait, Wire
from cannon.request import Request

SECOND_NS = 1_000_000_000
BODY = bytes(1_000)


class Scripted(PlainSocket):
    """A socket that takes so many bytes, and of which this is read; b"": its end."""

    def __init__(self, room_bytes: int, *coming: bytes, endless: bytes = b"") -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self._room_bytes = room_bytes
        self._coming = chain(coming, repeat(endless) if endless else ())
        self.taken = b""

    def send(self, data: bytes | memoryview, flags: int = 0, /) -> int:  # type: ignore[override]  # no other buffers
        if not self._room_bytes:
            raise BlockingIOError
        part = bytes(data)[: self._room_bytes]
        self._room_bytes -= len(part)
        self.taken += part
        return len(part)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        data = next(self._coming, None)
        if data is None:
            raise BlockingIOError
        return data


@contextmanager
def wired(opened: Scripted, timeout_ns: int = SECOND_NS, control: int | None = None) -> Iterator[Wire]:
    wire = Wire(opened, Request("POST", b""), BODY, Wait(timeout_ns, control))
    try:
        yield wire
    finally:
        wire.close()


def test_a_request_goes_out_once_whatever_is_written() -> None:
    opened = Scripted(5_000)
    with wired(opened) as wire:
        wire.send()
        wire.send()
    assert opened.taken == BODY


@pytest.mark.parametrize(
    ("coming", "ended"),
    [
        ((b"HTTP/1.1 413 Content Too Large\r\n",), False),
        ((b"HT", b"TP/1.1 413 Content Too Large\r\n"), False),
        ((b"",), True),
        ((b"HTTP/1.1 100 Continue\r\n\r\n", b""), True),
    ],
)
def test_sending_stops_once_the_server_answers_or_leaves(coming: tuple[bytes, ...], ended: bool) -> None:
    opened = Scripted(300, *coming)
    with wired(opened) as wire:
        wire.send()
        assert opened.taken == BODY[:300]
        assert wire.ended is ended
        assert wire.read(65_536) == b"".join(coming)


def test_what_never_ends_is_read_until_the_time_is_over() -> None:
    opened = Scripted(5_000, endless=b"HTTP/1.1 100 Continue\r\n\r\n")
    with wired(opened, timeout_ns=1) as wire, pytest.raises(TimeoutError):
        wire.read(65_536)


def test_whoever_holds_the_control_stops_it() -> None:
    reading, writing = os.pipe()
    try:
        opened = Scripted(5_000, endless=b"more")
        with wired(opened, control=reading) as wire:
            assert wire.read(65_536) == b"more"
            os.write(writing, b".")
            with pytest.raises(Stopped):
                wire.read(65_536)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_socket_is_closed_once() -> None:
    opened = Scripted(5_000)
    with wired(opened) as wire:
        wire.close()
    assert opened.fileno() == -1
