"""The parts of a Markdown report that a scenario has: its answer before, its services after the figures."""

from __future__ import annotations

from collections.abc import Sequence

from cannon.host import Host
from cannon.reports import scenario_sentences as sentences
from cannon.reports.markdown import Markdown, code, escaped
from cannon.result import Cannon
from cannon.scenario_report import ScenarioReport

__all__ = ["answer", "origin", "services"]


def answer(page: Markdown, report: ScenarioReport | None, otherwise: str) -> None:
    """Heading, question and finding; without a scenario a heading alone."""
    page.heading(otherwise if report is None else escaped(report.name), 1)
    if report is None:
        return
    page.paragraph(f"**{escaped(sentences.question(report))}**")
    page.paragraph(escaped(sentences.finding(report)))


def services(page: Markdown, report: ScenarioReport | None) -> None:
    """What ran, what was done to it, what it says of itself."""
    if report is None:
        return
    for title, lines in (
        ("Events", sentences.events(report)),
        ("What the proxy says of itself", sentences.counters(report)),
        ("Who answered", sentences.spread(report)),
    ):
        if lines:
            page.heading(title)
            page.items([escaped(line) for line in lines])
    page.heading("Services")
    page.items([f"{escaped(each.name)}: {code(each.command)}" for each in report.services])
    page.paragraph(escaped(sentences.consumption(report) or ""))
    part = page.part()
    for each in report.services:
        if each.configuration is not None:
            part.paragraph(f"{escaped(each.name)}:")
            part.fence(each.configuration)
    page.details("Configurations", part)


def origin(page: Markdown, cannon: Cannon, host: Host, started: str, notes: Sequence[str] = ()) -> None:
    """Where the figures come from: the machine, the command, when."""
    page.heading("Measured")
    page.items(
        [
            f"on {escaped(host.cpu)}, {host.cores} cores, {escaped(host.kernel)}: client, proxy and server share them",
            f"by cannon {escaped(cannon.version)}, {'compiled' if cannon.compiled else 'not compiled'}",
            f"with Python {escaped(cannon.python)}, {escaped(started)}",
            f"by the command {code(cannon.command)}",
            *notes,
        ]
    )
