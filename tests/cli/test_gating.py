"""Gates before a run: what is refused and how it is named, whose gates hold, what is said of baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cannon.cli import gating, main
from cannon.cli.gating import Gating, comparison_gating, run_gating, saved_gating
from cannon.cli.options import Options
from cannon.comparison import Comparison
from cannon.errors import InvalidRun, UsageError
from cannon.host import this_host
from cannon.project import Choice, Project
from cannon.result import GateVerdict, Result
from cannon.settings import PlanSettings
from tests.cli.fakes import FakeCompare, FakeRun
from tests.cli.refusing import refused
from tests.comparisons import a_comparison, a_comparison_plan
from tests.results import a_plan, a_result, a_tally, latencies_ns

URL = "http://localhost:4000/"
SIDES = ["direct=http://127.0.0.1:8000/", "haproxy=http://127.0.0.1:8080/"]
PLAN = PlanSettings.of(a_plan())


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)


def a_baseline(number: int = 0, **changes: Any) -> Result:
    """A run here, one of several: none is the same as another."""
    tally = a_tally(latencies_ns(middle_ns=400_000 + 1_000 * number))
    return a_result(tally=tally, host=this_host(), **changes)


def kept(*saved: Result | Comparison) -> tuple[str, ...]:
    """The names of their files."""
    paths = [Path(f"{number}.json") for number, _ in enumerate(saved)]
    for path, each in zip(paths, saved, strict=True):
        path.write_bytes(each.to_json())
    return tuple(map(str, paths))


def asking(*gates: str, **changes: Any) -> Options:
    return Options(gates=gates, **changes)


def of_run(options: Options, **settings: Any) -> Gating:
    return run_gating(options, PLAN, **settings)


def expressions(found: Gating) -> list[str]:
    return [gate.expression for gate in found.gates]


def message(options: Options, **settings: Any) -> str:
    """What is said of gates that are refused."""
    with pytest.raises(UsageError) as error:
        of_run(options, **settings)
    return error.value.message


def test_without_gates_nothing_is_judged() -> None:
    assert of_run(Options()) == Gating()
    result = a_result()
    assert Gating().judged(result) is result
    comparison = a_comparison()
    assert Gating().judged_comparison(comparison) is comparison


def test_a_result_gets_a_verdict_for_each_gate_in_order() -> None:
    found = of_run(asking("p50 < 1s", "p50 < 1us")).judged(a_result())
    assert [(gate.expression, gate.verdict) for gate in found.gates] == [
        ("p50 < 1s", "pass"),
        ("p50 < 1us", "fail"),
    ]


def test_a_comparison_gets_a_verdict_for_each_gate() -> None:
    options = asking("p50 < direct + 1s", "p50@direct > 1s")
    found = comparison_gating(options, a_comparison_plan()).judged_comparison(a_comparison())
    assert [gate.verdict for gate in found.gates] == ["pass", "fail"]


@pytest.mark.parametrize(
    ("verdicts", "strict", "code"),
    [
        ([], True, 0),
        (["pass"], True, 0),
        (["inconclusive"], False, 0),
        (["inconclusive"], True, 5),
        (["inconclusive", "fail"], True, 4),
        (["fail"], False, 4),
    ],
)
def test_the_exit_code_is_of_the_worst_verdict(verdicts: list[str], strict: bool, code: int) -> None:
    gates = [GateVerdict("p99 < 1ms", verdict, 1.0, 1.0, None, None, "ms", "") for verdict in verdicts]
    assert Gating(strict=strict).exit_code(a_result(gates=gates)) == code
    assert Gating(strict=strict).exit_code(msgspec.structs.replace(a_comparison(), gates=gates)) == code


@pytest.mark.parametrize(("reason", "code"), [("SIGINT", 130), ("SIGTERM", 143), (None, 5)])
def test_an_interruption_goes_before_every_verdict(reason: str | None, code: int) -> None:
    gates = [GateVerdict("p99 < 1ms", "inconclusive", 1.0, 1.0, None, None, "ms", "")]
    assert Gating(strict=True).exit_code(a_result(gates=gates, interrupted=reason)) == code


def test_a_gate_is_refused_with_the_option_that_it_stands_in() -> None:
    assert message(asking("p99 < 1s", "p99 < 5")).startswith("--gate: 'p99 < 5' at character 8: ")
    assert message(asking("")).startswith("--gate: a gate is missing; ")


def test_a_gate_of_a_scenario_is_refused_with_its_file_and_key() -> None:
    places = ["x.toml: gate[0].expression", "x.toml: gate[1].expression"]
    told = message(asking("p99 < 1s", "p98 < 5", "p97 < 5"), places=places)
    assert told.startswith("x.toml: gate[1].expression: 'p98 < 5' at character 8: ")
    told = message(asking("p99 < 1s", "p98 < 1s", "p97 < 5"), places=places)
    assert told.startswith("--gate: 'p97 < 5' at character 8: ")


def test_a_gate_of_the_project_is_refused_with_its_file_and_key() -> None:
    told = message(Options(), project=Project(gates=("p99 < 1s", "p98 < 5")))
    assert told.startswith("pyproject.toml: tool.cannon.gates[1]: 'p98 < 5' at character 8: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--baseline", "a.json"),
        ("--baseline-mismatch", "warn"),
        ("--inconclusive", "fail"),
        ("--abort-on-fail", "5s"),
    ],
)
@pytest.mark.parametrize("command", [[URL], ["compare", *SIDES]], ids=["run", "compare"])
def test_an_option_of_gates_without_a_gate_is_refused(
    option: str, value: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused([*command, option, value], capsys)
    if option != "--abort-on-fail" or command == [URL]:
        assert (
            told == f"cannon: {option} is of gates, and there is none; add one, e.g. --gate 'p99 < 200ms'\n"
        )


@pytest.mark.parametrize("command", [[URL], ["compare", *SIDES]], ids=["run", "compare"])
def test_a_baseline_that_no_gate_is_set_against_is_refused(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused([*command, "--gate", "p99 < 1s", "--baseline", "a.json"], capsys)
    assert told == (
        "cannon: --baseline is what 'base' in a gate stands for, and none names it; e.g."
        " --gate 'p99 < base + 10%'\n"
    )


@pytest.mark.parametrize("command", [[URL], ["compare", *SIDES]], ids=["run", "compare"])
@pytest.mark.parametrize("words", [["--gate", "p99"], ["--gate", "p99 < base", "--baseline", "a.json"]])
def test_what_cannot_be_read_sends_nothing(
    command: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused([*command, *words], capsys).startswith(
        (f"cannon: {words[-2]}: 'p99", "cannon: --baseline: 'a")
    )


def test_a_gate_that_cannot_be_read_goes_before_a_baseline_that_cannot() -> None:
    told = message(asking("p99 < base", "p99 <", baselines=("missing.json",)))
    assert told.startswith("--gate: 'p99 <' ")


@pytest.mark.parametrize(
    "words", [["--gate", "p99 < 1s"], ["--inconclusive", "fail"], ["--baseline", "a.json"]]
)
def test_a_search_has_a_gate_of_its_own(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(["--find-rate", "p99 < 50ms", *words, URL], capsys)
    assert told.startswith(f"cannon: {words[0]} is of one run, and --find-rate has a gate of its own")


def test_nothing_is_started_for_a_gate_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--gate", "p99 <", "/", "--", "no-such-program"], run=FakeRun()) == 2
    assert capsys.readouterr().err.startswith("cannon: --gate: 'p99 <' ")


def test_five_baselines_are_read_and_nothing_is_said_of_them() -> None:
    paths = kept(*map(a_baseline, range(5)))
    found = of_run(asking("p99 < base + 10%", baselines=paths))
    assert len(found.results) == 5
    assert found.notes == ()
    (verdict,) = found.judged(a_baseline(5)).gates
    assert verdict.low is not None


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "1 baseline tells nothing of chance between runs, and 5 do: give 4 more"),
        (4, "4 baselines tell nothing of chance between runs, and 5 do: give 1 more"),
    ],
)
def test_fewer_are_told_to_be_few(count: int, told: str) -> None:
    found = of_run(asking("p99 < base + 10%", baselines=kept(*map(a_baseline, range(count)))))
    assert found.notes == (told,)


def test_a_baseline_of_another_set_up_ends_it_before_it_begins() -> None:
    paths = kept(a_baseline(plan=a_plan(connections=50)))
    with pytest.raises(InvalidRun) as error:
        of_run(asking("p99 < base", baselines=paths))
    assert error.value.message == (
        "--baseline: '0.json' is of another set-up: connections 50, here 10; make it anew here, or add"
        " --baseline-mismatch warn"
    )


def test_with_leave_it_is_only_told() -> None:
    paths = kept(a_baseline(plan=a_plan(connections=50)))
    found = of_run(asking("p99 < base", baselines=paths, baseline_mismatch="warn"))
    assert found.notes[0] == "--baseline: '0.json' is of another set-up: connections 50, here 10"
    assert len(found.results) == 1


def test_a_baseline_of_another_set_up_is_exit_code_3_and_nothing_is_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (path,) = kept(a_baseline())
    run = FakeRun()
    assert main(["-c", "3", "--gate", "p99 < base", "--baseline", path, URL], run=run) == 3
    assert run.plans == []
    assert "is of another set-up: connections 10, here 3; " in capsys.readouterr().err


def test_a_comparison_takes_comparisons() -> None:
    (path,) = kept(a_baseline())
    with pytest.raises(UsageError, match=r"'0\.json' holds a run"):
        comparison_gating(asking("p50 < base", baselines=(path,)), a_comparison_plan())


def test_gates_of_the_command_line_stand_instead_of_the_projects() -> None:
    project = Project(gates=("p50 < 1s",), baselines=("none.json",), inconclusive=Choice.FAIL)
    found = of_run(asking("p99 < 1s"), project=project)
    assert expressions(found) == ["p99 < 1s"]
    assert not found.strict
    assert found.notes == ()


def test_gates_of_the_project_hold_and_are_told() -> None:
    found = of_run(Options(), project=Project(gates=("p50 <  1s", "errors == 0"), inconclusive=Choice.FAIL))
    assert expressions(found) == ["p50 < 1s", "errors == 0"]
    assert found.strict
    assert found.notes == ("gates of pyproject.toml: p50 < 1s, errors == 0",)


def test_an_option_goes_before_the_key_of_the_project() -> None:
    project = Project(
        gates=("p50 < base",),
        baselines=("none.json",),
        inconclusive=Choice.FAIL,
        baseline_mismatch=Choice.FAIL,
    )
    paths = kept(a_baseline(plan=a_plan(connections=50)))
    options = Options(baselines=paths, inconclusive="warn", baseline_mismatch="warn")
    found = of_run(options, project=project)
    assert not found.strict
    assert len(found.results) == 1


def test_a_baseline_of_the_project_is_refused_with_its_file_and_key() -> None:
    project = Project(gates=("p50 < base",), baselines=("none.json",))
    assert message(Options(), project=project).startswith(
        "pyproject.toml: tool.cannon.baselines: 'none.json' cannot be read: "
    )


def test_baselines_of_the_project_that_no_gate_names_are_told_and_not_read() -> None:
    found = of_run(Options(), project=Project(gates=("p50 < 1s",), baselines=("none.json",)))
    assert found.results == ()
    assert found.notes[0] == (
        "pyproject.toml: tool.cannon.baselines: no gate is set against 'base', so they are not looked at"
    )


@pytest.mark.parametrize("gate", ["p99@haproxy < 1s", "p99 < direct + 2ms", "cpu@x < base + 10%"])
def test_a_run_passes_over_the_projects_gates_of_comparisons_and_says_so(gate: str) -> None:
    found = of_run(Options(), project=Project(gates=(gate, "p50 < 1s")))
    assert expressions(found) == ["p50 < 1s"]
    assert found.notes[0] == (
        f"pyproject.toml: tool.cannon.gates[0]: '{gate}' is of a comparison, and this is one run; it is not judged"
    )


@pytest.mark.parametrize("gate", ["p99@haproxy < 1", "p99x@a < 1s", "p99 < base + 2ms", "p99 <"])
def test_a_gate_that_is_none_anywhere_is_refused_all_the_same(gate: str) -> None:
    assert message(Options(), project=Project(gates=(gate,))).startswith(
        "pyproject.toml: tool.cannon.gates[0]: "
    )


def test_a_comparison_refuses_the_projects_gate_of_a_side_that_it_has_not() -> None:
    with pytest.raises(UsageError, match=r"tool\.cannon\.gates\[0\]: .*'nginx' is no side"):
        comparison_gating(Options(), a_comparison_plan(), project=Project(gates=("p99@nginx < 1s",)))


def test_of_processes_that_a_scenario_started_the_cpu_can_be_gated() -> None:
    found = comparison_gating(asking("cpu@nginx < 50us"), a_comparison_plan(), ["nginx"])
    assert [gate.process for gate in found.gates] == ["nginx"]


WITH_GATES = '[tool.cannon]\ngates = ["p99 < 1us"]\n'


def test_a_run_and_a_comparison_are_judged_by_the_projects_gates(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(WITH_GATES)
    assert main(["-j", URL], run=FakeRun()) == 4
    out, err = capsys.readouterr()
    assert [gate.verdict for gate in Result.from_json(out.encode()).gates] == ["fail"]
    assert err == "cannon: gates of pyproject.toml: p99 < 1us\n"
    assert main(["compare", "-j", *SIDES], weigh=FakeCompare()) == 4
    assert capsys.readouterr().err == "cannon: gates of pyproject.toml: p99 < 1us\n"


def test_with_gates_of_its_own_a_run_does_not_look_at_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[tool.cannon]\nnonsense = 1\n")
    assert main(["-j", "--gate", "p99 < 1s", URL], run=FakeRun()) == 0
    assert capsys.readouterr().err == ""


def test_what_the_machine_cannot_tell_apart_is_no_matter_of_the_project(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("pyproject.toml").write_text(WITH_GATES)
    assert main(["compare", "-j", "--aa", URL], weigh=FakeCompare()) == 0
    assert capsys.readouterr().err == ""


def test_a_search_is_no_matter_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[tool.cannon]\nnonsense = 1\n")
    main(["-j", "--find-rate", "p99 < 50ms", URL], run=FakeRun())
    assert "pyproject" not in capsys.readouterr().err


def test_a_wrong_table_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[tool.cannon]\ngate = []\n")
    assert refused([URL], capsys).startswith("cannon: pyproject.toml: there is no key 'tool.cannon.gate'")


def test_a_broken_file_of_somebody_else_stops_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[broken")
    assert main(["-j", URL], run=FakeRun()) == 0
    err = capsys.readouterr().err
    assert err.startswith("cannon: pyproject.toml is not looked at: it is no TOML: ")
    assert err.count("\n") == 1


def test_a_saved_result_is_held_against_its_own_machine() -> None:
    elsewhere = msgspec.structs.replace(this_host(), cpu="Another", cores=99)
    paths = kept(*(msgspec.structs.replace(a_baseline(number), host=elsewhere) for number in range(5)))
    options = asking("p99 < base + 10%", baselines=paths)
    saved = msgspec.structs.replace(a_baseline(9), host=elsewhere)
    assert len(saved_gating(options, saved).results) == 5
    with pytest.raises(InvalidRun, match="CPU Another, here "):
        saved_gating(options, a_baseline(9))


def test_gates_of_a_saved_comparison_may_name_its_sides_and_processes() -> None:
    found = saved_gating(asking("p99@direct < 1s", "p50 < direct + 1ms"), a_comparison())
    assert [gate.side for gate in found.gates] == ["direct", None]
    with pytest.raises(UsageError, match="'nginx' is no side"):
        saved_gating(asking("p99@nginx < 1s"), a_comparison())


@pytest.mark.parametrize("project", [None, Project(), Project(gates=("p99@a < 1s",))])
def test_what_is_saved_cannot_be_judged_by_nothing(project: Project | None) -> None:
    with pytest.raises(UsageError, match=r"to judge by; add one, e\.g\. --gate 'p99 < 200ms'"):
        saved_gating(Options(), a_result(), project)


def test_the_project_is_not_read_where_there_are_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pyproject.toml").write_text(WITH_GATES)
    assert gating.of_project(asking("p99 < 1s")) is None
    assert gating.of_project(Options()) == Project(gates=("p99 < 1us",))
