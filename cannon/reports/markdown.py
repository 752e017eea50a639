"""Markdown in the making: headings, lines, tables, code, with text from outside as data.

Law: no foreign text is read as Markdown or HTML: what could begin either is escaped, and code stands in a fence longer
than any inside. Nor is it a mention or a reference: GitHub looks for those in the finished text, where an escape is
gone, so a space of no width follows what would begin one. A document has an end: what has no room is left out, and it
says so.

Source: the specification of GitHub Flavored Markdown, its autolinks too; issue 181 of cmark-gfm for mentions, 232 of
html-pipeline for emoji.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cannon.text import clean

__all__ = ["MOST", "Markdown", "code", "escaped"]

MOST = 60_000
"""Characters of a document. GitHub's comments have up to 65,536: some are left for whoever posts it."""

_MOST_OF_BLOCK = 24_000
_RESERVED = 120
"""For saying that something was left out."""
_BETWEEN = 2
_DIGITS = 12
_LONGEST = 1000
_LONGEST_CODE = 2000
_NO_WIDTH = "&#8203;"
_TICKS = re.compile(r"`+")
_ACTIVE = re.compile(r"[\\`*_{}\[\]|~!^&<>@#]|://|(?<=www)\.|:(?=[\w+-]+:)", re.IGNORECASE)
_PASSIVE: Mapping[str, str] = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "://": ":&#47;&#47;",
    ".": "&#46;",
    "@": f"@{_NO_WIDTH}",
    "#": rf"\#{_NO_WIDTH}",
    ":": f":{_NO_WIDTH}",
}
"""What stands for what would begin something, where a backslash before it does not help."""


def escaped(text: str) -> str:
    """A line of plain text."""
    return _ACTIVE.sub(lambda found: _PASSIVE.get(found[0], f"\\{found[0]}"), clean(text, _LONGEST))


def code(text: str) -> str:
    """Text as it is, in a line."""
    text = clean(text, _LONGEST_CODE)
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    # In a table a bar ends the cell even inside code.
    return f"{ticks}{space}{text}{space}{ticks}".replace("|", "\N{BROKEN BAR}")


class Markdown:
    """A document. What it is given is Markdown: text from outside goes through `escaped` or `code` first.

    `most`: its characters. A list, a table or a fence that has no room for all of its lines ends with how many more
    there are; any other part that has none is left out.
    """

    def __init__(self, most: int = MOST) -> None:
        self._blocks: list[str] = []
        self._left = most - _RESERVED
        self._left_out = 0

    def heading(self, text: str, level: int = 2) -> None:
        """A heading; 1 is that of the document."""
        self._add(f"{'#' * level} {text}")

    def paragraph(self, text: str) -> None:
        """Lines that flow together; nothing where there is no text."""
        if text:
            self._add(text)

    def items(self, lines: Sequence[str]) -> None:
        """A list; nothing where there is none."""
        self._add_lines("", [f"- {line}" for line in lines], "- and {} more")

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> None:
        """A table, its first columns of text, the others of figures; nothing where it has no rows."""
        rules = [":---" if number < text_columns else "---:" for number in range(len(headings))]
        above = f"{_row(headings)}\n{_row(rules)}\n"
        rest = _row(["and {} more", *[""] * (len(headings) - 1)])
        self._add_lines(above, [_row(cells) for cells in rows], rest)

    def fence(self, text: str, language: str = "") -> None:
        """Lines of code, or that have to stand under each other; nothing where there are none."""
        if not text:
            return
        ticks = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
        lines = [clean(line, _LONGEST_CODE) for line in text.splitlines()] or [""]
        self._add_lines(f"{ticks}{language}\n", lines, "... and {} lines more", f"\n{ticks}")

    def part(self) -> Markdown:
        """A document that fits into this one, for `details`."""
        return Markdown(min(_MOST_OF_BLOCK, self._left))

    def details(self, summary: str, part: Markdown) -> None:
        """What is folded until it is asked for; nothing where that is empty. `summary`: HTML, so no foreign text."""
        if part.is_empty:
            return
        self._add(f"<details><summary>{summary}</summary>\n\n{part.text()}\n</details>")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was to be told."""
        return not self._blocks and not self._left_out

    def text(self) -> str:
        """The document."""
        parts = "1 part is" if self._left_out == 1 else f"{self._left_out} parts are"
        ending = [f"*{parts} left out here, for want of room.*"] if self._left_out else []
        return "\n\n".join([*self._blocks, *ending]) + "\n"

    def _add(self, block: str) -> None:
        if len(block) + _BETWEEN > self._left:
            self._left_out += 1
            return
        self._left -= len(block) + _BETWEEN
        self._blocks.append(block)

    def _add_lines(self, above: str, lines: Sequence[str], rest: str, below: str = "") -> None:
        """As many lines as have room, then `rest`, which tells of how many more; nothing where there are none."""
        room = min(_MOST_OF_BLOCK, self._left) - len(above) - len(below) - len(rest) - _BETWEEN - _DIGITS
        kept: list[str] = []
        for line in lines:
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        if lines and not kept:
            self._left_out += 1
        elif len(kept) < len(lines):
            kept.append(rest.format(f"{len(lines) - len(kept):,}"))
        if kept:
            self._add(above + "\n".join(kept) + below)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
