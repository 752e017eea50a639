"""`cannon scenario`: real servers and proxies, started, measured, stopped: list, show and run what a file declares."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from cannon.cli import values
from cannon.cli.command import Command
from cannon.cli.session import Session, print_text, say
from cannon.cli.values import Option
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["scenario"]

_EXAMPLE = "cannon scenario run haproxy-reverse-proxy"
_ESCAPED = 10
"""Characters that an escaped one may take."""


@click.pass_obj
def _scenario(session: Session, /, words: tuple[str, ...], keep: str | None) -> int:
    verb, *rest = words or ("",)
    if verb not in _VERBS:
        said = f"'{clean(verb, 60)}' is nothing it does" if verb else "it lists, shows or runs scenarios"
        raise UsageError(f"cannon scenario: {said}; there are {', '.join(_VERBS)}, e.g. {_EXAMPLE}")
    return _VERBS[verb](session, rest, keep)


def _list(session: Session, words: Sequence[str], keep: str | None) -> int:
    from cannon.catalogue import folder, shipped
    from cannon.scenario_file import read

    if words:
        raise UsageError("cannon scenario list takes nothing; e.g. cannon scenario list")
    found = [(name, read(path).question) for name, path in shipped().items()]
    width = max((len(name) for name, _ in found), default=0)
    print_text("".join(f"{name:<{width}}  {question}\n" for name, question in found))
    say(f"their files, to copy and change, are in {folder()}")
    return 0


def _show(session: Session, words: Sequence[str], keep: str | None) -> int:
    from cannon.cli.scenario_words import command_of, read_words, words_of
    from cannon.filling import filling_of
    from cannon.scenario_file import read

    path, rest = _named(words)
    found = read(path)
    # Nothing of it is made: it is what a run would fill in.
    filling = filling_of(found, Path(tempfile.gettempdir()) / f"cannon-{found.name}")
    filled = found.filled(filling.values)
    lines = [f"# {found.question}"]
    for service in filled.services:
        lines += ["", f"# {service.name}"]
        port = {"PORT": str(filling.ports[service.ports[0]])} if service.ports else {}
        settings = [f"{name}={shlex.quote(text)}" for name, text in (port | service.environment).items()]
        lines.append(" ".join([*settings, shlex.join(service.command)]))
        text = found.configuration(service, filling.values)
        if text is not None:
            lines += [f"    {line.expandtabs(4)}".rstrip() for line in text.splitlines()]
    lines += [""]
    lines += [f"# at {event.at}: {event.action.value} {event.service}" for event in found.events]
    options, sides = words_of(filled)
    read_words(found.kind, [*options, *sides, *rest])
    lines += [f"{command_of(found.kind)} {shlex.join([*options, *sides, *rest])}"]
    # Whoever looks before it runs looks at text from elsewhere: nothing in it moves the terminal.
    print_text("".join(f"{clean(line, len(line) * _ESCAPED)}\n" for line in lines))
    return 0


def _run(session: Session, words: Sequence[str], keep: str | None) -> int:
    from cannon.cli.staging import stage
    from cannon.scenario_file import read

    path, rest = _named(words)
    return stage(session, read(path), rest, keep)


_VERBS: Mapping[str, Callable[[Session, Sequence[str], str | None], int]] = {
    "list": _list,
    "show": _show,
    "run": _run,
}


def _named(words: Sequence[str]) -> tuple[Path, Sequence[str]]:
    """The file of the scenario that is named first, and what follows."""
    from cannon.catalogue import located

    if not words or words[0].startswith("-"):
        raise UsageError(f"a scenario is named first, then options; e.g. {_EXAMPLE} -d 3")
    return located(words[0]), words[1:]


scenario = Command(
    "scenario",
    callback=_scenario,
    help="Start the servers and proxies that a file declares, measure what it asks, stop them. Every option of cannon"
    " compare, or of cannon for a scenario of one run, may follow the name, and goes before the file's.",
    params=[
        click.Argument(["words"], nargs=-1, type=click.UNPROCESSED, metavar="NAME"),
        Option(
            ("--keep",),
            "keep",
            values.path,
            "leave configurations and logs of the services in this folder",
            section="Scenario",
            example="--keep /tmp/services",
            metavar="FOLDER",
        ),
    ],
    usages=("list", "show NAME_OR_FILE", "run NAME_OR_FILE"),
    model="cannon scenario run haproxy-reverse-proxy -d 5",
    refused={},
    takes_all=True,
)
