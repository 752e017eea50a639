from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairs import Pair, Ratio, failed_row, heading, row
from runs import Run

KEY = ("http", "plain", "1,000", "10", "wrk")
POSITIVE = st.floats(min_value=1e-3, max_value=1e6)


def _run(per_s: float, cpu_us: float) -> Run:
    return Run(requests=1_000_000, per_s=per_s, cpu_s=cpu_us, seen=1_000_000, accepted=10)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").replace("\\|", "/").split("|")]


def test_ratios_are_taken_inside_a_pair_not_between_medians() -> None:
    drifting = [(10.0, 5.0), (200.0, 100.0), (30.0, 10.0)]
    assert Ratio.of(drifting) == Ratio(median=2.0, low=2.0, high=3.0)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1))
def test_the_median_of_ratios_lies_in_their_range(pairs: list[tuple[float, float]]) -> None:
    ratio = Ratio.of(pairs)
    assert ratio.low <= ratio.median <= ratio.high


@given(st.lists(POSITIVE, min_size=1), POSITIVE)
def test_a_machine_that_drifts_changes_no_ratio(speeds: list[float], factor: float) -> None:
    ratio = Ratio.of((speed * factor, speed) for speed in speeds)
    assert ratio.low == pytest.approx(factor) and ratio.high == pytest.approx(factor)


def test_a_row_tells_medians_and_ratios_of_rate_and_cost() -> None:
    pairs = [
        Pair(_run(100_000, 12.0), _run(50_000, 10.0)),
        Pair(_run(90_000, 11.0), _run(60_000, 11.0)),
        Pair(_run(80_000, 18.0), _run(80_000, 9.0)),
    ]
    assert _cells(row(KEY, pairs)) == [
        *KEY,
        *("90,000", "60,000", "1.50 (1.00-2.00)"),
        *("12.00", "10.00", "1.20 (1.00-2.00)"),
    ]


def test_every_row_is_as_wide_as_the_heading() -> None:
    titles, rule = heading("cannon").splitlines()
    pair = Pair(_run(1, 1), _run(1, 1))
    rows = [row(KEY, [pair]), failed_row(KEY, "ab: a | b\nin two lines"), rule]
    assert {len(_cells(line)) for line in rows} == {len(_cells(titles))}
