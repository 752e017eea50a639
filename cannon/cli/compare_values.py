"""How the values of the options of `cannon compare` are read.

Law: that of values.py, which has those of every command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from fractions import Fraction

from cannon.cli import values
from cannon.cli.values import WrongValue
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["AUTO", "NAME", "allowed", "codings", "command", "order", "percent", "process", "rate"]

AUTO = "auto"
"""The rate that is found: half of what the slowest side can take."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
"""What sides and processes may be called."""

_SHOWN = 60
_CODINGS = ("gzip", "deflate", "br", "zstd")
_PROCESS_ID = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)

order = values.one_of("shuffled", "abba")


def percent(given: str) -> Fraction:
    """A share, as a percentage."""
    from cannon.units import parse_percent

    return parse_percent(given)


def rate(given: str) -> Fraction | str:
    """How many a second, or AUTO."""
    if given == AUTO:
        return AUTO
    try:
        return values.rate(given)
    except UsageError as error:
        raise UsageError(f"{error.message}, or auto") from None


def codings(given: str) -> tuple[str, ...]:
    """Content codings, each once, in order."""
    return _list(given, values.one_of(*_CODINGS))


def allowed(given: str) -> tuple[str, ...]:
    """What sides may differ in."""
    from cannon.rounds import Allowed

    return _list(given, values.one_of(*Allowed))


def command(given: str) -> tuple[str, ...]:
    """The words of a command, as a shell would part them."""
    try:
        words = tuple(shlex.split(given))
    except ValueError:
        # Not the command itself: a password may be in it.
        raise WrongValue("a quote in the command is not closed") from None
    if not words or not words[0]:
        raise WrongValue("the command is empty")
    if "\0" in given:
        raise WrongValue("a NUL is in the command")
    return words


def process(given: str) -> tuple[str, int]:
    """A name, and the id of a process."""
    name, _, number = given.partition("=")
    if not NAME.fullmatch(name) or not _PROCESS_ID.fullmatch(number):
        raise WrongValue(f"'{clean(given, _SHOWN)}' is no name and id of a process")
    return name, int(number)


def _list(given: str, read: Callable[[str], str]) -> tuple[str, ...]:
    found = tuple(read(part.strip()) for part in given.split(","))
    if len(set(found)) < len(found):
        raise WrongValue(f"'{clean(given, _SHOWN)}' names one twice")
    return found
