from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cannon import comparison, result
from cannon.cli import main
from cannon.reports import search_file


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["schema"], result.schema),
        (["schema", "result"], result.schema),
        (["--debug", "schema"], result.schema),
        (["schema", "comparison"], comparison.schema),
        (["schema", "search"], search_file.schema),
    ],
    ids=["nothing", "result", "option before", "comparison", "search"],
)
def test_the_schema_goes_to_stdout(
    words: list[str], expected: Callable[[], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == expected()
    assert err == ""


def test_each_schema_is_named_for_its_file() -> None:
    titles = [described()["title"] for described in (result.schema, comparison.schema, search_file.schema)]
    assert titles == ["cannon/result/1", "cannon/comparison/1", "cannon/search/1"]


def test_a_schema_that_there_is_not_is_refused_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["schema", "plan"]) == 2
    assert "'plan'; there are result, comparison and search" in capsys.readouterr().err
