"""The moving lines: that they move, stay in their place, and leave nothing behind."""

from __future__ import annotations

import io
import os
import select
import threading
from collections.abc import Iterator
from typing import TextIO

import msgspec
import pytest

from cannon.progress import Phase, Progress, State, WorkerProgress
from cannon.reports.live import Live
from tests.reports.samples import HALFWAY, ROW
from tests.reports.screen import Screen, Shown

COLOURFUL = {"TERM": "xterm"}
CLEAR = "\r\x1b[K"


class Pseudoterminal:
    """A terminal whose picture the test reads."""

    def __init__(self, stream: TextIO, leader: int) -> None:
        self.stream = stream
        self._leader = leader

    def read_until(self, text: str) -> str:
        """All that was written, up to and with this text; the test fails when it does not come."""
        seen = b""
        while text.encode() not in seen:
            ready, _, _ = select.select([self._leader], [], [], 5)
            assert ready, f"{text!r} never came, only {seen!r}"
            seen += os.read(self._leader, 4096)
        # A read may end in the middle of a character, whose rest is left to the next.
        return seen.decode(errors="ignore")

    def rest(self) -> str:
        """What was written and not yet read."""
        seen = b""
        while select.select([self._leader], [], [], 0)[0]:
            seen += os.read(self._leader, 4096)
        return seen.decode(errors="ignore")


@pytest.fixture
def terminal() -> Iterator[Pseudoterminal]:
    leader, follower = os.openpty()
    with open(follower, "w", encoding="utf-8") as stream:
        yield Pseudoterminal(stream, leader)
    os.close(leader)


def live(terminal: Pseudoterminal) -> Live:
    return Live(terminal.stream, environment=COLOURFUL, clock=lambda: 0.0, redraw_s=0.001)


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


def test_a_telling_without_a_row_keeps_the_rate_that_was_asked(terminal: Pseudoterminal) -> None:
    with live(terminal) as shown:
        shown.update(msgspec.structs.replace(HALFWAY, asked_per_s=150_000.0))
        shown.update(Progress(phase=Phase.FIRE, elapsed_s=6.0, duration_s=10.0))
        assert "6 of 10 s  120k/s of 150k/s" in terminal.read_until("1.23 ms")


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


def crew(*states: State) -> Progress:
    """A run of several workers."""
    workers = tuple(
        WorkerProgress(index=index, state=state, told_s=5.0, row=ROW) for index, state in enumerate(states)
    )
    return msgspec.structs.replace(HALFWAY, workers=workers)


def test_several_lines_are_drawn_in_their_place() -> None:
    stream = Shown(Screen(80, 24))
    stream.write("$ cannon\n")
    shown = Live(stream, environment=COLOURFUL, clock=lambda: 0.0)
    for state in (State.RUNNING, State.RUNNING, State.LOST):
        shown.update(crew(State.RUNNING, state))
        shown._draw(stream)
        above, run, first, second = stream.screen.lines
        assert above == "$ cannon"
        assert run.startswith("running  ")
        assert first.startswith("  worker 0  running")
        assert second.startswith(f"  worker 1  {state}")


def test_at_the_bottom_of_the_screen_what_stands_above_is_scrolled_and_never_overwritten() -> None:
    stream = Shown(Screen(80, 6))
    before = [f"line {number}" for number in range(6)]
    stream.write("\n".join(before) + "\n")
    shown = Live(stream, environment=COLOURFUL, clock=lambda: 0.0)
    shown.update(crew(*[State.RUNNING] * 3))
    for _ in range(3):
        shown._draw(stream)
    assert stream.screen.scrolled + stream.screen.lines[:-4] == before
    assert [line[:12] for line in stream.screen.lines[-3:]] == [
        "  worker 0  ",
        "  worker 1  ",
        "  worker 2  ",
    ]


def test_a_note_stands_above_all_the_lines_and_they_come_back_below_it() -> None:
    stream = Shown(Screen(80, 24))
    shown = Live(stream, environment=COLOURFUL, clock=lambda: 0.0)
    shown.update(crew(State.RUNNING, State.RUNNING))
    shown._draw(stream)
    shown.note("worker 1 was lost")
    assert stream.screen.lines == ["worker 1 was lost"]
    shown._draw(stream)
    assert [line.split()[0] for line in stream.screen.lines] == ["worker", "running", "worker", "worker"]


def test_a_picture_that_has_become_smaller_leaves_nothing_of_the_larger_one() -> None:
    stream = Shown(Screen(80, 24))
    shown = Live(stream, environment=COLOURFUL, clock=lambda: 0.0)
    for progress, lines in ((crew(*[State.RUNNING] * 5), 6), (crew(*[State.RUNNING] * 2), 3), (HALFWAY, 1)):
        shown.update(progress)
        shown._draw(stream)
        assert len(stream.screen.lines) == lines


def test_the_end_leaves_the_screen_and_the_cursor_as_they_were() -> None:
    stream = Shown(Screen(80, 24))
    stream.write("$ cannon\n")
    with Live(stream, environment=COLOURFUL, clock=lambda: 0.0, redraw_s=0.001) as shown:
        stream.drawn.clear()
        shown.update(crew(*[State.RUNNING] * 3))
        assert stream.drawn.wait(5)
    assert stream.most_lines == 5
    assert stream.screen.lines == ["$ cannon"]
    assert stream.screen.cursor == (1, 0)
