from __future__ import annotations

import msgspec
import pytest

from cannon.reports.result_markdown import render
from cannon.result import GateVerdict, Result
from cannon.target import Target
from tests.reports.samples import RESULTS
from tests.reports.test_comparison_markdown import KNOWN
from tests.reports.test_markdown import tags_of, text_of
from tests.results import a_failing_tally, a_plan, a_result, an_empty_tally
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
    assert "Failed: 1 of 1 gate" in told
    assert "fail" in told and "3, bound 0" in told and "errors was 3" in told
    assert all(f"{count:,} {fault}" in told for fault, count in result.errors.items())
    assert all(f"{count:,} of status {status}" in told for status, count in result.status.items())


def test_the_answer_stands_before_the_figures() -> None:
    gate = GateVerdict("p99 < 5ms", "pass", 3.0, 5.0, None, None, "ms", "")
    lines = [line for line in render(a_result(gates=[gate])).splitlines() if line]
    assert lines[:3] == [
        "# `GET http://localhost:4000/`",
        "**Passed: the gate**",
        "| gate | verdict | value | reason |",
    ]


def test_a_run_is_called_by_its_title_else_by_its_target() -> None:
    url = Target.parse("http://localhost:4000/")
    assert render(a_result(plan=a_plan(targets=(url,), title="my *run*"))).startswith("# my \\*run\\*\n")
    assert render(a_result(plan=a_plan(targets=(url, url)))).startswith("# A run of 2 URLs\n")


def test_the_distribution_is_drawn() -> None:
    """Between its ends, with its percentiles beneath."""
    result = a_result()
    fence = render(result).split("```")[1].splitlines()
    assert "\N{FULL BLOCK}" in fence[1] and "^p50" in fence[2]
    assert fence[2].index("^p50") >= fence[1].index("  ")


def test_too_few_samples_are_not_drawn() -> None:
    assert "```" not in render(a_result(tally=an_empty_tally()))


def test_how_it_went_is_folded() -> None:
    result = a_result(tally=a_failing_tally())
    folded = render(result).split("<details><summary>Over time</summary>")[1].split("</details>")[0]
    assert folded.count("\n|") == len(result.series) + 2
    one = msgspec.structs.replace(result, series=result.series[:1])
    assert "Over time" not in render(one)
