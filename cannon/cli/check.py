"""`cannon check`: a saved result or comparison, judged by gates; nothing is measured.

Law: the exit codes are those of a run, but for an interruption: that was of the run, and is told.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cannon.cli.command import Command
from cannon.cli.options import Options
from cannon.cli.options.gates import GATES
from cannon.cli.running import INVALID, done, tell_github
from cannon.cli.saved_files import PATHS, SHOWN, check_outputs, read_all, show, write
from cannon.cli.session import Session, print_text, say
from cannon.errors import UsageError

if TYPE_CHECKING:
    from cannon.cli.gating import Gating
    from cannon.comparison import Comparison
    from cannon.result import Result

__all__ = ["check"]

_EXAMPLE = "cannon check result.json --gate 'p99 < 200ms'"
_RATHER_NOT = ("abort_on_fail_ns",)
_SHOWN = ("json", "outputs", "debug")


@click.pass_obj
def _check(session: Session, /, paths: tuple[str, ...], **given: object) -> int:
    from cannon.cli.gating import of_project, saved_gating

    options = Options.of(given)
    if len(paths) > 1:
        raise UsageError(f"one result is judged, and {len(paths)} are named; e.g. {_EXAMPLE}")
    (saved,) = read_all(paths, _EXAMPLE)
    check_outputs(saved, options)
    gating = saved_gating(options, saved, of_project(options))
    for note in gating.notes:
        say(note)
    return _report(_judged(saved, gating), options, gating)


def _judged(saved: Result | Comparison, gating: Gating) -> Result | Comparison:
    from cannon.result import Result

    return gating.judged(saved) if isinstance(saved, Result) else gating.judged_comparison(saved)


def _show(judged: Result | Comparison, options: Options) -> None:
    """The verdicts on stdout, or JSON."""
    from cannon.reports import gate_section
    from cannon.reports.page import Page
    from cannon.reports.terminal import Terminal

    if options.json:
        show(judged, options)
        return
    if sys.stdout is None:
        print_text("")  # says that there is no stdout
    page = Page(Terminal.of(sys.stdout))
    gate_section.draw(page, judged.gates)
    print_text(page.text().lstrip("\n"))


def _report(judged: Result | Comparison, options: Options, gating: Gating) -> int:
    """Write the files, show the verdicts; the exit code."""
    import msgspec

    is_written = write(judged, options)
    is_shown = done(lambda: _show(judged, options))
    if judged.interrupted:
        say(f"it was interrupted by {judged.interrupted}, and is judged as far as it went")
    if judged.validity.verdict == "invalid":
        for reason in judged.validity.reasons:
            say(f"invalid: {reason}")
    tell_github(judged, as_json=options.json)
    if not (is_written and is_shown):
        return INVALID
    return gating.exit_code(msgspec.structs.replace(judged, interrupted=None))


check = Command(
    "check",
    callback=_check,
    help="Judge a saved result or comparison by gates: those of the command line, else those of pyproject.toml."
    " Nothing is measured. What autocannon -j printed is read, too.",
    params=[
        PATHS,
        *(option for option in GATES if option.name not in _RATHER_NOT),
        *(option for option in SHOWN if option.name in _SHOWN),
    ],
    usages=("RESULT.json --gate EXPR...",),
    model="cannon check result.json --gate 'p99 < base + 10%' --baseline main.json",
    refused={},
)
