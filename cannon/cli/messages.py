"""What click has to say, in one line that names the option and shows a right value.

Law: pure; a click exception comes in, a UsageError goes out. Nothing of click's own wording reaches a user where
cannon knows better.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

import click

from cannon.cli.command import Command
from cannon.cli.elsewhere import ELSEWHERE, EXPLAINED
from cannon.cli.later import LATER_OPTIONS
from cannon.cli.values import Option
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["nearest", "refuse_extra", "usage_error"]

_SHOWN = 60


def usage_error(error: click.ClickException, command: click.Command) -> UsageError:
    """The error to raise for one that click raised while it read the arguments of `command`."""
    options = {name: option for option in _options(command) for name in _names(option)}
    if isinstance(error, click.NoSuchOption):
        if isinstance(command, Command) and error.option_name in command.refused:
            return UsageError(command.refused[error.option_name])
        return UsageError(_unknown(error.option_name, options, _help_of(command)))
    if isinstance(error, click.BadOptionUsage) and error.option_name in options:
        option = options[error.option_name]
        if option.is_flag:
            return UsageError(f"{option.label} takes no value; write {error.option_name} alone")
        return UsageError(f"{option.label} needs a value; e.g. {option.example}")
    return UsageError(" ".join(clean(error.format_message(), 200).split()))


def refuse_extra(words: Sequence[str], help: str) -> None:
    """Raise UsageError for words that a command has no use for; `help` is where to read on."""
    if words:
        raise UsageError(f"'{clean(words[0], _SHOWN)}' is one word too many; see {help}")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What was meant, if anything is near: the same but for capitals, else the most alike."""
    names = sorted(known)
    for name in names:
        if name.lower() == word.lower():
            return name
    if len(word) < 4:
        return None
    lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), lower, n=1)
    return lower[found[0]] if found else None


def _help_of(command: click.Command) -> str:
    """Where the options of this command stand."""
    return f"cannon {command.name} --help" if isinstance(command, Command) else "cannon --help"


def _unknown(name: str, known: Mapping[str, Option], help: str) -> str:
    shown = clean(name, _SHOWN)
    if name in LATER_OPTIONS:
        return f"{LATER_OPTIONS[name]} is not in this version yet; {help} shows what is"
    if name in EXPLAINED and "-R" in known:
        return f"there is no option {shown}; {EXPLAINED[name]}"
    counterpart = known.get(ELSEWHERE.get(name, ""))
    if counterpart is not None:
        return f"there is no option {shown}; cannon's is {counterpart.label}{_such_as(counterpart)}"
    guess = nearest(name, [*known, "--help", "--version"])
    if guess is not None:
        return f"there is no option {shown}; did you mean {guess}?"
    return f"there is no option {shown}; {help} shows those there are"


def _such_as(option: Option) -> str:
    return f", e.g. {option.example}" if option.example else ""


def _options(command: click.Command) -> list[Option]:
    return [parameter for parameter in command.params if isinstance(parameter, Option)]


def _names(option: Option) -> list[str]:
    return [*option.opts, *option.secondary_opts]
