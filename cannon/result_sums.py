"""The parts of several results, added up: counts, distributions, rows, cannon's own cost.

Law: pure. Counts add; distributions add through their histograms; of what is a maximum the largest stays. A percentile
whose histogram is gone is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from cannon.durations import Durations, OwnDelay
from cannon.result import Bytes, Client, Connects, Requests, Result, TargetResult
from cannon.series import SeriesRow
from cannon.tally import Histogram

__all__ = [
    "added",
    "bytes_of",
    "client_of",
    "connects_of",
    "requests_of",
    "series_of",
    "summed",
    "targets_of",
]

_MOST = 0.5
"""Of the responses, as for one run: their ends are the kernel's, or the loop's."""

_SHORTEST_S = 1e-9
"""Ends that are less than this apart are the same, but for the digits of a float."""

_EARLY_S = 0.001
"""A row never begins before its time but for what a timer may round."""


def added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by name, in the order of the names."""
    total: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items()))


def summed(parts: Sequence[Durations | None]) -> Durations:
    """The distribution of all samples."""
    encoded = [part.histogram for part in parts if part is not None and part.histogram is not None]
    return Durations.of(sum(map(_decoded, encoded), Histogram()))


@lru_cache(maxsize=64)
def _decoded(encoded: str) -> Histogram:
    """Remembered: in a closed loop latency and service are the same."""
    return Histogram.decode(encoded)


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _sum_of_known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _chosen(choose: Callable[[list[int]], int], values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return choose(known) if known else None


def requests_of(runs: Sequence[Result], duration_s: float) -> Requests:
    """What became of the requests of all runs, in a window that is as long as the longest of theirs."""
    all_of = [run.requests for run in runs]
    ended = _in_window((run.requests.per_s, run.duration_s) for run in runs)
    return Requests(
        sent=sum(each.sent for each in all_of),
        completed=sum(each.completed for each in all_of),
        succeeded=sum(each.succeeded for each in all_of),
        mismatched=sum(each.mismatched for each in all_of),
        failed=sum(each.failed for each in all_of),
        in_flight=sum(each.in_flight for each in all_of),
        oldest_in_flight_ms=_worst(each.oldest_in_flight_ms for each in all_of),
        never_sent=sum(each.never_sent for each in all_of),
        due=_sum_of_known(each.due for each in all_of),
        per_s=ended / duration_s if duration_s else None,
    )


def _in_window(rates: Iterable[tuple[float | None, float]]) -> int:
    """What was counted inside the windows: whole again, since a rate is a count over a time."""
    return sum(round(per_s * duration_s) for per_s, duration_s in rates if per_s is not None)


def connects_of(all_of: Sequence[Connects]) -> Connects:
    """The dials of all."""
    return Connects(
        attempted=sum(each.attempted for each in all_of),
        made=sum(each.made for each in all_of),
        failed=sum(each.failed for each in all_of),
        in_progress=sum(each.in_progress for each in all_of),
        closed_idle=sum(each.closed_idle for each in all_of),
        errors=added(each.errors for each in all_of),
        negotiated=added(each.negotiated for each in all_of),
        answered_min=_chosen(min, (each.answered_min for each in all_of)),
        answered_max=_chosen(max, (each.answered_max for each in all_of)),
    )


def bytes_of(runs: Sequence[Result], completed: int, duration_s: float) -> Bytes:
    """The bytes of all runs, with so many whole responses."""
    received = sum(run.bytes.received for run in runs)
    received_body = sum(run.bytes.received_body for run in runs)
    ended = _in_window((run.bytes.per_s, run.duration_s) for run in runs)
    # With a lead-in they are of its responses as well, and how many those were no file tells.
    told = bool(completed) and not runs[0].plan.lead_in_s
    return Bytes(
        received=received,
        received_body=received_body,
        sent=sum(run.bytes.sent for run in runs),
        per_s=ended / duration_s if duration_s else None,
        per_response=received / completed if told else None,
        body_per_response=received_body / completed if told else None,
    )


def series_of(runs: Sequence[Result]) -> list[SeriesRow]:
    """Rows that began in the same interval, added. A row ends when the first of them does, as in a run (series.py), and
    the last when all have; one that would take no time is a part of the row before it.
    """
    interval_s = runs[0].plan.sample_s
    groups: dict[int, list[SeriesRow]] = {}
    for run in runs:
        for row in run.series:
            groups.setdefault(int((row.t_s - row.window_s + _EARLY_S) / interval_s), []).append(row)
    rows: list[SeriesRow] = []
    ended_s = 0.0
    furthest_s = max((row.t_s for run in runs for row in run.series), default=0.0)
    for number, place in enumerate(sorted(groups), 1):
        parts = groups[place]
        end_s = furthest_s if number == len(groups) else min(row.t_s for row in parts)
        if rows and end_s < ended_s + _SHORTEST_S:
            parts = [rows.pop(), *parts]
            end_s, ended_s = ended_s, rows[-1].t_s if rows else 0.0
        rows.append(_row(parts, end_s, end_s - ended_s))
        ended_s = end_s
    return rows


def _row(parts: Sequence[SeriesRow], t_s: float, window_s: float) -> SeriesRow:
    alone = len(parts) == 1
    return SeriesRow(
        t_s=t_s,
        window_s=window_s,
        requests=sum(part.requests for part in parts),
        succeeded=sum(part.succeeded for part in parts),
        failed=sum(part.failed for part in parts),
        bytes=sum(part.bytes for part in parts),
        p50_ms=parts[0].p50_ms if alone else None,
        p99_ms=parts[0].p99_ms if alone else None,
        max_ms=_worst(part.max_ms for part in parts),
    )


def targets_of(runs: Sequence[Result]) -> list[TargetResult]:
    """The share of each URL or step, which all runs have in the same order."""
    return [
        TargetResult(
            name=shares[0].name,
            url=shares[0].url,
            requests=sum(share.requests for share in shares),
            status=added(share.status for share in shares),
            latency_ms=summed([share.latency_ms for share in shares]),
        )
        for shares in zip(*(run.targets for run in runs), strict=True)
    ]


def client_of(all_of: Sequence[Client], completed: int) -> Client:
    """What all of them took, and the worst of what delayed them."""
    cpu_s = sum(each.cpu_s for each in all_of)
    stamped = sum(each.stamped for each in all_of)
    late = [each.late_ms for each in all_of if each.late_ms is not None]
    return Client(
        cpu_s=cpu_s,
        cpu_us_per_request=cpu_s * 1e6 / completed if completed else None,
        window_cpu_s=sum(each.window_cpu_s for each in all_of),
        busy=_worst(each.busy for each in all_of),
        own_delay_ms=_worst_delay([each.own_delay_ms for each in all_of]),
        late_ms=_worst_delay(late) if late else None,
        run_delay_ms=sum(each.run_delay_ms for each in all_of),
        longest_pause_ms=max(each.longest_pause_ms for each in all_of),
        steal=_worst(each.steal for each in all_of),
        timestamps="kernel" if completed and stamped > _MOST * completed else "loop",
        stamped=stamped,
        saturated=any(each.saturated for each in all_of),
        cpu_bound=any(each.cpu_bound for each in all_of),
    )


def _worst_delay(delays: Sequence[OwnDelay]) -> OwnDelay:
    return OwnDelay(p50=None, p99=None, max=_worst(delay.max for delay in delays))
