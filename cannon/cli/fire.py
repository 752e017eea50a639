"""The default command: parse, plan, check the outputs, start the server if it is ours, run, report, exit code."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cannon.cli.launch import launch
from cannon.cli.options import OPTIONS, Options
from cannon.cli.running import (
    INVALID,
    announce,
    check,
    done,
    is_terminal,
    json_of,
    renderers_of,
    run,
    same_terminal,
    signalled,
    tell_github,
)
from cannon.cli.session import Session, print_bytes, print_text, say, tell
from cannon.errors import InvalidRun

if TYPE_CHECKING:
    from cannon.cli.gating import Gating
    from cannon.cli.planning import Planned
    from cannon.plan import Plan
    from cannon.reports.stream import Stream
    from cannon.result import Result
    from cannon.runner import Interrupt

__all__ = ["fire", "shoot"]


@click.pass_obj
def _fire(session: Session, /, urls: tuple[str, ...], **given: object) -> int:
    options = Options.of(given)
    options = replace(options, format=options.format or session.format)
    return launch(
        session.server,
        options,
        urls,
        lambda plan: _gating(plan, options),
        lambda planned, gating: _aim(session, planned, options, gating),
    )


def _aim(session: Session, planned: Planned, options: Options, gating: Gating) -> int:
    """One run, or the many of a search."""
    if options.find_rate is None:
        return shoot(session, planned, options, gating)
    from cannon.cli.find import find

    return find(session, planned, options, options.find_rate)


def _gating(plan: Plan, options: Options) -> Gating:
    """What has to hold: the gates of the command line, or those of the project. A search has its own. UsageError for
    whatever could be found out only at the end.
    """
    from cannon.cli.gating import Gating, of_project, run_gating
    from cannon.settings import PlanSettings

    check(plan, options)
    if options.find_rate is not None:
        return Gating()
    return run_gating(options, PlanSettings.of(plan), project=of_project(options))


def shoot(session: Session, planned: Planned, options: Options, gating: Gating | None = None) -> int:
    """Check the outputs, fire, report; returns the exit code. Raises UsageError before anything is sent.

    Every report is tried, whatever became of the others; an interruption's exit code stands before that of a loss.
    A run that is to be forever begins again, with the same files for its reports, until it is interrupted or cannot.
    """
    from cannon.cli.gating import run_gating
    from cannon.cli.interrupts import interruptible
    from cannon.reports.stream import Stream
    from cannon.settings import PlanSettings

    check(planned.plan, options)
    gating = gating or run_gating(options, PlanSettings.of(planned.plan))
    # Not before: what is refused needs no remarks.
    for note in (*planned.notes, *gating.notes):
        say(note)
    code = None
    try:
        with interruptible() as interrupt, Stream(options.stream) as stream:
            while True:
                announce(planned.plan, options)
                result = _judged(session, planned.plan, options, gating, stream, interrupt)
                code = result.exit_code
                code = _report(result, options, gating)
                if not options.forever:
                    break
                if interrupt.reason is not None:
                    # Also where the signal came after the run, while it was reported.
                    code = signalled(interrupt)
                    break
    except InvalidRun as failure:
        if code is None:
            raise
        say(failure.message)
        code = code or INVALID
    return code


def _judged(
    session: Session, plan: Plan, options: Options, gating: Gating, stream: Stream, interrupt: Interrupt
) -> Result:
    """One run with its verdicts, ended before its time where that is wanted and it could no longer pass."""
    if options.abort_on_fail_ns is None:
        return gating.judged(run(session, plan, options, stream, interrupt))
    from cannon.abort import Abort

    abort = Abort(gating.gates, gating.results, options.abort_on_fail_ns)
    # Of a run before this one that ended just when it was told to.
    interrupt.rearm()
    interrupt.is_enough = abort
    return abort.told(gating.judged(run(session, plan, options, stream, interrupt)))


def _report(result: Result, options: Options, gating: Gating) -> int:
    """Write the files, show the result. Where a file cannot be written, the JSON goes to stdout: nothing is lost."""
    from cannon.reports import files, json_file

    written = done(lambda: files.write_all(result, options.outputs, renderers_of(options)))
    if result.interrupted and is_terminal(sys.stdout) and is_terminal(sys.stderr):
        # The terminal may have echoed a ^C since the live lines were wiped.
        tell("\n")
    shown = done(lambda: _show(result, options))
    if not written and not options.json:
        done(lambda: print_bytes(json_file.render(result)))
    if result.validity.verdict != "valid" and not (shown and same_terminal(options)):
        for reason in result.validity.reasons:
            say(f"{result.validity.verdict}: {reason}")
    tell_github(result, as_json=options.json)
    if not (written and shown) and result.interrupted is None:
        return INVALID
    return gating.exit_code(result)


def _show(result: Result, options: Options) -> None:
    from cannon.reports import console
    from cannon.reports.terminal import Terminal

    if options.json:
        print_bytes(json_of(options)(result))
        return
    if sys.stdout is None:
        print_text("")  # says that there is no stdout
    print_text(
        console.render(
            result,
            Terminal.of(sys.stdout),
            latency=options.latency,
            status_codes=options.status_codes,
            verbose=options.verbose,
        )
    )


fire = click.Command(
    "cannon",
    callback=_fire,
    add_help_option=False,
    help="Fires HTTP requests at a server and reports the whole distribution of its latency.",
    params=[click.Argument(["urls"], nargs=-1, metavar="URL"), *OPTIONS],
)
