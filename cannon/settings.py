"""A plan as result files show it: every setting in the units of its name, secrets redacted."""

from __future__ import annotations

import msgspec

from cannon.plan import Engine, Plan
from cannon.text import redact_headers, redact_url
from cannon.tls import Sessions

__all__ = ["PlanSettings", "TlsSettings"]


class TlsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How connections were secured. `server_name` None: the URL's host was asked for; `key`: whether it had a file of
    its own; `sessions`: "resume" or "fresh".
    """

    verify: bool
    server_name: str | None
    ca: list[str]
    cert: str | None
    key: bool
    sessions: str

    @classmethod
    def of(cls, plan: Plan) -> TlsSettings | None:
        """What may be shown; None where nothing was fired over TLS."""
        if all(target.scheme != "https" for target in plan.targets):
            return None
        return cls(
            verify=plan.tls.verify,
            server_name=plan.tls.server_name or None,
            ca=list(plan.tls.ca),
            cert=plan.tls.cert,
            key=plan.tls.key is not None,
            # httpx resumes none, whatever it is told.
            sessions=(Sessions.FRESH if plan.engine is Engine.HTTPX else plan.tls.sessions).value,
        )


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
    tls: TlsSettings | None
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
            tls=TlsSettings.of(plan),
            expect_status=list(plan.expect_status),
            preflight=plan.preflight,
            title=plan.title,
        )
