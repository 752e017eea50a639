"""A plan as result files show it: every setting in the units of its name, secrets redacted."""

from __future__ import annotations

import msgspec

from cannon.pace import Pace, Scope
from cannon.plan import Engine, Plan
from cannon.profile import Constant, Profile, Ramp
from cannon.route import Route, authority
from cannon.text import redact_headers, redact_text, redact_url
from cannon.tls import Sessions

__all__ = ["LimitSettings", "PaceSettings", "PlanSettings", "RouteSettings", "TlsSettings"]


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


class PaceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When requests were due. `profile`: "constant", "ramp" or "steps"; `per_s`: its rates in order (of a ramp, the
    first and the last); `each_s`: how long the ramp, or each step, lasts. `scope`: whose rates they are, "tool" (all
    connections together) or "connection" (each one's).
    """

    profile: str
    per_s: list[float]
    each_s: float | None
    arrivals: str
    seed: int
    scope: str

    @classmethod
    def of(cls, pace: Pace) -> PaceSettings:
        """A pace as a file has it."""
        name, rates_per_s, each_ns = _profile(pace.profile)
        return cls(
            profile=name,
            per_s=[float(per_s) for per_s in rates_per_s],
            each_s=None if each_ns is None else each_ns / 1e9,
            arrivals=pace.arrivals.value,
            seed=pace.seed,
            scope=pace.scope.value,
        )


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What would have ended a connection or the run before its time; None: nothing of the kind."""

    per_connection: int | None
    overall: int | None
    reconnect_after: int | None
    bailout: int | None


class RouteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What stood between, where connections did not simply go where the URL says."""

    proxy: str | None
    socket_path: str | None
    connect_to: str | None
    bind: str | None

    @classmethod
    def of(cls, route: Route) -> RouteSettings | None:
        """What may be shown; None where there is nothing to tell."""
        if route == Route():
            return None
        return cls(
            proxy=None if route.proxy is None else str(route.proxy),
            socket_path=route.socket_path,
            connect_to=None if route.connect_to is None else authority(*route.connect_to),
            bind=route.bind,
        )


class PlanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of the run, secrets redacted.

    `rate`: the one rate of all connections together, None without one, or where it changes (`pace` says how).
    `expect_body_bytes`: how long the body is that each response had to have. `sequence_steps`: the requests of the
    sequence, 0 without one. `timestamps`: what was asked for; what was had stands in `client`. `excludes_errors`:
    latencies and bytes a second are of successes alone.
    """

    urls: list[str]
    method: str
    headers: list[tuple[str, str]]
    body_bytes: int
    ids: bool
    compressed: bool
    expect_body_bytes: int | None
    sequence_steps: int
    connections: int
    pipelining: int
    workers: int
    rate: float | None
    pace: PaceSettings | None
    limits: LimitSettings
    duration_s: float | None
    amount: int | None
    warmup_s: float | None
    warmup_amount: int | None
    warmup_connections: int | None
    lead_in_s: float
    timeout_s: float
    drain_s: float
    sample_s: float
    engine: str
    timestamps: str
    tls: TlsSettings | None
    route: RouteSettings | None
    expect_status: list[int]
    excludes_errors: bool
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
            ids=plan.ids,
            compressed=plan.compressed,
            expect_body_bytes=None if plan.expect_body is None else len(plan.expect_body),
            sequence_steps=len(plan.sequence),
            connections=plan.connections,
            pipelining=plan.pipelining,
            workers=plan.workers,
            rate=_rate_per_s(plan),
            pace=None if plan.pace is None else PaceSettings.of(plan.pace),
            limits=LimitSettings(
                per_connection=plan.limits.per_connection,
                overall=plan.limits.overall,
                reconnect_after=plan.limits.reconnect_after,
                bailout=plan.limits.bailout,
            ),
            duration_s=plan.stop.duration_ns / 1e9 if plan.stop.amount is None else None,
            amount=plan.stop.amount,
            warmup_s=warmup.stop.duration_ns / 1e9 if warmup and warmup.stop.amount is None else None,
            warmup_amount=warmup.stop.amount if warmup else None,
            warmup_connections=warmup.connections if warmup else None,
            lead_in_s=plan.lead_in_ns / 1e9,
            timeout_s=plan.timeout_ns / 1e9,
            drain_s=plan.drain_limit_ns / 1e9,
            sample_s=plan.sample_ns / 1e9,
            engine=plan.engine.value,
            timestamps=plan.timestamps.value,
            tls=TlsSettings.of(plan),
            route=RouteSettings.of(plan.route),
            expect_status=list(plan.expect_status),
            excludes_errors=plan.excludes_errors,
            preflight=plan.preflight,
            title=redact_text(plan.title),
        )


def _rate_per_s(plan: Plan) -> float | None:
    pace = plan.pace
    if pace is None or not isinstance(pace.profile, Constant):
        return None
    return pace.profile.per_s * (plan.connections if pace.scope is Scope.CONNECTION else 1)


def _profile(profile: Profile) -> tuple[str, tuple[float, ...], int | None]:
    """Its name, its rates in order, and how long the ramp or each step lasts (ns)."""
    if isinstance(profile, Constant):
        return "constant", (profile.per_s,), None
    if isinstance(profile, Ramp):
        return "ramp", (profile.from_per_s, profile.to_per_s), profile.over_ns
    return "steps", profile.per_s, profile.each_ns
