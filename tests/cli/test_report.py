"""`cannon report`: the same page, the same files, from what was saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from cannon.cli import main
from cannon.comparison import Comparison
from cannon.reports import comparison_page, console, files
from cannon.reports.terminal import Terminal
from cannon.result import Result
from cannon.validity import Validity
from tests.cli.refusing import refused
from tests.comparisons import a_comparison
from tests.results import a_failing_tally, a_result


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def kept(saved: Result | Comparison, path: str = "result.json") -> str:
    """The name of its file."""
    Path(path).write_bytes(saved.to_json())
    return path


def test_a_result_is_shown_as_its_run_showed_it(capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result(tally=a_failing_tally())
    assert main(["report", kept(result)]) == 0
    assert capsys.readouterr() == (console.render(result, Terminal()), "")


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["-l"], {"latency": True}),
        (["--statusCodes"], {"status_codes": True}),
        (["--no-verbose"], {"verbose": False}),
    ],
)
def test_what_is_shown_can_be_chosen_as_of_a_run(
    words: list[str], settings: dict[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *words, kept(a_result())]) == 0
    out = capsys.readouterr().out
    assert out == console.render(a_result(), Terminal(), **settings)
    assert out != console.render(a_result(), Terminal())


def test_a_comparison_is_shown_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", kept(a_comparison())]) == 0
    assert capsys.readouterr() == (comparison_page.render(a_comparison(), Terminal()), "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-l"], "-l/--latency"),
        (["--statusCodes"], "--statusCodes"),
        (["--no-verbose"], "--no-verbose"),
        (["--format", "autocannon"], "--format autocannon"),
    ],
)
def test_what_only_a_run_has_is_told_of_a_comparison(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *words, kept(a_comparison())]) == 0
    out, err = capsys.readouterr()
    assert out == comparison_page.render(a_comparison(), Terminal())
    assert err == f"cannon: {told} is not looked at: 'result.json' is a comparison\n"


@pytest.mark.parametrize("saved", [a_result(), a_comparison()], ids=["result", "comparison"])
def test_json_is_what_was_saved(saved: Result | Comparison, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-j", kept(saved)]) == 0
    # Once read, a whole number where a measure stands is one.
    written = type(saved).from_json(saved.to_json()).to_json()
    assert capsys.readouterr() == (written.decode(), "")


def test_json_may_be_autocannons(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-j", "--format", "autocannon", kept(a_result())]) == 0
    assert '"throughput"' in capsys.readouterr().out


def test_several_are_shown_one_after_the_other_under_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    paths = [kept(a_result(), "a.json"), kept(a_comparison(), "b.json")]
    assert main(["report", *paths]) == 0
    first = console.render(a_result(), Terminal())
    second = comparison_page.render(a_comparison(), Terminal())
    assert capsys.readouterr().out == f"a.json\n\n{first}\nb.json\n\n{second}"


@pytest.mark.parametrize(
    ("saved", "suffixes"),
    [(a_result(), [*files.RENDERERS]), (a_comparison(), [*files.COMPARISON_RENDERERS])],
    ids=["result", "comparison"],
)
def test_every_format_can_be_written_and_no_page_is_shown(
    saved: Result | Comparison, suffixes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for suffix in suffixes for word in ("-o", f"again{suffix}")]
    assert main(["report", kept(saved), *words]) == 0
    assert capsys.readouterr() == ("", "")
    assert all(Path(f"again{suffix}").stat().st_size for suffix in suffixes)
    assert Path("again.json").read_bytes() == type(saved).from_json(saved.to_json()).to_json()


def test_with_json_files_are_written_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-j", kept(a_result()), "-o", "again.json"]) == 0
    assert Path("again.json").read_text() == capsys.readouterr().out


def test_a_report_may_be_written_over_what_it_is_made_of() -> None:
    path = kept(a_result())
    assert main(["report", path, "-o", path]) == 0
    assert Path(path).read_bytes() == a_result().to_json()


def test_a_result_that_was_not_valid_is_shown_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result(validity=Validity("invalid", ["no request succeeded"]), interrupted="SIGINT")
    assert main(["report", kept(result)]) == 0
    assert "no request succeeded" in capsys.readouterr().out


@pytest.mark.parametrize("option", [["-o", "x.json"], ["-j"]])
def test_several_are_no_one_document(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    paths = [kept(a_result(), "a.json"), kept(a_result(), "b.json")]
    told = refused(["report", *paths, *option], capsys)
    assert "is of one result, and 2 are named; e.g. cannon report result.json -o result.md" in told


@pytest.mark.parametrize("output", ["x.foo", "missing/x.json", "folder.json", "link.json"])
def test_what_cannot_be_written_is_refused_before_anything_is_shown(
    output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("folder.json").mkdir()
    Path("link.json").symlink_to("folder.json")
    assert refused(["report", kept(a_result()), "-o", output], capsys).startswith(
        f"cannon: -o/--output {output}"
    )


def test_a_file_that_cannot_be_read_shows_nothing_of_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(["report", kept(a_result()), "missing.json"], capsys)
    assert told == "cannon: 'missing.json' cannot be read: No such file or directory\n"


def test_what_is_no_result_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.json").write_text('{"schema": "cannon/result/2"}')
    assert refused(["report", "x.json"], capsys).startswith("cannon: 'x.json': schema: ")


def test_a_report_that_is_lost_is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", kept(a_result()), "-o", "/dev/full"]) == 3
    assert capsys.readouterr().err == "cannon: cannot write /dev/full: No space left on device\n"
