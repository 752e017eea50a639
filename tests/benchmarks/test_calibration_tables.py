from __future__ import annotations

from collections.abc import Sequence

import pytest

from calibration_tables import TABLES
from cannon.verdict import Change
from outcomes import Found, Outcome


def _outcome(part: str, rows: Sequence[Found] = (), **changes: object) -> Outcome:
    found = {"part": part, "setting": "here", "number": 1, "commit": "abc", "rows": list(rows)}
    return Outcome(**(found | changes))  # type: ignore[arg-type]  # passed through


def _row(estimate: float, half: float, metric: str = "p50", of: str = "latency") -> Found:
    added = Change(estimate, estimate - half, estimate + half)
    return Found(of, metric, added, Change(10 * estimate, 10 * (estimate - half), 10 * (estimate + half)))


def _cells(table: str) -> list[list[str]]:
    """Of all lines below the heading."""
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    assert len({len(row) for row in rows}) == 1, table
    return rows[2:]


def test_a_server_against_itself_counts_what_excludes_zero_by_row() -> None:
    outcomes = [
        *[_outcome("aa", [_row(0.0, 1.0), _row(5.0, 10.0, "rps", "capacity")])] * 18,
        _outcome("aa", [_row(2.0, 1.0), _row(5.0, 10.0, "rps", "capacity")]),
        _outcome("aa", [_row(-2.0, 1.0), _row(5.0, 10.0, "rps", "capacity")]),
    ]
    table, reached = TABLES["aa"]([outcomes])
    p50, rps = _cells(table)
    assert p50[1:6] == ["latency: p50", "20", "2 (1 below, 1 above)", "2 (1 below, 1 above)", "4"]
    assert rps[1:6] == ["capacity: rps", "20", "0 (0 below, 0 above)", "0 (0 below, 0 above)", "4"]
    assert p50[6:] == ["+0.00 %", "20.0 %"]
    assert reached


def test_a_row_without_a_change_in_percent_is_judged_by_what_was_added() -> None:
    without = Found("latency", "p50", Change(2.0, 1.0, 3.0), None)
    table, reached = TABLES["aa"]([[_outcome("aa", [without])] * 20])
    assert _cells(table)[0][2:] == ["20", "0 (0 below, 0 above)", "20 (0 below, 20 above)", "4", "", ""]
    assert not reached


def test_more_exclusions_than_chance_has_miss_the_goal() -> None:
    outcomes = [_outcome("aa", [_row(2.0, 1.0)])] * 5 + [_outcome("aa", [_row(0.0, 1.0)])] * 15
    assert not TABLES["aa"]([outcomes])[1]


def test_injected_delays_are_held_by_intervals_that_contain_the_servers_record() -> None:
    held = _outcome("injected", [_row(1.003, 0.010)], own_ms={"p50": 1.001})
    below = _outcome("injected", [_row(0.980, 0.010)], own_ms={"p50": 1.001})
    table, reached = TABLES["injected"]([[held] * 35 + [below] * 5])
    p50, *others = _cells(table)
    assert p50[1:7] == ["p50", "40", "1.0010 (1.0010 to 1.0010)", "35", "35", "5 (5 below, 0 above)"]
    assert p50[7:] == ["+2.0 (-21.0 to +2.0)", "20.0 (20.0 to 20.0)"]
    assert [row[2] for row in others] == ["0", "0", "0"]
    assert reached
    assert not TABLES["injected"]([[held] * 34 + [below] * 6])[1]


def test_the_mean_is_told_and_no_goal() -> None:
    missing = _outcome("injected", [_row(0.5, 0.1, "mean")], own_ms={"mean": 1.0})
    table, reached = TABLES["injected"]([[missing] * 10])
    assert _cells(table)[-1][1:7] == [
        "mean",
        "10",
        "1.0000 (1.0000 to 1.0000)",
        "0",
        "",
        "10 (10 below, 0 above)",
    ]
    assert reached


@pytest.mark.parametrize(("half", "reached"), [(0.024, True), (0.026, False)])
def test_the_width_of_a_p50_has_a_goal(half: float, reached: bool) -> None:
    table, found = TABLES["width"]([[_outcome("width", [_row(0.0, half)])]])
    assert _cells(table)[0] == ["here", "p50", "1", f"{2 * half:.4f}", "<= 0.05"]
    assert found is reached


def test_no_width_at_all_misses_the_goal() -> None:
    assert not TABLES["width"]([[_outcome("width", fault="out of luck")]])[1]


@pytest.mark.parametrize(
    ("by_hand", "reached"), [(-55.0, True), (-44.0, True), (-60.0, False), (-40.0, False)]
)
def test_a_change_of_capacity_is_set_against_the_same_by_hand(by_hand: float, reached: bool) -> None:
    outcome = _outcome("capacity", [_row(-5.0, 0.1, "rps", "capacity")], by_hand=[by_hand, by_hand])
    table, found = TABLES["capacity"]([[outcome]])
    (cells,) = _cells(table)
    assert cells[1] == "-50.0 % [-51.0, -49.0]"
    assert cells[3] == f"{-50 / by_hand:.3f}"
    assert found is reached


@pytest.mark.parametrize(("wall_s", "reached"), [(62.9, True), (63.1, False)])
def test_the_time_of_a_comparison_has_a_goal(wall_s: float, reached: bool) -> None:
    outcome = _outcome("time", wall_s=wall_s, measured_s=10.0, lead_in_s=2.0)
    table, found = TABLES["time"]([[outcome]])
    assert _cells(table) == [["here", "10.0 s", "2.0 s", f"{wall_s:.1f} s", "<= 63.0 s"]]
    assert found is reached


@pytest.mark.parametrize("part", TABLES)
def test_comparisons_without_figures_are_counted_with_their_reason(part: str) -> None:
    table, _ = TABLES[part]([[_outcome(part, fault="out of | luck")]])
    assert "1 of 1 without figures, the last: out of \\| luck" in table
