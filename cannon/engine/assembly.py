"""The connections of a shard and what they share, put together from its plan: a meter, a supply, schedules, stamps."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from time import monotonic_ns

from cannon.engine.connection import Connection
from cannon.engine.framing import Express, FastFraming, Framing
from cannon.engine.latency_log import LatencyLog
from cannon.engine.loop import Loop
from cannon.engine.meter import Meter
from cannon.engine.openers import openers_of
from cannon.engine.schedule import Schedule
from cannon.engine.stamps import Stamps
from cannon.engine.supply import Feed, Prepared, Supply, Walk, identities
from cannon.pace import Scope
from cannon.plan import Engine, Plan
from cannon.request import Request
from cannon.shard import Shard

__all__ = ["Assembly"]


class Assembly:
    """Of one shard. `connections` in the order of the run; `schedules`: none in the closed loop, one for the shard, or
    one for each connection; `stamps`: None where the loop stamps.
    """

    def __init__(
        self,
        shard: Shard,
        loop: Loop,
        log: LatencyLog | None,
        *,
        dialled: Callable[[], None],
        finished: Callable[[], None],
        faulted: Callable[[], None],
    ) -> None:
        self._shard = shard
        self._plan = plan = shard.plan
        self._loop = loop
        self._prepared = [
            Prepared(Request.build(plan, step), position, plan.expect_body)
            for position, step in enumerate(plan.steps)
        ]
        # By target: ten thousand connections may each walk through as many steps.
        self._walked: list[list[Prepared]] = [[] for _ in plan.targets]
        for prepared, step in zip(self._prepared, plan.steps, strict=True):
            self._walked[step.target].append(prepared)
        self._ids = identities(int.from_bytes(os.urandom(4), "big"), shard.index)
        self.supply = Supply(shard.amount, self._prepared[0])
        self.meter = Meter(
            plan.succeeds,
            monotonic_ns(),
            self.supply,
            log=log,
            steps=len(self._prepared),
            due=plan.pace is not None,
            only_successes=plan.excludes_errors,
            faulted=faulted,
        )
        self.stamps = Stamps() if plan.stamps_by_kernel else None
        self.schedules: list[Schedule] = []
        self._frame = _framing_of(plan, self.meter)
        self._openers = openers_of(plan)
        self.connections = [self._connection(place, dialled, finished) for place in range(shard.connections)]

    def _connection(
        self, place: int, dialled: Callable[[], None], finished: Callable[[], None]
    ) -> Connection:
        plan, shard = self._plan, self._shard
        number = shard.index + place * shard.count
        target = number % len(plan.targets)
        return Connection(
            loop=self._loop,
            meter=self.meter,
            addresses=plan.targets[target].addresses,
            timeout_ns=plan.timeout_ns,
            feed=self._feed(target),
            limits=plan.limits,
            pipelining=plan.pipelining,
            frame=self._frame,
            open_socket=self._openers[target](),
            dialled=dialled,
            finished=finished,
            schedule=self._schedule(number),
            stamps=self.stamps,
        )

    def _feed(self, target: int) -> Feed:
        """What a connection to this target sends: a request that repeats is shared, and costs nothing to take."""
        steps = self._walked[target]
        if len(self._prepared) == 1 and not steps[0].request.pieces:
            return Feed(steps[0], self.supply.tickets)
        return Walk(self.supply, steps, self._ids).feed

    def _schedule(self, number: int) -> Schedule | None:
        """When the requests of connection `number` of the run are due."""
        pace, shard, each = self._plan.pace, self._shard, self._plan.limits.per_connection
        if pace is None:
            return None
        if pace.scope is Scope.CONNECTION:
            dues, users = pace.connection_due_ns(number, self._plan.connections), 1
        elif not self.schedules:
            dues, users = pace.due_ns(shard.index, shard.count), shard.connections
        else:
            return self.schedules[0]
        # Nothing is due of whoever may send no more.
        self.schedules.append(Schedule(self._loop, dues if each is None else islice(dues, each * users)))
        return self.schedules[-1]


def _framing_of(plan: Plan, meter: Meter) -> Callable[[], Framing]:
    """Makes the framing of each socket."""
    bodies = meter.bodies
    if plan.engine is Engine.H11:
        from cannon.engine.strict import StrictFraming

        return lambda: StrictFraming(bodies=bodies)
    lane = Express(bodies)
    return lambda: FastFraming(bodies=bodies, lane=lane)
