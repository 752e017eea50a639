"""The end of a page that a scenario has: its services, what proxies say of themselves, and last what was found."""

from __future__ import annotations

from cannon.reports import scenario_sentences as sentences
from cannon.reports.page import Cell, Page
from cannon.scenario_report import ScenarioReport

__all__ = ["draw"]


def draw(page: Page, report: ScenarioReport | None) -> None:
    """Nothing where there is no scenario."""
    if report is None:
        return
    page.gap()
    for line in sentences.services(report):
        page.line(Cell(line, "bold red"))
    for line in sentences.events(report):
        page.line(Cell(line))
    for title, lines in (
        ("What the proxy says of itself, from its start on:", sentences.counters(report)),
        ("Asked once more, each on a connection of its own:", sentences.spread(report)),
    ):
        if lines:
            page.line(Cell(title, "dim"))
        for line in lines:
            page.line(Cell(line), indent=2)
    used = sentences.consumption(report)
    if used is not None:
        page.line(Cell(used))
    page.gap()
    page.line(Cell(sentences.question(report), "bold"))
    page.line(Cell(sentences.finding(report)))
