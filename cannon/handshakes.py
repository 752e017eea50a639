"""What a new connection costs, where a side has TLS: the dial, a whole handshake, and one that resumes a session.

Law: apart from requests, which are on warm connections. A sample is the median of a few handshakes, one after the
other, nothing else under way; the round is the sample here too, and its sides come in drawn order. A run that fails
leaves its sample out, is told, and ends nothing. What it sent is counted with what is in no slot.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from cannon import signed_rank
from cannon.comparison import Handshake
from cannon.errors import InvalidRun
from cannon.plan import Engine, Limits, Plan, Stop
from cannon.result import Result
from cannon.rounds import ComparisonPlan, Side, orders
from cannon.rows import Change
from cannon.tls import Sessions

__all__ = ["MOST_ROUNDS", "Handshakes", "Sample", "handshake_plan"]

MOST_ROUNDS = 10
"""More are not fired, whatever the comparison: each takes two runs of every side."""

_REQUESTS = 16
"""Of a run, each on a connection of its own."""
_LIMIT_NS = 2_000_000_000
"""A run is over by then: a slow page, or a server that lets handshakes hang, gives fewer."""
_DRAIN_NS = 500_000_000
_FAILURES = 3
"""So many of a run end it, and a side with so many failed runs is asked no more."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One side in one round, medians in ms; None where there was none of the kind."""

    connect_ms: float | None
    fresh_ms: float | None
    resumed_ms: float | None


class Gun(Protocol):
    """What fires (cannon.gunner): a run, and `sent`, requests by side, which whoever fires adds to."""

    sent: dict[str, int]

    def run(self, plan: Plan) -> Result:
        """Fire a plan. InvalidRun where there is nothing to fire at."""


class Handshakes:
    """Those of one comparison. `wanted`: whether a side has TLS, so that there is something to be told."""

    def __init__(self, plan: ComparisonPlan, gun: Gun) -> None:
        self._plan = plan
        self._gun = gun
        self._samples: dict[str, list[Sample]] = {name: [] for name in plan.names}
        self._failures: dict[str, list[str]] = {name: [] for name in plan.names}
        self.wanted = any(_has_tls(side.plan) for side in plan.sides)

    @property
    def told(self) -> list[str]:
        """What is missing and why: a line for each side of which runs failed."""
        return [
            f"side '{name}': handshakes failed in {len(reasons)} of {len(reasons) + len(self._samples[name])} rounds:"
            f" {reasons[-1]}"
            for name, reasons in self._failures.items()
            if reasons
        ]

    @property
    def rounds(self) -> int:
        """How many there are to be."""
        return min(self._plan.rounds, MOST_ROUNDS) if self.wanted else 0

    def measure(self) -> None:
        """Fire all rounds. What ends them early, an interrupt, leaves those that are whole."""
        plan = self._plan
        sides = {side.name: side for side in plan.sides}
        for order in orders(plan.names, self.rounds, plan.order, plan.seed, "handshakes"):
            for name in order:
                if len(self._failures[name]) < _FAILURES:
                    self._measure(sides[name])

    def found(self) -> list[Handshake]:
        """Each side that was sampled, in the order of the plan."""
        return [
            Handshake(
                side=name,
                connect_ms=_change([sample.connect_ms for sample in samples]),
                fresh_ms=_change([sample.fresh_ms for sample in samples]),
                resumed_ms=_change([sample.resumed_ms for sample in samples]),
            )
            for name, samples in self._samples.items()
            if samples
        ]

    def _measure(self, side: Side) -> None:
        """One sample of a side, or one failure."""
        try:
            fresh = self._fire(side, Sessions.FRESH)
            resumed = self._fire(side, Sessions.RESUME) if _has_tls(side.plan) else fresh
        except InvalidRun as failure:
            self._failures[side.name].append(failure.message)
            return
        if fresh.interrupted or resumed.interrupted:
            return
        missing = _missing(side.plan, fresh)
        if missing:
            self._failures[side.name].append(missing)
            return
        self._samples[side.name].append(
            Sample(
                connect_ms=fresh.connect_ms.p50,
                fresh_ms=fresh.tls_ms.p50,
                resumed_ms=resumed.tls_resumed_ms.p50,
            )
        )

    def _fire(self, side: Side, sessions: Sessions) -> Result:
        """One run. What it sent is counted, whatever became of it."""
        result = self._gun.run(handshake_plan(side.plan, sessions))
        self._gun.sent[side.name] += result.requests.sent + result.outside.preflight + result.outside.warmup
        return result


def handshake_plan(plan: Plan, sessions: Sessions) -> Plan:
    """The run of which a sample is made: one connection at a time, a request each, and then another one."""
    return msgspec.structs.replace(
        plan,
        connections=1,
        workers=1,
        pipelining=1,
        stop=Stop(duration_ns=_LIMIT_NS),
        limits=Limits(reconnect_after=1, overall=_REQUESTS, bailout=_FAILURES),
        pace=None,
        warmup=None,
        lead_in_ns=0,
        timeout_ns=min(plan.timeout_ns, _LIMIT_NS),
        drain_ns=min(plan.drain_ns, _DRAIN_NS),
        expect_body=None,
        preflight=False,
        log=None,
        trace=False,
        # httpx offers no session again, and counts no requests of a connection.
        engine=Engine.NATIVE if plan.engine is Engine.HTTPX else plan.engine,
        tls=msgspec.structs.replace(plan.tls, sessions=sessions),
    )


def _has_tls(plan: Plan) -> bool:
    return any(target.scheme == "https" for target in plan.targets)


def _missing(plan: Plan, result: Result) -> str:
    """Why a run has no handshake to tell of; empty where it has."""
    made = result.tls_ms if _has_tls(plan) else result.connect_ms
    if made.count:
        return ""
    return next(iter(result.error_examples.values()), f"none ended within {_LIMIT_NS / 1e9:g} s")


def _change(values: list[float | None]) -> Change | None:
    """The estimate of the rounds and its interval; None without any."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    found = signed_rank.interval(known)
    return Change(found.estimate, found.low, found.high)
