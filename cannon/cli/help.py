"""The text of `--help`: made from the tables of options, 80 columns wide, the same on every terminal.

Law: pure; nothing is described in two places.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from cannon.cli.command import Command
from cannon.cli.values import Option

__all__ = ["MODEL", "command_help", "main_help"]

_COLUMNS = 80
_NAMES_COLUMNS = 26

MODEL = "cannon -d 60 -c 10 -l http://localhost:4000/"
"""The line everything else is a variation of."""

_ALWAYS = (("-h, --help", "show this"), ("-v, --version", "show the version"))
_EXIT_CODES = (
    ("0", "the run, or the comparison, is valid, and every gate holds"),
    ("2", "bad usage; nothing was sent"),
    ("3", "it is not valid, a report was lost, or a baseline is of another set-up"),
    ("4", "a gate failed"),
    ("5", "a gate was inconclusive, under --inconclusive fail"),
    ("130, 143", "interrupted; what was measured is reported"),
    ("1", "a defect of cannon"),
)


def main_help(fire: click.Command, others: Mapping[str, click.Command]) -> str:
    """Help for `cannon` alone: the default command, then the names of the others."""
    page = _page()
    page.write_usage("cannon", "[OPTIONS] URL...")
    page.write_usage("cannon", "[OPTIONS] PATH -- COMMAND...", prefix="       ")
    page.write_usage("cannon", f"{{{','.join(others)}}} [OPTIONS]", prefix="       ")
    page.write_paragraph()
    page.write_text(fire.help or "")
    page.write_paragraph()
    page.write(f"  {MODEL}\n")
    _write_options(page, fire)
    _write_section(page, "Commands", [(name, command.help or "") for name, command in others.items()])
    _write_section(page, "Exit codes", _EXIT_CODES)
    return page.getvalue()


def command_help(name: str, command: click.Command) -> str:
    """Help for one named command."""
    page = _page()
    for number, usage in enumerate(_usages(command)):
        page.write_usage(f"cannon {name}", usage, prefix="       " if number else None)
    page.write_paragraph()
    page.write_text(command.help or "")
    if isinstance(command, Command):
        page.write_paragraph()
        page.write(f"  {command.model}\n")
    _write_options(page, command)
    return page.getvalue()


def _usages(command: click.Command) -> list[str]:
    if isinstance(command, Command):
        return [f"[OPTIONS] {usage}" for usage in command.usages]
    arguments = [
        parameter.make_metavar(_context(command)) for parameter in command.params if _is_argument(parameter)
    ]
    return [" ".join(["[OPTIONS]", *arguments])]


def _page() -> click.HelpFormatter:
    return click.HelpFormatter(width=_COLUMNS)


def _context(command: click.Command) -> click.Context:
    return click.Context(command)


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


def _write_options(page: click.HelpFormatter, command: click.Command) -> None:
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.params:
        if isinstance(parameter, Option):
            row = parameter.get_help_record(_context(command))
            sections.setdefault(parameter.section, []).append(row)
    sections.setdefault("Other", []).extend(_ALWAYS)
    for section, rows in sections.items():
        _write_section(page, section, rows)


def _write_section(
    page: click.HelpFormatter, title: str, rows: list[tuple[str, str]] | tuple[tuple[str, str], ...]
) -> None:
    with page.section(title):
        page.write_dl(rows, col_max=_NAMES_COLUMNS)
