"""The JSON of a result: valid by the published schema, and the same result when read again."""

from __future__ import annotations

import pytest

from cannon.reports import json_file
from cannon.result import Result
from tests.results import a_failing_tally, a_result, an_empty_tally
from tests.schemas import assert_valid

RESULTS = {
    "healthy": a_result(),
    "failing": a_result(tally=a_failing_tally()),
    "nothing succeeded": a_result(tally=an_empty_tally()),
    "interrupted at once": a_result(tally=an_empty_tally(), duration_ns=0, series=[], interrupted="SIGINT"),
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_what_is_written_fits_the_published_schema(result: Result) -> None:
    assert assert_valid(json_file.render(result))["schema"] == "cannon/result/1"


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_what_is_written_reads_back_as_the_same_result(result: Result) -> None:
    assert Result.from_json(json_file.render(result)) == result


def test_where_there_is_nothing_to_tell_the_file_says_null() -> None:
    document = assert_valid(json_file.render(RESULTS["interrupted at once"]))
    assert document["latency_ms"]["p99"] is None
    assert document["requests"]["per_s"] is None


def test_the_document_ends_in_one_newline() -> None:
    data = json_file.render(a_result())
    assert data.endswith(b"}\n")
    assert not data.endswith(b"\n\n")


def test_the_judge_refuses_what_is_no_result() -> None:
    with pytest.raises(AssertionError, match="duration_s"):
        assert_valid(json_file.render(a_result()).replace(b'"duration_s": 10.0', b'"duration_s": "10"', 1))
