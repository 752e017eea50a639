"""What shall be fired, at what, and when it stops: frozen, validated, the same for every worker.

Options die at the door: a Plan is made once from the command line (or by a caller of the API) and never
changed. Whatever is wrong with one raises UsageError, naming the option and showing a right value.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from cannon.errors import UsageError
from cannon.pace import Pace
from cannon.route import Route
from cannon.sequence import Body, Step, Streamed
from cannon.target import Target
from cannon.text import clean, redact_url
from cannon.tls import Tls

__all__ = ["Engine", "Limits", "Plan", "Stop", "Timestamps", "Warmup"]

SECOND_NS = 1_000_000_000


class Engine(StrEnum):
    """How a connection is driven."""

    NATIVE = "native"
    H11 = "h11"
    HTTPX = "httpx"
    SCRIPTED = "scripted"


class Timestamps(StrEnum):
    """Where a response's end is stamped: by the kernel as its last bytes arrive, by the loop as it handles them; auto:
    by the kernel under a rate, where it can.
    """

    AUTO = "auto"
    KERNEL = "kernel"
    LOOP = "loop"


class Stop(msgspec.Struct, frozen=True):
    """When sending ends: after a time, or after a number of requests (then the time is not looked at)."""

    duration_ns: int = 10 * SECOND_NS
    amount: int | None = None

    def __post_init__(self) -> None:
        if self.duration_ns <= 0:
            raise UsageError("-d/--duration must be longer than nothing, e.g. -d 10 or -d 1m30s")
        if self.amount is not None and self.amount < 0:
            raise UsageError("-a/--amount must be 1 or more, e.g. -a 1000")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What ends a connection or the run before its time; None: nothing does.

    `per_connection` (-M): requests of one connection, after which it is not made again; `overall` (-O): requests of the
    run, where there is no `per_connection`; `reconnect_after` (-D): requests after which a connection is made anew;
    `bailout` (-B): errors, mismatched bodies and failed dials that end the run.
    """

    per_connection: int | None = None
    overall: int | None = None
    reconnect_after: int | None = None
    bailout: int | None = None

    def __post_init__(self) -> None:
        for given, message in (
            (self.per_connection, "-M/--maxConnectionRequests must be 1 or more, e.g. -M 100"),
            (self.overall, "-O/--maxOverallRequests must be 1 or more, e.g. -O 1000"),
            (self.reconnect_after, "-D/--reconnectRate must be 1 or more, e.g. -D 10"),
            (self.bailout, "-B/--bailout must be 1 or more, e.g. -B 10"),
        ):
            if given is not None and given < 1:
                raise UsageError(message)


class Warmup(msgspec.Struct, frozen=True):
    """A run before the run, never in the figures."""

    stop: Stop
    connections: int | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of one run. `headers` are as the user gave them, in order; `body` is what is sent.

    `sequence`: the steps that connections walk through, instead of the one request that method, headers and body make.
    `ids`: `[<id>]` in a path or body stands for an id of its own in each request. `expect_body`: what every body must
    be. `lead_in_ns`: how long connections fire before the window opens on them, off the clock; of a run of a duration.
    `pace`: when requests are due; None is the closed loop. `excludes_errors`: latencies and bytes a second are
    those of successes alone.
    """

    targets: tuple[Target, ...]
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = b""
    sequence: tuple[Step, ...] = ()
    ids: bool = False
    compressed: bool = False
    expect_body: bytes | None = None
    connections: int = 10
    pipelining: int = 1
    workers: int = 1
    stop: Stop = Stop()
    limits: Limits = Limits()
    pace: Pace | None = None
    warmup: Warmup | None = None
    lead_in_ns: int = 0
    timeout_ns: int = 10 * SECOND_NS
    drain_ns: int = 2 * SECOND_NS
    sample_ns: int = SECOND_NS
    engine: Engine = Engine.NATIVE
    timestamps: Timestamps = Timestamps.AUTO
    tls: Tls = Tls()
    route: Route = Route()
    expect_status: tuple[int, ...] = ()
    excludes_errors: bool = False
    preflight: bool = True
    title: str = ""
    log: str | None = None
    trace: bool = False
    script_ns: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        amount = self.stop.amount
        misled = _misled(self.targets, self.sequence)
        for wrong, message in (
            (not self.targets, "a URL is needed, e.g. cannon http://127.0.0.1:4000/"),
            (bool(misled), misled),
            (self.connections < 1, "-c/--connections must be 1 or more, e.g. -c 10"),
            (self.workers < 1, "-w/--workers must be 1 or more, e.g. -w 2"),
            (
                self.workers > self.connections,
                f"-w {self.workers} workers need a connection each; give -c {self.workers} or more",
            ),
            (self.timeout_ns <= 0, "-t/--timeout must be longer than nothing, e.g. -t 10"),
            (self.lead_in_ns < 0, "a lead-in cannot be shorter than nothing; leave it out"),
            (
                self.lead_in_ns > 0 and amount is not None,
                "a lead-in comes before a window of some duration, and an amount has none; give -d",
            ),
            (
                self.lead_in_ns > 0 and self.log is not None,
                "a lead-in is in no figure, and --log would have it",
            ),
            (self.drain_ns < 0, "--drain cannot be negative, e.g. --drain 2s"),
            (self.sample_ns < 10_000_000, "-L must be 10 ms or more, e.g. -L 1000"),
            (
                amount is not None and 0 < amount < self.connections,
                f"-a {amount} is less than -c {self.connections}; give -a {self.connections} or more, or -c {amount}",
            ),
            (self.pipelining < 1, "-p/--pipelining must be 1 or more, e.g. -p 10"),
            (
                self.pipelining > 1 and any(isinstance(step.body, Streamed) for step in self.steps),
                "-p sends requests behind each other, and a body that is streamed from a file stops them; leave -p out",
            ),
            (
                self.pipelining > 1 and any(step.closes for step in self.steps),
                "-p sends requests behind each other, and none may follow -H 'Connection: close'; leave one out",
            ),
            (
                any(not 200 <= status <= 999 for status in self.expect_status),
                "--expect-status takes final statuses, e.g. --expect-status 200,404",
            ),
        ):
            if wrong:
                raise UsageError(message)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What connections send, target by target: the sequence, or one request each."""
        return self.sequence or tuple(
            Step(
                name=target.path,
                target=position,
                method=self.method,
                path=target.path,
                headers=self.headers,
                body=self.body,
            )
            for position, target in enumerate(self.targets)
        )

    @property
    def most_requests(self) -> int | None:
        """How many requests are sent at most, whatever the time; None: no matter how many."""
        overall = None if self.limits.per_connection is not None else self.limits.overall
        return min((most for most in (self.stop.amount, overall) if most is not None), default=None)

    @property
    def tick_ns(self) -> int:
        """How often a shard tells what it counted: once a second, or a whole fraction of the sample interval; more
        often where errors of several workers are to end the run.
        """
        often = self.limits.bailout is not None and self.workers > 1
        most_ns = _BAILOUT_TICK_NS if often else SECOND_NS
        return self.sample_ns // -(-self.sample_ns // most_ns)

    @property
    def stamps_by_kernel(self) -> bool:
        """Whether ends of responses are stamped by the kernel: where it can, if asked for, or under a rate."""
        plain = all(target.scheme == "http" for target in self.targets)
        can = sys.platform == "linux" and plain and self.route.socket_path is None
        wanted = self.timestamps is Timestamps.KERNEL or (
            self.timestamps is Timestamps.AUTO and self.pace is not None
        )
        return can and wanted

    @property
    def drain_limit_ns(self) -> int:
        """The drain that is granted: never longer than a response may take."""
        return min(self.drain_ns, self.timeout_ns)

    def succeeds(self, status: int) -> bool:
        """Whether a response of this status is a success."""
        return status in self.expect_status if self.expect_status else 200 <= status < 400

    def for_warmup(self) -> Plan | None:
        """The run before the run, or None."""
        if self.warmup is None:
            return None
        connections = self.warmup.connections or self.connections
        return msgspec.structs.replace(
            self,
            warmup=None,
            lead_in_ns=0,
            log=None,
            limits=Limits(reconnect_after=self.limits.reconnect_after),
            stop=self.warmup.stop,
            connections=connections,
            workers=min(self.workers, connections),
        )

    def for_preflight(self, target: int = 0) -> Plan:
        """The first request to one of the targets, or only a dial where that could change something at the server."""
        first = next(step for step in self.steps if step.target == target)
        return msgspec.structs.replace(
            self,
            targets=(self.targets[target],),
            sequence=(msgspec.structs.replace(first, target=0),) if self.sequence else (),
            warmup=None,
            lead_in_ns=0,
            log=None,
            pace=None,
            limits=Limits(),
            pipelining=1,
            connections=1,
            workers=1,
            stop=Stop(amount=1 if first.method in _SAFE_METHODS else 0),
            # Whoever interrupts it waits for nothing: there is nothing measured to be saved.
            drain_ns=0,
        )


def _misled(targets: Sequence[Target], sequence: Sequence[Step]) -> str:
    """What is wrong with where the steps of a sequence go; empty where each goes to a URL, and each URL has one."""
    asked = {step.target: step.name for step in sequence}
    for position, name in asked.items():
        if position >= len(targets):
            return f"step '{clean(name)}' has no target {position}; the last URL is {len(targets) - 1}"
    for position, target in enumerate(targets):
        if asked and position not in asked:
            return f"no step goes to {clean(redact_url(target.url))}; leave the URL out, or give it a step"
    return ""


_BAILOUT_TICK_NS = 50_000_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
