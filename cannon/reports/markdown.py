"""Markdown in the making: headings, lines, tables, code, with text from outside as data.

Law: no foreign text is read as Markdown or HTML: what could begin either is escaped, and code stands in a fence longer
than any inside. As GitHub and GitLab draw it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cannon.text import clean

__all__ = ["Markdown", "code", "escaped"]

_LONGEST = 2000
_ACTIVE = re.compile(r"([\\`*_{}\[\]#|~!^])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
_TICKS = re.compile(r"`+")


def escaped(text: str) -> str:
    """A line of plain text."""
    return _ACTIVE.sub(r"\\\1", clean(text, _LONGEST)).translate(_ENTITIES).replace("://", ":&#47;&#47;")


def code(text: str) -> str:
    """Text as it is, in a line."""
    text = clean(text, _LONGEST)
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    # In a table a bar ends the cell even inside code.
    return f"{ticks}{space}{text}{space}{ticks}".replace("|", "\N{BROKEN BAR}")


class Markdown:
    """A document. What it is given is Markdown: text from outside goes through `escaped` or `code` first."""

    def __init__(self) -> None:
        self._blocks: list[str] = []

    def heading(self, text: str, level: int = 2) -> None:
        """A heading; 1 is that of the document."""
        self._blocks.append(f"{'#' * level} {text}")

    def paragraph(self, text: str) -> None:
        """Lines that flow together; nothing where there is no text."""
        if text:
            self._blocks.append(text)

    def items(self, lines: Sequence[str]) -> None:
        """A list; nothing where there is none."""
        if lines:
            self._blocks.append("\n".join(f"- {line}" for line in lines))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> None:
        """A table, its first columns of text, the others of figures; nothing where it has no rows."""
        if not rows:
            return
        rules = [":---" if number < text_columns else "---:" for number in range(len(headings))]
        lines = [headings, rules, *rows]
        self._blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))

    def fence(self, text: str, language: str = "") -> None:
        """Lines of code."""
        ticks = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
        lines = "\n".join(clean(line, _LONGEST) for line in text.splitlines())
        self._blocks.append(f"{ticks}{language}\n{lines}\n{ticks}")

    def text(self) -> str:
        """The document."""
        return "\n\n".join(self._blocks) + "\n"
