"""`cannon merge`: the sum as a page, as JSON, as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cannon.cli import main
from cannon.merging import merged
from cannon.reports import console
from cannon.reports.terminal import Terminal
from cannon.result import Result
from tests.cli.refusing import refused
from tests.comparisons import a_comparison
from tests.results import a_plan, a_result, a_tally, latencies_ns

RESULTS = [a_result(tally=a_tally(latencies_ns(middle_ns=number * 400_000))) for number in (1, 2)]
PATHS = ["a.json", "b.json"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path, result in zip(PATHS, RESULTS, strict=True):
        Path(path).write_bytes(result.to_json())


def test_the_sum_is_written_and_no_page_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", *PATHS, "-o", "sum.json", "-o", "again.json"]) == 0
    assert capsys.readouterr() == ("", "")
    found = Result.from_json(Path("sum.json").read_bytes())
    assert found == merged(RESULTS)
    assert found.requests.completed == sum(result.requests.completed for result in RESULTS)
    assert Path("again.json").read_bytes() == Path("sum.json").read_bytes()


def test_without_a_file_it_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", *PATHS]) == 0
    assert capsys.readouterr() == (console.render(merged(RESULTS), Terminal()), "")


def test_json_is_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["merge", "-j", *PATHS]) == 0
    assert capsys.readouterr() == (merged(RESULTS).to_json().decode(), "")


def test_one_alone_is_no_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert "it takes two results" in refused(["merge", "a.json"], capsys)


def test_the_same_run_twice_is_refused_by_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("copy.json").write_bytes(Path("a.json").read_bytes())
    told = refused(["merge", "a.json", "copy.json"], capsys)
    assert told.startswith("cannon: 'copy.json' is the same run as 'a.json'")


def test_another_plan_is_refused_by_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.json").write_bytes(a_result(plan=a_plan(connections=50)).to_json())
    told = refused(["merge", "a.json", "c.json", "-o", "sum.json"], capsys)
    assert "'c.json'" in told
    assert "connections" in told
    assert not Path("sum.json").exists()


def test_a_comparison_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.json").write_bytes(a_comparison().to_json())
    assert refused(["merge", "a.json", "c.json"], capsys).startswith("cannon: 'c.json' is a comparison")


def test_what_cannot_be_written_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(["merge", *PATHS, "-o", "missing/sum.json"], capsys).startswith(
        "cannon: -o/--output missing/"
    )


def test_a_sum_that_is_lost_is_exit_code_3() -> None:
    assert main(["merge", *PATHS, "-o", "/dev/full"]) == 3
