"""Why the figures of a run may tell of cannon, or of the machine, and not of the server.

Law: judged from the numbers of an Evidence and nothing else. What is found here only makes a server look worse than it
is, never better; every doubt says in plain words what was found, and ends with what to do about it.

In a closed loop every connection always has a request under way, so the share of the window in which cannon could not
turn to them is at most the same share of their mean latency: that is what shares of the window stand for. Under a rate
cannon's own lateness is measured for each request, and a response that the kernel stamped holds no delay of cannon's:
there the delays themselves are set against the latencies. What is quoted as measured was measured on two cores, with
nginx, Node or HAProxy beside cannon.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from cannon.durations import Durations, OwnDelay
from cannon.evidence import Evidence, Place, WorkerLoad
from cannon.plan import Engine
from cannon.units import format_duration

__all__ = [
    "BUSY",
    "LEAST_WINDOW_NS",
    "NOTICEABLE",
    "STANDSTILL_NS",
    "STOLEN",
    "Doubt",
    "cpu_bound",
    "doubts",
    "saturated",
]

BUSY = 0.85
"""Of one core, by the busiest worker. A single core serves a queue: from here on what comes waits longer than it takes
to handle. At nginx the native engine was the limit at 94 %, with a few percent lost between turns.
"""

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

_PERCENTILES: Mapping[str, float] = {"p50": 50, "p99": 99}
"""Those of the latency that a delay is set against."""

_UPPER_BOUNDS = "read latencies as upper bounds"


class Doubt(msgspec.Struct, frozen=True):
    """One reason: what was found, what to do, whether it means that cannon was the limit, and if so whether for want of
    CPU.
    """

    found: str
    advice: str
    saturated: bool = False
    cpu_bound: bool = False

    def __str__(self) -> str:
        return f"{self.found}; {self.advice}"


def saturated(evidence: Evidence) -> bool:
    """Whether cannon was the limit, by its CPU or by its own delay."""
    return any(doubt.saturated for doubt in doubts(evidence))


def cpu_bound(evidence: Evidence) -> bool:
    """Whether cannon had no CPU to spare: only then does it limit how much goes through. Its own delay only makes
    latencies longer while it has.
    """
    return any(doubt.cpu_bound for doubt in doubts(evidence))


def doubts(evidence: Evidence) -> list[Doubt]:
    """All that makes the figures suspect, cannon's own doing first."""
    measured = [worker for worker in evidence.workers if worker.window_ns >= LEAST_WINDOW_NS]
    if not measured:
        return []
    found = (
        _no_idle(evidence, measured),
        _own_delay(evidence),
        _woke_late(evidence),
        _waited(evidence, measured),
        _stood_still(evidence),
        _stolen(evidence),
    )
    return [doubt for doubt in found if doubt is not None]


def _no_idle(evidence: Evidence, measured: list[WorkerLoad]) -> Doubt | None:
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
    return Doubt(
        f"{who} used {_percent(worker.busy)} of a core{waited}: {limit}",
        f"try {', or '.join(ways)}" if ways else _other_machine(evidence),
        saturated=True,
        cpu_bound=True,
    )


def _own_delay(evidence: Evidence) -> Doubt | None:
    """Responses lay ready while cannon handled others: the worse of the two percentiles decides."""
    # What is measured is a whole turn of the loop: of n responses in it, the last waited (n - 1)/n of the turn. With
    # one connection, and one request at a time, there is nobody to wait for.
    of_turn = (evidence.together - 1) / evidence.together
    found = _share(
        evidence.latency,
        evidence.own_delay,
        evidence.latency.count,
        part=of_turn,
        within=tuple(
            percentile for percentile in _PERCENTILES if not evidence.stamped_beyond(_PERCENTILES[percentile])
        ),
    )
    if found is None:
        return None
    ways = _more_workers(evidence)
    if evidence.connections >= _FEW_CONNECTIONS:
        ways.insert(0, f"fewer connections, e.g. -c {max(len(evidence.workers), evidence.connections // 2)}")
    return Doubt(
        f"up to {found} is cannon's own delay",
        f"try {', or '.join(ways)}" if ways else _UPPER_BOUNDS,
        saturated=True,
    )


def _woke_late(evidence: Evidence) -> Doubt | None:
    """Requests were due, connections free, and cannon was late all the same."""
    if evidence.lateness is None:
        return None
    found = _share(evidence.latency, evidence.lateness.delay, evidence.lateness.count)
    if found is None:
        return None
    ways = _more_workers(evidence)
    return Doubt(
        f"up to {found} is how late cannon itself was",
        f"try {', or '.join(ways)}" if ways else _UPPER_BOUNDS,
        saturated=True,
    )


def _share(
    latency: Durations,
    delay: OwnDelay,
    count: int,
    *,
    part: float = 1.0,
    within: Collection[str] = tuple(_PERCENTILES),
) -> str | None:
    """How much of a latency this `part` of a delay may be, in words, by the worse of the percentiles looked at.

    None where that is little, and of percentiles beyond which too few latencies lie, or of the `count` of delays.
    """
    worst: tuple[float, str] = (0.0, "")
    for name in within:
        delay_ms: float | None = getattr(delay, name)
        latency_ms: float | None = getattr(latency, name)
        if not delay_ms or not latency_ms:
            continue
        if min(count, latency.count) * (100 - _PERCENTILES[name]) < _BEYOND * 100:
            continue
        # A turn can be longer than a latency, where there were handshakes in it.
        waited_ms = min(latency_ms, delay_ms * part)
        waited, whole = format_duration(waited_ms * 1e6), format_duration(latency_ms * 1e6)
        words = f"{'all' if waited == whole else waited} of the {name} latency of {whole}"
        worst = max(worst, (waited_ms / latency_ms, words))
    share, words = worst
    return words if share >= NOTICEABLE else None


def _waited(evidence: Evidence, measured: list[WorkerLoad]) -> Doubt | None:
    """cannon could have run, and something else ran."""
    worker = max(measured, key=lambda worker: worker.waiting)
    if worker.waiting < NOTICEABLE:
        return None
    if evidence.lateness is not None and evidence.stamped_beyond(99) and not worker.never_idle:
        # What the wait did is measured: to requests by how late they were, to responses not at all.
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
    return Doubt(
        f"{who} waited {format_duration(waited_ns)} of {format_duration(worker.window_ns)} for a CPU"
        f" ({others} had it){rest}",
        advice,
        saturated=worker.never_idle,
        cpu_bound=worker.never_idle,
    )


def _stood_still(evidence: Evidence) -> Doubt | None:
    """A time in which cannon did nothing at all."""
    if evidence.standstill_ns < STANDSTILL_NS:
        return None
    return Doubt(
        f"cannon itself stood still for at least {format_duration(evidence.standstill_ns)}: it was stopped, suspended"
        " or starved, and what came meanwhile was seen late",
        "run it again",
    )


def _stolen(evidence: Evidence) -> Doubt | None:
    """The machine is a guest, and its host was busy with others."""
    if evidence.steal is None or evidence.steal < STOLEN:
        return None
    return Doubt(
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
