from __future__ import annotations

import pytest

from cannon.reports.result_markdown import render
from cannon.result import GateVerdict, Result
from tests.reports.samples import RESULTS
from tests.reports.test_comparison_markdown import KNOWN
from tests.reports.test_markdown import tags_of, text_of
from tests.results import a_failing_tally, a_result
from tests.scenario_reports import a_scenario_report


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_whatever_it_holds_it_is_markdown_without_html(result: Result) -> None:
    assert tags_of(render(result)) <= KNOWN


def test_the_answer_of_a_scenario_stands_first() -> None:
    told = render(a_result(scenario=a_scenario_report()))
    assert told.startswith("# haproxy-queue\n\n**What does the queue cost?**\n\nHAProxy adds")


def test_gates_faults_and_statuses_are_told() -> None:
    gate = GateVerdict("errors == 0", "fail", 3.0, 0.0, None, None, "", "errors was 3")
    result = a_result(tally=a_failing_tally(), gates=[gate])
    told = text_of(render(result))
    assert "1 of 1 gate failed" in told
    assert "fail" in told and "3, bound 0" in told and "errors was 3" in told
    assert all(f"{count:,} {fault}" in told for fault, count in result.errors.items())
    assert all(f"{count:,} of status {status}" in told for status, count in result.status.items())


def test_what_went_wrong_is_told_over_time() -> None:
    result = a_result(tally=a_failing_tally())
    assert "## Over time" in render(result) and "## Over time" not in render(a_result())
