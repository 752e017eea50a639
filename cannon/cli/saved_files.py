"""What the commands on saved files share: files are read, a page is shown, reports are written.

Law: nothing is measured. Nothing is shown or written before all files were read, and every report could be written.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cannon.cli.options.output import DEBUG, OUTPUT
from cannon.cli.running import INVALID, done, json_of, renderers_of
from cannon.cli.session import print_bytes, print_text
from cannon.cli.values import Option
from cannon.errors import UsageError

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.comparison import Comparison
    from cannon.result import Result

__all__ = ["PATHS", "SHOWN", "check_outputs", "read_all", "render", "show", "write"]

PATHS = click.Argument(["paths"], nargs=-1, metavar="RESULT.json")
"""The files."""

_NAMES = ("latency", "status_codes", "verbose", "json", "format", "outputs")

SHOWN: tuple[Option, ...] = (*(option for option in OUTPUT if option.name in _NAMES), DEBUG)
"""The options of a run that say how it is shown."""


def read_all(paths: Sequence[str], example: str) -> list[Result | Comparison]:
    """What the files hold. UsageError where one holds nothing to build on, and where none is named."""
    from cannon.saved import read

    if not paths:
        raise UsageError(f"a saved result is missing; e.g. {example}")
    return [read(path, "") for path in paths]


def check_outputs(saved: Result | Comparison, options: Options) -> None:
    """UsageError for a report that could not be written, or not of this."""
    from cannon.reports import files
    from cannon.result import Result

    if isinstance(saved, Result):
        files.check(options.outputs)
    else:
        files.check(options.outputs, renderers=files.COMPARISON_RENDERERS)


def render(saved: Result | Comparison, options: Options) -> int:
    """Write the reports; where there are none, or with -j, show it. Returns the exit code."""
    is_written = write(saved, options)
    wants_it_shown = options.json or not options.outputs
    is_shown = not wants_it_shown or done(lambda: show(saved, options))
    return 0 if is_written and is_shown else INVALID


def write(saved: Result | Comparison, options: Options) -> bool:
    """Write every report; whether all could be."""
    from cannon.reports import files
    from cannon.result import Result

    if isinstance(saved, Result):
        return done(lambda: files.write_all(saved, options.outputs, renderers_of(options)))
    return done(lambda: files.write_all(saved, options.outputs, files.COMPARISON_RENDERERS))


def show(saved: Result | Comparison, options: Options) -> None:
    """The page on stdout, or JSON. InvalidRun where it cannot be written."""
    from cannon.reports import comparison_page, console
    from cannon.reports.terminal import Terminal
    from cannon.result import Result

    if options.json:
        print_bytes(json_of(options)(saved) if isinstance(saved, Result) else saved.to_json())
        return
    if sys.stdout is None:
        print_text("")  # says that there is no stdout
    terminal = Terminal.of(sys.stdout)
    if not isinstance(saved, Result):
        print_text(comparison_page.render(saved, terminal))
        return
    print_text(
        console.render(
            saved,
            terminal,
            latency=options.latency,
            status_codes=options.status_codes,
            verbose=options.verbose,
        )
    )
