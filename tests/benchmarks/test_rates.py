from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rates
from quantiles import order_statistic
from rates import PARTS, TITLES, Figure, stalled


@pytest.mark.parametrize(("percent", "share"), [(75, 0.5), (90, 0.8), (99, 0.98)])
def test_a_stall_of_half_the_run_has_a_closed_form(percent: float, share: float) -> None:
    assert stalled(percent, 3.0, 6.0) == pytest.approx(share * 3.0)


@given(st.integers(1, 9), st.sampled_from([95, 99, 99.9]))
def test_the_closed_form_is_what_even_requests_wait(stalled_tenths: int, percent: float) -> None:
    window_ms, stall_ms = 2_000, 200 * stalled_tenths
    begin_ms = (window_ms - stall_ms) // 2
    waits_ms = [max(0, begin_ms + stall_ms - due) if due >= begin_ms else 0 for due in range(window_ms)]
    expected = stalled(percent, stall_ms, window_ms)
    assert order_statistic(sorted(waits_ms), percent) == pytest.approx(expected, abs=1)


def test_a_figure_stands_above_the_idle_timer_run_by_run() -> None:
    figure = Figure("late", "< 200 above", measured=(100.0, 300.0), idle=(90.0, 100.0), digits=0)
    assert figure.above == (10.0, 200.0)
    assert figure.cells == (
        "late",
        "200 (100 to 300)",
        "95 (90 to 100)",
        "105 (10 to 200)",
        "< 200 above",
    )


def test_a_figure_without_an_idle_timer_leaves_its_cells_empty() -> None:
    figure = Figure("achieved", ">= 0.999", measured=(0.99951,), digits=4)
    assert figure.cells == ("achieved", "0.9995", "", "", ">= 0.999")
    assert len(figure.cells) == len(TITLES)


def test_every_part_says_in_the_scripts_own_words_what_it_is() -> None:
    assert rates.__doc__ is not None
    assert all(f"`{part}`" in rates.__doc__ for part in PARTS)


def test_the_idle_timer_tells_how_even_and_how_late_it_was() -> None:
    program = Path(rates.__file__).with_name("idle_timer.py")
    done = subprocess.run(
        [sys.executable, str(program), "1000", "0.02"], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["variation"] >= 0 and told["late_p99_us"] > 0
