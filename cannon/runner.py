"""One run, from a Plan to a Result: preflight, warm-up, fire, sum.

Nothing here prints, and nothing that watches can reach what measures: callers are told of progress by calls, and
stop the run through an `Interrupt`.
"""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic_ns

import msgspec

from cannon.durations import OwnDelay
from cannon.errors import InvalidRun
from cannon.fleets.processes import Processes
from cannon.host import cpu_times, this_host
from cannon.plan import Plan
from cannon.preflight import preflight, resolved
from cannon.progress import Phase, Progress
from cannon.result import Cannon, Outside, Result, Worker, result_of
from cannon.series import Series, SeriesRow
from cannon.shard import split
from cannon.tally import Tally
from cannon.version import __version__

__all__ = ["Interrupt", "run"]


class Interrupt:
    """How a run is told to stop from outside: from a signal handler, too."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)

    def fileno(self) -> int:
        """Readable once somebody has called `stop`; a byte for each call."""
        return self._reading

    def stop(self, reason: str) -> None:
        """Stop sending, read what is in flight, report. A second call ends the run at once."""
        self.reason = self.reason or reason
        os.write(self._writing, b".")

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._reading)
        os.close(self._writing)


class _Fired(msgspec.Struct, frozen=True):
    """What a fleet brought home: the sum, each shard's own sum, the rows, and who was lost."""

    total: Tally
    shards: tuple[Tally, ...]
    rows: tuple[SeriesRow, ...]
    lost: frozenset[int]


Watch = Callable[[Progress], None]
Rows = Callable[[SeriesRow], None]
Note = Callable[[str], None]


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
    started = _now()
    plan = resolved(plan)
    outside, problems = _fire_outside(plan, watch, note, interrupt)
    cpu_began_s, machine_began = _cpu_s(), cpu_times()
    if interrupt.reason is None:
        if plan.trace:
            note("the run:")
        fired = _fire(plan, Phase.FIRE, watch, rows, interrupt)
    else:
        fired = _Fired(Tally(), (), (), frozenset())
    problems += [
        f"worker {index} was lost: what it had not told yet is missing" for index in sorted(fired.lost)
    ]
    if fired.total.log_lost:
        problems.append("the log of latencies could not be written whole")
    host = this_host()
    return result_of(
        plan=plan,
        tally=fired.total,
        duration_ns=max((tally.row.window_ns for tally in fired.shards), default=0),
        series=list(fired.rows),
        outside=outside,
        cannon=Cannon(__version__, plan.engine.value, platform.python_version(), command),
        host=host,
        started=started,
        finished=_now(),
        cpu_s=_cpu_s() - cpu_began_s,
        steal=cpu_times().steal_since(machine_began),
        workers=[
            Worker(
                index=index,
                host=host.hostname,
                sent=tally.sent,
                completed=tally.completed,
                own_delay_ms=OwnDelay.of(tally.own_delay),
                state="lost" if index in fired.lost else "ended",
            )
            for index, tally in enumerate(fired.shards)
        ],
        problems=problems,
        interrupted=interrupt.reason,
    )


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
        warmed = _fire(warmup, Phase.WARMUP, watch, _ignore, interrupt)
        warmup_sent = warmed.total.sent
        problems += [f"worker {index} was lost in the warm-up" for index in sorted(warmed.lost)]
    return Outside(preflight_sent, warmup_sent), problems


def _fire(plan: Plan, phase: Phase, watch: Watch, rows: Rows, interrupt: Interrupt) -> _Fired:
    """Fire a plan on worker processes and add up what they tell."""
    shards = split(plan, plan.workers)
    told = [Tally() for _ in shards]
    series = Series(len(shards), plan.sample_ns // plan.tick_ns)
    began_ns = monotonic_ns()

    def progress(row: SeriesRow | None) -> Progress:
        return Progress(
            phase=phase,
            elapsed_s=(monotonic_ns() - began_ns) / 1e9,
            duration_s=plan.stop.duration_ns / 1e9 if plan.stop.amount is None else None,
            amount=plan.stop.amount,
            completed=sum(tally.completed for tally in told),
            failed=sum(tally.failed for tally in told),
            connects_failed=sum(tally.connects_failed for tally in told),
            row=row,
        )

    watch(progress(None))
    with Processes(shards) as workers:
        for index, tally in workers.fire(interrupt.fileno()):
            if tally is None:
                closed = series.end(index)
            else:
                told[index] += tally
                closed = series.add(index, tally)
            for row in closed:
                rows(row)
            watch(progress(closed[-1] if closed else None))
        lost = frozenset(workers.lost)
    for index in lost:
        told[index] = told[index].cut_off()
    return _Fired(sum(told, Tally()), tuple(told), tuple(series.rows), lost)


def _cpu_s() -> float:
    """CPU of this process and of the workers that have ended."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
