"""What was measured of a comparison: slots, rounds of one slot for each side, and rounds that were dropped.

Law: the round is the sample. A slot keeps the figures of one run as that run told them; a round has a slot of every
side, or it is none.
"""

from __future__ import annotations

import msgspec

from cannon.result import Result
from cannon.rounds import Pass
from cannon.tally import Histogram

__all__ = ["OWN", "Dropped", "Round", "Slot"]

OWN = "cannon"
"""The name of cannon itself among the processes whose CPU is told."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One side in one round: `seconds` of it, measured.

    `rps`: successes a second; `count`: the latencies that the percentiles are of; bytes are a response's, headers
    included, or of bodies alone. `sent`: inside the window, `outside`: before it; with nothing in flight both together
    are the server's own count. `due`, `never_sent`, `late_p99_ms`: under a rate; the last is how late cannon itself
    was. `reconnects`: connections beyond the first of each. `negotiated`: TLS by version and cipher. `cpu_us`: CPU per
    request, of cannon and of each process that was named with its descendants. `saturated`: cannon was the limit;
    `cpu_bound`: for want of CPU, so that no more could go through; `reasons`: why its run is suspect. `histogram`:
    base64, HdrHistogram V2. `mismatched`: completed, and not as expected.
    """

    seconds: float
    rps: float | None
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    p99_9_ms: float | None
    mean_ms: float | None
    count: int
    bytes_per_response: float | None
    body_bytes_per_response: float | None
    status: dict[str, int]
    errors: dict[str, int]
    sent: int
    outside: int
    completed: int
    in_flight: int
    due: int | None
    never_sent: int
    made: int
    reconnects: int
    connects_failed: int
    negotiated: dict[str, int]
    cpu_us: dict[str, float]
    busy: float | None
    late_p99_ms: float | None
    own_delay_p99_ms: float | None
    steal: float | None
    saturated: bool
    cpu_bound: bool
    reasons: list[str]
    histogram: str | None
    mismatched: int = 0

    @classmethod
    def of(cls, result: Result, connections: int, cpu_us: dict[str, float] | None = None) -> Slot:
        """The figures of one run. `cpu_us`: of the processes that were named."""
        latency, completed = result.latency_ms, result.requests.completed
        ended = sum(row.requests for row in result.series)
        own_us = result.client.window_cpu_s * 1e6 / ended if ended else None
        succeeded = sum(row.succeeded for row in result.series)
        return cls(
            seconds=result.duration_s,
            rps=succeeded / result.duration_s if result.duration_s else None,
            p50_ms=latency.p50,
            p90_ms=latency.p90,
            p99_ms=latency.p99,
            p99_9_ms=latency.p99_9,
            mean_ms=latency.mean,
            count=latency.count,
            bytes_per_response=result.bytes.per_response,
            body_bytes_per_response=result.bytes.body_per_response,
            status=result.status,
            errors=result.errors,
            sent=result.requests.sent,
            outside=result.outside.preflight + result.outside.warmup,
            completed=completed,
            in_flight=result.requests.in_flight,
            due=result.requests.due,
            never_sent=result.requests.never_sent,
            made=result.connects.made,
            reconnects=max(0, result.connects.made - connections),
            connects_failed=result.connects.failed,
            negotiated=result.connects.negotiated,
            cpu_us={**({} if own_us is None else {OWN: own_us}), **(cpu_us or {})},
            busy=result.client.busy,
            late_p99_ms=None if result.client.late_ms is None else result.client.late_ms.p99,
            own_delay_p99_ms=result.client.own_delay_ms.p99,
            steal=result.client.steal,
            saturated=result.client.saturated,
            cpu_bound=result.client.cpu_bound,
            reasons=result.validity.reasons,
            histogram=latency.histogram,
            mismatched=result.requests.mismatched,
        )

    @property
    def latency(self) -> Histogram:
        """The distribution of its latencies."""
        return Histogram.decode(self.histogram) if self.histogram else Histogram()


class Round(msgspec.Struct, frozen=True, kw_only=True, rename={"of": "pass"}):
    """One slot of every side, in the order in which they were fired. `of`: the pass; `number` counts from 1."""

    of: Pass
    number: int
    order: list[str]
    slots: dict[str, Slot]


class Dropped(msgspec.Struct, frozen=True, kw_only=True, rename={"of": "pass"}):
    """A round that is none, because the slot of this side failed: why, in words."""

    of: Pass
    number: int
    side: str
    reason: str
