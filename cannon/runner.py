"""One run, from a Plan to a Result: preflight, warm-up, fire, sum.

Nothing here prints, and nothing that watches can reach what measures: callers are told of progress by calls, and
stop the run through an `Interrupt`.
"""

from __future__ import annotations

import os
import platform
import resource
import select
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic_ns
from typing import Protocol

import msgspec

from cannon.durations import OwnDelay
from cannon.errors import InvalidRun
from cannon.evidence import Place
from cannon.fleets.ledger import Ledger
from cannon.fleets.processes import Processes
from cannon.host import cpu_times, is_local, this_host
from cannon.plan import Plan
from cannon.preflight import preflight, resolved
from cannon.progress import Phase, Progress, SoFar, State
from cannon.result import Cannon, Outside, Result, Worker, result_of
from cannon.series import SeriesRow
from cannon.shard import split
from cannon.tally import Tally
from cannon.validity import bailing
from cannon.version import __version__, is_compiled

__all__ = ["Interrupt", "Run", "now", "run", "this_cannon"]


_PIPE_BYTES = 4096


class Interrupt:
    """How a run is told to stop from outside: from a signal handler, too.

    `is_enough`, if there is one, is asked of what was told so far, whenever a worker has told more; once it says so,
    the run ends as it would at the end of its time.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.is_enough: Callable[[SoFar], bool] | None = None
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)

    def fileno(self) -> int:
        """Readable once somebody has called `stop`; a byte for each call."""
        return self._reading

    def stop(self, reason: str) -> None:
        """Stop sending, read what is in flight, report. A second call ends the run at once."""
        self.reason = self.reason or reason
        os.write(self._writing, b".")

    def finish(self) -> None:
        """Stop sending, read what is in flight, report; nobody has interrupted it."""
        os.write(self._writing, b".")

    def end(self) -> None:
        """End the run at once, for a reason of its own: nobody has interrupted it."""
        os.write(self._writing, b"..")

    def rearm(self) -> None:
        """Forget what `finish` or `end` asked of a run that is over, so that it ends no other; a `stop` stands."""
        if self.reason is None and select.select((self._reading,), (), (), 0)[0]:
            os.read(self._reading, _PIPE_BYTES)

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._reading)
        os.close(self._writing)


class _Fired(msgspec.Struct, frozen=True):
    """What a fleet brought home: the sum of all and each shard's own, how each worker ended, the rows, and a line for
    each one lost. `ended`: it was enough before its time.
    """

    total: Tally = Tally()
    shards: tuple[Tally, ...] = ()
    states: tuple[State, ...] = ()
    rows: tuple[SeriesRow, ...] = ()
    losses: tuple[str, ...] = ()
    ended: bool = False


Watch = Callable[[Progress], None]
Rows = Callable[[SeriesRow], None]
Note = Callable[[str], None]


class Run(Protocol):
    """How a plan is fired: `run`, or what a test puts in its place."""

    def __call__(
        self, plan: Plan, *, command: str, watch: Watch, rows: Rows, note: Note, interrupt: Interrupt | None
    ) -> Result:
        """Fire, and tell what was found."""


def _ignore(told: object) -> None:
    """Nobody listens."""


def run(
    plan: Plan,
    *,
    command: str = "",
    watch: Watch = _ignore,
    rows: Rows = _ignore,
    note: Note = _ignore,
    interrupt: Interrupt | None = None,
) -> Result:
    """Fire a plan and return what was found.

    `watch` hears of progress about once a second, `rows` of every closed row of the series, `note` of what is
    worth a line. Raises InvalidRun when nothing can be fired at, UsageError when the request cannot be built.
    """
    if interrupt is not None:
        return _run(plan, command, watch, rows, note, interrupt)
    own = Interrupt()
    try:
        return _run(plan, command, watch, rows, note, own)
    finally:
        own.close()


def _run(plan: Plan, command: str, watch: Watch, rows: Rows, note: Note, interrupt: Interrupt) -> Result:
    started = now()
    plan = resolved(plan)
    outside, problems = _fire_outside(plan, watch, note, interrupt)
    cpu_began_s, machine_began = _cpu_s(), cpu_times()
    if interrupt.reason is None:
        if plan.trace:
            note("the run:")
        fired = _fire(plan, Phase.FIRE, watch, rows, note, interrupt)
    else:
        fired = _Fired()
    total = fired.total
    outside = msgspec.structs.replace(outside, warmup=outside.warmup + total.led_in)
    problems += [f"{loss}: what it had not told yet is missing" for loss in fired.losses]
    if total.log_lost:
        problems.append("the log of latencies could not be written whole")
    host = this_host()
    return result_of(
        plan=plan,
        tally=total,
        duration_ns=max((tally.row.window_ns for tally in fired.shards), default=0),
        series=list(fired.rows),
        outside=outside,
        cannon=this_cannon(plan, command),
        host=host,
        started=started,
        finished=now(),
        cpu_s=_cpu_s() - cpu_began_s,
        steal=cpu_times().steal_since(machine_began),
        workers=[
            Worker(
                index=index,
                host=host.hostname,
                sent=tally.sent,
                completed=tally.completed,
                own_delay_ms=OwnDelay.of(tally.own_delay),
                state=state.value,
            )
            for index, (tally, state) in enumerate(zip(fired.shards, fired.states, strict=True))
        ],
        problems=problems,
        interrupted=interrupt.reason,
        ended=fired.ended,
        shards=fired.shards,
        place=_place(plan),
    )


def _place(plan: Plan) -> Place:
    """Where the server of a resolved plan runs."""
    addresses = (address for target in plan.targets for address in target.addresses)
    here = any(address.path or is_local(address.ip) for address in addresses)
    return Place.HERE if here else Place.ELSEWHERE


def _fire_outside(plan: Plan, watch: Watch, note: Note, interrupt: Interrupt) -> tuple[Outside, list[str]]:
    """The preflight and the warm-up: what they sent, and what is wrong with it."""
    preflight_sent = warmup_sent = 0
    problems: list[str] = []
    if plan.preflight:
        watch(Progress(phase=Phase.PREFLIGHT))
        if plan.trace:
            note("the preflight, off the clock:")
        try:
            found = preflight(plan, interrupt.fileno())
        except InvalidRun:
            # Whoever interrupts a preflight gets a report, if one without figures, and no complaint.
            if interrupt.reason is None:
                raise
        else:
            preflight_sent = found.sent
            for line in found.notes:
                note(line)
    if plan.log is not None:
        # Workers append to one file, which begins empty.
        with open(plan.log, "wb"):
            pass
    warmup = plan.for_warmup()
    if warmup is not None and interrupt.reason is None:
        warmed = _fire(warmup, Phase.WARMUP, watch, _ignore, note, interrupt)
        warmup_sent = warmed.total.sent
        problems += [f"in the warm-up {loss}" for loss in warmed.losses]
    return Outside(preflight_sent, warmup_sent), problems


def _fire(plan: Plan, phase: Phase, watch: Watch, rows: Rows, note: Note, interrupt: Interrupt) -> _Fired:
    """Fire a plan on worker processes and add up what they tell. Raises InvalidRun where none can be started."""
    ledger = Ledger(plan, phase, plan.workers)
    losses: dict[int, str] = {}
    bailed_out = ended = False
    watch(ledger.progress(0.0, None))
    with Processes(split(plan, plan.workers)) as workers:
        for index, tally in workers.fire(interrupt.fileno()):
            elapsed_s = (monotonic_ns() - workers.began_ns) / 1e9 if workers.began_ns else 0.0
            if tally is not None:
                closed = ledger.add(index, tally, elapsed_s)
                if not bailed_out and _has_enough(plan, ledger):
                    bailed_out = True
                    interrupt.end()
                if not (bailed_out or ended) and phase is Phase.FIRE and _is_enough(interrupt, ledger):
                    ended = True
                    interrupt.finish()
            elif index in workers.lost:
                losses[index] = f"worker {index} (pid {workers.pids[index]}) was lost, {workers.lost[index]}"
                note(f"worker {index} was lost")
                closed = ledger.end(index, State.LOST)
            else:
                closed = ledger.end(index, State.ENDED)
            for row in closed:
                rows(row)
            watch(ledger.progress(elapsed_s, closed[-1] if closed else None))
    total = ledger.total
    if bailed_out and not total.bailed_out:
        # None of the workers had errors enough for it, but all together.
        total = msgspec.structs.replace(total, bailed_out=1)
    return _Fired(
        total,
        ledger.sums,
        ledger.states,
        ledger.rows,
        tuple(losses[index] for index in sorted(losses)),
        ended,
    )


def _is_enough(interrupt: Interrupt, ledger: Ledger) -> bool:
    """Whether nothing more needs to be sent. Not asked once somebody has interrupted: that would end the drain."""
    is_enough = interrupt.is_enough if interrupt.reason is None else None
    return is_enough is not None and is_enough(ledger.so_far)


def _has_enough(plan: Plan, ledger: Ledger) -> bool:
    """Whether errors end the run (-B). One worker alone sees to that itself, and exactly."""
    bailout = plan.limits.bailout
    return bailout is not None and plan.workers > 1 and sum(map(bailing, ledger.sums)) >= bailout


def _cpu_s() -> float:
    """CPU of this process and of the workers that have ended."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def this_cannon(plan: Plan, command: str) -> Cannon:
    """What fires a plan here. `command`: the command line, secrets redacted."""
    return Cannon(__version__, plan.engine.value, is_compiled(), platform.python_version(), command)


def now() -> str:
    """The time of day, as files have it: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
