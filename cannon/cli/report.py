"""`cannon report`: a saved result or comparison, shown or written again; nothing is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cannon.cli.command import Command
from cannon.cli.options import Options
from cannon.cli.saved_files import PATHS, SHOWN, check_outputs, read_all, render
from cannon.cli.session import Session, print_text, say
from cannon.errors import UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.comparison import Comparison
    from cannon.result import Result

__all__ = ["report"]

_EXAMPLE = "cannon report result.json -o result.md"


@click.pass_obj
def _report(session: Session, /, paths: tuple[str, ...], **given: object) -> int:
    options = Options.of(given)
    found = read_all(paths, _EXAMPLE)
    if len(found) > 1:
        for name, is_given in (("-o/--output", bool(options.outputs)), ("-j/--json", options.json)):
            if is_given:
                raise UsageError(f"{name} is of one result, and {len(found)} are named; e.g. {_EXAMPLE}")
    for saved in found:
        check_outputs(saved, options)
    for path, saved in zip(paths, found, strict=True):
        _tell_unused(path, saved, options)
    code = 0
    for number, (path, saved) in enumerate(zip(paths, found, strict=True)):
        if len(found) > 1:
            print_text(f"{'' if number == 0 else chr(10)}{clean(path)}\n\n")
        code = render(saved, options) or code
    return code


def _tell_unused(path: str, saved: Result | Comparison, options: Options) -> None:
    """What is not looked at, since only a run has it."""
    from cannon.comparison import Comparison

    if not isinstance(saved, Comparison):
        return
    for name, is_given in (
        ("-l/--latency", options.latency),
        ("--statusCodes", options.status_codes),
        ("--no-verbose", not options.verbose),
        ("--format autocannon", options.format == "autocannon"),
    ):
        if is_given:
            say(f"{name} is not looked at: '{clean(path)}' is a comparison")


report = Command(
    "report",
    callback=_report,
    help="Show saved results and comparisons again, or write them as files of another format. Nothing is measured."
    " What autocannon -j printed is read, too.",
    params=[PATHS, *SHOWN],
    usages=("RESULT.json...", "RESULT.json -o FILE..."),
    model="cannon report result.json -o result.md -o result.csv",
    refused={},
)
