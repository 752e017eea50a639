"""The command line: `main`, which finds the command, calls it, and turns whatever went wrong into one line.

Law: a traceback shown to a user is a bug. What is imported here is imported for `--help` too, so the parts that
measure and draw are imported by the commands, when they need them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cannon.cli.arguments import Arguments, arrange
from cannon.cli.check import check
from cannon.cli.compare import compare
from cannon.cli.demo import demo
from cannon.cli.fire import fire
from cannon.cli.help import command_help, main_help
from cannon.cli.merge import merge
from cannon.cli.messages import refuse_extra, usage_error
from cannon.cli.options import grammar_of
from cannon.cli.report import report
from cannon.cli.scenario import scenario
from cannon.cli.schema import schema
from cannon.cli.serve import serve
from cannon.cli.session import Session, print_text, say, tell
from cannon.defects import keep, traceback_of, what_of
from cannon.errors import CannonError, UsageError
from cannon.text import redact_command
from cannon.version import __version__, is_compiled

if TYPE_CHECKING:
    from cannon.comparer import Compare
    from cannon.runner import Run

__all__ = ["COMMANDS", "main"]

COMMANDS: Mapping[str, click.Command] = {
    "compare": compare,
    "scenario": scenario,
    "report": report,
    "check": check,
    "merge": merge,
    "serve": serve,
    "demo": demo,
    "schema": schema,
}
"""The commands that are named. The one that is not is `fire`."""

_AUTOCANNON = "autocannon"
_INTERRUPTED = 130
_USAGE = UsageError.exit_code
_DEFECT = CannonError.exit_code


def main(
    argv: Sequence[str] | None = None,
    *,
    run: Run | None = None,
    weigh: Compare | None = None,
    program: str | None = None,
) -> int:
    """Run the program and return its exit code. `argv` is without the program's name; `run` replaces what fires,
    `weigh` what compares.

    `program` is the name it was called by. As autocannon it writes autocannon's own JSON where nothing else is
    asked for, so that a link of that name can stand in for it.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    name = os.path.basename(sys.argv[0]) if program is None else program
    try:
        return _main(words, run, weigh, _AUTOCANNON if name == _AUTOCANNON else "cannon")
    except CannonError as error:
        say(error.message)
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        # What it cost, if anything.
        for line in interrupt.args:
            say(line)
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a user never sees a bare traceback
        _tell_defect(error, debug="--debug" in words[: words.index("--") if "--" in words else None])
        return _DEFECT


def _main(words: list[str], run: Run | None, weigh: Compare | None, format: str) -> int:
    if not words:
        tell(f"{main_help(fire, COMMANDS)}\n")
        raise UsageError("a URL is missing; e.g. cannon http://127.0.0.1:4000/")
    arguments = arrange(words, grammar_of({"": fire, **COMMANDS}, default=""))
    if arguments.help:
        named = arguments.command
        print_text(main_help(fire, COMMANDS) if named is None else command_help(named, COMMANDS[named]))
        return 0
    if arguments.version:
        print_text(f"cannon {__version__} ({'compiled' if is_compiled() else 'plain Python'})\n")
        return 0
    if arguments.tail and arguments.command is not None:
        raise UsageError(
            f"cannon {arguments.command} starts no server; a command after -- is for firing, e.g."
            " cannon / -- node server.js"
        )
    return _call(arguments, Session(redact_command(["cannon", *words]), run, arguments.tail, format, weigh))


def _call(arguments: Arguments, session: Session) -> int:
    command = fire if arguments.command is None else COMMANDS[arguments.command]
    try:
        # Not command.main: it has its own ideas of exit codes, pipes and interrupts.
        with command.make_context(
            command.name, list(arguments.words), obj=session, allow_extra_args=True
        ) as context:
            refuse_extra(context.args, f"cannon {arguments.command} --help")
            code = command.invoke(context)
    except click.UsageError as error:
        raise usage_error(error, command) from None
    return int(code)


def _tell_defect(error: Exception, *, debug: bool) -> None:
    """One line, and the traceback where it can be sent from; on stderr with --debug, or where no file can be had."""
    told = traceback_of(error)
    path = None if debug else keep(told)
    if path is None:
        tell(told)
    there = "" if path is None else f" with {path}"
    say(f"internal error, please report it{there}: {what_of(error)}")
