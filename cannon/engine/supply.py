"""The requests of a shard: one source for all its connections, and what became of what was taken.

Law: never more is taken than the limit, whoever asks; what was taken is what was sent, but for what is held. The number
taken is read off an iterator of the standard library, so counting costs the hot path nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from operator import length_hint

from cannon.engine.owed import Owed
from cannon.request import ID_BYTES, Request

__all__ = ["Feed", "Prepared", "Shot", "Supply", "Walk", "parted"]

_UNLIMITED = 1 << 62


class Prepared:
    """A request ready to be sent, and what its response is read and counted by. `step`: its position in the plan."""

    __slots__ = ("data", "owed", "request", "step", "total_bytes")

    def __init__(self, request: Request, step: int, body: bytes | None = None) -> None:
        self.request = request
        self.step = step
        self.data = request.data
        self.total_bytes = request.total_bytes
        self.owed = Owed(request.expects_no_body, body)


class Shot:
    """One request that was taken: `due_ns` is when it was due, `sent_ns` when it was sent; 0: not yet known."""

    __slots__ = ("data", "due_ns", "prepared", "sent_ns")

    def __init__(self, data: bytes, prepared: Prepared) -> None:
        self.data = data
        self.prepared = prepared
        self.due_ns = 0
        self.sent_ns = 0


def parted(shots: list[Shot], data: bytes, sent_bytes: int) -> tuple[list[Shot], bytes, list[Shot]]:
    """Of shots whose data stand one behind the other: those that begin within so many bytes, their data, the others."""
    begun = begun_bytes = 0
    while begun_bytes < sent_bytes:
        begun_bytes += len(shots[begun].data)
        begun += 1
    return shots[:begun], data[:begun_bytes], shots[begun:]


class Supply:
    """Never gives more than `limit` requests, None: no limit. `first` is what the only step of a shard sends.

    `held`: taken, and not sent; `unsent_bytes`: of what was taken, held or under way, what the kernel has not got.
    """

    def __init__(self, limit: int | None, first: Prepared) -> None:
        self._limit = _UNLIMITED if limit is None else limit
        self._first = first
        self.tickets: Iterator[bytes] = repeat(first.data, self._limit)
        self.held = 0
        self.unsent_bytes = 0
        self.walked_bytes = 0
        self.walked = 0

    @property
    def sent(self) -> int:
        """Requests of which at least one byte was handed to the kernel."""
        return self._taken - self.held

    @property
    def sent_bytes(self) -> int:
        """Bytes that were handed to the kernel."""
        straight = self._taken - self.walked
        return straight * self._first.total_bytes + self.walked_bytes - self.unsent_bytes

    @property
    def _taken(self) -> int:
        return self._limit - length_hint(self.tickets)

    def hold(self, shot: Shot) -> None:
        """It was taken, and is not sent yet."""
        self.held += 1
        self.unsent_bytes += shot.prepared.total_bytes

    def release(self, shot: Shot) -> None:
        """What was held is sent now."""
        self.held -= 1
        self.unsent_bytes -= shot.prepared.total_bytes


class Feed:
    """The requests of one connection: `requests` yields their bytes, `prepared` tells of which kind the last one was,
    `uniform` that all are of this kind.
    """

    __slots__ = ("prepared", "requests", "uniform")

    def __init__(self, prepared: Prepared, requests: Iterator[bytes], *, uniform: bool = True) -> None:
        self.prepared = prepared
        self.requests = requests
        self.uniform = uniform


class Walk:
    """Steps in order, and round again, each with an id of its own where it has places for one."""

    __slots__ = ("_at", "_ids", "_steps", "_supply", "feed")

    def __init__(self, supply: Supply, steps: list[Prepared], ids: Iterator[bytes]) -> None:
        self._supply = supply
        self._steps = steps
        self._ids = ids
        self._at = 0
        self.feed = Feed(steps[0], self, uniform=len(steps) == 1)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        supply = self._supply
        next(supply.tickets)
        prepared = self._steps[self._at]
        self._at = (self._at + 1) % len(self._steps)
        self.feed.prepared = prepared
        supply.walked += 1
        supply.walked_bytes += prepared.total_bytes
        return prepared.request.with_id(next(self._ids)) if prepared.request.pieces else prepared.data


def identities(run: int, shard: int) -> Iterator[bytes]:
    """Ids that no other shard of the run gives, nor a run of another number: ID_BYTES characters each."""
    prefix = f"{run & 0xFFFF_FFFF:08x}{shard & 0xFFFF:04x}"
    digits = ID_BYTES - len(prefix)
    number = 0
    while True:
        yield f"{prefix}{number:0{digits}x}".encode("ascii")
        number += 1
