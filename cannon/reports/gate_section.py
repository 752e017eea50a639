"""Gates on a page for a terminal: the last that is read, so the last that is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from cannon.reports import gate_sentences
from cannon.reports.page import Cell, Page
from cannon.result import GateVerdict

__all__ = ["draw"]

_INDENT = 6


def draw(page: Page, gates: Sequence[GateVerdict]) -> None:
    """A line for each gate, and its reason beneath; nothing where there is none."""
    found = gate_sentences.lines(gates)
    if not found:
        return
    page.gap()
    verdicts = max(len(each.verdict) for each in found)
    width = max(len(each.expression) for each in found)
    for each in found:
        page.line(
            Cell(each.verdict.ljust(verdicts), each.style),
            Cell(f"  {each.expression.ljust(width)}  {each.figures}".rstrip()),
        )
        if each.reason:
            page.line(Cell(each.reason), indent=_INDENT)
