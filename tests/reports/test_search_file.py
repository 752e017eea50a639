"""A search as JSON: whole, and read again as it was."""

from __future__ import annotations

import msgspec
import pytest

from cannon.gate_grammar import parse
from cannon.gates import Verdict
from cannon.reports.search_file import SearchFile, render, schema
from cannon.result import Result
from cannon.search import Finding, Outcome, Trial
from tests.results import a_result
from tests.schemas import assert_valid

GATE = parse("errors  <  0.1%")
TRIALS = [Trial(100, 99.9, 0.0, Verdict.PASS, ""), Trial(200, None, None, Verdict.FAIL, "nothing came")]
FINDING = Finding(Outcome.AT_LEAST, 100, "interrupted by SIGINT")


@pytest.mark.parametrize("result", [None, a_result()])
def test_what_is_written_is_read_again(result: Result | None) -> None:
    data = render(GATE, TRIALS, FINDING, result, "SIGINT")
    assert data.endswith(b"}\n")
    assert msgspec.json.decode(data, type=SearchFile) == SearchFile(
        schema="cannon/search/1",
        gate="errors < 0.1%",
        unit="%",
        found_per_s=100,
        verdict="at_least",
        reason="interrupted by SIGINT",
        trials=TRIALS,
        interrupted="SIGINT",
        result=result,
    )


def test_what_was_not_measured_is_null() -> None:
    document = msgspec.json.decode(render(GATE, TRIALS, FINDING, None, None))
    assert document["trials"][1] == {
        "rate": 200,
        "achieved_per_s": None,
        "value": None,
        "verdict": "fail",
        "reason": "nothing came",
    }
    assert (document["result"], document["interrupted"]) == (None, None)


@pytest.mark.parametrize("result", [None, a_result()])
def test_what_is_written_fits_the_published_schema(result: Result | None) -> None:
    document = assert_valid(render(GATE, TRIALS, FINDING, result, None), schema)
    assert document["schema"] == "cannon/search/1"
