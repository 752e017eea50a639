"""A run as Markdown: the answer, the figures, what went wrong; folded, how it went and where it comes from.

Law: a function from a Result to text, the same for the same result.
"""

from __future__ import annotations

from collections.abc import Sequence

from cannon.durations import PERCENTILES, Durations
from cannon.reports import gate_markdown, scenario_markdown, sentences, spectrum
from cannon.reports.markdown import Markdown, code, escaped
from cannon.result import Result
from cannon.series import SeriesRow
from cannon.settings import PlanSettings
from cannon.units import format_duration

__all__ = ["render"]

_SHOWN = ("p50", "p90", "p99", "p99_9")
_NOTHING = "-"
_LEAST_ROWS = 2


def render(result: Result, notes: Sequence[str] = ()) -> str:
    """The document. `notes`: more to say of where it comes from, as Markdown."""
    page = Markdown()
    scenario_markdown.answer(page, result.scenario, _title(result.plan))
    gate_markdown.draw(page, result, sentences.validity(result))
    page.fence("\n".join(spectrum.draw({"": result.latency})))
    page.table(
        ["", *(f"{PERCENTILES[key]:g} %" for key in _SHOWN), "mean", "max"],
        [_durations(name, found) for name, found in _times(result) if found.count],
    )
    page.items([escaped(line) for line in _facts(result)])
    _series(page, result.series)
    scenario_markdown.services(page, result.scenario)
    scenario_markdown.origin(page, result.cannon, result.host, result.started, notes)
    return page.text()


def _title(plan: PlanSettings) -> str:
    """What it was called, else what was fired at."""
    if plan.title:
        return escaped(plan.title)
    return (
        code(f"{plan.method} {plan.urls[0]}".strip())
        if len(plan.urls) == 1
        else f"A run of {len(plan.urls)} URLs"
    )


def _series(page: Markdown, series: Sequence[SeriesRow]) -> None:
    """How it went; of one row the figures above tell all."""
    if len(series) < _LEAST_ROWS:
        return
    part = page.part()
    part.table(
        ["second", "answers", "successes", "failed", "p50", "p99"],
        [
            [
                f"{row.t_s:g}",
                f"{row.requests:,}",
                f"{row.succeeded:,}",
                f"{row.failed:,}",
                _ms(row.p50_ms),
                _ms(row.p99_ms),
            ]
            for row in series
        ],
    )
    page.details("Over time", part)


def _times(result: Result) -> list[tuple[str, Durations]]:
    if result.late_ms is None:
        return [("latency", result.latency_ms)]
    return [("response", result.latency_ms), ("service", result.service_ms), ("late", result.late_ms)]


def _durations(name: str, found: Durations) -> list[str]:
    return [
        name,
        *(
            _ms(getattr(found, key)) if sentences.supported(PERCENTILES[key], found.count) else _NOTHING
            for key in _SHOWN
        ),
        _ms(found.mean),
        _ms(found.max),
    ]


def _ms(value: float | None) -> str:
    return _NOTHING if value is None else format_duration(value * 1e6)


def _facts(result: Result) -> list[str]:
    per_s = result.requests.per_s
    statuses = ", ".join(f"{count:,} of status {status}" for status, count in result.status.items())
    lost = ", ".join(f"{count:,} {fault}" for fault, count in result.errors.items())
    lines = [
        sentences.summary(result),
        f"{per_s:,.0f} answers a second" if per_s is not None else None,
        f"answers: {statuses}" if statuses else None,
        f"requests lost: {lost}" if lost else None,
        sentences.conservation(result),
        sentences.connects(result),
        sentences.keeping_up(result),
        sentences.interruption(result),
    ]
    return [line for line in lines if line]
