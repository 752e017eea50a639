from __future__ import annotations

from markdown import cell, line, spread, titled


def test_a_row_has_a_cell_for_each_text() -> None:
    assert line(["a", "", "b"]) == "| a |  | b |"
    assert titled(["a", "b"]).splitlines() == ["| a | b |", "| --- | --- |"]


def test_any_text_stays_in_its_cell() -> None:
    assert cell("a | b\nin two lines") == "a \\| b in two lines"


def test_several_runs_are_told_by_their_median_and_range() -> None:
    assert spread([3.0, -1.0, 2.0], "+.0f") == "+2 (-1 to +3)"


def test_one_run_has_no_range_and_none_has_no_figure() -> None:
    assert spread([1234.5], ",.1f") == "1,234.5"
    assert spread([], ".1f") == ""
