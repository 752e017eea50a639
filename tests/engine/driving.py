"""Does with a framing what a connection does, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from cannon.engine.framing import Express, FastFraming, Framing
from cannon.engine.owed import Bodies, Owed
from cannon.engine.strict import StrictFraming
from cannon.errors import Fault, FramingError
from tests.corpus import READ_BYTES

__all__ = [
    "CHUNKED",
    "FRAMINGS",
    "GET",
    "GOOD",
    "HEAD",
    "MUTATIONS",
    "Caller",
    "Verdict",
    "answer",
    "drive",
    "split",
]

FRAMINGS: dict[str, Callable[..., Framing]] = {"fast": FastFraming, "strict": StrictFraming}

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

MUTATIONS = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b'"', b"0", b"2", b"\0", b"\xff", b"\r\n\r\n"),
    *(b"0\r\n\r\n", b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/1.1 200 OK\r\n", b"204", b"103", b"close", b"chunked"),
    *(b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Proxy-Connection: close\r\n", b"gzip, "),
    *(b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n", b"Upgrade: x\r\n", b"\r\n folded\r\n"),
]
"""What an edit puts into a response to make another of it."""

GET = Owed()
HEAD = Owed(head=True)


class Verdict(NamedTuple):
    """What a framing made of a connection's bytes."""

    statuses: list[int]
    body_bytes: int
    keep_alive: bool
    excess: bool
    kind: Fault | None
    message: str
    mismatched: list[int]


class Caller:
    """Stands where a connection stands: has one framing, and its express lane while that is open."""

    def __init__(self, framing: Framing, bodies: Bodies) -> None:
        self.framing = framing
        self.bodies = bodies
        self.lane: Express | None = None

    def expect(self, owed: Owed = GET) -> None:
        """A request is sent."""
        if self.lane is None:
            self.framing.expect(owed)
            self.lane = self.framing.express()
        else:
            assert owed is GET

    def pipeline(self, owed: Sequence[Owed]) -> None:
        """Several requests are sent at once."""
        for one in owed:
            self.framing.expect(one)
        self.lane = self.framing.express()

    def take(self, data: bytes) -> int:
        """Bytes are read; returns how many of them were body."""
        status = self.lane.read(data) if self.lane is not None else 0
        if status:
            self.framing.statuses.append(status)
            self.framing.keep_alive = True
        else:
            self.lane = None
            self.framing.read(data)
        count, self.bodies.total_bytes = self.bodies.total_bytes, 0
        return count


def drive(caller: Caller, pieces: list[bytes], owed: Sequence[Owed] = (GET,)) -> Verdict:
    """Do what a connection does: expect, take each read, count; then the peer closes.

    All requests are sent before the first read.
    """
    framing = caller.framing
    statuses: list[int] = []
    mismatched: list[int] = []
    body_bytes = 0
    keep_alive = True
    excess = False

    def count() -> None:
        mismatched.extend(len(statuses) + position for position in framing.mismatched)
        statuses.extend(framing.statuses)
        framing.statuses.clear()
        framing.mismatched.clear()

    caller.pipeline(owed)
    try:
        for data in pieces:
            if len(statuses) == len(owed) or not keep_alive:
                excess = True
                break
            body_bytes += caller.take(data)
            if framing.statuses:
                count()
                keep_alive = framing.keep_alive
                excess = framing.excess
                if framing.broken is not None:
                    raise framing.broken
        if len(statuses) < len(owed) and keep_alive:
            framing.end()
            count()
            keep_alive = framing.keep_alive
    except FramingError as error:
        assert not framing.statuses
        return Verdict(statuses, body_bytes, False, excess, error.fault, error.message, mismatched)
    return Verdict(statuses, body_bytes, keep_alive and not excess, excess, None, "", mismatched)


def answer(name: str, pieces: list[bytes], owed: Owed = GET) -> Verdict:
    """What a fresh framing makes of the answer to one request."""
    bodies = Bodies()
    return drive(Caller(FRAMINGS[name](bodies=bodies), bodies), pieces, [owed])


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes cut there, and into reads; empty pieces are never read."""
    pieces = [data[start:stop] for start, stop in pairwise(cuts)]
    return [piece[at : at + READ_BYTES] for piece in pieces for at in range(0, len(piece), READ_BYTES)]
