"""The command line that a scenario stands for: its tables as the words of `cannon` or `cannon compare`.

Law: one parser. A key of [load] is a long option without its dashes and its value that option's; what the user adds
comes after it, and so goes before it. The words are those that `cannon scenario show` shows.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click

from cannon.cli.command import Command
from cannon.cli.compare import compare
from cannon.cli.fire import fire
from cannon.cli.messages import nearest, usage_error
from cannon.cli.side_settings import SIDE
from cannon.cli.values import Option
from cannon.errors import UsageError
from cannon.scenario import Kind, Scenario
from cannon.text import clean

__all__ = ["command_of", "gate_places", "read_words", "words_of"]

_COMMANDS: Mapping[Kind, click.Command] = {Kind.COMPARE: compare, Kind.RUN: fire}


def command_of(kind: Kind) -> str:
    """What the words come after."""
    return "cannon compare" if kind is Kind.COMPARE else "cannon"


def words_of(scenario: Scenario) -> tuple[list[str], list[str]]:
    """The options of a filled scenario and its sides, in words. UsageError, which names the file and the key, for one
    that is none, or that its option does not take.
    """
    command = _COMMANDS[scenario.kind]
    options = _words(scenario.load, command, f"{scenario.file}: load")
    if scenario.differs:
        options += ["--allow", ",".join(each.value for each in scenario.differs)]
    for where, gate in zip(_own_places(scenario), scenario.gates, strict=True):
        options += _taken(_spelled("--gate", gate), command, where)
    sides = []
    for number, side in enumerate(scenario.sides):
        sides.append(f"{side.name}={side.url}" if side.name and scenario.kind is Kind.COMPARE else side.url)
        if side.settings:
            own = _words(side.settings, SIDE, f"{scenario.file}: side[{number}].settings")
            options += ["--side", f"[ {shlex.join([side.name, *own])} ]"]
    return options, sides


def gate_places(scenario: Scenario) -> list[str]:
    """Where each gate among its words stands, in their order."""
    given = scenario.load.get("gate", [])
    count = len(given) if isinstance(given, list) else 1
    return [*[f"{scenario.file}: load.gate"] * count, *_own_places(scenario)]


def read_words(kind: Kind, words: Sequence[str]) -> dict[str, object]:
    """What click makes of these words, the user's arranged already. UsageError for what the command would refuse."""
    return _read(_COMMANDS[kind], words)


def _own_places(scenario: Scenario) -> list[str]:
    return [f"{scenario.file}: gate[{number}].expression" for number in range(len(scenario.gates))]


def _read(command: click.Command, words: Sequence[str]) -> dict[str, object]:
    try:
        context = command.make_context(command.name, list(words), allow_extra_args=True)
    except click.UsageError as error:
        raise usage_error(error, command) from None
    return context.params


def _words(table: Mapping[str, Any], command: click.Command, where: str) -> list[str]:
    known = {
        name.removeprefix("--"): option
        for option in command.params
        if isinstance(option, Option)
        for name in option.names
        if name.startswith("--")
    }
    words: list[str] = []
    for key, value in table.items():
        here = f"{where}.{clean(key, 60)}"
        option = known.get(key)
        if option is None:
            raise UsageError(f"{here}: {_unknown(key, known, command)}")
        words += _taken(_of_one(f"--{key}", value, option, here), command, here)
    return words


def _taken(words: list[str], command: click.Command, where: str) -> list[str]:
    """As they are, if the command takes them."""
    try:
        _read(command, words)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}") from None
    return words


def _unknown(key: str, known: Mapping[str, Option], command: click.Command) -> str:
    if isinstance(command, Command) and f"--{key}" in command.refused:
        return command.refused[f"--{key}"]
    guess = nearest(key, known)
    return f"there is no option --{clean(key, 60)} here{f'; did you mean {guess}?' if guess else ''}"


def _of_one(name: str, value: object, option: Option, where: str) -> list[str]:
    if option.read is None:
        if not isinstance(value, bool):
            raise UsageError(f"{where}: it is true or false")
        if value:
            return [name]
        return [f"--no-{name.removeprefix('--')}"] if option.secondary_opts else []
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not option.multiple:
        raise UsageError(f"{where}: it is said once, not in a list")
    if any(isinstance(each, bool) or not isinstance(each, str | int | float) for each in values):
        raise UsageError(f'{where}: it is a text or a number; e.g. duration = "10s"')
    return [word for each in values for word in _spelled(name, str(each))]


def _spelled(name: str, value: str) -> list[str]:
    """What begins with a dash would be another option for whoever copies the line."""
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
