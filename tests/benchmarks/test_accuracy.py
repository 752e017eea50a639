from __future__ import annotations

from pathlib import Path

import pytest

from accuracy import TITLES, Bench, Loading, Reading, Trial, _doubt, compare, failed_row, row
from clients import Fault
from quantiles import Quantiles

TRIAL = Trial("tail", 100, Loading.HALF, "wrk")
WIRE = Quantiles(1_010_000, 1_200_400, 20_000_000)


def _reading(*errors_us: int) -> Reading:
    told = Quantiles(*(wire + error * 1_000 for wire, error in zip(WIRE, errors_us, strict=True)))
    return Reading(per_s=4_000.0, wire=WIRE, told=told)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


class ScriptedBench(Bench):
    """Has its readings ready; one gauge fails."""

    def __init__(self, failing: str = "") -> None:
        self._failing = failing

    def read(self, trial: Trial) -> Reading:
        if trial.gauge == self._failing:
            raise Fault("out of luck")
        return _reading(1, 2, 3)


def test_an_error_is_what_the_client_told_less_what_was_on_the_wire() -> None:
    assert list(_reading(50, -3, 0).error) == [50_000, -3_000, 0]


def test_a_row_tells_the_rate_the_wire_and_the_errors_with_their_signs() -> None:
    cells = _cells(row(TRIAL, [_reading(50, -1_075, 0)]))
    assert cells[1:4] == ["100", "wrk", "4,000"]
    assert cells[4:] == ["1,010", "1,200", "20,000", "+50", "-1,075", "+0"]


def test_errors_of_several_runs_are_told_with_their_range() -> None:
    cells = _cells(row(TRIAL, [_reading(50, 60, 3), _reading(52, 61, 90), _reading(54, 65, 1)]))
    assert cells[-3:] == ["+52 (+50 to +54)", "+61 (+60 to +65)", "+3 (+1 to +90)"]


def test_every_row_is_as_wide_as_the_heading() -> None:
    for told in (row(TRIAL, [_reading(1, 2, 3)]), failed_row(TRIAL, "in\ntwo lines")):
        assert len(_cells(told)) == len(TITLES)


@pytest.mark.parametrize("told", [9_900, 9_990, 10_000])
def test_what_ended_after_the_window_is_no_doubt(told: int) -> None:
    assert _doubt(told, 10_000, connections=100) == ""


@pytest.mark.parametrize("told", [9_000, 10_001])
def test_a_client_that_speaks_of_other_requests_than_the_wire_is_doubted(told: int) -> None:
    assert f"told of {told:,} requests, and 10,000" in _doubt(told, 10_000, connections=100)


def test_a_client_that_fails_costs_its_own_row_alone(capsys: pytest.CaptureFixture[str]) -> None:
    trials = [Trial("1ms", 1, Loading.HALF, gauge) for gauge in ("wrk", "hey")]
    assert compare(trials, ScriptedBench(failing="wrk"), rounds=2)
    said = capsys.readouterr()
    first, second = said.out.splitlines()[2:]
    assert "out of luck" in first and "+1" not in first
    assert "+1 (+1 to +1)" in second
    assert "FAILED: 1ms, 1 connections, half load, wrk: out of luck" in said.err


def test_a_table_without_figures_of_cannon_is_not_whole(capsys: pytest.CaptureFixture[str]) -> None:
    trials = [Trial("1ms", 1, Loading.FULL, "cannon, loop")]
    assert not compare(trials, ScriptedBench(failing="cannon, loop"), rounds=1)
    assert compare(trials, ScriptedBench(), rounds=1)
    assert capsys.readouterr().out


def test_what_is_quoted_to_measure_again_is_a_script_that_is_there() -> None:
    page = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
    for script in ("benchmarks/accuracy.py", "benchmarks/rates.py"):
        assert script in page and (Path(__file__).parents[2] / script).is_file()
