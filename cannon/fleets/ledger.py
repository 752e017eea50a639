"""What the workers of one phase have told so far: a sum for each, the rows of the run, how far it is.

Law: every Tally is added once, under its worker; the figures for those who watch are made from the same Tallies and
change none. A worker that was lost keeps what it told. Who watches is told what is known: that connections are being
opened as soon as a worker says so, that a window is open once one has told of it.
"""

from __future__ import annotations

import msgspec

from cannon.pace import Scope
from cannon.plan import Plan
from cannon.progress import Phase, Progress, SoFar, State, WorkerProgress
from cannon.series import Series, SeriesRow
from cannon.tally import Row, Tally

__all__ = ["Ledger"]

_SECOND_NS = 1_000_000_000

_HELD_UP_NS = 10_000_000
"""A tick that is late by less was held up by a timer."""


class Ledger:
    """Of `count` workers that fire this plan."""

    def __init__(self, plan: Plan, phase: Phase, count: int) -> None:
        self._plan = plan
        self._phase = phase
        self._sums = [Tally() for _ in range(count)]
        self._series = Series(count, plan.tick_ns * (plan.sample_ns // plan.tick_ns))
        self._fastest_per_s = [0.0] * count
        self._told_s = [0.0] * count
        self._states = [State.STARTING] * count
        self._began_s: float | None = None
        # For one worker the rows of the run are its own. About a second each: nobody reads faster.
        watched_ns = plan.tick_ns * max(1, _SECOND_NS // plan.tick_ns)
        self._own_rows = [Series(1, watched_ns) for _ in range(count if count > 1 else 0)]

    def add(self, index: int, tally: Tally, elapsed_s: float) -> list[SeriesRow]:
        """The next Tally of a worker; returns the rows of the run that this closed."""
        tally = _with_gap(tally, self._plan.tick_ns)
        self._sums[index] += tally
        self._fastest_per_s[index] = max(self._fastest_per_s[index], _ended_per_s(tally.row))
        self._told_s[index] = elapsed_s
        if self._states[index] in (State.STARTING, State.CONNECTING):
            opened = tally.row.window_ns or self._has_dialled(index)
            self._states[index] = State.RUNNING if opened else State.CONNECTING
            if opened and self._began_s is None:
                self._began_s = elapsed_s - tally.row.window_ns / 1e9
        if self._own_rows:
            self._own_rows[index].add(0, tally)
        return self._series.add(index, tally)

    def end(self, index: int, state: State) -> list[SeriesRow]:
        """A worker has ended or was lost; returns the rows of the run that this closed."""
        self._states[index] = state
        if state is State.LOST:
            self._sums[index] = self._sums[index].cut_off()
        if self._own_rows:
            self._own_rows[index].end(0)
        return self._series.end(index)

    @property
    def total(self) -> Tally:
        """What all of them told, added up."""
        return sum(self._sums, Tally())

    @property
    def sums(self) -> tuple[Tally, ...]:
        """What each worker told, added up."""
        return tuple(self._sums)

    @property
    def so_far(self) -> SoFar:
        """What each worker told, and how fast it was at its fastest."""
        return SoFar(self._plan, self.sums, tuple(self._fastest_per_s))

    @property
    def states(self) -> tuple[State, ...]:
        """How each worker stands."""
        return tuple(self._states)

    @property
    def rows(self) -> tuple[SeriesRow, ...]:
        """The rows that are closed."""
        return tuple(self._series.rows)

    def progress(self, elapsed_s: float, row: SeriesRow | None) -> Progress:
        """Where the phase stands; `row` is the one that was closed just now."""
        stop = self._plan.stop
        began_s = self._began_s or 0.0
        return Progress(
            phase=self._phase,
            state=self._state,
            connections=self._plan.connections,
            made=sum(tally.made for tally in self._sums),
            elapsed_s=elapsed_s - began_s,
            duration_s=stop.duration_ns / 1e9 if stop.amount is None else None,
            amount=stop.amount,
            completed=sum(tally.completed for tally in self._sums),
            failed=sum(tally.failed for tally in self._sums),
            connects_failed=sum(tally.connects_failed for tally in self._sums),
            row=row,
            asked_per_s=None if row is None else self._asked_per_s(row),
            workers=tuple(
                WorkerProgress(
                    index=index,
                    state=self._states[index],
                    told_s=self._told_s[index] - began_s,
                    failed=self._sums[index].failed + self._sums[index].connects_failed,
                    row=series.rows[-1] if series.rows else None,
                )
                for index, series in enumerate(self._own_rows)
            ),
        )

    def _asked_per_s(self, row: SeriesRow) -> float | None:
        """How many requests a second were due while this row was made; None in a closed loop."""
        pace = self._plan.pace
        if pace is None or not row.window_s:
            return None
        expected = pace.profile.expected
        due = expected(row.t_s * 1e9) - expected((row.t_s - row.window_s) * 1e9)
        return due / row.window_s * (self._plan.connections if pace.scope is Scope.CONNECTION else 1)

    def _has_dialled(self, index: int) -> bool:
        """Whether a worker has dialled all its connections: its window opens."""
        dialled = self._sums[index].made + self._sums[index].connects_failed
        return dialled >= self._plan.connections // len(self._sums)

    @property
    def _state(self) -> State:
        """Of the phase: it runs as soon as one worker does, and until the last has ended."""
        if self._began_s is not None:
            return State.RUNNING
        return State.CONNECTING if State.CONNECTING in self._states else State.STARTING


def _ended_per_s(row: Row) -> float:
    """How many requests a second ended in this part of the window."""
    return (row.requests + row.failed) * _SECOND_NS / row.window_ns if row.window_ns else 0.0


def _with_gap(tally: Tally, tick_ns: int) -> Tally:
    """A worker that was stopped while it waited for its sockets cannot see it; its late tick can.

    One long turn of the loop makes a tick late, too; but it uses the CPU, or waits for one, while a process that is
    stopped does neither: what the two explain is no pause.
    """
    window_ns = tally.row.window_ns
    gap_ns = min(window_ns - tick_ns, window_ns - tally.cpu_ns - tally.run_delay_ns)
    if gap_ns < _HELD_UP_NS or gap_ns <= tally.longest_pause_ns:
        return tally
    return msgspec.structs.replace(tally, longest_pause_ns=gap_ns)
