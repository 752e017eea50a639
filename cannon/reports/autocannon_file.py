"""The result in autocannon's own schema, for the tools that read what `autocannon -j` prints: one line of JSON.

Law: its keys, types and units, and cannon's figures. No key is null: a number that there is nothing to tell of is 0,
as it is there. Latencies are in ms, and not rounded to whole ones. Requests and throughput are per sample interval,
each sample by its own window, and their average is the run's total over its time; mean and standard deviation are
rounded up to two decimals.

Source: the output of autocannon 9.0.0, read key by key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from cannon.durations import Durations
from cannon.errors import Fault
from cannon.reports.rates import nearest_rank, sampled, stddev
from cannon.result import Result
from cannon.series import SeriesRow
from cannon.tally import Histogram

__all__ = ["render"]

_PERCENTILES: Mapping[str, float] = {
    "p0_001": 0.001,
    "p0_01": 0.01,
    "p0_1": 0.1,
    "p1": 1,
    "p2_5": 2.5,
    "p10": 10,
    "p25": 25,
    "p50": 50,
    "p75": 75,
    "p90": 90,
    "p97_5": 97.5,
    "p99": 99,
    "p99_9": 99.9,
    "p99_99": 99.99,
    "p99_999": 99.999,
}

Figures = dict[str, float]


def render(result: Result, *, corrected: bool = True) -> bytes:
    """One line of JSON, UTF-8, ending in a newline.

    Latencies under a rate are response times, from when a request was due; where not `corrected`, service times, from
    when it was sent.
    """
    plan, requests = result.plan, result.requests
    classes = [_of_class(result.status, first) for first in "12345"]
    rows = sampled(result.series, plan.sample_s)
    document: dict[str, object] = {
        **({"title": plan.title} if plan.title else {}),
        "url": plan.urls[0] if len(plan.urls) == 1 else plan.urls,
        **({"socketPath": plan.route.socket_path} if plan.route and plan.route.socket_path else {}),
        "connections": plan.connections,
        "sampleInt": round(plan.sample_s * 1000),
        "pipelining": plan.pipelining,
        # One worker is a process beside the one that draws, but none that a user asked for.
        "workers": plan.workers if plan.workers > 1 else 0,
        "duration": round(result.duration_s, 2),
        "samples": len(rows),
        "start": result.started,
        "finish": result.finished,
        "errors": requests.failed + result.connects.failed,
        "timeouts": result.errors.get(Fault.TIMEOUT.value, 0),
        "mismatches": requests.mismatched,
        "non2xx": requests.completed - classes[1],
        "resets": 0,
        **{f"{position}xx": count for position, count in enumerate(classes, 1)},
        "statusCodeStats": {status: {"count": count} for status, count in result.status.items()},
        "latency": _latency(result.latency_ms if corrected else result.service_ms),
        "requests": {
            **_samples(rows, lambda row: row.requests, requests.per_s, result, total=requests.completed),
            "sent": requests.sent,
        },
        "throughput": _samples(
            rows, lambda row: row.bytes, result.bytes.per_s, result, total=_bytes_of(result)
        ),
    }
    return msgspec.json.encode(document) + b"\n"


def _bytes_of(result: Result) -> int:
    """With -x those of successes alone, as samples have them."""
    return sum(row.bytes for row in result.series) if result.plan.excludes_errors else result.bytes.received


def _of_class(statuses: Mapping[str, int], first: str) -> int:
    return sum(count for status, count in statuses.items() if status.startswith(first))


def _latency(found: Durations) -> Figures:
    histogram = Histogram.decode(found.histogram) if found.histogram else Histogram()
    values_ns = histogram.percentiles_ns(tuple(_PERCENTILES.values()))
    return {
        **_moments(found.mean, found.stddev),
        "min": found.min or 0,
        "max": found.max or 0,
        **{name: (value_ns or 0) / 1e6 for name, value_ns in zip(_PERCENTILES, values_ns, strict=True)},
        "totalCount": found.count,
    }


def _samples(
    rows: Sequence[SeriesRow],
    count: Callable[[SeriesRow], int],
    mean_per_s: float | None,
    result: Result,
    *,
    total: int,
) -> Figures:
    """The distribution of a count per sample interval, in whole numbers."""
    interval_s = result.plan.sample_s
    ordered = sorted(round(count(row) / row.window_s * interval_s) for row in rows)
    mean = None if mean_per_s is None else mean_per_s * interval_s
    return {
        **_moments(mean, stddev(ordered)),
        "min": ordered[0] if ordered else 0,
        "max": ordered[-1] if ordered else 0,
        "total": total,
        **{name: nearest_rank(ordered, percentile) or 0 for name, percentile in _PERCENTILES.items()},
    }


def _moments(mean: float | None, deviation: float | None) -> Figures:
    average = _rounded_up(mean)
    return {"average": average, "mean": average, "stddev": _rounded_up(deviation)}


def _rounded_up(value: float | None) -> float:
    return math.ceil((value or 0) * 100 - 1e-9) / 100
