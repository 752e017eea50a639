"""A plan as result files show it: every setting in the units of its name, secrets redacted."""

from __future__ import annotations

import msgspec

from cannon.plan import Plan
from cannon.text import redact_headers, redact_url

__all__ = ["PlanSettings"]


class PlanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of the run, secrets redacted."""

    urls: list[str]
    method: str
    headers: list[tuple[str, str]]
    body_bytes: int
    connections: int
    pipelining: int
    workers: int
    rate: float | None
    duration_s: float | None
    amount: int | None
    warmup_s: float | None
    warmup_amount: int | None
    warmup_connections: int | None
    timeout_s: float
    drain_s: float
    sample_s: float
    engine: str
    expect_status: list[int]
    preflight: bool
    title: str

    @classmethod
    def of(cls, plan: Plan) -> PlanSettings:
        """What may be shown of a plan."""
        warmup = plan.for_warmup()
        return cls(
            urls=[redact_url(target.url) for target in plan.targets],
            method=plan.method,
            headers=redact_headers(plan.headers),
            body_bytes=len(plan.body),
            connections=plan.connections,
            pipelining=1,
            workers=plan.workers,
            rate=None,
            duration_s=plan.stop.duration_ns / 1e9 if plan.stop.amount is None else None,
            amount=plan.stop.amount,
            warmup_s=warmup.stop.duration_ns / 1e9 if warmup and warmup.stop.amount is None else None,
            warmup_amount=warmup.stop.amount if warmup else None,
            warmup_connections=warmup.connections if warmup else None,
            timeout_s=plan.timeout_ns / 1e9,
            drain_s=plan.drain_limit_ns / 1e9,
            sample_s=plan.sample_ns / 1e9,
            engine=plan.engine.value,
            expect_status=list(plan.expect_status),
            preflight=plan.preflight,
            title=plan.title,
        )
