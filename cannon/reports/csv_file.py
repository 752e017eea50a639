"""A run or a comparison as CSV, for spreadsheets and scripts: RFC 4180, UTF-8, one table with one header.

Law: every line has the same columns, and the first, `table`, says what the line is of; whoever wants one kind filters
by it, and drops the columns that are empty then. Numbers are plain: a point, no thousands, the unit in the column's
name or beside it; a cell is empty where there is nothing to tell. A cell of text that a spreadsheet would take for a
formula has an apostrophe before it.

Of a run: `run` (where it comes from, and whether it is valid), `gate`, `count`, `latency` and `target` (a line for each
percentile), `series` (a line for each sample). Of a comparison: `run`, `side`, `gate`, `row`. The rounds and the
histograms are in the JSON.

Source: RFC 4180; OWASP's page on CSV injection for what begins a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cannon.durations import PERCENTILES, Durations
from cannon.reports.sentences import supported
from cannon.result import GateVerdict, Result
from cannon.settings import PlanSettings
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.comparison import Comparison
    from cannon.rows import Change, Row

__all__ = ["render", "render_comparison"]

Cell = str | int | float | None
Line = Mapping[str, Cell]

_SHARED = ("value", "unit", "bound", "low", "high", "verdict", "text")
_SERIES = ("t_s", "window_s", "requests", "succeeded", "failed", "bytes", "p50_ms", "p99_ms", "max_ms")
_RUN_COLUMNS = ("table", "name", "measure", *_SHARED, *_SERIES)
_ROW = (
    "pass",
    "metric",
    "side",
    "base",
    "base_value",
    "side_value",
    "added",
    "added_low",
    "added_high",
    "change_pct",
    "change_pct_low",
    "change_pct_high",
    "rounds",
    "level",
)
_COMPARISON_COLUMNS = ("table", "name", *_ROW, *_SHARED)

_LONGEST = 4000
_FORMULA = re.compile(
    r"\s*[=+\-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]"
)
"""Behind what is cleaned: a tab or a return at the beginning is a visible escape by then."""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_MOMENTS = ("mean", "stddev", "min", "max")


def render(result: Result) -> bytes:
    """The file of a run."""
    return _written(_RUN_COLUMNS, _of_run(result))


def render_comparison(comparison: Comparison) -> bytes:
    """The file of a comparison."""
    return _written(_COMPARISON_COLUMNS, _of_comparison(comparison))


def _written(columns: Sequence[str], lines: Iterator[Line]) -> bytes:
    told = io.StringIO()
    writer = csv.DictWriter(told, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({name: _cell(value) for name, value in line.items()})
    return told.getvalue().encode()


def _cell(value: Cell) -> Cell:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = clean(value, _LONGEST)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _of_run(result: Result) -> Iterator[Line]:
    yield from _origin(result)
    for url in result.plan.urls:
        yield _fact("url", url)
    yield from _tls(result.plan)
    yield from _gates(result.gates)
    yield from _counts(result)
    for name, found in _distributions(result):
        yield from _latency("latency", name, found)
    for target in result.targets:
        yield from _latency("target", target.name, target.latency_ms)
    for row in result.series:
        yield {"table": "series", **{name: getattr(row, name) for name in _SERIES}}


def _of_comparison(comparison: Comparison) -> Iterator[Line]:
    yield from _origin(comparison)
    yield _fact("seed", comparison.seed)
    yield _fact("margin_pct", comparison.margin_pct)
    yield from _tls(*(side.settings for side in comparison.sides))
    for side in comparison.sides:
        yield {"table": "side", "name": side.name, "text": side.url}
    yield from _gates(comparison.gates)
    for row in comparison.rows:
        yield _row(row)


def _origin(measured: Result | Comparison) -> Iterator[Line]:
    """Where it comes from, and what to make of it."""
    cannon, host, validity = measured.cannon, measured.host, measured.validity
    if measured.plan.title:
        yield _fact("title", measured.plan.title)
    yield _fact("validity", validity.verdict)
    for reason in validity.reasons:
        yield _fact("reason", reason)
    if measured.interrupted is not None:
        yield _fact("interrupted", measured.interrupted)
    yield _fact("started", measured.started)
    yield _fact("finished", measured.finished)
    yield _fact("cannon", cannon.version)
    yield _fact("command", cannon.command)
    yield _fact("cpu", host.cpu)
    yield _fact("cores", host.cores)
    yield _fact("kernel", host.kernel)
    yield _fact("hostname", host.hostname)


def _fact(name: str, value: str | float) -> Line:
    return {"table": "run", "name": name, ("text" if isinstance(value, str) else "value"): value}


def _tls(*plans: PlanSettings) -> Iterator[Line]:
    """Whoever was not verified is told of in every report."""
    if any(plan.tls is not None and not plan.tls.verify for plan in plans):
        yield _fact("tls", "not verified")


def _gates(gates: Sequence[GateVerdict]) -> Iterator[Line]:
    for gate in gates:
        yield {
            "table": "gate",
            "name": gate.expression,
            "value": gate.value,
            "unit": gate.unit,
            "bound": gate.bound,
            "low": gate.low,
            "high": gate.high,
            "verdict": gate.verdict,
            "text": gate.reason,
        }


def _counts(result: Result) -> Iterator[Line]:
    requests, connects = result.requests, result.connects
    yield _count("duration", result.duration_s, "s")
    yield _count("responses", requests.per_s, "/s")
    for name in ("sent", "completed", "succeeded", "mismatched", "failed", "in_flight", "never_sent"):
        yield _count(f"requests {name.replace('_', ' ')}", getattr(requests, name))
    for name in ("attempted", "made", "failed"):
        yield _count(f"connects {name}", getattr(connects, name))
    for status, count in result.status.items():
        yield _count(f"status {status}", count)
    for fault, count in result.errors.items():
        yield _count(f"error {fault}", count)
    yield _count("bytes received", result.bytes.received, "B")
    yield _count("bytes sent", result.bytes.sent, "B")
    yield _count("received", result.bytes.per_s, "B/s")


def _count(name: str, value: float | None, unit: str = "") -> Line:
    return {"table": "count", "name": name, "value": value, "unit": unit}


def _distributions(result: Result) -> Iterator[tuple[str, Durations]]:
    """Those that hold anything, by name. Without a rate, service times are the latencies."""
    found = {"latency": result.latency_ms}
    if result.late_ms is not None:
        found |= {"service": result.service_ms, "late": result.late_ms}
    found |= {
        "first byte": result.ttfb_ms,
        "connect": result.connect_ms,
        "tls": result.tls_ms,
        "tls resumed": result.tls_resumed_ms,
    }
    return ((name, each) for name, each in found.items() if each.count or name == "latency")


def _latency(table: str, name: str, found: Durations) -> Iterator[Line]:
    """A percentile that has too few samples beyond it is empty, as it is on the page."""
    yield {"table": table, "name": name, "measure": "count", "value": found.count}
    for key in _MOMENTS:
        yield {"table": table, "name": name, "measure": key, "value": getattr(found, key), "unit": "ms"}
    for key, percentile in PERCENTILES.items():
        value = getattr(found, key) if supported(percentile, found.count) else None
        yield {"table": table, "name": name, "measure": f"p{percentile:g}", "value": value, "unit": "ms"}


def _row(row: Row) -> Line:
    return {
        "table": "row",
        "pass": row.of,
        "metric": row.metric,
        "side": row.side,
        "base": row.base,
        "unit": row.unit,
        "base_value": row.base_value,
        "side_value": row.side_value,
        **_change("added", row.added),
        **_change("change_pct", row.change_pct),
        "rounds": row.rounds,
        "level": row.level,
        "verdict": row.verdict.value,
        "text": row.reason,
    }


def _change(name: str, change: Change | None) -> Line:
    if change is None:
        return {}
    return {name: change.estimate, f"{name}_low": change.low, f"{name}_high": change.high}
