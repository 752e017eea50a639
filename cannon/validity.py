"""Whether the server was measured, or cannon itself, or the machine under both.

Law: judged from a few numbers of the run and nothing else. What is found here only makes a server look worse than it
is, never better, so a run is suspect and not invalid; every reason says in plain words what was found, and ends with
what to do about it. Invalid is a run without figures, or whose figures do not add up.

In a closed loop every connection always has a request under way, so the share of the window in which cannon could not
turn to them is at most the same share of their mean latency: that is what shares of the window stand for. What is
quoted as measured was measured on two cores, with nginx, Node or HAProxy beside cannon.
"""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from cannon.durations import Durations, OwnDelay
from cannon.plan import Engine, Plan
from cannon.tally import Tally
from cannon.units import format_duration

__all__ = [
    "BUSY",
    "LEAST_WINDOW_NS",
    "NEVER_IDLE",
    "NOTICEABLE",
    "STANDSTILL_NS",
    "STOLEN",
    "Evidence",
    "Place",
    "Validity",
    "WorkerLoad",
    "judge",
]

BUSY = 0.85
"""Of one core, by the busiest worker. A single core serves a queue: from here on what comes waits longer than it takes
to handle. At nginx the native engine was the limit at 94 %, with a few percent lost between turns.
"""

NEVER_IDLE = 0.95
"""Running or waiting for a CPU, together. A worker that has nothing left between the two was the limit for certain."""

NOTICEABLE = 0.20
"""Of a latency or of the window, for what is known as an upper bound: own delay, and the wait for a CPU. What comes at
any moment of such a wait sits out half of it on average, so a fifth at most is about a tenth in truth. Measured: own
delay was up to 12 % of p99 where cannon was idle most of the time, and 34 % and more where it was the limit; the wait
for a CPU 1 to 9 % beside one server, and 22 to 36 % where more wanted to run than two cores can, at up to ten times
the p99.
"""

STOLEN = 0.10
"""Of the machine's CPU time, by its hypervisor. Measured: with 3 to 8 % rates held, with 13 to 25 % p99 doubled and
worse, with 60 % a third of the rate was left. It hits the server as well, so there is no half here.
"""

STANDSTILL_NS = 500_000_000
"""A gap that no load explains: the process was stopped, or the machine was. It shows by how late the next tick is,
which is up to a second less than it took; so that one of a second is mostly seen, and one of a second and a half
always, half a second is enough.
"""

LEAST_WINDOW_NS = 100_000_000
"""In less than this, connections are dialled and code runs for the first time: shares of it tell of nothing else."""

_BEYOND = 20
"""How many latencies must lie beyond a percentile before its value is more than chance."""

_FEW_CONNECTIONS = 4
"""With less than these, fewer connections are no advice: what is left would be another test."""


class Place(StrEnum):
    """Where the server runs: on this machine, so that it wants the same cores, or on another."""

    HERE = "here"
    ELSEWHERE = "elsewhere"


class Validity(msgspec.Struct, frozen=True):
    """`verdict`: "valid", "suspect" (the client was the limit) or "invalid"; with the reasons in words."""

    verdict: str
    reasons: list[str]


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


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that a verdict is made from.

    `cores`: those that cannon may use. `standstill_ns`: the longest time known in which cannon did nothing at all,
    though it was due. `steal`: the share of the machine's CPU time that its hypervisor kept; None where it is not
    told. `place`: where the server runs.
    """

    workers: tuple[WorkerLoad, ...]
    connections: int
    cores: int
    engine: Engine
    own_delay: OwnDelay
    latency: Durations
    standstill_ns: int
    steal: float | None
    place: Place = Place.ELSEWHERE

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
    def saturated(self) -> bool:
        """Whether cannon was the limit, by its CPU or by its own delay."""
        return any(doubt.saturated for doubt in _doubts(self))


class _Doubt(msgspec.Struct, frozen=True):
    """One reason: what was found, what to do, and whether it means that cannon was the limit."""

    found: str
    advice: str
    saturated: bool = False

    def __str__(self) -> str:
        return f"{self.found}; {self.advice}"


def judge(tally: Tally, problems: list[str], evidence: Evidence) -> Validity:
    """The verdict on a run. `problems` are reasons, known to the caller, why it is invalid."""
    invalid = list(problems)
    if not tally.succeeded:
        invalid.append("no request succeeded")
    if tally.never_sent:
        invalid.append(f"{tally.never_sent:,} requests were never sent: nothing could be reached any more")
    if tally.sent != tally.completed + tally.failed + tally.in_flight:
        invalid.append(
            f"cannon lost count: {tally.sent:,} sent, but {tally.completed:,} completed, {tally.failed:,} failed"
            f" and {tally.in_flight:,} in flight"
        )
    if invalid:
        return Validity("invalid", invalid)
    doubts = [str(doubt) for doubt in _doubts(evidence)]
    return Validity("suspect" if doubts else "valid", doubts)


def _doubts(evidence: Evidence) -> list[_Doubt]:
    """All that makes the figures suspect, cannon's own doing first."""
    measured = [worker for worker in evidence.workers if worker.window_ns >= LEAST_WINDOW_NS]
    if not measured:
        return []
    found = (
        _no_idle(evidence, measured),
        _own_delay(evidence),
        _waited(evidence, measured),
        _stood_still(evidence),
        _stolen(evidence),
    )
    return [doubt for doubt in found if doubt is not None]


def _no_idle(evidence: Evidence, measured: list[WorkerLoad]) -> _Doubt | None:
    """cannon had no CPU to spare."""
    # One that waited most of what it did not use is told of by `_waited`.
    limits = [
        worker
        for worker in measured
        if worker.busy >= BUSY or (worker.never_idle and worker.waiting < NOTICEABLE)
    ]
    if not limits:
        return None
    worker = max(limits, key=lambda worker: (worker.never_idle, worker.busy))
    count = len(evidence.workers)
    who = "cannon" if count == 1 else f"one of {count} workers"
    waited = f" and waited for it {_percent(worker.waiting)} of the time" if worker.busy < BUSY else ""
    limit = "it was the limit, not the server" if worker.never_idle else "it may have been the limit"
    native = [] if evidence.engine is Engine.NATIVE else ["--engine native"]
    ways = native + _more_workers(evidence)
    return _Doubt(
        f"{who} used {_percent(worker.busy)} of a core{waited}: {limit}",
        f"try {', or '.join(ways)}" if ways else _other_machine(evidence),
        saturated=True,
    )


def _own_delay(evidence: Evidence) -> _Doubt | None:
    """Responses lay ready while cannon handled others: the worse of the two percentiles decides."""
    # What is measured is a whole turn of the loop. No connection has more than one response in it, so the last of n
    # waited (n - 1)/n of the turn: with one connection there is nobody to wait for.
    together = math.ceil(evidence.connections / len(evidence.workers))
    worst: tuple[float, str, float, float] = (0.0, "", 0.0, 0.0)
    own, total = evidence.own_delay, evidence.latency
    for name, percentile, turn_ms, latency_ms in (
        ("p50", 50, own.p50, total.p50),
        ("p99", 99, own.p99, total.p99),
    ):
        if not turn_ms or not latency_ms or total.count * (100 - percentile) < _BEYOND * 100:
            continue
        waited_ms = min(latency_ms, turn_ms * (together - 1) / together)
        worst = max(worst, (waited_ms / latency_ms, name, waited_ms, latency_ms))
    share, name, waited_ms, latency_ms = worst
    if share < NOTICEABLE:
        return None
    ways = _more_workers(evidence)
    if evidence.connections >= _FEW_CONNECTIONS:
        ways.insert(0, f"fewer connections, e.g. -c {max(len(evidence.workers), evidence.connections // 2)}")
    waited, latency = format_duration(waited_ms * 1e6), format_duration(latency_ms * 1e6)
    return _Doubt(
        # A turn can be longer than a latency, where there were handshakes in it.
        f"up to {'all' if waited == latency else waited} of the {name} latency of {latency} is cannon's own delay",
        f"try {', or '.join(ways)}" if ways else "read latencies as upper bounds",
        saturated=True,
    )


def _waited(evidence: Evidence, measured: list[WorkerLoad]) -> _Doubt | None:
    """cannon could have run, and something else ran."""
    worker = max(measured, key=lambda worker: worker.waiting)
    if worker.waiting < NOTICEABLE:
        return None
    count = len(evidence.workers)
    who = "cannon" if count == 1 else f"one of {count} workers"
    waited_ns = worker.waiting * worker.window_ns
    others = "the server or other programs" if evidence.place is Place.HERE else "other programs"
    rest = " and was never idle: it was the limit, not the server" if worker.never_idle else ""
    fewer = max(1, evidence.cores - 1)
    if evidence.place is Place.HERE and count > evidence.worker_cores:
        # Not fewer workers: they would be too busy, and more would be advised.
        advice = _other_machine(evidence)
    elif count > fewer:
        advice = f"close other programs, or leave them a core with -w {fewer}"
    else:
        advice = "close other programs, or fire from another machine"
    return _Doubt(
        f"{who} waited {format_duration(waited_ns)} of {format_duration(worker.window_ns)} for a CPU"
        f" ({others} had it){rest}",
        advice,
        saturated=worker.never_idle,
    )


def _stood_still(evidence: Evidence) -> _Doubt | None:
    """A time in which cannon did nothing at all."""
    if evidence.standstill_ns < STANDSTILL_NS:
        return None
    return _Doubt(
        f"cannon itself stood still for at least {format_duration(evidence.standstill_ns)}: it was stopped, suspended"
        " or starved, and what came meanwhile was seen late",
        "run it again",
    )


def _stolen(evidence: Evidence) -> _Doubt | None:
    """The machine is a guest, and its host was busy with others."""
    if evidence.steal is None or evidence.steal < STOLEN:
        return None
    return _Doubt(
        f"this virtual machine did not get {_percent(evidence.steal)} of its CPU time (steal)",
        "run it again when its host is quieter, or fire from another machine",
    )


def _other_machine(evidence: Evidence) -> str:
    """What is left to advise, and why nothing else is."""
    shared = evidence.place is Place.HERE and len(evidence.workers) >= evidence.worker_cores
    return f"fire from another machine{', the server shares these cores' if shared else ''}"


def _more_workers(evidence: Evidence) -> list[str]:
    """Twice the workers, where there are connections for more, and cores that nobody else wants."""
    count = len(evidence.workers)
    if any(worker.waiting >= NOTICEABLE for worker in evidence.workers):
        return []
    more = min(2 * count, evidence.worker_cores, evidence.connections)
    return [f"-w {more}"] if more > count else []


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
