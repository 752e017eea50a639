"""What the panel says of a run, and that it fits."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.progress import Phase, Progress, State, WorkerProgress
from cannon.reports.panel import panel
from tests.reports.samples import HALFWAY, ROW

BY_AMOUNT = Progress(phase=Phase.FIRE, elapsed_s=1.0, amount=1_000, completed=500)


def line(progress: Progress, ahead_s: float, width: int, *, unicode: bool) -> str:
    """The one line of a run without workers."""
    (only,) = panel(progress, ahead_s, width, 24, unicode)
    return only


def with_workers(*workers: WorkerProgress) -> Progress:
    return Progress(phase=Phase.FIRE, elapsed_s=5.0, duration_s=10.0, row=ROW, workers=workers)


def worker(index: int, state: State = State.RUNNING, failed: int = 0, told_s: float = 5.0) -> WorkerProgress:
    return WorkerProgress(index=index, state=state, told_s=told_s, failed=failed, row=ROW)


def test_a_run_by_time_shows_how_far_it_is_how_fast_and_what_went_wrong() -> None:
    assert (
        line(HALFWAY, 0.0, 79, unicode=True)
        == "running  ━━━━━━━━────────  5 of 10 s  120k/s  p50 71.2 µs  p99 1.23 ms"
    )


def test_under_a_rate_what_came_of_it_stands_beside_what_was_asked() -> None:
    asked = msgspec.structs.replace(HALFWAY, asked_per_s=150_000.0)
    assert "5 of 10 s  120k/s of 150k/s  p50 71.2 µs" in line(asked, 0.0, 79, unicode=True)


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
@pytest.mark.parametrize("state", State)
def test_every_phase_has_its_words(phase: Phase, state: State) -> None:
    assert line(Progress(phase=phase, state=state), 0.0, 79, unicode=True)


OPENING = Progress(
    phase=Phase.FIRE,
    state=State.CONNECTING,
    connections=3_000,
    made=1_200,
    elapsed_s=2.0,
    duration_s=10.0,
    connects_failed=7,
)


@pytest.mark.parametrize(
    ("phase", "state", "said"),
    [
        (Phase.FIRE, State.CONNECTING, "connecting  1,200 of 3,000  7 errors"),
        (Phase.WARMUP, State.CONNECTING, "warm-up, connecting  1,200 of 3,000  7 errors"),
        (Phase.FIRE, State.STARTING, "starting  7 errors"),
    ],
)
def test_while_connections_are_opened_no_time_runs(phase: Phase, state: State, said: str) -> None:
    progress = msgspec.structs.replace(OPENING, phase=phase, state=state)
    assert line(progress, 1.0, 79, unicode=True) == said


def test_dials_that_were_made_again_are_no_more_connections() -> None:
    progress = msgspec.structs.replace(OPENING, made=3_010)
    assert line(progress, 0.0, 79, unicode=True).startswith("connecting  3,000 of 3,000")


def test_workers_that_still_connect_have_no_rate() -> None:
    progress = with_workers(worker(0), worker(1, State.CONNECTING, failed=2))
    assert panel(progress, 0.0, 79, 24, unicode=True)[1:] == [
        "  worker 0  running     120k/s  p50 71.2 µs  p99 1.23 ms",
        "  worker 1  connecting  2 errors",
    ]


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


def test_each_of_several_workers_has_a_line() -> None:
    progress = with_workers(
        worker(0), worker(1, failed=3), worker(2, State.LOST, failed=1), worker(3, State.ENDED)
    )
    assert panel(progress, 0.0, 79, 24, unicode=True)[1:] == [
        "  worker 0  running  120k/s  p50 71.2 µs  p99 1.23 ms",
        "  worker 1  running  3 errors  120k/s  p50 71.2 µs  p99 1.23 ms",
        "  worker 2  lost     1 error",
        "  worker 3  ended",
    ]


def test_a_worker_that_says_nothing_shows_no_old_figures() -> None:
    progress = with_workers(worker(0, told_s=1.5), worker(1))
    assert panel(progress, 1.0, 79, 24, unicode=True)[1] == "  worker 0  silent for 4 s"


def test_workers_that_do_not_fit_are_summed_in_one_line_without_percentiles() -> None:
    workers = [worker(index, failed=1) for index in range(12)]
    workers[11] = worker(11, State.LOST, failed=1)
    lines = panel(with_workers(*workers), 0.0, 79, 8, unicode=True)
    assert len(lines) == 8
    assert lines[6].startswith("  worker  5  running  1 error")
    assert lines[7] == "  6 more  5 running, 1 lost  6 errors  602k/s"


def test_a_terminal_of_few_lines_has_the_line_of_the_run_alone() -> None:
    workers = [worker(index) for index in range(12)]
    assert panel(with_workers(*workers), 0.0, 79, 3, unicode=True) == [line(HALFWAY, 0.0, 79, unicode=True)]


@given(
    count=st.integers(2, 70),
    width=st.integers(1, 100),
    height=st.integers(0, 60),
    states=st.randoms(use_true_random=False),
)
def test_the_panel_fits_the_terminal_whatever_its_size(
    count: int, width: int, height: int, states: random.Random
) -> None:
    workers = [worker(index, states.choice([*State]), failed=index) for index in range(count)]
    lines = panel(with_workers(*workers), 0.0, width, height, unicode=True)
    assert 1 <= len(lines) <= max(1, height)
    assert all(len(each) <= width for each in lines)
