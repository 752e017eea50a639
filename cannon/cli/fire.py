"""The default command: parse, plan, check the outputs, start the server if it is ours, run, report, exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TextIO

import click

from cannon.cli.launch import launch
from cannon.cli.options import OPTIONS, Options
from cannon.cli.planning import notes_of
from cannon.cli.session import Session, line_of, print_bytes, print_text, say, tell
from cannon.errors import InvalidRun, UsageError

if TYPE_CHECKING:
    from cannon.plan import Plan
    from cannon.reports.files import Renderer
    from cannon.reports.stream import Stream
    from cannon.result import Result
    from cannon.runner import Interrupt

__all__ = ["INVALID", "check", "fire", "shoot"]

INVALID = InvalidRun.exit_code
"""The exit code where a report was lost."""

_SIGNALLED = 128
"""What shells add to the number of the signal that ended a program."""


@click.pass_obj
def _fire(session: Session, /, urls: tuple[str, ...], **given: object) -> int:
    options = Options.of(given)
    options = replace(options, format=options.format or session.format)
    return launch(
        session.server,
        options,
        urls,
        lambda plan: check(plan, options),
        lambda plan: _aim(session, plan, options),
    )


def _aim(session: Session, plan: Plan, options: Options) -> int:
    """One run, or the many of a search."""
    if options.find_rate is None:
        return shoot(session, plan, options)
    from cannon.cli.find import find

    return find(session, plan, options, options.find_rate)


def shoot(session: Session, plan: Plan, options: Options) -> int:
    """Check the outputs, fire, report; returns the exit code. Raises UsageError before anything is sent.

    Every report is tried, whatever became of the others; an interruption's exit code stands before that of a loss.
    A run that is to be forever begins again, with the same files for its reports, until it is interrupted or cannot.
    """
    from cannon.cli.interrupts import interruptible
    from cannon.reports.stream import Stream

    check(plan, options)
    # Not before: what is refused needs no remarks.
    for note in notes_of(options, plan):
        say(note)
    code = None
    try:
        with interruptible() as interrupt, Stream(options.stream) as stream:
            while True:
                result = _run(session, plan, options, stream, interrupt)
                code = result.exit_code
                code = _report(result, options)
                if not options.forever:
                    break
                if interrupt.reason is not None:
                    # Also where the signal came after the run, while it was reported.
                    code = _SIGNALLED + signal.Signals[interrupt.reason]
                    break
    except InvalidRun as failure:
        if code is None:
            raise
        say(failure.message)
        code = code or INVALID
    return code


def check(plan: Plan, options: Options) -> None:
    """Refuse with a UsageError whatever could be found out only at the end of the run."""
    from cannon.cli.descriptors import check_descriptors
    from cannon.reports import files
    from cannon.reports.places import check_place, is_file

    files.check(options.outputs)
    if options.log is not None:
        check_place(options.log, "--log")
        if not is_file(options.log):
            raise UsageError("--log needs a file: every worker appends to it; e.g. --log latencies.csv")
    check_descriptors(plan)


def _run(session: Session, plan: Plan, options: Options, stream: Stream, interrupt: Interrupt) -> Result:
    from cannon.reports import console
    from cannon.reports.live import Live

    if not options.json and sys.stderr is not None:
        with suppress(OSError):
            console.header(plan, sys.stderr)
    drawn = sys.stderr if options.progress and not options.json else None

    def note(text: str) -> None:
        if drawn is None:
            say(text)
        else:
            with suppress(OSError):
                live.note(line_of(text))

    with Live(drawn) as live:
        return session.run(
            plan,
            command=session.command,
            watch=live.update,
            rows=stream.write,
            note=note,
            interrupt=interrupt,
        )


def _report(result: Result, options: Options) -> int:
    """Write the files, show the result. Where a file cannot be written, the JSON goes to stdout: nothing is lost."""
    from cannon.reports import files, json_file

    written = _done(lambda: files.write_all(result, options.outputs, _renderers(options)))
    if result.interrupted and _is_terminal(sys.stdout) and _is_terminal(sys.stderr):
        # The terminal may have echoed a ^C since the live lines were wiped.
        tell("\n")
    shown = _done(lambda: _show(result, options))
    if not written and not options.json:
        _done(lambda: print_bytes(json_file.render(result)))
    if result.validity.verdict != "valid" and not (shown and _same_terminal(options)):
        for reason in result.validity.reasons:
            say(f"{result.validity.verdict}: {reason}")
    return result.exit_code or (0 if written and shown else INVALID)


def _show(result: Result, options: Options) -> None:
    from cannon.reports import console
    from cannon.reports.terminal import Terminal

    if options.json:
        print_bytes(_renderers(options)[".json"](result))
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


def _renderers(options: Options) -> Mapping[str, Renderer]:
    """The formats; JSON may be that of autocannon, and its latencies, with -C, service times."""
    from cannon.reports import autocannon_file
    from cannon.reports.files import RENDERERS

    autocannon: Renderer = partial(autocannon_file.render, corrected=not options.ignore_omission)
    renderers: dict[str, Renderer] = {**RENDERERS, ".autocannon.json": autocannon}
    return {**renderers, ".json": autocannon} if options.format == "autocannon" else renderers


def _same_terminal(options: Options) -> bool:
    """Whether who reads standard error has just read the results: then they need not be told twice."""
    return not options.json and _is_terminal(sys.stdout) and _is_terminal(sys.stderr)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _done(action: Callable[[], None]) -> bool:
    """Whether it could be done; if not, the reason has been said."""
    try:
        action()
    except InvalidRun as failure:
        say(failure.message)
        return False
    return True


fire = click.Command(
    "cannon",
    callback=_fire,
    add_help_option=False,
    help="Fires HTTP requests at a server and reports the whole distribution of its latency.",
    params=[click.Argument(["urls"], nargs=-1, metavar="URL"), *OPTIONS],
)
