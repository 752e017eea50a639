from __future__ import annotations

import json

import pytest

from cannon.cli import main
from cannon.result import schema


@pytest.mark.parametrize("words", [["schema"], ["schema", "result"], ["--debug", "schema"]])
def test_the_schema_goes_to_stdout(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == schema()
    assert err == ""
