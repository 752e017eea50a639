"""The result as text for a terminal: tables, what went wrong, one line at the end.

Law: a function from a Result to text; nothing is computed but for show, and nothing is written. The layout is made
for 80 columns and says the same without colour, which only repeats what words say; text from outside is cleaned and
never read as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TextIO

from cannon.durations import PERCENTILES, Durations
from cannon.plan import Plan
from cannon.reports import gate_section, scenario_section, sentences
from cannon.reports.page import Cell, Page
from cannon.reports.rates import RATE_PERCENTILES, Rates, byte_rates, request_rates
from cannon.reports.terminal import Terminal, put
from cannon.result import Result
from cannon.settings import PlanSettings
from cannon.text import clean, redact_url
from cannon.units import format_bytes, format_duration

__all__ = ["header", "render"]

_NOTHING = "-"
_UNSURE = "~"
_WELL = "ended"
_SHOWN = ("p2_5", "p50", "p97_5", "p99")
_URLS_SHOWN = 3
_STATUSES_SHOWN = 2
_OF_TARGETS: Mapping[str, str] = {"p50": "50%", "p99": "99%"}
# The two tables of figures stand under each other: room for `~12.3 ms` in the percentiles, `12.3 ms` in the others.
_STAT_COLUMNS = (0, 8, 8, 8, 8, 7, 7, 7)


def header(plan: Plan, stream: TextIO, what: str | None = None) -> None:
    """Say what is about to be fired: progress, so it belongs on stderr. `what`: where it is more than one run."""
    stop = plan.stop
    how_long = (
        f"{stop.duration_ns / 1e9:.12g}s"
        if stop.amount is None
        else sentences.counted(stop.amount, "request")
    )
    urls = [clean(redact_url(target.url)) for target in plan.targets]
    more = f" and {len(urls) - _URLS_SHOWN} more" if len(urls) > _URLS_SHOWN else ""
    lines = [
        f"{what or f'Running {how_long} test'} @ {', '.join(urls[:_URLS_SHOWN])}{more}",
        sentences.counted(plan.connections, "connection"),
    ]
    if plan.pipelining > 1:
        lines[-1] += f", {plan.pipelining} requests in flight on each"
    if plan.workers > 1:
        lines.append(sentences.counted(plan.workers, "worker"))
    asked = sentences.asked(PlanSettings.of(plan))
    if asked is not None:
        lines.append(f"open loop, {asked}")
    put("\n".join(lines) + "\n\n", stream)


def render(
    result: Result,
    terminal: Terminal,
    *,
    verbose: bool = True,
    latency: bool = False,
    status_codes: bool = False,
) -> str:
    """The text for stdout. `latency` adds the percentiles and the picture, `status_codes` the table of statuses.

    Where it is not `verbose` only the lines stay: what was lost, what is wrong, and the sum.
    """
    page = Page(terminal)
    if result.plan.title:
        page.line(Cell(clean(result.plan.title), "bold"))
        page.gap()
    if verbose:
        if result.duration_s:
            _figures(page, result, latency)
        if status_codes or len(result.status) > 1 or sentences.responses(result) is not None:
            _statuses(page, result)
        _errors(page, result)
        if len(result.workers) > 1 and (latency or any(each.state != _WELL for each in result.workers)):
            _workers(page, result)
    else:
        for name, count, example in _faults(result):
            page.line(Cell(f"{name} {count:,}: {example}" if example else f"{name} {count:,}"))
    _lines(page, result)
    scenario_section.draw(page, result.scenario)
    gate_section.draw(page, result.gates)
    return page.text()


def _figures(page: Page, result: Result, latency: bool) -> None:
    """The tables of durations and of rates, and what must be known to read them."""
    durations = dict(_durations(result, latency))
    page.table(
        ["Stat", *(f"{PERCENTILES[key]:g}%" for key in _SHOWN), "Avg", "Stdev", "Max"],
        [_duration_row(name, found) for name, found in durations.items()],
        _STAT_COLUMNS,
    )
    requests, received = request_rates(result), byte_rates(result)
    page.table(
        ["Stat", *(f"{percentile:g}%" for percentile in RATE_PERCENTILES), "Avg", "Stdev", "Min"],
        [_rate_row("Req/Sec", requests, _per_second), _rate_row("Bytes/Sec", received, _bytes_per_second)],
        _STAT_COLUMNS,
    )
    if latency and result.latency_ms.count:
        _percentiles(page, result)
        _shape(page, result)
    _targets(page, result)
    for note in _notes(result, requests, [*durations.values()], latency):
        page.line(Cell(note, "dim"))
    page.gap()


def _durations(result: Result, latency: bool) -> Iterator[tuple[str, Durations]]:
    """The rows of the first table. Under a rate the time since the due time and the time since the send differ."""
    yield _headline(result), result.latency_ms
    if result.late_ms is not None:
        yield "Service", result.service_ms
        yield "Late", result.late_ms
    if latency:
        for name, found in (
            ("First byte", result.ttfb_ms),
            ("Connect", result.connect_ms),
            ("TLS", result.tls_ms),
            ("TLS resumed", result.tls_resumed_ms),
        ):
            if found.count:
                yield name, found


def _headline(result: Result) -> str:
    """What the latency of this result is called where both its kinds stand."""
    return "Latency" if result.late_ms is None else "Response"


def _duration_row(name: str, found: Durations) -> list[Cell]:
    shown = [_percentile(found, key) for key in _SHOWN]
    return [
        Cell(name, "bold"),
        *shown,
        *(Cell(_duration(value)) for value in (found.mean, found.stddev, found.max)),
    ]


def _percentile(found: Durations, key: str) -> Cell:
    value_ms: float | None = getattr(found, key)
    if value_ms is None or sentences.supported(PERCENTILES[key], found.count):
        return Cell(_duration(value_ms))
    return Cell(_UNSURE + _duration(value_ms), "dim")


def _duration(value_ms: float | None) -> str:
    if value_ms is None:
        return _NOTHING
    return format_duration(value_ms * 1e6) if value_ms else "0 ns"


def _rate_row(name: str, rates: Rates, written: Callable[[float], str]) -> list[Cell]:
    values = (*rates.percentiles, rates.mean, rates.stddev, rates.least)
    return [Cell(name, "bold"), *(Cell(_NOTHING if value is None else written(value)) for value in values)]


def _per_second(rate: float) -> str:
    if rate >= 999_999.5:
        return f"{rate / 1e6:.2f}M"
    return f"{rate:,.0f}" if rate >= 99.95 or rate == 0 else f"{rate:.3g}"


def _bytes_per_second(rate: float) -> str:
    return format_bytes(rate)


def _percentiles(page: Page, result: Result) -> None:
    columns = {_headline(result): result.latency_ms}
    if result.late_ms is not None:
        columns["Service"] = result.service_ms
    page.table(
        ["Percentile", *columns],
        [
            [Cell(f"{percentile:g}"), *(_percentile(found, key) for found in columns.values())]
            for key, percentile in PERCENTILES.items()
        ],
        (10, *(8 for _ in columns)),
    )


def _shape(page: Page, result: Result) -> None:
    from cannon.reports import picture

    ink = picture.BLOCKS if page.terminal.unicode else picture.ASCII
    drawn = picture.draw(result.latency, page.terminal.page_columns - 1, ink)
    if not drawn:
        return
    page.line(Cell("Responses by latency", "bold"))
    for line in drawn[:-2]:
        page.line(Cell(line, "cyan"))
    for line in drawn[-2:]:
        page.line(Cell(line))
    page.gap()


def _targets(page: Page, result: Result) -> None:
    """The share of each URL, or of each step of a sequence, where there are several."""
    if not result.targets:
        return
    stepwise = result.plan.sequence_steps > 0
    named = stepwise or len({_origin(target.url) for target in result.targets}) == 1
    page.table(
        ["Step" if stepwise else "Target", "Requests", *_OF_TARGETS.values(), "Max", "Status"],
        [
            [
                Cell(clean(target.name if named else target.url), "bold"),
                Cell(f"{target.requests:,}"),
                *(_percentile(target.latency_ms, key) for key in _OF_TARGETS),
                Cell(_duration(target.latency_ms.max)),
                Cell(_told_statuses(target.status)),
            ]
            for target in result.targets
        ],
        (0, 8, *(8 for _ in _OF_TARGETS), 7, 0),
    )


def _origin(url: str) -> str:
    """Scheme and authority."""
    return "/".join(url.split("/", 3)[:3])


def _told_statuses(statuses: Mapping[str, int]) -> str:
    """`200`, or `200: 963, 404: 20`: of several the commonest first, and not too many."""
    if len(statuses) == 1:
        return clean(next(iter(statuses)))
    found = sorted(statuses.items(), key=lambda entry: (-entry[1], entry[0]))
    told = [f"{clean(status)}: {count:,}" for status, count in found[:_STATUSES_SHOWN]]
    return ", ".join([*told, *(["..."] if len(found) > _STATUSES_SHOWN else [])])


def _notes(result: Result, rates: Rates, durations: Sequence[Durations], latency: bool) -> Iterator[str]:
    """What must be known to read the tables."""
    keys = tuple(PERCENTILES) if latency else _SHOWN
    if any(
        found.count and not sentences.supported(PERCENTILES[key], found.count)
        for found, keys in (
            *((found, keys) for found in durations),
            *((target.latency_ms, tuple(_OF_TARGETS)) for target in result.targets),
        )
        for key in keys
    ):
        yield f"{_UNSURE} fewer than {sentences.LEAST_BEYOND} samples lie beyond this value"
    if rates.samples:
        yield f"rates are of {sentences.counted(rates.samples, 'sample')}, one every {result.plan.sample_s:g} s"
    if result.latency_ms.count:
        yield from sentences.loop(result)
    if latency and result.client.timestamps == "kernel":
        yield "the kernel stamped the ends of responses: no delay of cannon's is in them"


def _statuses(page: Page, result: Result) -> None:
    if not result.status:
        return
    page.table(
        ["Code", "Count"],
        [
            [Cell(clean(status), "green" if status.startswith("2") else "bold"), Cell(f"{count:,}")]
            for status, count in result.status.items()
        ],
        (0, 7),
    )


def _errors(page: Page, result: Result) -> None:
    rows = _faults(result)
    if not rows:
        return
    page.table(
        ["Error", "Count", "First example"],
        [[Cell(name, "red"), Cell(f"{count:,}"), Cell(example)] for name, count, example in rows],
        (0, 5, 0),
    )


def _faults(result: Result) -> list[tuple[str, int, str]]:
    """Faults by kind, the commonest first: name, count, first example. Those of dials are told apart from those of
    requests.
    """
    kinds: Mapping[str, Mapping[str, int]] = {"": result.errors, "connect: ": result.connects.errors}
    rows = [
        (clean(f"{prefix}{kind}"), count, clean(result.error_examples.get(kind, "")))
        for prefix, found in kinds.items()
        for kind, count in found.items()
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _workers(page: Page, result: Result) -> None:
    """What each worker did, and how quick it was itself."""
    page.table(
        ["Worker", "Sent", "Completed", "Delay 50%", "99%", "Max", "State"],
        [
            [
                Cell(str(worker.index), "bold"),
                Cell(f"{worker.sent:,}"),
                Cell(f"{worker.completed:,}"),
                *(Cell(_duration(value)) for value in (delay.p50, delay.p99, delay.max)),
                Cell(clean(worker.state), "" if worker.state == _WELL else "bold red"),
            ]
            for worker, delay in ((worker, worker.own_delay_ms) for worker in result.workers)
        ],
        (0, 5, 9, 8, 8, 7, 0),
    )


def _lines(page: Page, result: Result) -> None:
    for line in (
        sentences.responses(result),
        sentences.mismatches(result),
        sentences.excluded(result),
        sentences.excess(result),
        sentences.conservation(result),
        sentences.connects(result),
        sentences.starved(result),
        *sentences.tls(result),
        sentences.pace(result),
    ):
        if line is not None:
            page.line(Cell(line))
    keeping_up = sentences.keeping_up(result)
    if keeping_up is not None:
        page.line(Cell(keeping_up, "bold"))
    for line in sentences.validity(result):
        page.line(Cell(line, "bold red" if result.validity.verdict == "invalid" else "bold"))
    interruption = sentences.interruption(result)
    if interruption is not None:
        page.line(Cell(interruption, "bold"))
    page.line(Cell(sentences.summary(result), "bold"))
