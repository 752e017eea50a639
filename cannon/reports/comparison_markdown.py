"""A comparison as Markdown: the answer, distributions, tables; folded, how it was measured; where it comes from.

Law: a function from a Comparison to text, the same for the same comparison; figures and words are those of the page on
the console.
"""

from __future__ import annotations

from collections.abc import Sequence

from cannon.comparison import Comparison
from cannon.reports import comparison_sentences as sentences
from cannon.reports import gate_markdown, scenario_markdown, spectrum
from cannon.reports.figures import NOTHING, Figures, span
from cannon.reports.markdown import Markdown, code, escaped
from cannon.reports.verdicts import label, verdict
from cannon.rounds import Pass
from cannon.rows import Change, Row
from cannon.tally import Histogram

__all__ = ["render"]


def render(comparison: Comparison, notes: Sequence[str] = ()) -> str:
    """The document. `notes`: more to say of where it comes from, as Markdown."""
    page = Markdown()
    sides = " and ".join(escaped(side.name) for side in comparison.sides)
    scenario_markdown.answer(page, comparison.scenario, f"{sides}, compared")
    gate_markdown.draw(page, comparison, sentences.validity(comparison))
    _differences(page, comparison)
    _spectra(page, comparison)
    for side in comparison.sides[1:]:
        _side(page, comparison, side.name)
    _compression(page, comparison)
    _handshakes(page, comparison)
    _notes(page, comparison)
    scenario_markdown.services(page, comparison.scenario)
    scenario_markdown.origin(page, comparison.cannon, comparison.host, comparison.started, notes)
    return page.text()


def _differences(page: Markdown, comparison: Comparison) -> None:
    found = sentences.differences(comparison)
    if not comparison.equivalence.same or found:
        page.paragraph("**The sides do not answer the same, so their figures are not to be compared:**")
        page.items([escaped(line) for line in found])


def _side(page: Markdown, comparison: Comparison, side: str) -> None:
    rows = [row for row in comparison.rows if row.side == side and sentences.is_measured(row)]
    if not rows:
        return
    base = rows[0].base
    page.heading(f"{escaped(side)} against {escaped(base)}")
    page.table(
        ["", escaped(base), escaped(side), "added [95 %]", "change [95 %]", "verdict"],
        [_row(row, comparison.margin_pct) for row in rows],
    )
    noise = sentences.noise(comparison, side)
    page.items([escaped(line) for line in (*sentences.refused(rows), *([] if noise is None else [noise]))])


def _row(row: Row, margin_pct: float) -> list[str]:
    figures = Figures.of(row, margin_pct)
    told, _ = verdict(row, margin_pct)
    name = label(row.metric)
    if row.metric.startswith("cpu"):
        name = f"CPU of {name}, {'latency' if row.of == Pass.LATENCY else 'capacity'} pass"
    return [
        escaped(name),
        escaped(figures.base),
        escaped(figures.side),
        escaped(f"{figures.added} {figures.added_interval}".strip()),
        escaped(f"{figures.change} {figures.change_interval}".strip()),
        escaped(told),
    ]


def _spectra(page: Markdown, comparison: Comparison) -> None:
    """Each side's latencies of all its rounds; of the capacity pass where there is no other."""
    passes = {found.of for found in comparison.rounds}
    of = Pass.LATENCY if Pass.LATENCY in passes else Pass.CAPACITY
    drawn = spectrum.draw(
        {
            side.name: sum(
                (
                    found.slots[side.name].latency
                    for found in comparison.rounds
                    if found.of is of and side.name in found.slots
                ),
                Histogram(),
            )
            for side in comparison.sides
        }
    )
    page.fence("\n".join(drawn))


def _notes(page: Markdown, comparison: Comparison) -> None:
    """What has to be known to read the figures, and folded how they came about."""
    interruption = sentences.interruption(comparison)
    page.items(
        [
            escaped(line)
            for line in (
                *sentences.dropped(comparison),
                *sentences.warnings(comparison),
                *([] if interruption is None else [interruption]),
            )
        ]
    )
    part = page.part()
    part.items(
        [f"{escaped(side.name)}: {code(side.url)}{escaped(sentences.way(side))}" for side in comparison.sides]
    )
    rate, own = sentences.common_rate(comparison), sentences.own_part(comparison)
    lines = [
        sentences.design(comparison),
        *(line for line in (sentences.same_target(comparison), rate, own) if line is not None),
        *sentences.allowed(comparison),
        *sentences.too_few(comparison),
        *sentences.reading(comparison, comparison.rows),
    ]
    part.items([escaped(line) for line in lines])
    page.details("How it was measured", part)


def _compression(page: Markdown, comparison: Comparison) -> None:
    found = comparison.compression
    if found is None:
        return
    page.heading("Bodies")
    page.table(
        ["side", "on the wire", "decoded", "smaller by"],
        [
            [
                escaped(side.name),
                _bytes(found.wire_bytes.get(side.name)),
                _bytes(found.decoded_bytes.get(side.name)),
                f"{ratio:.3g} times" if (ratio := found.ratio.get(side.name)) else "",
            ]
            for side in comparison.sides
        ],
    )
    page.items([escaped(line) for line in sentences.gains(comparison)])


def _handshakes(page: Markdown, comparison: Comparison) -> None:
    if not comparison.handshakes:
        return
    page.heading("Connections")
    page.table(
        ["side", "TCP dial", "TLS handshake", "TLS, resumed"],
        [
            [escaped(each.side), *map(_span, (each.connect_ms, each.fresh_ms, each.resumed_ms))]
            for each in comparison.handshakes
        ],
    )


def _span(change: Change | None) -> str:
    return NOTHING if change is None else escaped(span("ms", change))


def _bytes(size: float | None) -> str:
    return NOTHING if size is None else f"{size:,.0f} B"
