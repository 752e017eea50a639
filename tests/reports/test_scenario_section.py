from __future__ import annotations

from cannon.reports.comparison_page import render as render_comparison
from cannon.reports.console import render
from cannon.reports.terminal import Terminal
from cannon.result import GateVerdict
from tests.comparisons import a_comparison
from tests.results import a_result
from tests.scenario_reports import a_scenario_report

FINDING = "HAProxy adds 0.15 ms more at p50 [0.10, 0.20]."


def test_the_page_of_a_comparison_ends_in_the_finding() -> None:
    told = render_comparison(a_comparison(scenario=a_scenario_report()), Terminal())
    assert told.splitlines()[-2:] == ["What does the queue cost?", FINDING]


def test_the_page_of_a_run_ends_in_its_gates_after_the_finding() -> None:
    gate = GateVerdict("errors == 0", "pass", 0.0, 0.0, None, None, "", "")
    lines = render(a_result(gates=[gate], scenario=a_scenario_report()), Terminal()).splitlines()
    assert lines[-1] == "pass  errors == 0  0, bound 0"
    assert FINDING in lines


def test_without_a_scenario_nothing_is_added() -> None:
    assert "What does the queue cost?" not in render_comparison(a_comparison(), Terminal())
