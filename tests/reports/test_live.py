"""The moving line: what it says, that it moves, and that it leaves nothing behind."""

from __future__ import annotations

import io
import os
import select
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.progress import Phase, Progress
from cannon.reports.live import Live, line
from cannon.series import SeriesRow

COLOURFUL = {"TERM": "xterm"}
CLEAR = "\r\x1b[K"
ROW = SeriesRow(
    t_s=5.0,
    window_s=1.0,
    requests=120_345,
    succeeded=120_345,
    failed=0,
    bytes=1,
    p50_ms=0.0712,
    p99_ms=1.234,
    max_ms=5.0,
)
HALFWAY = Progress(phase=Phase.FIRE, elapsed_s=5.0, duration_s=10.0, completed=600_000, row=ROW)
BY_AMOUNT = Progress(phase=Phase.FIRE, elapsed_s=1.0, amount=1_000, completed=500)


class Pseudoterminal:
    """A terminal whose picture the test reads."""

    def __init__(self, stream: TextIO, leader: int) -> None:
        self.stream = stream
        self._leader = leader

    def read_until(self, text: str) -> str:
        """All that was written, up to and with this text; the test fails when it does not come."""
        seen = ""
        while text not in seen:
            ready, _, _ = select.select([self._leader], [], [], 5)
            assert ready, f"{text!r} never came, only {seen!r}"
            seen += os.read(self._leader, 4096).decode()
        return seen

    def rest(self) -> str:
        """What was written and not yet read."""
        seen = b""
        while select.select([self._leader], [], [], 0)[0]:
            seen += os.read(self._leader, 4096)
        return seen.decode()


@pytest.fixture
def terminal() -> Iterator[Pseudoterminal]:
    leader, follower = os.openpty()
    with open(follower, "w", encoding="utf-8") as stream:
        yield Pseudoterminal(stream, leader)
    os.close(leader)


def live(terminal: Pseudoterminal) -> Live:
    return Live(terminal.stream, environment=COLOURFUL, clock=lambda: 0.0, redraw_s=0.001)


def test_a_run_by_time_shows_how_far_it_is_how_fast_and_what_went_wrong() -> None:
    assert (
        line(HALFWAY, 0.0, 79, unicode=True)
        == "running  ━━━━━━━━────────  5 of 10 s  120k/s  p50 71.2 µs  p99 1.23 ms"
    )


def test_errors_of_requests_and_of_dials_are_added_and_stand_before_the_figures() -> None:
    progress = Progress(
        phase=Phase.FIRE, elapsed_s=5.0, duration_s=10.0, failed=2, connects_failed=3, row=ROW
    )
    assert "5 of 10 s  5 errors  120k/s" in line(progress, 0.0, 79, unicode=True)


def test_a_run_by_amount_shows_how_many_are_done() -> None:
    assert line(BY_AMOUNT, 0.0, 79, unicode=False) == "running  ########........  500 of 1.0k"


def test_the_line_moves_on_between_two_tellings() -> None:
    assert "7 of 10 s" in line(HALFWAY, 2.0, 79, unicode=True)


def test_a_guess_never_ends_the_run() -> None:
    progress = Progress(phase=Phase.FIRE, amount=1_000, completed=998, row=ROW)
    assert "999 of 1.0k" in line(progress, 2.0, 79, unicode=True)
    assert "10 of 10 s" in line(HALFWAY, 60.0, 79, unicode=True)


def test_a_narrow_terminal_gets_the_most_important_part() -> None:
    assert line(HALFWAY, 0.0, 30, unicode=True) == "running  5 of 10 s  120k/s"


def test_an_ascii_terminal_gets_ascii() -> None:
    assert line(HALFWAY, 0.0, 79, unicode=False).isascii()


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_its_words(phase: Phase) -> None:
    assert line(Progress(phase=phase), 0.0, 79, unicode=True)


def test_a_share_of_more_than_everything_fills_the_bar_and_no_more() -> None:
    assert len(line(Progress(phase=Phase.FIRE, amount=1, completed=10**9), 0.0, 79, unicode=True)) <= 79


@given(
    width=st.integers(min_value=1, max_value=200),
    ahead_s=st.floats(min_value=0, max_value=100),
    elapsed_s=st.floats(min_value=0, max_value=1e6),
    duration_s=st.none() | st.floats(min_value=0, max_value=1e6),
    amount=st.none() | st.integers(min_value=0, max_value=10**9),
    completed=st.integers(min_value=0, max_value=10**9),
)
def test_the_line_never_wraps(
    width: int,
    ahead_s: float,
    elapsed_s: float,
    duration_s: float | None,
    amount: int | None,
    completed: int,
) -> None:
    progress = Progress(
        phase=Phase.FIRE,
        elapsed_s=elapsed_s,
        duration_s=duration_s,
        amount=amount,
        completed=completed,
        failed=3,
        row=ROW,
    )
    assert len(line(progress, ahead_s, width, unicode=True)) <= width


def test_what_was_told_is_drawn_and_wiped_at_the_end(terminal: Pseudoterminal) -> None:
    with live(terminal) as shown:
        shown.update(HALFWAY)
        seen = terminal.read_until("1.23 ms")
    assert "\n" not in seen
    assert (seen + terminal.rest()).endswith(CLEAR)


def test_a_telling_without_a_row_keeps_the_figures(terminal: Pseudoterminal) -> None:
    with live(terminal) as shown:
        shown.update(HALFWAY)
        shown.update(Progress(phase=Phase.FIRE, elapsed_s=6.0, duration_s=10.0))
        assert "6 of 10 s  120k/s" in terminal.read_until("1.23 ms")


def test_figures_of_the_warmup_end_with_it(terminal: Pseudoterminal) -> None:
    with live(terminal) as shown:
        shown.update(Progress(phase=Phase.WARMUP, duration_s=1.0, row=ROW))
        terminal.read_until("120k/s")
        shown.update(Progress(phase=Phase.FIRE, elapsed_s=3.0, duration_s=10.0))
        terminal.read_until("3 of 10 s")
        terminal.rest()
        assert "120k/s" not in terminal.read_until("3 of 10 s" + CLEAR)


def test_an_exception_leaves_the_terminal_clean(terminal: Pseudoterminal) -> None:
    with pytest.raises(ZeroDivisionError), live(terminal) as shown:
        shown.update(HALFWAY)
        seen = terminal.read_until("1.23 ms")
        raise ZeroDivisionError
    assert (seen + terminal.rest()).endswith(CLEAR)


def test_a_note_stands_on_a_line_of_its_own(terminal: Pseudoterminal) -> None:
    with live(terminal) as shown:
        shown.update(HALFWAY)
        terminal.read_until("1.23 ms")
        shown.note("the server answers 404")
        assert f"{CLEAR}the server answers 404\r\n" in terminal.read_until("404\r\n")


def test_a_terminal_that_goes_away_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    escaped: list[object] = []
    monkeypatch.setattr(threading, "excepthook", escaped.append)
    leader, follower = os.openpty()
    # What could not be written is told once more when the stream is closed.
    with pytest.raises(OSError, match="Input/output error"), open(follower, "w", encoding="utf-8") as stream:
        with Live(stream, environment=COLOURFUL, redraw_s=0.001) as shown:
            os.close(leader)
            shown.update(HALFWAY)
        over = True
    assert over
    assert escaped == []


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, COLOURFUL | {"NO_COLOR": "1"}], ids=str)
def test_a_terminal_that_must_not_be_drawn_on_stays_empty(
    terminal: Pseudoterminal, environment: dict[str, str]
) -> None:
    with Live(terminal.stream, environment=environment, redraw_s=0.001) as shown:
        shown.update(HALFWAY)
    assert terminal.rest() == ""


def test_a_stream_that_is_no_terminal_gets_notes_alone() -> None:
    stream = io.StringIO()
    with Live(stream, environment=COLOURFUL, redraw_s=0.001) as shown:
        shown.update(HALFWAY)
        shown.note("the server answers 404")
    assert stream.getvalue() == "the server answers 404\n"


def test_without_a_stream_all_is_silent() -> None:
    with Live(None) as shown:
        shown.update(HALFWAY)
        shown.note("nobody hears this")
