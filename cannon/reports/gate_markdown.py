"""What became of it all as Markdown: the answer in bold, then the gates in a table."""

from __future__ import annotations

from collections.abc import Sequence

from cannon.comparison import Comparison
from cannon.reports import gate_sentences
from cannon.reports.headline import headline
from cannon.reports.markdown import Markdown, code, escaped
from cannon.result import Result

__all__ = ["draw"]

_HEADINGS = ("gate", "verdict", "value", "reason")


def draw(page: Markdown, measured: Result | Comparison, doubts: Sequence[str]) -> None:
    """The answer, a row for each gate, and the `doubts` about the figures."""
    gates = measured.gates
    page.paragraph(f"**{escaped(headline(gates, measured.validity, measured.interrupted))}**")
    page.table(
        _HEADINGS,
        [
            [code(each.expression), escaped(each.verdict), escaped(each.figures), escaped(each.reason)]
            for each in gate_sentences.lines(gates)
        ],
        text_columns=len(_HEADINGS),
    )
    page.items([escaped(line) for line in doubts])
