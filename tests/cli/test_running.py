"""In a job of GitHub's, from end to end but for the firing: where annotations go, and what becomes of the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cannon.cli import main
from cannon.result import Result
from tests.cli.fakes import FakeCompare, FakeRun
from tests.comparisons import a_comparison
from tests.results import a_result

URL = "http://127.0.0.1:4000/"
SIDES = ("direct=http://127.0.0.1:8000/", "haproxy=http://127.0.0.1:8080/")
FAILS = ("--gate", "p99 < 1us")
ANNOTATION = "::error title=p99 < 1us failed::p99 was"


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of the step."""
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_a_gate_that_fails_is_annotated_on_stdout(summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FAILS, URL], run=FakeRun()) == 4
    out, err = capsys.readouterr()
    assert out.count(f"\n{ANNOTATION}") == 1 and ANNOTATION not in err
    assert "p99" in summary.read_text()


def test_beside_json_it_is_annotated_on_stderr(summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-j", *FAILS, URL], run=FakeRun()) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["gates"][0]["verdict"] == "fail"
    assert err.count(ANNOTATION) == 1
    assert summary.exists()


def test_a_comparison_is_annotated_as_well(summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *FAILS, *SIDES], weigh=FakeCompare()) == 4
    assert capsys.readouterr().out.count(ANNOTATION) == 1
    assert main(["compare", "-j", *FAILS, *SIDES], weigh=FakeCompare()) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)["gates"] and err.count(ANNOTATION) == 1
    assert summary.read_text().count("haproxy") > 2


def test_a_search_that_finds_nothing_is_annotated(summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--find-rate", "p99 < 1us", "-d", "1", URL], run=FakeRun()) == 3
    assert capsys.readouterr().out.count("\n::error title=p99 < 1us failed::") == 1
    assert summary.exists()


def test_elsewhere_nothing_of_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    assert main([*FAILS, URL], run=FakeRun()) == 4
    out, err = capsys.readouterr()
    assert "::" not in out + err
    assert not path.exists()


def test_a_page_that_cannot_be_written_costs_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/no/such/folder/summary.md")
    assert main([URL], run=FakeRun()) == 0
    assert (
        "cannon: cannot write the summary of the step: No such file or directory\n" in capsys.readouterr().err
    )


def test_without_a_page_there_are_annotations_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main([*FAILS, URL], run=FakeRun()) == 4
    assert ANNOTATION in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".md", ".csv", ".xml", ".hgrm", ".autocannon.json", ".json"])
def test_a_run_is_written_in_every_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    assert main(["-o", str(path), URL], run=FakeRun()) == 0
    assert path.stat().st_size > 100


@pytest.mark.parametrize("suffix", [".md", ".csv", ".xml", ".json"])
def test_a_comparison_is_written_in_every_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"comparison{suffix}"
    fake = FakeCompare(a_comparison())
    assert main(["compare", "-o", str(path), *SIDES], weigh=fake) == 0
    assert path.stat().st_size > 100


@pytest.mark.parametrize("name", ["c.hgrm", "c.autocannon.json", "c.pdf", "c.html"])
def test_a_comparison_has_no_other_format(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeCompare()
    assert main(["compare", "-o", str(tmp_path / name), *SIDES], weigh=fake) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), fake.plans) == ("", 1, [])
    assert err.startswith(f"cannon: -o/--output {tmp_path / name}: ")


def test_one_report_that_is_lost_costs_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    kept = [tmp_path / f"kept{suffix}" for suffix in (".md", ".csv", ".xml", ".json")]
    words = [word for path in (gone / "a.csv", *kept, gone / "b.xml") for word in ("-o", str(path))]
    fake = FakeRun(during=lambda interrupt: gone.rmdir())
    assert main([*words, URL], run=fake) == 3
    assert all(path.stat().st_size for path in kept)
    out, err = capsys.readouterr()
    for name in ("a.csv", "b.xml"):
        assert f"cannon: cannot write {gone}/{name}: No such file or directory\n" in err
    assert Result.from_json(out[out.index("{\n") :].encode()) == a_result()
