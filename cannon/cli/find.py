"""`--find-rate`: the same load at one rate after the other, until the highest is known at which the gate holds.

Law: which rate comes next is decided by cannon.search; here they are fired, told and reported. What was measured
before an interruption is reported as well.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from cannon.cli.running import (
    INVALID,
    announce,
    check,
    done,
    renderers_of,
    run,
    signalled,
    tell_github,
)
from cannon.cli.session import print_bytes, print_text, say
from cannon.errors import InvalidRun, UsageError

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.cli.planning import Planned
    from cannon.cli.session import Session
    from cannon.gates import Gate
    from cannon.pace import Pace
    from cannon.plan import Plan
    from cannon.reports.stream import Stream
    from cannon.result import Result
    from cannon.runner import Interrupt
    from cannon.search import Finding, Search, Trial

__all__ = ["find"]


@dataclass(slots=True)
class _Found:
    """What is known so far. `tried`: the trials with their results, but one that was interrupted, which is `cut`."""

    tried: list[tuple[Trial, Result]] = field(default_factory=list)
    cut: Result | None = None
    ended: str = ""
    lost: bool = False

    @property
    def trials(self) -> list[Trial]:
        return [trial for trial, _ in self.tried]

    def best(self, finding: Finding) -> Result | None:
        """The result at the rate that was found (the last there), else at the lowest that was tried, else what there
        is.
        """
        per_s = min((trial.rate for trial in self.trials), default=None)
        per_s = per_s if finding.per_s is None else finding.per_s
        results = [result for trial, result in self.tried if trial.rate == per_s]
        return results[-1] if results else self.cut


def find(session: Session, planned: Planned, options: Options, gate: Gate) -> int:
    """Search, report; returns the exit code: 0 where a rate was found, 3 where none holds.

    The plan is that of a trial but for its pace. Raises UsageError before anything is sent, InvalidRun where there is
    nothing to fire at.
    """
    from cannon.cli.interrupts import interruptible
    from cannon.reports.stream import Stream
    from cannon.search import Search

    plan = planned.plan
    check(plan, options)
    _refuse(plan, options, gate)
    pace = _pace_of(options)
    search = Search.of(gate, plan.stop.duration_ns, pace.arrivals)
    for note in planned.notes:
        say(note)
    _announce(plan, options, search, gate)
    code = None
    try:
        with interruptible() as interrupt, Stream(options.stream) as stream:
            found = _try_all(session, plan, options, gate, pace, search, stream, interrupt)
            finding = search.finding(found.trials, found.ended)
            code = signalled(interrupt) or (INVALID if finding.per_s is None or found.lost else 0)
            reported = _report(found, finding, gate, options, interrupt)
            code = code or (0 if reported else INVALID)
    except InvalidRun as failure:
        if code is None:
            raise
        say(failure.message)
        code = code or INVALID
    return code


def _refuse(plan: Plan, options: Options, gate: Gate) -> None:
    """Whatever a search cannot be made of."""
    from cannon.cli.gating import refuse
    from cannon.gates import Operator
    from cannon.metrics import Metric

    refuse(options, "is of one run, and --find-rate has a gate of its own for many; leave it out")
    upward = gate.operator in (Operator.ABOVE, Operator.AT_LEAST)
    for wrong, message in (
        (
            gate.metric is Metric.RPS or upward,
            f"--find-rate '{gate.expression}' is no limit to how much is asked; e.g. --find-rate 'p99 < 50ms'",
        ),
        (
            plan.most_requests is not None or plan.limits.per_connection is not None,
            "--find-rate fires each rate for a time, and -M and -O would end it before; leave them out",
        ),
        (
            options.log is not None,
            "--log would hold the last of many trials; leave it out, or fire with -R at the rate that was found",
        ),
    ):
        if wrong:
            raise UsageError(message)


def _pace_of(options: Options) -> Pace:
    """That of every trial, but for its rate; what chance is to do is drawn once."""
    from cannon.cli.load import pace_of

    pace = pace_of(replace(options, find_rate=None, overall_rate=Fraction(1)))
    assert pace is not None
    return pace


def _announce(plan: Plan, options: Options, search: Search, gate: Gate) -> None:
    """Say what is about to be searched, and for how long at most."""
    from cannon.units import format_duration, format_rate

    longer = search.longest_ns > search.duration_ns
    length = f"{search.duration_ns / 1e9:.12g} s{' or more' if longer else ''}"
    announce(
        plan, options, f"Searching the highest rate at which {gate.expression} holds, in trials of {length}"
    )
    if options.json:
        return
    say(
        f"from {format_rate(search.start_per_s)} on, at most {search.most_trials} trials, of"
        f" {format_duration(search.longest_ns)} at most"
    )


def _announce_longer(number: int, rate: float, length_ns: int, gate: Gate) -> None:
    """Say why a trial will take longer than was asked."""
    from cannon.units import format_duration, format_rate

    samples = (
        f"the {gate.least_samples:,} samples of {gate.name}" if gate.least_samples > 1 else "samples enough"
    )
    say(f"trial {number} takes {format_duration(length_ns)}, to have {samples} at {format_rate(rate)}")


def _try_all(
    session: Session,
    plan: Plan,
    options: Options,
    gate: Gate,
    pace: Pace,
    search: Search,
    stream: Stream,
    interrupt: Interrupt,
) -> _Found:
    """Fire one rate after the other, until all is known or somebody interrupts; a line for each."""
    import msgspec

    from cannon.gates import Verdict
    from cannon.judging import judge_run
    from cannon.profile import Constant
    from cannon.reports import trials as shown
    from cannon.search import Finding, trial_of

    found, advised = _Found(), False
    while not isinstance(rate := search.next(found.trials), Finding):
        length_ns = search.trial_ns(rate)
        if length_ns > search.duration_ns:
            _announce_longer(len(found.tried) + 1, rate, length_ns, gate)
        fired = msgspec.structs.replace(
            plan,
            stop=msgspec.structs.replace(plan.stop, duration_ns=length_ns),
            pace=msgspec.structs.replace(pace, profile=Constant(rate)),
            # What it would find out is known by then.
            preflight=plan.preflight and not found.tried,
        )
        try:
            result = run(session, fired, options, stream, interrupt)
        except InvalidRun as failure:
            if not found.tried:
                raise
            say(failure.message)
            found.ended, found.lost = failure.message, True
            break
        if interrupt.reason is not None:
            found.cut, found.ended = result, f"interrupted by {interrupt.reason}"
            break
        trial = trial_of(rate, gate, result)
        found.tried.append((trial, msgspec.structs.replace(result, gates=[judge_run(gate, result)])))
        say(shown.line(len(found.tried), trial, gate))
        if trial.verdict is Verdict.INCONCLUSIVE and not advised:
            # What to do about it: once, since every trial above would say the same.
            advised = True
            for reason in result.validity.reasons:
                say(f"{result.validity.verdict}: {reason}")
    return found


def _report(found: _Found, finding: Finding, gate: Gate, options: Options, interrupt: Interrupt) -> bool:
    """Show the trials and the answer, write the best result; whether all of it could be written."""
    from cannon.reports import files, search_file, trials
    from cannon.reports.terminal import Terminal

    best = found.best(finding)

    def show() -> None:
        if options.json:
            print_bytes(search_file.render(gate, found.trials, finding, best, interrupt.reason))
            return
        if sys.stdout is None:
            print_text("")  # says that there is no stdout
        print_text(trials.render(found.trials, finding, gate, Terminal.of(sys.stdout)))

    written = best is None or done(lambda: files.write_all(best, options.outputs, renderers_of(options)))
    shown = done(show)
    if best is not None:
        tell_github(best, as_json=options.json)
    return shown and written
