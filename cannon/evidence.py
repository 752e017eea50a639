"""The numbers of a run that tell whether the server was measured, or cannon itself, or the machine under both.

Law: figures and shares only; what follows from them stands in doubts.py. A number that was not told is None, or, of a
share, the one that leaves most of the doubt.
"""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from cannon.durations import Durations, OwnDelay
from cannon.plan import Engine, Plan
from cannon.tally import Histogram, Tally

__all__ = ["NEVER_IDLE", "Evidence", "Lateness", "Place", "WorkerLoad"]

NEVER_IDLE = 0.95
"""Running or waiting for a CPU, together. A worker that has nothing left between the two was the limit for certain."""


class Place(StrEnum):
    """Where the server runs: on this machine, so that it wants the same cores, or on another."""

    HERE = "here"
    ELSEWHERE = "elsewhere"


class WorkerLoad(msgspec.Struct, frozen=True):
    """One worker: its part of the measured window, and what it had of a CPU and waited for one meanwhile (ns)."""

    window_ns: int
    cpu_ns: int
    run_delay_ns: int

    @property
    def busy(self) -> float:
        """The share of one core that it used, 0..1."""
        return min(1.0, self.cpu_ns / self.window_ns) if self.window_ns else 0.0

    @property
    def waiting(self) -> float:
        """The share of the window in which it could have run and had no CPU, 0..1."""
        return min(1.0 - self.busy, self.run_delay_ns / self.window_ns) if self.window_ns else 0.0

    @property
    def never_idle(self) -> bool:
        """Whether it always had something to do."""
        return self.busy + self.waiting >= NEVER_IDLE


class Lateness(msgspec.Struct, frozen=True):
    """By how much cannon itself sent late, under a rate: of `count` requests that a free connection awaited."""

    delay: OwnDelay
    count: int

    @classmethod
    def of(cls, woke_late: Histogram) -> Lateness:
        """The lateness of a run under a rate."""
        return cls(OwnDelay.of(woke_late), woke_late.count)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that a verdict is made from.

    `cores`: those that cannon may use. `pipelining`: requests that a connection may have in flight. `stamped`: the
    share of the responses whose end the kernel stamped, which no delay of cannon's is part of, 0..1. `lateness`: None
    in a closed loop, where nothing has a due time. `standstill_ns`: the longest time known in which cannon did nothing
    at all, though it was due. `steal`: the share of the machine's CPU time that its hypervisor kept; None where it is
    not told. `place`: where the server runs.
    """

    workers: tuple[WorkerLoad, ...]
    connections: int
    cores: int
    engine: Engine
    own_delay: OwnDelay
    latency: Durations
    standstill_ns: int
    steal: float | None
    place: Place
    pipelining: int = 1
    stamped: float = 0.0
    lateness: Lateness | None = None

    @classmethod
    def of(
        cls,
        plan: Plan,
        tally: Tally,
        shards: tuple[Tally, ...],
        *,
        latency: Durations,
        cores: int,
        steal: float | None,
        place: Place,
    ) -> Evidence:
        """The evidence of a run: `tally` is the sum of the shards, `latency` the distribution that is told of it."""
        return cls(
            workers=tuple(
                WorkerLoad(shard.row.window_ns, shard.cpu_ns, shard.run_delay_ns) for shard in shards
            ),
            connections=plan.connections,
            cores=cores,
            engine=plan.engine,
            own_delay=OwnDelay.of(tally.own_delay),
            latency=latency,
            # Not the longest turn of the loop, which own delay would tell: with very many connections one turn takes
            # as long, and is work. A process that was stopped in a turn has a late tick as well.
            standstill_ns=tally.longest_pause_ns,
            steal=steal,
            place=place,
            pipelining=plan.pipelining,
            stamped=min(1.0, tally.stamped / tally.completed) if tally.completed else 0.0,
            lateness=None if plan.pace is None else Lateness.of(tally.woke_late),
        )

    @property
    def worker_cores(self) -> int:
        """The cores that workers may fill: a server on this machine needs one as well."""
        return self.cores - 1 if self.place is Place.HERE else self.cores

    @property
    def busy(self) -> float | None:
        """The share of one core that the busiest worker used: the mean would hide it. None where nothing was fired."""
        return max((worker.busy for worker in self.workers if worker.window_ns), default=None)

    @property
    def together(self) -> int:
        """How many responses one turn of a worker's loop may handle: all that its connections can have in flight."""
        return math.ceil(self.connections / len(self.workers)) * self.pipelining

    def stamped_beyond(self, percentile: float) -> bool:
        """Whether so few responses are without a stamp of the kernel that this percentile holds none of them."""
        return (1.0 - self.stamped) * 100 < 100 - percentile
