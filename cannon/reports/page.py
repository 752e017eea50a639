"""A page of lines and tables, drawn into memory.

Law: text goes in as data and is never read as markup. Without ANSI there is no escape sequence in what comes out, and
without Unicode no rule or unit beyond ASCII. The only module that knows rich, and it imports it when a page is begun:
rich costs 20 ms of CPU, and a run that prints JSON need not pay them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

import msgspec

from cannon.reports.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["Cell", "Page"]

_LABEL_COLUMNS = 11

_OPTION_AND_VALUE = re.compile(r"(?<![^\s(])(--?[A-Za-z][\w-]*) (?=[^\s-])")
_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=(?:%|[mn\N{MICRO SIGN}]?s|[kMG]?B|Mbit/s)(?!\w))")
_HELD = "\ue000"
"""Stands for a space at which no line is folded. Of the characters for private use, which foreign text never holds: it
was cleaned; and not the no-break space, at which rich folds."""


class Cell(msgspec.Struct, frozen=True):
    """Text and how it is drawn."""

    text: str
    style: str = ""


class Page:
    """Text in the making, drawn by rich into memory."""

    def __init__(self, terminal: Terminal) -> None:
        from rich.console import Console

        self.terminal = terminal
        self._drawn = StringIO()
        self._console: Console = Console(
            file=self._drawn,
            width=terminal.page_columns,
            force_terminal=terminal.ansi,
            color_system="standard" if terminal.ansi else None,
            no_color=not terminal.ansi,
            legacy_windows=False,
            force_jupyter=False,
            markup=False,
            emoji=False,
            highlight=False,
            _environ={},
        )

    def line(self, *cells: Cell, indent: int = 0) -> None:
        """One line, folded between words where it is too long: all of it stands in by `indent` columns. An option and
        its value stay together, and so do a number and its unit.
        """
        from rich.padding import Padding

        line = _joined([Cell(_held(cell.text), cell.style) for cell in cells])
        self._console.print(Padding.indent(line, indent) if indent else line)

    def gap(self) -> None:
        """An empty line."""
        self._console.print()

    def table(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        figures: Sequence[int],
    ) -> None:
        """A table and an empty line. `figures`: for each column, the least width of a figure, or 0 for text."""
        table = self._empty_table()
        for heading, least in zip(headings, figures, strict=True):
            table.add_column(
                _joined([Cell(heading)]),
                justify="right" if least else "left",
                min_width=least or _LABEL_COLUMNS,
                no_wrap=least > 0,
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(_joined([cell]) for cell in row))
        self._console.print(table)
        self.gap()

    def _empty_table(self) -> Table:
        from rich.box import Box
        from rich.table import Table

        rule = "─" if self.terminal.unicode else "-"
        empty = "    \n"
        box = Box(empty * 2 + f" {rule}{rule} \n" + empty * 5, ascii=not self.terminal.unicode)
        return Table(
            box=box,
            show_edge=False,
            pad_edge=False,
            padding=(0, 0, 0, 1),
            header_style="bold",
            border_style="dim",
        )

    def text(self) -> str:
        """All of it, no space at the ends of lines."""
        lines = (line.rstrip() for line in self._drawn.getvalue().splitlines())
        text = "\n".join(lines).replace(_HELD, " ") + "\n"
        return text if self.terminal.unicode else text.replace("\N{MICRO SIGN}s", "us")


def _held(text: str) -> str:
    return _NUMBER_AND_UNIT.sub(_HELD, _OPTION_AND_VALUE.sub(rf"\1{_HELD}", text))


def _joined(cells: Sequence[Cell]) -> Text:
    from rich.text import Text

    return Text.assemble(*((cell.text, cell.style) for cell in cells))
