"""What a run found: the plan, the Tally, the host, cannon's own cost and whether the figures can be trusted.

The fields are those of the result file `cannon/result/1`; the JSON Schema is derived from these types, so what
is written and what is promised cannot part. Times carry the units of their names; None, never 0 or NaN, where
there is nothing to tell. Nothing here measures or prints.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cannon.doubts import cpu_bound, saturated
from cannon.durations import Durations, OwnDelay, milliseconds
from cannon.evidence import Evidence, Place
from cannon.host import Host
from cannon.plan import Plan
from cannon.scenario_report import ScenarioReport
from cannon.series import SeriesRow
from cannon.settings import PlanSettings
from cannon.tally import Histogram, StepTally, Tally
from cannon.text import clean, redact_text, redact_url
from cannon.validity import Validity, judge

Buffer = bytes
"""A name for bytes inside Result, where `bytes` is a field of the file."""

__all__ = [
    "INTERRUPTED",
    "Cannon",
    "Client",
    "Outside",
    "Result",
    "Validity",
    "Worker",
    "result_of",
    "schema",
]

SCHEMA = "cannon/result/1"

_MOST = 0.5
"""Of the responses: a connection's first may lack a stamp of the kernel."""

INTERRUPTED = {"SIGINT": 130, "SIGTERM": 143}
"""The exit codes of what a signal ended."""


class Cannon(msgspec.Struct, frozen=True):
    """What measured: `compiled`: whether its hot modules are machine code; `command`: secrets redacted."""

    version: str
    engine: str
    compiled: bool
    python: str
    command: str


class Requests(msgspec.Struct, frozen=True):
    """sent = completed + failed + in_flight. `per_s`: responses per second that ended inside the window.

    `due`: under a rate, how many were due by the end; due = sent + never_sent. None in a closed loop.
    """

    sent: int
    completed: int
    succeeded: int
    mismatched: int
    failed: int
    in_flight: int
    oldest_in_flight_ms: float | None
    never_sent: int
    due: int | None
    per_s: float | None


class Outside(msgspec.Struct, frozen=True):
    """Requests sent off the clock. With in_flight 0: sent + outside = the server's own count."""

    preflight: int = 0
    warmup: int = 0


class Connects(msgspec.Struct, frozen=True):
    """Dials: attempted = made + failed + in_progress. `closed_idle`: closed by the server with nothing in flight.

    `negotiated`: those made, by TLS version and cipher. `answered_min` and `answered_max`: responses that one of the
    plan's connections got, however often it was made again; None where it was not told.
    """

    attempted: int
    made: int
    failed: int
    in_progress: int
    closed_idle: int
    errors: dict[str, int]
    negotiated: dict[str, int]
    answered_min: int | None
    answered_max: int | None


class Bytes(msgspec.Struct, frozen=True):
    """Bytes on the wire; `per_s` received inside the window (with -x: in successes alone).

    `per_response`, `body_per_response`: of one response, those of a lead-in among them, since of what is under way when
    that ends a part has come before.
    """

    received: int
    received_body: int
    sent: int
    per_s: float | None
    per_response: float | None = None
    body_per_response: float | None = None


class Client(msgspec.Struct, frozen=True):
    """cannon's own share: CPU of all its processes, and what delayed it. `busy`: of one core, by the busiest worker.

    `window_cpu_s`: of `cpu_s` what the workers used inside the window, without their start and what they spun.
    `own_delay_ms`: from the loop learning that a response is there to having handled it; a part of no latency whose
    response the kernel stamped. `late_ms`: under a rate, by how much requests were sent late that a free connection
    awaited, so that nobody but cannon was late. `timestamps`: who stamped the ends of most responses, "kernel" or
    "loop"; `stamped`: how many the kernel did. `saturated`: cannon was the limit; `cpu_bound`: for want of CPU.
    """

    cpu_s: float
    cpu_us_per_request: float | None
    window_cpu_s: float
    busy: float | None
    own_delay_ms: OwnDelay
    late_ms: OwnDelay | None
    run_delay_ms: float
    longest_pause_ms: float
    steal: float | None
    timestamps: str
    stamped: int
    saturated: bool
    cpu_bound: bool


class Worker(msgspec.Struct, frozen=True):
    """One worker process: `state` is "ended" or "lost"."""

    index: int
    host: str
    sent: int
    completed: int
    own_delay_ms: OwnDelay
    state: str


class GateVerdict(msgspec.Struct, frozen=True):
    """What one gate said."""

    expression: str
    verdict: str
    value: float | None
    bound: float | None
    low: float | None
    high: float | None
    unit: str
    reason: str


class TargetResult(msgspec.Struct, frozen=True):
    """The share of one URL, or of one step of a sequence, where there are several. `requests`: whole responses."""

    name: str
    url: str
    requests: int
    status: dict[str, int]
    latency_ms: Durations


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as its file has it.

    `latency_ms`: response times, of every whole response and of timeouts at their deadline (with -x: of successes
    alone). Under a rate they count from when a request was due; `service_ms` then counts from when it was sent, and
    `late_ms` is the time between. Without one `service_ms` is the same and `late_ms` None. `targets`: empty where there
    is only one.
    """

    schema: str
    cannon: Cannon
    host: Host
    started: str
    finished: str
    plan: PlanSettings
    duration_s: float
    requests: Requests
    outside: Outside
    connects: Connects
    status: dict[str, int]
    errors: dict[str, int]
    error_examples: dict[str, str]
    latency_ms: Durations
    service_ms: Durations
    late_ms: Durations | None
    connect_ms: Durations
    tls_ms: Durations
    tls_resumed_ms: Durations
    ttfb_ms: Durations
    bytes: Bytes
    excess_responses: int
    series: list[SeriesRow]
    targets: list[TargetResult]
    client: Client
    workers: list[Worker]
    validity: Validity
    gates: list[GateVerdict]
    interrupted: str | None
    scenario: ScenarioReport | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this result: the first that applies."""
        if self.interrupted:
            return INTERRUPTED[self.interrupted]
        if self.validity.verdict == "invalid":
            return 3
        return 4 if any(gate.verdict == "fail" for gate in self.gates) else 0

    @property
    def latency(self) -> Histogram:
        """The distribution behind `latency_ms`."""
        encoded = self.latency_ms.histogram
        return Histogram.decode(encoded) if encoded else Histogram()

    def to_json(self) -> Buffer:
        """The file: one JSON document, indented, ending in a newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @classmethod
    def from_json(cls, data: Buffer) -> Result:
        """The Result of a file; msgspec.ValidationError names what does not fit."""
        return msgspec.json.decode(data, type=cls)


def schema() -> dict[str, Any]:
    """The JSON Schema of the result file."""
    described = msgspec.json.schema(Result)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **described}


def result_of(
    *,
    plan: Plan,
    tally: Tally,
    duration_ns: int,
    series: list[SeriesRow],
    outside: Outside,
    cannon: Cannon,
    host: Host,
    started: str,
    finished: str,
    cpu_s: float,
    steal: float | None,
    workers: list[Worker],
    problems: list[str],
    interrupted: str | None,
    shards: tuple[Tally, ...],
    place: Place,
    ended: bool = False,
) -> Result:
    """The Result of what was counted. `problems` are reasons, known to the caller, why it is invalid; `shards` are
    the sums of each worker, of none where nothing was fired; `place`: where the server runs; `ended`: it was enough
    before its time.
    """
    duration_s = duration_ns / 1e9
    service = Durations.of(tally.service)
    latency = service if plan.pace is None else Durations.of(tally.response)
    responses = tally.led_in_completed + tally.completed
    evidence = Evidence.of(plan, tally, shards, latency=latency, cores=host.cores, steal=steal, place=place)
    return Result(
        schema=SCHEMA,
        cannon=cannon,
        host=host,
        started=started,
        finished=finished,
        plan=PlanSettings.of(plan),
        duration_s=duration_s,
        requests=Requests(
            sent=tally.sent,
            completed=tally.completed,
            succeeded=tally.succeeded,
            mismatched=tally.mismatched,
            failed=tally.failed,
            in_flight=tally.in_flight,
            oldest_in_flight_ms=milliseconds(tally.oldest_in_flight_ns) if tally.in_flight else None,
            never_sent=tally.never_sent,
            due=None if plan.pace is None else tally.sent + tally.never_sent,
            per_s=_per_s(tally.row.requests, duration_s),
        ),
        outside=outside,
        connects=Connects(
            attempted=tally.attempted,
            made=tally.made,
            failed=tally.connects_failed,
            in_progress=tally.connecting,
            closed_idle=tally.closed_idle,
            errors={fault.value: count for fault, count in sorted(tally.connect_errors.items())},
            negotiated=dict(sorted(tally.negotiated.items())),
            answered_min=tally.fewest_answered,
            answered_max=tally.most_answered,
        ),
        status={str(status): count for status, count in sorted(tally.status.items())},
        errors={fault.value: count for fault, count in sorted(tally.errors.items())},
        error_examples={
            # A server's own lines are quoted in it.
            fault.value: redact_text(example.message)
            for fault, example in sorted(tally.examples.items())
        },
        latency_ms=latency,
        service_ms=service,
        late_ms=None if plan.pace is None else Durations.of(tally.late),
        connect_ms=Durations.of(tally.connect),
        tls_ms=Durations.of(tally.tls),
        tls_resumed_ms=Durations.of(tally.tls_resumed),
        ttfb_ms=Durations.of(tally.first_byte),
        bytes=Bytes(
            received=tally.received_bytes,
            received_body=tally.received_body_bytes,
            sent=tally.sent_bytes,
            per_s=_per_s(tally.row.received_bytes, duration_s),
            per_response=_of_one(tally.led_in_bytes + tally.received_bytes, responses),
            body_per_response=_of_one(tally.led_in_body_bytes + tally.received_body_bytes, responses),
        ),
        excess_responses=tally.excess,
        series=series,
        targets=_targets(plan, tally),
        client=Client(
            cpu_s=cpu_s,
            cpu_us_per_request=cpu_s * 1e6 / tally.completed if tally.completed else None,
            window_cpu_s=tally.cpu_ns / 1e9,
            busy=evidence.busy,
            own_delay_ms=evidence.own_delay,
            late_ms=None if evidence.lateness is None else evidence.lateness.delay,
            run_delay_ms=tally.run_delay_ns / 1e6,
            longest_pause_ms=tally.longest_pause_ns / 1e6,
            steal=steal,
            timestamps="kernel" if evidence.stamped > _MOST else "loop",
            stamped=tally.stamped,
            saturated=saturated(evidence),
            cpu_bound=cpu_bound(evidence),
        ),
        workers=workers,
        validity=judge(plan, tally, evidence, problems=problems, ended=ended or interrupted is not None),
        gates=[],
        interrupted=interrupted,
    )


def _targets(plan: Plan, tally: Tally) -> list[TargetResult]:
    """The share of each step, in the order of the plan; none where there is only one."""
    steps = plan.steps
    if len(steps) < 2:
        return []
    shares = [tally.steps.get(position, StepTally()) for position in range(len(steps))]
    return [
        TargetResult(
            name=clean(redact_url(step.name)),
            url=redact_url(plan.targets[step.target].url),
            requests=sum(share.status.values()),
            status={str(status): count for status, count in sorted(share.status.items())},
            latency_ms=Durations.of(share.latency),
        )
        for step, share in zip(steps, shares, strict=True)
    ]


def _of_one(received_bytes: int, responses: int) -> float | None:
    return received_bytes / responses if responses else None


def _per_s(count: int, duration_s: float) -> float | None:
    return count / duration_s if duration_s > 0 else None
