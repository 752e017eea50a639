from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cannon import origin
from cannon.cli import main
from cannon.plan import Plan, Stop
from cannon.target import Target
from tests.cli.fakes import FakeRun
from tests.results import a_result, an_empty_tally


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the demo runs; its origin is only said to be there."""

    @contextmanager
    def started() -> Iterator[str]:
        yield "http://127.0.0.1:4321"

    monkeypatch.setattr(origin, "started", started)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_origin_is_fired_at_and_the_report_written(folder: Path) -> None:
    run = FakeRun()
    assert main(["demo"], run=run) == 0
    assert run.plan == Plan(
        targets=(Target.parse("http://127.0.0.1:4321/"),), stop=Stop(duration_ns=5 * 10**9), connections=10
    )
    assert (folder / "reports" / "demo.json").read_bytes() == run.result.to_json()


def test_the_same_command_line_comes_first_and_what_to_try_last(capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo"], run=FakeRun())
    out = capsys.readouterr().out
    assert out.startswith("$ cannon -d 5 -c 10 -l -o reports/demo.json http://127.0.0.1:4321/\n")
    assert out.endswith("  cannon --help\n")


def test_the_command_line_shown_fires_the_same_plan(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = FakeRun(), FakeRun()
    main(["demo"], run=first)
    shown = capsys.readouterr().out.splitlines()[0].removeprefix("$ cannon ")
    main(shown.split(), run=second)
    assert first.plan == second.plan


def test_a_demo_that_failed_ends_so_and_proposes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"], run=FakeRun(result=a_result(tally=an_empty_tally()))) == 3
    assert "Try next" not in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_bad_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "reports").write_text("a file")
    assert main(["demo"], run=FakeRun()) == 2
    assert capsys.readouterr().err == (
        "cannon: the folder reports cannot be made here: File exists; run cannon demo in a folder of your own\n"
    )
