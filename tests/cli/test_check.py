"""`cannon check`: what was measured before is judged by gates, with the exit codes of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cannon.cli import main
from cannon.comparison import Comparison
from cannon.result import GateVerdict, Result
from cannon.validity import Validity
from tests.cli.refusing import refused
from tests.comparisons import a_comparison
from tests.results import a_plan, a_result, a_tally, latencies_ns


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def kept(saved: Result | Comparison, path: str = "result.json") -> str:
    """The name of its file."""
    Path(path).write_bytes(saved.to_json())
    return path


def a_run(middle_ns: int, **changes: Any) -> Result:
    """A run of which half took less."""
    return a_result(tally=a_tally(latencies_ns(middle_ns=middle_ns)), **changes)


def some_baselines(count: int = 5) -> list[str]:
    """The words for as many, whose medians are within a percent of 400 us."""
    paths = [kept(a_run(400_000 + 1_000 * number), f"{number}.json") for number in range(count)]
    return [word for path in paths for word in ("--baseline", path)]


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        (["p50 < 1s"], 0),
        (["p50 < 1s", "errors == 0"], 0),
        (["p50 < 1us"], 4),
        (["p50 < 1s", "p50 < 1us"], 4),
    ],
)
@pytest.mark.parametrize("saved", [a_result(), a_comparison()], ids=["result", "comparison"])
def test_the_exit_code_is_of_the_verdicts(
    gates: list[str], code: int, saved: Result | Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for gate in gates for word in ("--gate", gate)]
    assert main(["check", kept(saved), *words]) == code
    out, err = capsys.readouterr()
    assert all(gate in out for gate in gates)
    assert err == ""


@pytest.mark.parametrize(
    ("more", "code"), [([], 0), (["--inconclusive", "warn"], 0), (["--inconclusive", "fail"], 5)]
)
def test_an_open_verdict_costs_what_was_asked(
    more: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--gate", "p50 < base", *some_baselines(), *more]
    assert main(["check", kept(a_run(402_000)), *words]) == code
    out, err = capsys.readouterr()
    assert "inconclusive" in out
    assert err == ""


@pytest.mark.parametrize(("middle_ns", "code"), [(401_000, 0), (600_000, 4)])
def test_a_result_is_set_against_baselines(middle_ns: int, code: int) -> None:
    words = ["--gate", "p50 < base + 20%", *some_baselines()]
    assert main(["check", kept(a_run(middle_ns)), *words]) == code


def test_few_baselines_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", kept(a_run(402_000)), "--gate", "p50 < base", *some_baselines(2)])
    err = capsys.readouterr().err
    assert err == "cannon: 2 baselines tell nothing of chance between runs, and 5 do: give 3 more\n"


def test_a_comparison_is_set_against_comparisons() -> None:
    baseline = kept(msgspec.structs.replace(a_comparison(), seed=1), "main.json")
    words = ["--baseline", baseline, "--gate"]
    path = kept(a_comparison())
    assert main(["check", path, *words, "p50 < base + 10%"]) == 0
    assert main(["check", path, *words, "p50 < base - 50%"]) == 4


def test_a_baseline_of_another_set_up_is_exit_code_3_or_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    baseline = kept(a_run(401_000, plan=a_plan(connections=50)), "main.json")
    words = ["check", kept(a_run(402_000)), "--gate", "p50 < base + 10%", "--baseline", baseline]
    assert main(words) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        "cannon: --baseline: 'main.json' is of another set-up: connections 50, here 10; make it"
    )
    assert main([*words, "--baseline-mismatch", "warn"]) == 0
    assert "is of another set-up: connections 50, here 10\n" in capsys.readouterr().err


@pytest.mark.parametrize("gate", ["p50 < 1s", "p50 < 1us"])
def test_a_result_that_is_not_valid_is_exit_code_3(gate: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = kept(a_result(validity=Validity("invalid", ["no request succeeded"])))
    assert main(["check", path, "--gate", gate]) == 3
    out, err = capsys.readouterr()
    assert gate in out
    assert err == "cannon: invalid: no request succeeded\n"


@pytest.mark.parametrize(("gate", "code"), [("p50 < 1s", 0), ("p50 < 1us", 4)])
def test_an_interruption_was_of_the_run_and_is_told(
    gate: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", kept(a_result(interrupted="SIGINT")), "--gate", gate]) == code
    assert (
        capsys.readouterr().err == "cannon: it was interrupted by SIGINT, and is judged as far as it went\n"
    )


@pytest.mark.parametrize("saved", [a_result(), a_comparison()], ids=["result", "comparison"])
def test_json_is_what_was_saved_with_its_verdicts(
    saved: Result | Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "-j", kept(saved), "--gate", "p50 < 1us"]) == 4
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [gate["verdict"] for gate in found["gates"]] == ["fail"]
    assert found | {"gates": []} == json.loads(saved.to_json())
    assert err == ""


def test_verdicts_of_before_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    before = GateVerdict("mean < 1us", "fail", 1.0, 1.0, None, None, "ms", "mean was 1 ms")
    assert main(["check", kept(a_result(gates=[before])), "--gate", "p50 < 1s"]) == 0
    assert "mean" not in capsys.readouterr().out


def test_reports_are_of_what_was_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", kept(a_result()), "--gate", "p50 < 1us", "-o", "judged.json"]) == 4
    found = Result.from_json(Path("judged.json").read_bytes())
    assert [gate.expression for gate in found.gates] == ["p50 < 1us"]
    assert "p50 < 1us" in capsys.readouterr().out


def test_a_report_that_is_lost_is_exit_code_3_whatever_the_verdicts() -> None:
    assert main(["check", kept(a_result()), "--gate", "p50 < 1us", "-o", "/dev/full"]) == 3


def test_without_gates_those_of_the_project_hold(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text('[tool.cannon]\ngates = ["p50 < 1us"]\n')
    path = kept(a_result())
    assert main(["check", path]) == 4
    assert capsys.readouterr().err == "cannon: gates of pyproject.toml: p50 < 1us\n"
    assert main(["check", path, "--gate", "p50 < 1s"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "there is no gate to judge by; add one, e.g. --gate 'p99 < 200ms'"),
        (["--inconclusive", "fail"], "--inconclusive is of gates, and there is none; add one"),
        (["--gate", "p99"], "--gate: 'p99' at character 4: "),
        (["--gate", "p99@a < 1s"], "--gate: 'p99@a < 1s' at character 4: "),
        (["--gate", "p99 < base"], "--gate: 'p99 < base' at character 7: there is no baseline"),
        (
            ["--gate", "p99 < 1s", "--baseline", "result.json"],
            "--baseline is what 'base' in a gate stands for, and none names it",
        ),
        (["--gate", "p99 < base", "--baseline", "none.json"], "--baseline: 'none.json' cannot be read: "),
        (
            ["--gate", "p99 < base", "--baseline", "comparison.json"],
            "--baseline: 'comparison.json' holds a comparison",
        ),
        (["--gate", "p99 < 1s", "-o", "x.foo"], "-o/--output x.foo: "),
        (["--gate", "p99 < 1s", "--abort-on-fail", "5s"], "there is no option --abort-on-fail; "),
        (["--gate", "p99 < 1s", "-l"], "there is no option -l; "),
    ],
)
def test_bad_usage_judges_nothing(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept(a_comparison(), "comparison.json")
    assert refused(["check", kept(a_result()), *words], capsys).startswith(f"cannon: {told}")
