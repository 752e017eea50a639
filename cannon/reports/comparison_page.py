"""A comparison as text for a terminal: the sides, a table for each against the base, and what must be known to read it.

Law: a function from a Comparison to text; nothing is computed but for show. Whether the sides answer the same comes
before any figure. It is written for somebody who has never seen one: every word of the tables is said in full, and what
could not be measured is told with what it would take. Laid out for 80 columns; colour only repeats what words say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cannon.comparison import Comparison, Handshake
from cannon.reports import comparison_sentences as sentences
from cannon.reports import gate_section, row_table, scenario_section
from cannon.reports.figures import NOTHING, span
from cannon.reports.page import Cell, Page
from cannon.reports.row_table import Section
from cannon.reports.terminal import Terminal
from cannon.reports.verdicts import TOTALS
from cannon.rounds import Pass
from cannon.rows import Change, Row
from cannon.text import clean

__all__ = ["render"]

_CPU = "cpu"
_COUNTED: Mapping[str, str] = {"bytes": "Bytes of a response", "errors": "Errors in percent of requests"}
_SHOWN = 0.0005
"""The least share that a change in percent, of one decimal, shows."""


def render(comparison: Comparison, terminal: Terminal) -> str:
    """The text for stdout."""
    page = Page(terminal)
    _differences(page, comparison)
    _sides(page, comparison)
    if comparison.rounds:
        shown: list[Row] = []
        for side in comparison.sides[1:]:
            shown += _side(page, comparison, side.name)
        _notes(page, comparison, shown)
        _compression(page, comparison)
        _handshakes(page, comparison.handshakes)
    _lines(page, comparison)
    scenario_section.draw(page, comparison.scenario)
    gate_section.draw(page, comparison.gates)
    return page.text().rstrip("\n") + "\n"


def _differences(page: Page, comparison: Comparison) -> None:
    found = sentences.differences(comparison)
    if comparison.equivalence.same and not found:
        return
    page.line(Cell("The sides do not answer the same, so their figures are not to be compared:", "bold red"))
    for line in found:
        page.line(Cell(line), indent=2)
    page.gap()


def _sides(page: Page, comparison: Comparison) -> None:
    width = max((len(side.name) for side in comparison.sides), default=0)
    for number, side in enumerate(comparison.sides):
        told = f"{clean(side.url)}{sentences.way(side)}{'' if number else '  (the base)'}"
        page.line(Cell(clean(side.name).ljust(width), "bold"), Cell(f"  {told}"))
    page.line(Cell(sentences.design(comparison)))
    for line in (sentences.same_target(comparison), *sentences.allowed(comparison)):
        if line is not None:
            page.line(Cell(line))
    page.gap()


def _side(page: Page, comparison: Comparison, side: str) -> list[Row]:
    """The block of one side; the rows that are shown there."""
    rows = [row for row in comparison.rows if row.side == side]
    if not rows:
        return []
    base = rows[0].base
    sections = [section for section in _sections(comparison, rows) if section.rows]
    page.line(Cell(f"{clean(side)} against {clean(base)}", "bold"))
    row_table.draw(page, clean(base), clean(side), sections, comparison.margin_pct)
    noise = sentences.noise(comparison, side)
    told = [*sentences.refused(rows), *([] if noise is None else [noise])]
    for line in told:
        page.line(Cell(line))
    if told:
        page.gap()
    return [row for section in sections for row in section.rows]


def _sections(comparison: Comparison, rows: Sequence[Row]) -> list[Section]:
    """The rows that have figures, by what was measured together."""
    found = [row for row in rows if sentences.is_measured(row)]
    last = Pass.LATENCY if any(row.of == Pass.LATENCY for row in found) else Pass.CAPACITY
    rate = "" if comparison.rate is None else sentences.per_second(comparison.rate.per_s)
    connections = comparison.plan.connections
    asking = "1 connection, asking" if connections == 1 else f"{connections:,} connections, each asking"
    processes = [row for row in found if _is_cpu(row) and row.of == last]
    totals = [row for row in found if row.metric in TOTALS and _tells(row)]
    times = [row for row in found if row.of == Pass.LATENCY and not _is_cpu(row) and row.metric not in TOTALS]
    capacity = [row for row in found if row.of == Pass.CAPACITY and row.metric == "rps"]
    return [
        Section(f"Latency, every side at {rate}", times),
        Section(f"Capacity: {asking} again as soon as it is answered", capacity),
        Section(
            f"CPU per request of each process{f', at {rate}' if last == Pass.LATENCY else ''}", processes
        ),
        Section(_counted(totals), totals),
    ]


def _counted(totals: Sequence[Row]) -> str:
    found = {row.metric for row in totals}
    return f"{' and '.join(words for metric, words in _COUNTED.items() if metric in found)}, over all rounds"


def _is_cpu(row: Row) -> bool:
    return row.metric.partition("@")[0] == _CPU


def _tells(row: Row) -> bool:
    """Whether a total is worth a row: bytes that differ by what can be shown, errors that there were."""
    base, side = row.base_value or 0.0, row.side_value or 0.0
    if row.metric == "errors":
        return bool(base or side)
    return abs(side - base) > _SHOWN * base


def _notes(page: Page, comparison: Comparison, shown: Sequence[Row]) -> None:
    for line in sentences.too_few(comparison):
        page.line(Cell(line, "bold"))
    rate = sentences.common_rate(comparison)
    if rate is not None:
        page.line(Cell(rate))
    own = sentences.own_part(comparison)
    if own is not None:
        page.line(Cell(own))
    for line in sentences.reading(comparison, shown):
        page.line(Cell(line, "dim"))
    page.gap()


def _compression(page: Page, comparison: Comparison) -> None:
    found = comparison.compression
    if found is None:
        return
    page.table(
        ["Body of one response", "on the wire", "decoded", "smaller by"],
        [
            [
                Cell(clean(side.name), "bold"),
                Cell(_bytes(found.wire_bytes.get(side.name))),
                Cell(_bytes(found.decoded_bytes.get(side.name))),
                Cell(f"{ratio:.3g} times" if (ratio := found.ratio.get(side.name)) else ""),
            ]
            for side in comparison.sides
        ],
        (0, 12, 12, 12),
    )
    for line in sentences.gains(comparison):
        page.line(Cell(line))
    page.line(
        Cell(
            "Not in this speed: round trips and TCP's slow start (below about 14 kB none is saved), and the time to"
            " decode: cannon reads the coded bytes and decodes nothing while it measures.",
            "dim",
        )
    )
    page.gap()


def _handshakes(page: Page, handshakes: Sequence[Handshake]) -> None:
    if not handshakes:
        return
    page.table(
        ["Connection", "TCP dial", "TLS handshake", "TLS, resumed"],
        [
            [
                Cell(clean(found.side), "bold"),
                *(Cell(_span(change)) for change in (found.connect_ms, found.fresh_ms, found.resumed_ms)),
            ]
            for found in handshakes
        ],
        (0, 20, 20, 20),
    )
    page.line(
        Cell(
            "Once for each new connection, with its 95 % interval. What TLS costs each request stands above: latencies"
            " are of connections that are open already.",
            "dim",
        )
    )
    page.gap()


def _span(change: Change | None) -> str:
    return NOTHING if change is None else span("ms", change)


def _bytes(size: float | None) -> str:
    return NOTHING if size is None else f"{size:,.0f} B"


def _lines(page: Page, comparison: Comparison) -> None:
    for line in sentences.dropped(comparison):
        page.line(Cell(line, "bold"))
    for line in sentences.warnings(comparison):
        page.line(Cell(line, "bold"))
    for line in sentences.validity(comparison):
        page.line(Cell(line, "bold red" if comparison.validity.verdict == "invalid" else "bold"))
    interruption = sentences.interruption(comparison)
    if interruption is not None:
        page.line(Cell(interruption, "bold"))
