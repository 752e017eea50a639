"""The moving lines of a comparison: which round of which side, for how long still, and what is known by now."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.reports.drawn import Room
from cannon.reports.live_rounds import LiveRounds, lines_of
from cannon.rows import Row, Verdict
from cannon.standing import Stage, Standing
from tests.comparisons import a_row, no_row
from tests.reports.screen import Screen, Shown

COLOURFUL = {"TERM": "xterm"}
ROOM = Room(width=79, height=23, unicode=True)
P50 = a_row("p50", (0.81, 1.12), (0.31, 0.27, 0.36), (38.1, 33.0, 44.5))
HALFWAY = Standing(stage=Stage.LATENCY, number=4, rounds=10, side="haproxy", left_s=72.4, rows=(P50,))


def test_it_tells_the_round_the_side_the_time_left_and_what_is_known() -> None:
    assert lines_of(HALFWAY, 0.0, ROOM) == [
        "latency pass  round 4 of 10  haproxy  1:12 left",
        "  haproxy p50 +0.31 ms [+0.27, +0.36]  +38 % [+33, +44]",
    ]


def test_before_the_sixth_round_the_estimate_stands_alone() -> None:
    few = a_row("p50", (0.81, 1.12), (0.31,), (38.1,), Verdict.INCONCLUSIVE, reason="3 rounds")
    standing = Standing(stage=Stage.LATENCY, number=4, rounds=10, side="direct", rows=(few,))
    assert lines_of(standing, 0.0, ROOM) == [
        "latency pass  round 4 of 10  direct",
        "  haproxy p50 +0.31 ms  +38 %",
    ]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (
            Standing(stage=Stage.PROBE, side="direct"),
            "asking whether the sides answer the same  direct",
        ),
        (
            Standing(stage=Stage.CAPACITY, rounds=10, side="direct", left_s=3_729.0),
            "capacity pass  a round to throw away  direct  1:02:09 left",
        ),
        (
            Standing(stage=Stage.CAPACITY, number=12, rounds=10, side="direct", left_s=9.0),
            "capacity pass  round 12  direct  0:09 left",
        ),
        (Standing(stage=Stage.HANDSHAKES), "handshakes"),
    ],
)
def test_each_stage_has_its_words(standing: Standing, expected: str) -> None:
    assert lines_of(standing, 0.0, ROOM) == [expected]


@pytest.mark.parametrize(
    ("since_s", "left"), [(0.0, "1:12"), (10.2, "1:02"), (71.0, "0:01"), (500.0, "0:00")]
)
def test_the_time_left_counts_down_between_two_tellings(since_s: float, left: str) -> None:
    assert lines_of(HALFWAY, since_s, ROOM)[0].endswith(f"  {left} left")


def test_the_sides_stand_below_each_other() -> None:
    rows = (P50, a_row("p50", (0.81, 1.02), (0.09, 0.07, 0.11), (11.0, 8.0, 14.0), side="ng"))
    assert lines_of(Standing(stage=Stage.LATENCY, number=7, rounds=10, rows=rows), 0.0, ROOM)[1:] == [
        "  haproxy p50 +0.31 ms [+0.27, +0.36]  +38 % [+33, +44]",
        "  ng      p50 +0.09 ms [+0.07, +0.11]  +11 % [+8, +14]",
    ]


def test_a_capacity_and_what_was_not_measured_are_told_too() -> None:
    rows = (
        a_row("rps", (9_810.0, 7_420.0), (-2_390.0,), (-24.4,), Verdict.INCONCLUSIVE),
        no_row("p50", "needs 40 requests per slot, had 12", side="nginx"),
    )
    assert lines_of(Standing(stage=Stage.CAPACITY, number=2, rounds=10, rows=rows), 0.0, ROOM)[1:] == [
        "  haproxy capacity -2,390/s  -24 %",
        "  nginx   p50  needs 40 requests per slot, had 12",
    ]


def test_what_has_no_room_is_left_out_and_no_figure_is_cut() -> None:
    assert lines_of(HALFWAY, 0.0, Room(width=40, height=23, unicode=True)) == [
        "latency pass  round 4 of 10  haproxy",
        "  haproxy p50 +0.31 ms [+0.27, +0.36]",
    ]


def test_sides_that_have_no_room_are_counted() -> None:
    rows = tuple(a_row(side=f"side{number}") for number in range(5))
    standing = Standing(stage=Stage.LATENCY, number=2, rounds=10, rows=rows)
    lines = lines_of(standing, 0.0, Room(width=79, height=4, unicode=True))
    assert [line.split()[0] for line in lines] == ["latency", "side0", "side1", "3"]
    assert lines[-1] == "  3 more"


def test_a_terminal_without_unicode_gets_none() -> None:
    small = a_row("p50", (0.081, 0.112), (0.031, 0.027, 0.036), (38.1, 33.0, 44.5))
    standing = Standing(stage=Stage.LATENCY, number=7, rounds=10, rows=(small,))
    assert lines_of(standing, 0.0, Room(width=79, height=9, unicode=False))[1] == (
        "  haproxy p50 +31 us [+27, +36]  +38 % [+33, +44]"
    )


rows_of_sides = st.lists(st.sampled_from([P50, no_row("p50", "needs 40"), a_row("rps")]), max_size=6)


@given(
    st.sampled_from(Stage),
    rows_of_sides,
    st.integers(1, 90),
    st.integers(1, 8),
    st.integers(0, 50),
    st.floats(0, 9e4),
)
def test_lines_never_take_more_than_the_room_there_is(
    stage: Stage, rows: Sequence[Row], width: int, height: int, number: int, left_s: float
) -> None:
    standing = Standing(
        stage=stage, number=number, rounds=10, side="haproxy", left_s=left_s, rows=tuple(rows)
    )
    lines = lines_of(standing, 1.0, Room(width, height, unicode=True))
    assert 1 <= len(lines) <= height
    assert all(len(line) <= width for line in lines)


def test_it_is_drawn_in_its_place_and_wiped_at_the_end() -> None:
    stream = Shown(Screen(80, 24))
    stream.write("$ cannon compare\n")
    stream.drawn.clear()
    with LiveRounds(stream, environment=COLOURFUL, clock=lambda: 0.0, redraw_s=0.001) as shown:
        shown.update(HALFWAY)
        assert stream.drawn.wait(5)
    assert stream.most_lines == 3
    assert stream.screen.lines == ["$ cannon compare"]
    assert stream.screen.cursor == (1, 0)


def test_the_lines_change_as_the_interval_narrows() -> None:
    stream = Shown(Screen(80, 24))
    shown = LiveRounds(stream, environment=COLOURFUL, clock=lambda: 0.0)
    for added, interval in (((0.31, 0.1, 0.5), "[+0.10, +0.50]"), ((0.31, 0.29, 0.33), "[+0.29, +0.33]")):
        shown.update(Standing(stage=Stage.LATENCY, number=7, rounds=10, rows=(a_row(added=added),)))
        shown._draw(stream)
        assert interval in stream.screen.lines[1]
        assert len(stream.screen.lines) == 2


def test_a_note_stands_above_the_lines() -> None:
    stream = Shown(Screen(80, 24))
    shown = LiveRounds(stream, environment=COLOURFUL, clock=lambda: 0.0)
    shown.update(HALFWAY)
    shown._draw(stream)
    shown.note("round 3 was dropped")
    shown._draw(stream)
    assert [line.split()[0] for line in stream.screen.lines] == ["round", "latency", "haproxy"]


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, COLOURFUL | {"NO_COLOR": "1"}], ids=str)
def test_where_nothing_is_drawn_notes_are_said(environment: dict[str, str]) -> None:
    stream = Shown(Screen(80, 24))
    with LiveRounds(stream, environment=environment, redraw_s=0.001) as shown:
        shown.update(HALFWAY)
        shown.note("round 3 was dropped")
    assert stream.screen.lines == ["round 3 was dropped"]


def test_a_stream_that_is_no_terminal_gets_notes_alone() -> None:
    stream = io.StringIO()
    with LiveRounds(stream, environment=COLOURFUL, redraw_s=0.001) as shown:
        shown.update(HALFWAY)
        shown.note("round 3 was dropped")
    assert stream.getvalue() == "round 3 was dropped\n"


def test_without_a_stream_all_is_silent() -> None:
    with LiveRounds(None) as shown:
        shown.update(HALFWAY)
        shown.note("nobody hears this")
