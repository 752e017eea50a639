"""What one run and a search of many have in common: the checks before, the firing, the reports after.

Law: whatever could be found out only at the end of a run is refused before anything is sent; a report that is lost
costs neither the others nor the exit code of a signal.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from cannon.cli.session import line_of, order, say
from cannon.errors import InvalidRun, LostReports, UsageError

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.cli.session import Session
    from cannon.comparison import Comparison
    from cannon.plan import Plan
    from cannon.reports.drawn import Drawn
    from cannon.reports.files import Renderer
    from cannon.reports.stream import Stream
    from cannon.result import Result
    from cannon.runner import Interrupt

__all__ = [
    "INVALID",
    "announce",
    "check",
    "done",
    "drawn_on",
    "is_terminal",
    "json_of",
    "note_to",
    "renderers_of",
    "run",
    "same_terminal",
    "signalled",
    "tell_github",
]

INVALID = InvalidRun.exit_code
"""The exit code where a report was lost."""

_SIGNALLED = 128
"""What shells add to the number of the signal that ended a program."""


def check(plan: Plan, options: Options, renderers: Mapping[str, object] | None = None) -> None:
    """Refuse with a UsageError whatever could be found out only at the end of the run. `renderers`: the formats of
    files, if they are not those of a run.
    """
    from cannon.cli.descriptors import check_descriptors
    from cannon.reports import files
    from cannon.reports.places import check_place, is_file

    files.check(options.outputs, renderers=files.RENDERERS if renderers is None else renderers)
    if options.log is not None:
        check_place(options.log, "--log")
        if not is_file(options.log):
            raise UsageError("--log needs a file: every worker appends to it; e.g. --log latencies.csv")
    check_descriptors(plan)


def announce(plan: Plan, options: Options, what: str | None = None) -> None:
    """Say what is about to be fired, unless JSON is all that is wanted. `what`: where it is more than one run."""
    from cannon.reports import console

    if not options.json and sys.stderr is not None:
        with suppress(OSError):
            console.header(plan, sys.stderr, what)


def run(session: Session, plan: Plan, options: Options, stream: Stream, interrupt: Interrupt) -> Result:
    """Fire, with the live lines where they are wanted. InvalidRun: there was nothing to fire at."""
    from cannon.reports.live import Live

    with Live(drawn_on(options)) as live:
        return session.run(
            plan,
            command=session.command,
            watch=live.update,
            rows=stream.write,
            note=note_to(live),
            interrupt=interrupt,
        )


def drawn_on(options: Options) -> TextIO | None:
    """Where live lines go; None where none are wanted."""
    return sys.stderr if options.progress and not options.json else None


def note_to(live: Drawn[Any]) -> Callable[[str], None]:
    """What says a line above the live ones, or where there are none."""

    def note(text: str) -> None:
        if live.silent:
            say(text)
        else:
            with suppress(OSError):
                live.note(line_of(text))

    return note


def signalled(interrupt: Interrupt) -> int:
    """The exit code that a signal asks for; 0: none came."""
    return 0 if interrupt.reason is None else _SIGNALLED + signal.Signals[interrupt.reason]


def done(action: Callable[[], None]) -> bool:
    """Whether it could be done; if not, the reason has been said."""
    try:
        action()
    except InvalidRun as failure:
        # A line each: in one, what comes last would be cut off.
        for line in failure.lines if isinstance(failure, LostReports) else (failure.message,):
            say(line)
        return False
    return True


def renderers_of(options: Options) -> Mapping[str, Renderer]:
    """The formats of files; the latencies of autocannon's are, with -C, service times."""
    from cannon.reports import autocannon_file
    from cannon.reports.files import RENDERERS

    render = partial(autocannon_file.render, corrected=not options.ignore_omission)
    return {**RENDERERS, ".autocannon.json": render}


def json_of(options: Options) -> Renderer:
    """The format of the JSON on stdout."""
    return renderers_of(options)[".autocannon.json" if options.format == "autocannon" else ".json"]


def tell_github(measured: Result | Comparison, *, as_json: bool) -> None:
    """In a job of GitHub's: annotations, and the page of the step. `as_json`: stdout holds a document, so that nothing
    else may stand there. It was not asked for, so that it costs no exit code where it fails.
    """
    from cannon.reports import github

    if not github.is_there():
        return
    order(github.annotations_of(measured), to_stderr=as_json)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        done(lambda: github.write_page(path, measured))


def same_terminal(options: Options) -> bool:
    """Whether who reads standard error has just read the results: then they need not be told twice."""
    return not options.json and is_terminal(sys.stdout) and is_terminal(sys.stderr)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it."""
    return stream is not None and stream.isatty()
