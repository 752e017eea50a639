"""Results of the same plan, added up: what runs found that were fired side by side, from several machines.

Law: exact, or not told. Counts are added, distributions are added through their histograms, and percentiles of what has
no histogram any more (rows of the series, cannon's own delay) are None, never an average. The sum of the parts of a run
is the run.

What is meant is one load from several places at the same time, so rates add up: the window is the longest of theirs,
and what was counted is told per second of it. Runs one after the other do not make such a load; that is told, and the
verdict is suspect. The plan is the one that each of them fired, with its connections and its rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from cannon.comparison import Comparison
from cannon.durations import Durations
from cannon.errors import UsageError
from cannon.host import Host
from cannon.plan_match import is_partial, places_apart, settings_apart
from cannon.result import Outside, Result
from cannon.result_sums import (
    added,
    bytes_of,
    client_of,
    connects_of,
    requests_of,
    series_of,
    summed,
    targets_of,
)
from cannon.text import clean
from cannon.validity import Validity

__all__ = ["merged"]

_VERDICTS = ("valid", "suspect", "invalid")


def merged(results: Sequence[Result | Comparison], names: Sequence[str] = ()) -> Result:
    """The sum of two results or more. `names`: how messages call them, e.g. by their files.

    `started` is the earliest and `finished` the latest. The host is the one they share; of several CPU models, kernels
    and names each is told, and `cores` are those of all machines together. Of `client`, what was used is added, what
    was worst is the worst of all. Workers keep their hosts and are numbered anew. The verdict is the worst, with every
    reason; `cannon` is that of the first; gates and scenarios are left out, since they were of each alone.

    UsageError for a comparison, for what is there twice, for another plan (the first difference is named), and for a
    result without histograms: they cannot be added up.
    """
    called = [clean(name) for name in names] or [f"result {number + 1}" for number in range(len(results))]
    runs = _checked(results, called)
    first = runs[0]
    duration_s = max(run.duration_s for run in runs)
    completed = sum(run.requests.completed for run in runs)
    hosts = [run.host for run in runs]
    return Result(
        schema=first.schema,
        cannon=first.cannon,
        host=_host(hosts),
        started=min(run.started for run in runs),
        finished=max(run.finished for run in runs),
        plan=first.plan,
        duration_s=duration_s,
        requests=requests_of(runs, duration_s),
        outside=Outside(
            preflight=sum(run.outside.preflight for run in runs),
            warmup=sum(run.outside.warmup for run in runs),
        ),
        connects=connects_of([run.connects for run in runs]),
        status=added(run.status for run in runs),
        errors=added(run.errors for run in runs),
        error_examples={
            kind: example for run in reversed(runs) for kind, example in run.error_examples.items()
        },
        latency_ms=summed([run.latency_ms for run in runs]),
        service_ms=summed([run.service_ms for run in runs]),
        late_ms=None if first.late_ms is None else summed([run.late_ms for run in runs]),
        connect_ms=summed([run.connect_ms for run in runs]),
        tls_ms=summed([run.tls_ms for run in runs]),
        tls_resumed_ms=summed([run.tls_resumed_ms for run in runs]),
        ttfb_ms=summed([run.ttfb_ms for run in runs]),
        bytes=bytes_of(runs, completed, duration_s),
        excess_responses=sum(run.excess_responses for run in runs),
        series=series_of(runs),
        targets=targets_of(runs),
        client=client_of([run.client for run in runs], completed),
        workers=[
            msgspec.structs.replace(worker, index=index)
            for index, worker in enumerate(worker for run in runs for worker in run.workers)
        ],
        validity=_validity(runs, called),
        gates=[],
        interrupted=next((run.interrupted for run in runs if run.interrupted), None),
    )


def _checked(results: Sequence[Result | Comparison], called: Sequence[str]) -> list[Result]:
    """All of them, if they can be added up."""
    if len(results) < 2:
        raise UsageError("it takes two results to add up; e.g. cannon merge a.json b.json -o sum.json")
    runs: list[Result] = []
    for name, found in zip(called, results, strict=True):
        if isinstance(found, Comparison):
            raise UsageError(f"{name} is a comparison, and only runs can be added up")
        # A copy that was judged is the same run.
        run = msgspec.structs.replace(found, gates=[])
        if run in runs:
            raise UsageError(f"{name} is the same run as {called[runs.index(run)]}, and a run counts once")
        if is_partial(run.plan):
            raise UsageError(f"{name} is of autocannon, which keeps no histogram, so it cannot be added up")
        for key, durations in _durations_of(run):
            if durations.count and durations.histogram is None:
                raise UsageError(f"{name}: {key} has no histogram, so it cannot be added up")
        if runs:
            _refuse_another(run, runs[0], name, called[0])
        runs.append(run)
    return runs


def _refuse_another(run: Result, first: Result, name: str, first_name: str) -> None:
    apart = [
        *settings_apart(run.plan, first.plan, "there"),
        *places_apart(run.plan, first.plan, "there"),
    ]
    if apart:
        raise UsageError(f"{name} is of another plan than {first_name}: {apart[0]}")
    if [(each.name, each.url) for each in run.targets] != [(each.name, each.url) for each in first.targets]:
        raise UsageError(f"{name} is of another plan than {first_name}: targets has other names")
    if (run.late_ms is None) != (first.late_ms is None):
        raise UsageError(f"{name} is of another plan than {first_name}: one of them has no late_ms")


def _durations_of(run: Result) -> Iterator[tuple[str, Durations]]:
    for key in ("latency_ms", "service_ms", "late_ms", "connect_ms", "tls_ms", "tls_resumed_ms", "ttfb_ms"):
        if (durations := getattr(run, key)) is not None:
            yield key, durations
    for position, target in enumerate(run.targets):
        yield f"targets[{position}].latency_ms", target.latency_ms


def _host(hosts: Sequence[Host]) -> Host:
    cores: dict[str, int] = {}
    for host in hosts:
        cores[host.hostname] = max(host.cores, cores.get(host.hostname, 0))
    return Host(
        cpu=_each(host.cpu for host in hosts),
        cores=sum(cores.values()),
        kernel=_each(host.kernel for host in hosts),
        hostname=_each(host.hostname for host in hosts),
    )


def _each(texts: Iterable[str]) -> str:
    """Every one once, in order."""
    return clean(", ".join(dict.fromkeys(texts)))


def _validity(runs: Sequence[Result], called: Sequence[str]) -> Validity:
    """The worst verdict, with the reasons for it; one that is not that of all is told with the name of its run."""
    apart = _not_together(runs, called)
    verdict = max((run.validity.verdict for run in runs), key=_VERDICTS.index)
    if apart and verdict == _VERDICTS[0]:
        verdict = _VERDICTS[1]
    reasons: dict[str, list[str]] = {}
    for name, run in zip(called, runs, strict=True):
        if run.validity.verdict == verdict:
            for reason in run.validity.reasons:
                reasons.setdefault(reason, []).append(name)
    told = [
        reason if len(of) == len(runs) else f"{', '.join(of)}: {reason}" for reason, of in reasons.items()
    ]
    return Validity(verdict, [*told, *apart])


def _not_together(runs: Sequence[Result], called: Sequence[str]) -> list[str]:
    """That two runs were not fired at the same time, by the clocks of their machines."""
    try:
        times = [tuple(map(datetime.fromisoformat, (run.started, run.finished))) for run in runs]
        last, ended = (
            max(range(len(runs)), key=lambda place: times[place][0]),
            min(range(len(runs)), key=lambda place: times[place][1]),
        )
        if times[last][0] < times[ended][1]:
            return []
    except (TypeError, ValueError):
        # Whoever wrote that is no clock.
        return []
    return [
        (
            f"{called[last]} began when {called[ended]} had ended: their rates are added as if they had been fired at"
            " the same time"
        )
    ]
