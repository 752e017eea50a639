"""The rows of one side against the base, drawn on a page.

Law: nothing is cut. The verdict stands at the end of its row where the page is wide enough, else below it; where even
the figures do not fit side by side, they stand below each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cannon.reports.figures import Figures
from cannon.reports.page import Cell, Page
from cannon.reports.verdicts import label, verdict
from cannon.rows import Row, Verdict

__all__ = ["Section", "draw"]

_GAPS = ("  ", " ")
"""Between columns: the first with which the table fits."""

_BESIDE = "  "
_INDENT = 2
_LONGEST_NAME = 12
_EXACT = ("bytes",)
"""Counted, and neither good nor bad: the figures say all."""


class Section(msgspec.Struct, frozen=True):
    """Rows that were measured in the same way, and how in words."""

    title: str
    rows: Sequence[Row]


class _Line(msgspec.Struct, frozen=True):
    """One row, as it is written."""

    name: str
    figures: Figures
    verdict: str
    style: str

    @property
    def added(self) -> tuple[str, str]:
        return self.figures.added, self.figures.added_interval

    @property
    def change(self) -> tuple[str, str]:
        return self.figures.change, self.figures.change_interval


def draw(page: Page, base: str, side: str, sections: Sequence[Section], margin_pct: float) -> None:
    """The table of a side, and an empty line."""
    drawn = [(section.title, [_line(row, margin_pct) for row in section.rows]) for section in sections]
    lines = [line for _, found in drawn for line in found]
    if not lines:
        return
    columns = page.terminal.page_columns
    tables = [_Table(base, side, lines, gap) for gap in _GAPS]
    table = next((table for table in tables if table.width <= columns), None)
    if table is None:
        _stacked(page, base, side, drawn)
        return
    beside = table.width + len(_BESIDE) + max(len(line.verdict) for line in lines) <= columns
    page.line(Cell(table.heading, "bold"))
    page.line(Cell(("\u2500" if page.terminal.unicode else "-") * columns, "dim"))
    for title, found in drawn:
        page.line(Cell(title, "dim"))
        for line in found:
            name, figures = table.row(line)
            told = [Cell(f"{_BESIDE}{line.verdict}", line.style)] if beside and line.verdict else []
            page.line(Cell(name, "bold"), Cell(figures), *told)
            if line.verdict and not beside:
                page.line(Cell(line.verdict, line.style), indent=table.indent)
    page.gap()


def _line(row: Row, margin_pct: float) -> _Line:
    figures = Figures.of(row, margin_pct)
    told, style = verdict(row, margin_pct)
    measured = figures.added_interval or figures.change_interval
    bare = row.verdict is Verdict.INCONCLUSIVE and not measured and not row.at_least
    if bare or row.metric in _EXACT:
        # Without an interval nothing is judged; one line below the table says why there is none.
        told, style = "", ""
    return _Line(label(row.metric), figures, told, style)


class _Table:
    """How wide the columns of some lines are, and what stands in them."""

    def __init__(self, base: str, side: str, lines: Sequence[_Line], gap: str) -> None:
        measured = any(line.figures.added_interval or line.figures.change_interval for line in lines)
        if max(len(base), len(side)) > _LONGEST_NAME:
            base, side = "base", "side"
        self._gap = gap
        self._name = max(len(line.name) for line in lines) + _INDENT
        self._base = max(len(base), *(len(line.figures.base) for line in lines))
        self._side = max(len(side), *(len(line.figures.side) for line in lines))
        self._added = _widths([line.added for line in lines])
        self._change = _widths([line.change for line in lines])
        added = "added [95 % interval]" if measured else "added"
        change = "change [95 %]" if measured else "change"
        self._pairs = (
            max(len(added), sum(self._added)),
            max(len(change), sum(self._change)),
        )
        self.heading = gap.join(
            (
                " " * self._name,
                base.rjust(self._base),
                side.rjust(self._side),
                added.rjust(self._pairs[0]),
                change.rjust(self._pairs[1]),
            )
        ).rstrip()
        self.indent = self._name + len(gap)
        # Between the name, both values and both pairs; an interval stands close to what it is of.
        self.width = 4 * len(gap) + self._name + self._base + self._side + sum(self._pairs)

    def row(self, line: _Line) -> tuple[str, str]:
        """The name of a line, and its figures."""
        figures = self._gap.join(
            (
                "",
                line.figures.base.rjust(self._base),
                line.figures.side.rjust(self._side),
                _pair(line.added, self._added).rjust(self._pairs[0]),
                _pair(line.change, self._change).rjust(self._pairs[1]),
            )
        )
        return " " * _INDENT + line.name.ljust(self._name - _INDENT), figures


def _widths(pairs: Sequence[tuple[str, str]]) -> tuple[int, int]:
    """Of an estimate, and of its interval with the space before it."""
    estimate = max(len(estimate) for estimate, _ in pairs)
    interval = max(len(interval) for _, interval in pairs)
    return estimate, interval + 1 if interval else 0


def _pair(pair: tuple[str, str], widths: tuple[int, int]) -> str:
    return pair[0].rjust(widths[0]) + pair[1].rjust(widths[1])


def _stacked(page: Page, base: str, side: str, drawn: Sequence[tuple[str, Sequence[_Line]]]) -> None:
    for title, lines in drawn:
        page.line(Cell(title, "dim"))
        for line in lines:
            page.line(
                Cell(line.name, "bold"),
                Cell(f": {base} {line.figures.base}, {side} {line.figures.side}"),
                indent=_INDENT,
            )
            told = [
                f"{word} {' '.join(pair).rstrip()}"
                for word, pair in (("added", line.added), ("change", line.change))
                if pair[0]
            ]
            if told:
                page.line(Cell(", ".join(told)), indent=2 * _INDENT)
            if line.verdict:
                page.line(Cell(line.verdict, line.style), indent=2 * _INDENT)
    page.gap()
