"""What rows over time say of a service that was stopped: how long requests failed, and when they came as fast again."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.outage import outage, recovery
from cannon.scenario_report import EventReport
from cannon.series import SeriesRow

CALM = (100, 0)


def rows(*counts: tuple[int, int], window_s: float = 1.0) -> list[SeriesRow]:
    """A row for each: successes, and answers that were none."""
    return [
        SeriesRow(
            t_s=number * window_s,
            window_s=window_s,
            requests=succeeded + failed,
            succeeded=succeeded,
            failed=0,
            bytes=1,
            p50_ms=None,
            p99_ms=None,
            max_ms=None,
        )
        for number, (succeeded, failed) in enumerate(counts, start=1)
    ]


def stop(t_s: float, service: str = "web1", note: str | None = None) -> EventReport:
    return EventReport(t_s=t_s, done_s=t_s + 0.1, action="stop", service=service, note=note)


def start(t_s: float, service: str = "web1") -> EventReport:
    return EventReport(t_s=t_s, done_s=t_s + 0.1, action="start", service=service, note=None)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ([CALM, CALM], "no request failed"),
        ([(99, 1), CALM], "1 request failed within 0.5 s of the stop"),
        ([(97, 3), CALM], "3 requests failed, all within 0.5 s of the stop"),
        ([(50, 50), (60, 40), CALM], "requests failed for up to 1.5 s (90 of 200)"),
        ([(50, 50), CALM, (60, 40), CALM], "requests failed for up to 2.5 s (90 of 300)"),
        ([CALM, CALM, (60, 40), CALM], "requests failed between 1.5 s and 2.5 s after the stop (40 of 300)"),
        ([(50, 50), (0, 90), (0, 90)], "requests failed to the end (230 of 280)"),
        ([(80, 0), (0, 0), CALM], "nothing was answered for up to 1.5 s"),
        ([(97, 3)], "3 requests failed, all within 0.5 s of the stop"),
    ],
)
def test_an_outage_lasts_to_the_last_row_in_which_something_failed(
    after: list[tuple[int, int]], words: str
) -> None:
    assert outage(rows(CALM, CALM, *after), [stop(2.5)], "web1") == words


def test_requests_without_an_answer_fail_too() -> None:
    found = rows(CALM, CALM, CALM)
    found[1] = msgspec.structs.replace(found[1], failed=4)
    assert outage(found, [stop(1.0)], "web1") == "4 requests failed, all within 1 s of the stop"


def test_what_failed_before_the_stop_is_not_laid_to_it() -> None:
    found = rows((95, 5), CALM, (97, 3), CALM)
    assert outage(found, [stop(2.0)], "web1") == (
        "3 requests failed, all within 1 s of the stop, and 5 before the stop"
    )


def test_what_failed_before_an_event_before_the_stop_is_not_told_again() -> None:
    found = rows(CALM, (90, 10), CALM, CALM, CALM, (97, 3), CALM)
    events = [stop(1.0), start(3.0), stop(5.0)]
    assert outage(found, events, "web1", 2) == "3 requests failed, all within 1 s of the stop"


def test_the_next_stop_ends_what_is_told_of_the_first() -> None:
    found = rows(CALM, CALM, CALM, CALM, (0, 90), (0, 90))
    events = [stop(1.0), start(2.0), stop(4.0), stop(4.1, "web2")]
    assert outage(found, events, "web1") == "no request failed"
    assert outage(found, events, "web1", 2) == "requests failed to the end (180 of 180)"
    assert outage(found, events, "web2") == "requests failed to the end (180 of 180)"


def test_what_never_came_well_again_is_told_to_the_next_stop() -> None:
    found = rows(CALM, (50, 50), (50, 50), (0, 90))
    assert outage(found, [stop(1.0), stop(3.0, "web2")], "web1") == (
        "requests failed to the next stop (100 of 200)"
    )


def test_rows_shorter_than_a_second_tell_it_more_closely() -> None:
    found = rows((10, 0), (8, 2), (10, 0), window_s=0.1)
    assert outage(found, [stop(0.1)], "web1") == "2 requests failed, all within 0.1 s of the stop"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "not measured (web1 was not stopped)"),
        ([stop(1.0, "web2")], "not measured (web1 was not stopped)"),
        ([stop(1.0, note="it had ended by itself")], "not measured (web1 could not be stopped)"),
        ([stop(9.0)], "not measured (no row follows the stop)"),
    ],
)
def test_an_outage_that_was_none_says_why(events: list[EventReport], words: str) -> None:
    assert outage(rows(CALM, CALM), events, "web1") == words


def test_without_rows_nothing_was_measured() -> None:
    assert outage([], [stop(1.0)], "web1") == "not measured"
    assert recovery([], [stop(1.0), start(2.0)], "web1") == "not measured"


# Coming back.

EVENTS = [stop(2.0), start(4.0)]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (
            [(0, 90), (0, 90), (40, 50), (95, 0), CALM],
            "back at 90 % of the rate before within 2 s of its start, in rows of 1 s",
        ),
        (
            [(50, 50), CALM, CALM, CALM],
            "back at 90 % of the rate before within 2 s of the stop, before its start, in rows of 1 s",
        ),
        ([CALM, (90, 10), CALM, CALM], "never below 90 % of the rate before, in rows of 1 s"),
        (
            [(50, 0), (50, 0), (50, 0), (50, 0)],
            "not back at 90 % of the rate before by the end, in rows of 1 s",
        ),
        ([(50, 0), (50, 0)], "not measured (no whole row follows its start)"),
    ],
)
def test_a_recovery_is_the_first_row_as_fast_as_before(after: list[tuple[int, int]], words: str) -> None:
    assert recovery(rows(CALM, CALM, *after), EVENTS, "web1") == words


def test_a_start_within_a_row_waits_for_a_whole_one() -> None:
    found = rows(CALM, CALM, (0, 90), (0, 90), CALM, CALM)
    assert recovery(found, [stop(2.0), start(3.5)], "web1") == (
        "back at 90 % of the rate before within 1.5 s of its start, in rows of 1 s"
    )


def test_a_short_last_row_is_no_rate() -> None:
    found = rows(CALM, CALM, (0, 90), (0, 90))
    found.append(msgspec.structs.replace(found[0], t_s=4.01, window_s=0.01))
    assert recovery(found, EVENTS, "web1") == "not measured (no whole row follows its start)"


def test_a_recovery_ends_with_the_next_stop() -> None:
    found = rows(CALM, CALM, (0, 90), (0, 90), (10, 80), (10, 80), CALM)
    assert recovery(found, [*EVENTS, stop(6.0, "web2")], "web1") == (
        "not back at 90 % of the rate before by the next stop, in rows of 1 s"
    )


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([stop(2.0)], "not measured (web1 was not started)"),
        ([start(2.0)], "not measured (it was not stopped before)"),
        ([stop(0.0), start(2.0)], "not measured (no whole row before the stop has a success)"),
    ],
)
def test_a_recovery_that_was_none_says_why(events: list[EventReport], words: str) -> None:
    assert recovery(rows(CALM, CALM, CALM), events, "web1") == words


_COUNTS = st.tuples(st.integers(0, 200), st.integers(0, 200))
_TIMES = st.floats(0.0, 12.0)


@given(
    st.lists(_COUNTS, max_size=10),
    st.lists(st.builds(stop, _TIMES, st.sampled_from(("web1", "web2"))), max_size=3),
    st.lists(st.builds(start, _TIMES, st.sampled_from(("web1", "web2"))), max_size=3),
    st.integers(1, 3),
)
def test_whatever_happened_can_be_told(
    counts: list[tuple[int, int]], stops: list[EventReport], starts: list[EventReport], number: int
) -> None:
    found, events = rows(*counts), [*starts, *stops]
    for told in (outage(found, events, "web1", number), recovery(found, events, "web1", number)):
        assert told.isprintable() and told
        assert "None" not in told and "-" not in told


@given(st.lists(_COUNTS, min_size=3, max_size=10), st.floats(0.0, 2.9))
def test_no_request_failed_is_said_only_where_none_failed(
    counts: list[tuple[int, int]], stopped_s: float
) -> None:
    found = rows(*counts)
    after = [row for row in found if row.t_s > stopped_s]
    told = outage(found, [stop(stopped_s)], "web1")
    if told == "no request failed":
        assert all(row.requests == row.succeeded for row in after)
    elif all(row.requests == row.succeeded and row.succeeded for row in after):
        assert told.startswith("no request failed")
