"""Outage: what a run's rows over time say of a service that was stopped, and of it when it was started again.

Law: pure. A row is the smallest time that can be told, so a time is told as a bound, "within" or "up to", to the end
of a row. What failed after a stop is told as that, not as the fault of the stop; what failed before it too is told.
Dials that failed are in no row: one in which nothing was answered, while something was before, is none without failure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from cannon.phrases import missing
from cannon.scenario_report import EventReport
from cannon.series import SeriesRow

__all__ = ["outage", "recovery"]

_STOP, _START = "stop", "start"
_BACK = 0.9
"""Of the rate before the stop: from there on a service counts as back."""

_SKEW_S = 0.05
"""By how much the clock of the events and that of the rows may part."""

_LEAST_ROW = 0.5
"""Of the usual row: a shorter one, the last, has no rate worth telling."""


def outage(rows: Sequence[SeriesRow], events: Sequence[EventReport], service: str, number: int = 1) -> str:
    """What failed after the stop of a service, its `number`-th, up to the next stop of any that the rows tell apart.

    `requests failed for up to 4 s (310 of 4,000)`; words too where there was no such stop, or no row after it.
    """
    stop = _event(events, _STOP, service, number)
    if isinstance(stop, str):
        return missing(stop)
    if not rows:
        return missing()
    until_s = _until_s(rows, events, stop)
    after = [row for row in rows if row.t_s > stop.t_s and _begin_s(row) < until_s - _SKEW_S]
    if not after:
        return missing("no row follows the stop")
    before = [row for row in _before(rows, events, stop) if row.t_s <= stop.t_s]
    answered = any(row.succeeded for row in before) or not before
    bad = [row for row in after if _failed(row) or (answered and not row.succeeded)]
    if not bad:
        return "no request failed"
    failed = sum(map(_failed, bad))
    touched = after[: after.index(bad[-1]) + 1]
    of = f"({failed:,} of {sum(row.requests + row.failed for row in touched):,})"
    begun_s, lasted = _begin_s(bad[0]) - stop.t_s, _seconds(bad[-1].t_s - stop.t_s)
    if not failed:
        told = f"nothing was answered for up to {lasted}"
    elif bad[-1] is after[-1] and len(bad) > 1:
        told = f"requests failed to the {_end(rows, until_s)} {of}"
    elif begun_s >= bad[0].window_s:
        told = f"requests failed between {math.floor(10 * begun_s) / 10:g} s and {lasted} after the stop {of}"
    elif len(bad) == 1:
        few = "1 request failed" if failed == 1 else f"{failed:,} requests failed, all"
        told = f"{few} within {lasted} of the stop"
    else:
        told = f"requests failed for up to {lasted} {of}"
    earlier = sum(map(_failed, before))
    return f"{told}, and {earlier:,} before the stop" if earlier else told


def recovery(rows: Sequence[SeriesRow], events: Sequence[EventReport], service: str, number: int = 1) -> str:
    """How long after the start of a service, its `number`-th, successes came as fast again as before it was stopped.

    `back at 90 % of the rate before within 2 s of its start, in rows of 1 s`.
    """
    start = _event(events, _START, service, number)
    if isinstance(start, str):
        return missing(start)
    stop = next((each for each in reversed(_done(events, _STOP, service)) if each.t_s <= start.t_s), None)
    if stop is None or not rows:
        return missing("" if stop else "it was not stopped before")
    usual_s = median(row.window_s for row in rows)
    whole = [row for row in rows if row.window_s >= _LEAST_ROW * usual_s]
    before = _before(whole, events, stop)
    wanted_per_s = _BACK * median(map(_per_s, before)) if before else 0.0
    if not wanted_per_s:
        return missing("no whole row before the stop has a success")
    until_s = _until_s(rows, events, start)
    since = [row for row in whole if row.t_s > stop.t_s and _begin_s(row) < until_s - _SKEW_S]
    told = _back(since, stop, start, wanted_per_s, _end(rows, until_s))
    return f"{told}, in rows of {_seconds(usual_s)}" if told else missing("no whole row follows its start")


def _back(
    since: Sequence[SeriesRow], stop: EventReport, start: EventReport, wanted_per_s: float, end: str
) -> str:
    """When successes came this fast again, in the rows since the stop; nothing where no whole row follows the start."""
    after = [row for row in since if _begin_s(row) >= start.t_s - _SKEW_S]
    rate = f"{_BACK:.0%} of the rate before".replace("%", " %")
    if after and all(_per_s(row) >= wanted_per_s for row in since):
        return f"never below {rate}"
    between = [row for row in since if row.t_s <= start.t_s + _SKEW_S]
    low = [place for place, row in enumerate(between) if _per_s(row) < wanted_per_s]
    if after and low and low[-1] + 1 < len(between):
        # Others have taken over.
        within = _seconds(between[low[-1] + 1].t_s - stop.t_s)
        return f"back at {rate} within {within} of the stop, before its start"
    back = next((row for row in after if _per_s(row) >= wanted_per_s), None)
    if back is None:
        return f"not back at {rate} by the {end}" if after else ""
    return f"back at {rate} within {_seconds(back.t_s - start.t_s)} of its start"


def _event(events: Sequence[EventReport], action: str, service: str, number: int) -> EventReport | str:
    """The event, or why there is none."""
    asked = sorted(
        (event for event in events if event.service == service and event.action == action),
        key=lambda event: event.t_s,
    )
    done = f"{action}{'ped' if action == _STOP else 'ed'}"
    if not 1 <= number <= len(asked):
        often = "" if number == 1 else f" {number} times"
        return f"{service} was not {done}{often}"
    event = asked[number - 1]
    return event if event.note is None else f"{service} could not be {done}"


def _done(events: Sequence[EventReport], action: str, service: str | None = None) -> list[EventReport]:
    """Those that were done, in order; of any service without a name."""
    return sorted(
        (
            event
            for event in events
            if event.action == action and event.note is None and service in (None, event.service)
        ),
        key=lambda event: event.t_s,
    )


def _until_s(rows: Sequence[SeriesRow], events: Sequence[EventReport], event: EventReport) -> float:
    """When the next stop is, a whole row later at least: two in one row cannot be told apart. Infinite: never."""
    least_s = event.t_s + median(row.window_s for row in rows)
    return min((stop.t_s for stop in _done(events, _STOP) if stop.t_s >= least_s), default=math.inf)


def _before(rows: Sequence[SeriesRow], events: Sequence[EventReport], stop: EventReport) -> list[SeriesRow]:
    """The rows from the event before this stop, or from the first, up to it."""
    since_s = max(
        (event.done_s for event in events if event.note is None and event.done_s <= stop.t_s), default=0.0
    )
    return [row for row in rows if _begin_s(row) >= since_s - _SKEW_S and row.t_s <= stop.t_s + _SKEW_S]


def _begin_s(row: SeriesRow) -> float:
    return row.t_s - row.window_s


def _failed(row: SeriesRow) -> int:
    """Requests without an answer, and answers that are no success."""
    return row.failed + row.requests - row.succeeded


def _per_s(row: SeriesRow) -> float:
    return row.succeeded / row.window_s if row.window_s > 0 else 0.0


def _end(rows: Sequence[SeriesRow], until_s: float) -> str:
    return "end" if until_s > rows[-1].t_s else "next stop"


def _seconds(length_s: float) -> str:
    """Rounded up to a tenth, since it is a bound: `2 s`, `0.7 s`."""
    return f"{math.ceil(round(10 * max(length_s, 0.0), 3)) / 10:g} s"
