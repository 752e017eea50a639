"""Gates as Markdown: the sum of them in bold, then a table."""

from __future__ import annotations

from collections.abc import Sequence

from cannon.reports import gate_sentences
from cannon.reports.markdown import Markdown, code, escaped
from cannon.result import GateVerdict

__all__ = ["draw"]

_HEADINGS = ("gate", "verdict", "value", "reason")


def draw(page: Markdown, gates: Sequence[GateVerdict]) -> None:
    """What became of each; nothing where there is none."""
    if not gates:
        return
    page.paragraph(f"**{escaped(gate_sentences.summary(gates))}**")
    page.table(
        _HEADINGS,
        [
            [code(each.expression), escaped(each.verdict), escaped(each.figures), escaped(each.reason)]
            for each in gate_sentences.lines(gates)
        ],
        text_columns=len(_HEADINGS),
    )
