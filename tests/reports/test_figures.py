"""Figures as text: one unit in a row, and digits that keep apart what is apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.reports.figures import Figures, Scale, span
from cannon.rows import Row, Verdict
from tests.comparisons import BASE, SIDE, a_change, a_row, no_row

MICRO = "\N{MICRO SIGN}s"


def of(row: Row) -> Figures:
    return Figures.of(row, 5.0)


def test_the_figures_of_a_row() -> None:
    assert of(a_row()) == Figures(
        base="0.81 ms",
        side="1.12 ms",
        added="+0.31 ms",
        added_interval="[+0.29, +0.33]",
        change="+38 %",
        change_interval="[+36, +41]",
    )


@pytest.mark.parametrize(
    ("values", "added", "expected"),
    [
        (
            (0.081, 0.112),
            (0.031, 0.029, 0.033),
            (f"81 {MICRO}", f"112 {MICRO}", f"+31 {MICRO}", "[+29, +33]"),
        ),
        ((0.95, 1.05), (0.1, 0.05, 0.15), ("0.95 ms", "1.05 ms", "+0.10 ms", "[+0.05, +0.15]")),
        ((1_020.0, 990.0), (-30.0, -40.0, -20.0), ("1.02 s", "0.99 s", "-0.03 s", "[-0.04, -0.02]")),
        ((0.0, 0.0004), (0.0004, 0.0003, 0.0005), ("0 ns", "400 ns", "+400 ns", "[+300, +500]")),
    ],
)
def test_a_row_has_one_unit_that_of_its_larger_value(
    values: tuple[float, float], added: tuple[float, ...], expected: tuple[str, ...]
) -> None:
    found = of(a_row(values=values, added=added))
    assert (found.base, found.side, found.added, found.added_interval) == expected


@pytest.mark.parametrize(
    ("metric", "values", "added", "expected"),
    [
        (
            "rps",
            (12_345.6, 9_810.2),
            (-2_535.0, -2_560.0, -2_510.0),
            ("12,346/s", "-2,535/s", "[-2,560, -2,510]"),
        ),
        ("cpu", (41.2, 41.6), (0.4, -0.3, 1.2), (f"41.2 {MICRO}", f"+0.4 {MICRO}", "[-0.3, +1.2]")),
        ("bytes", (100_164.0, 20_188.0), (-79_976.0,), ("100 kB", "-80 kB", "")),
        ("errors", (0.0, 0.4), (0.4,), ("0.0 %", "+0.4 pts", "")),
    ],
)
def test_what_is_no_time_has_a_unit_of_its_own(
    metric: str, values: tuple[float, float], added: tuple[float, ...], expected: tuple[str, str, str]
) -> None:
    found = of(a_row(metric, values, added))
    assert (found.base, found.added, found.added_interval) == expected


def test_a_narrow_interval_has_more_digits() -> None:
    found = of(a_row(added=(0.31, 0.3097, 0.3104)))
    assert (found.base, found.added, found.added_interval) == (
        "0.8100 ms",
        "+0.3100 ms",
        "[+0.3097, +0.3104]",
    )


@pytest.mark.parametrize(
    ("change_pct", "expected"),
    [
        ((4.0, 0.03, 9.0), "[+0.03, +9.00]"),
        ((7.0, 5.02, 9.0), "[+5.02, +9.00]"),
        ((-7.0, -9.0, -4.98), "[-9.00, -4.98]"),
        ((7.0, 5.0, 9.0), "[+5.0, +9.0]"),
        ((5.0, 0.0, 9.0), "[0.0, +9.0]"),
    ],
)
def test_an_end_is_not_shown_as_the_zero_or_the_margin_which_it_is_not(
    change_pct: tuple[float, ...], expected: str
) -> None:
    assert of(a_row(change_pct=change_pct)).change_interval == expected


def test_a_lower_bound_is_marked_as_one() -> None:
    found = of(a_row("rps", (9_810.0, 7_420.0), (-2_390.0,), at_least=[BASE]))
    assert (found.base, found.side) == (">= 9,810/s", "7,420/s")
    found = of(a_row("rps", (9_810.0, 7_420.0), (-2_390.0,), at_least=[BASE, SIDE]))
    assert found.side == ">= 7,420/s"


def test_what_was_not_measured_is_a_dash_and_nothing() -> None:
    assert of(no_row("p99_9", "needs more")) == Figures("-", "-", "", "", "", "")


def test_a_quantity_and_its_interval_on_one_line() -> None:
    assert span("ms", a_change(2.31, 2.24, 2.4)) == "2.31 ms [2.24, 2.40]"
    assert span("ms", a_change(0.09, 0.08, 0.1)) == f"90.0 {MICRO} [80.0, 100.0]"
    assert span("Mbit/s", a_change(320.0)) == "320 Mbit/s"


def test_a_unit_from_a_strange_file_moves_no_terminal() -> None:
    assert of(a_row(unit="\x1b[31m")).base == "0.81 \\x1b[31m"


finite = st.floats(-1e9, 1e9).map(lambda value: round(value, 6))


@given(finite, st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_the_ends_of_an_interval_differ_as_long_as_they_are_not_next_to_each_other(
    estimate: float, below: float, above: float
) -> None:
    low, high = estimate - below, estimate + above
    if high - low < 1e-4 * max(abs(low), abs(high)):
        return
    scale = Scale.of("ms", (estimate, low, high), (low, high), (0.0,))
    shown = scale.interval(a_change(estimate, low, high)).strip("[]").split(", ")
    assert shown[0] != shown[1]
    assert "-0" not in {text.rstrip("0").rstrip(".") for text in shown}


@given(st.sampled_from(Verdict), st.floats(0, 1e9), st.floats(0, 1e9), finite, st.floats(0, 1e9))
def test_any_row_can_be_written(
    verdict: Verdict, base: float, side: float, estimate: float, width: float
) -> None:
    ends = (estimate, estimate - width, estimate + width)
    found = of(a_row(values=(base, side), added=ends, change_pct=ends, verdict=verdict))
    assert all(
        (found.base, found.side, found.added, found.added_interval, found.change, found.change_interval)
    )
