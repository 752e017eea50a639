"""What there is to say of the scenario behind a comparison or a run: one fact, one line.

Law: sentences state what the report holds; of a proxy's own numbers those that help, where they are not zero. All of
them are in the file. Text that came from outside is cleaned again here: a saved report may be anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cannon.counters import DESCRIBED
from cannon.reports.sentences import counted
from cannon.scenario_report import CounterRow, EventReport, ScenarioReport, SpreadReport
from cannon.text import clean

__all__ = ["consumption", "counters", "events", "finding", "question", "services", "spread"]

_LONGEST = 2000
_VALUES_SHOWN = 8
_DIGITS = 4
_SHOWN: Mapping[str, Sequence[str]] = {
    "haproxy": (
        "stot",
        "req_tot",
        "qtime_ms",
        "qtime_max_ms",
        "qmax",
        "econ",
        "eresp",
        "wredis",
        "hrsp_5xx",
        "comp_in_bytes",
        "comp_out_bytes",
    ),
    "nginx": ("accepts", "requests"),
}
"""By kind of proxy, the figures that are shown, in order."""


def question(report: ScenarioReport) -> str:
    """What the scenario asks."""
    return clean(report.question, _LONGEST)


def finding(report: ScenarioReport) -> str:
    """What it found."""
    return clean(report.finding, _LONGEST)


def services(report: ScenarioReport) -> list[str]:
    """Services that ended by themselves."""
    return [
        f"Service {clean(service.name)} {clean(service.lost)} before the end"
        for service in report.services
        if service.lost is not None
    ]


def consumption(report: ScenarioReport) -> str | None:
    """The CPU that the services used."""
    found = [
        f"{clean(service.name)} {service.cpu_s:,.3g} s"
        for service in report.services
        if service.cpu_s is not None
    ]
    return f"CPU while they were fired at: {', '.join(found)}" if found else None


def events(report: ScenarioReport) -> list[str]:
    """What was done to services, and when."""
    return [_event(event) for event in report.events]


def counters(report: ScenarioReport) -> list[str]:
    """What proxies say of themselves."""
    return [line for row in report.counters if (line := _counter(row)) is not None]


def spread(report: ScenarioReport) -> list[str]:
    """Who answered, of each side."""
    return [_spread(each) for each in report.spread]


def _event(event: EventReport) -> str:
    told = f"At {event.t_s:.2f} s: {clean(event.action)} {clean(event.service)}, done at {event.done_s:.2f} s"
    return told if event.note is None else f"{told}: {clean(event.note)}"


def _counter(row: CounterRow) -> str | None:
    told = [
        f"{_number(row.figures[name])} {clean(DESCRIBED.get(name, name))}"
        for name in _SHOWN.get(row.kind, ())
        if row.figures.get(name)
    ]
    return f"{clean(row.service)} of {clean(row.of)}: {'; '.join(told)}" if told else None


def _spread(spread: SpreadReport) -> str:
    shown = sorted(spread.counts.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{count:,} of {clean(value)}" for value, count in shown[:_VALUES_SHOWN])
    more = len(shown) - _VALUES_SHOWN
    rest = f" and {more} more" if more > 0 else ""
    whose = f"{clean(spread.side)}: " if spread.side else ""
    return f"{whose}{counted(spread.asked, 'answer')} by {clean(spread.key)}: {told}{rest}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10**_DIGITS or value.is_integer() else f"{value:.{_DIGITS}g}"
