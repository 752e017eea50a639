"""What `autocannon -j` printed, as a Result: as far as it goes, and what it does not tell is told as unknown.

Law: nothing is made up. autocannon tells no machine, few settings, no histogram and no rows: the host has no CPU and no
cores, percentiles that it leaves out are None, and its run is one row. Its latencies are whole milliseconds, without
requests that timed out, so a result of it is never more than suspect. Its counts are made to add up: an error for which
it sent no request is a dial that failed.

Source: the output of autocannon 9.0.0 (`-j`, also with -w, -W and several URLs), read key by key.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cannon.documents import convert
from cannon.durations import PERCENTILES, Durations, OwnDelay
from cannon.errors import Fault, UsageError
from cannon.foreign import refuse_negative
from cannon.host import Host
from cannon.plan_match import AUTOCANNON
from cannon.result import SCHEMA, Bytes, Cannon, Client, Connects, Outside, Requests, Result
from cannon.series import SeriesRow
from cannon.settings import LimitSettings, PlanSettings, RouteSettings
from cannon.tally import Histogram
from cannon.text import redact_text, redact_url
from cannon.validity import Validity

__all__ = ["is_autocannons", "result_of"]

_KEYS = frozenset({"connections", "latency", "requests", "throughput"})
_PART = frozenset({"latencies", "totalCompletedRequests"})
"""Of what it writes with skipAggregateResult, for its own aggregateResult to read."""

_OTHER = "other"
"""An error that is no timeout: autocannon tells no more of it."""

_UNKNOWN = "autocannon does not tell what it was"
_DOUBT = (
    "autocannon measured this: in whole milliseconds, without requests that timed out, and without a word on whether it"
    " was itself the limit"
)
_UNHEARD = OwnDelay(None, None, None)
_UNMEASURED = Durations.of(Histogram())


class _Latency(msgspec.Struct, frozen=True):
    """In ms. Means are rounded up to two decimals."""

    mean: float | None = None
    stddev: float | None = None
    min: float | None = None
    max: float | None = None
    p1: float | None = None
    p2_5: float | None = None
    p10: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p97_5: float | None = None
    p99: float | None = None
    p99_9: float | None = None
    p99_99: float | None = None
    p99_999: float | None = None
    totalCount: int | None = None  # noqa: N815 - the name of the file


class _Requests(msgspec.Struct, frozen=True):
    total: int
    sent: int


class _Throughput(msgspec.Struct, frozen=True):
    total: int


class _Count(msgspec.Struct, frozen=True):
    count: int


class _Warmup(msgspec.Struct, frozen=True):
    requests: _Requests


class _Output(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of it. `url`: a list where there are several; `duration` in s, `sample_int` in ms."""

    url: str | list[str]
    connections: int
    pipelining: int
    duration: float
    start: str
    finish: str
    errors: int
    timeouts: int
    mismatches: int
    status_code_stats: dict[str, _Count]
    latency: _Latency
    requests: _Requests
    throughput: _Throughput
    sample_int: float = 1000
    workers: int | None = None
    title: str | None = None
    socket_path: str | None = None
    warmup: _Warmup | None = None


def is_autocannons(document: object) -> bool:
    """Whether this looks like one of its results, or a list of them."""
    if isinstance(document, list):
        return bool(document) and all(map(is_autocannons, document))
    return isinstance(document, dict) and (document.keys() >= _KEYS or document.keys() >= _PART)


def result_of(document: object, where: str) -> Result:
    """The run of a document that `is_autocannons`. UsageError, which says why, for one that cannot be read, and for
    several runs: their percentiles cannot be added up.
    """
    if isinstance(document, list):
        if len(document) > 1:
            raise UsageError(
                f"{where} holds {len(document)} results of autocannon, and without histograms they cannot be added up;"
                " give one file for each"
            )
        return result_of(document[0], where)
    if isinstance(document, dict) and document.keys() >= _PART:
        raise UsageError(
            f"{where} holds a part of a result (skipAggregateResult); have autocannon's aggregateResult add them up"
        )
    return _result(convert(document, _Output, where), where)


def _result(output: _Output, where: str) -> Result:
    refuse_negative(output, where)
    status = {name: stats.count for name, stats in sorted(output.status_code_stats.items())}
    completed = sum(status.values())
    succeeded = max(
        0, sum(count for name, count in status.items() if name[:1] in ("2", "3")) - output.mismatches
    )
    sent = max(output.requests.sent, completed)
    failed = min(output.errors, sent - completed)
    undialled = output.errors - failed
    errors, connect_errors = _split(output.errors, output.timeouts, failed)
    duration_s, received = output.duration, output.throughput.total
    latency = _durations(output.latency)
    return Result(
        schema=SCHEMA,
        cannon=Cannon(version="", engine=AUTOCANNON, compiled=False, python="", command=""),
        host=Host(cpu="", cores=0, kernel="", hostname=""),
        started=output.start,
        finished=output.finish,
        plan=_plan(output, where),
        duration_s=duration_s,
        requests=Requests(
            sent=sent,
            completed=completed,
            succeeded=succeeded,
            mismatched=output.mismatches,
            failed=failed,
            in_flight=sent - completed - failed,
            oldest_in_flight_ms=None,
            never_sent=0,
            due=None,
            per_s=_per_s(completed, duration_s),
        ),
        outside=Outside(warmup=output.warmup.requests.sent if output.warmup else 0),
        connects=Connects(
            attempted=undialled,
            made=0,
            failed=undialled,
            in_progress=0,
            closed_idle=0,
            errors=connect_errors,
            negotiated={},
            answered_min=None,
            answered_max=None,
        ),
        status=status,
        errors=errors,
        error_examples={_OTHER: _UNKNOWN} if _OTHER in {**errors, **connect_errors} else {},
        latency_ms=latency,
        service_ms=latency,
        late_ms=None,
        connect_ms=_UNMEASURED,
        tls_ms=_UNMEASURED,
        tls_resumed_ms=_UNMEASURED,
        ttfb_ms=_UNMEASURED,
        bytes=Bytes(
            received=received,
            received_body=0,
            sent=0,
            per_s=_per_s(received, duration_s),
            per_response=received / completed if completed else None,
        ),
        excess_responses=0,
        series=_series(duration_s, completed, succeeded, failed, received),
        targets=[],
        client=Client(
            cpu_s=0.0,
            cpu_us_per_request=None,
            window_cpu_s=0.0,
            busy=None,
            own_delay_ms=_UNHEARD,
            late_ms=None,
            run_delay_ms=0.0,
            longest_pause_ms=0.0,
            steal=None,
            timestamps="loop",
            stamped=0,
            saturated=False,
            cpu_bound=False,
        ),
        workers=[],
        validity=Validity("suspect", [_DOUBT])
        if succeeded
        else Validity("invalid", ["no request succeeded"]),
        gates=[],
        interrupted=None,
    )


def _split(errors: int, timeouts: int, failed: int) -> tuple[dict[str, int], dict[str, int]]:
    """The kinds of `failed` requests, and those of the dials that are the other errors: timeouts are of requests as
    long as there are any.
    """
    of_requests = {Fault.TIMEOUT.value: min(timeouts, failed)}
    of_requests[_OTHER] = failed - of_requests[Fault.TIMEOUT.value]
    of_dials = {Fault.TIMEOUT.value: min(timeouts, errors) - of_requests[Fault.TIMEOUT.value]}
    of_dials[_OTHER] = errors - failed - of_dials[Fault.TIMEOUT.value]
    return _told(of_requests), _told(of_dials)


def _told(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}


def _durations(latency: _Latency) -> Durations:
    """None of them where there is no sample, since autocannon writes 0 then."""
    if not latency.totalCount:
        return _UNMEASURED
    return Durations(
        mean=latency.mean,
        stddev=latency.stddev,
        # Of the latencies above 0 ms: what others lie below is no least one.
        min=None if latency.min is None or latency.min > (latency.p1 or 0) else latency.min,
        max=latency.max,
        count=latency.totalCount,
        histogram=None,
        **{name: getattr(latency, name, None) for name in PERCENTILES},
    )


def _series(duration_s: float, completed: int, succeeded: int, failed: int, received: int) -> list[SeriesRow]:
    if not duration_s:
        return []
    return [SeriesRow(duration_s, duration_s, completed, succeeded, failed, received, None, None, None)]


def _plan(output: _Output, where: str) -> PlanSettings:
    urls = [output.url] if isinstance(output.url, str) else output.url
    if not urls:
        raise UsageError(f"{where}: url is empty")
    socket_path = output.socket_path
    return PlanSettings(
        urls=[redact_url(url) for url in urls],
        method="",
        headers=[],
        body_bytes=0,
        ids=False,
        compressed=False,
        expect_body_bytes=None,
        sequence_steps=0,
        connections=output.connections,
        pipelining=output.pipelining,
        workers=output.workers or 1,
        rate=None,
        pace=None,
        limits=LimitSettings(per_connection=None, overall=None, reconnect_after=None, bailout=None),
        duration_s=None,
        amount=None,
        warmup_s=None,
        warmup_amount=None,
        warmup_connections=None,
        lead_in_s=0.0,
        timeout_s=0.0,
        drain_s=0.0,
        sample_s=output.sample_int / 1000,
        engine=AUTOCANNON,
        timestamps="",
        tls=None,
        route=RouteSettings(proxy=None, socket_path=socket_path, connect_to=None, bind=None)
        if socket_path
        else None,
        expect_status=[],
        excludes_errors=False,
        preflight=False,
        title=redact_text(output.title or ""),
    )


def _per_s(count: int, duration_s: float) -> float | None:
    return count / duration_s if duration_s > 0 else None
