"""A scenario that is run, but for what is fired: its services, its folder, its exit code, and how it is left."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from cannon import rig
from cannon.abort import Abort
from cannon.cli import main
from cannon.comparison import Comparison
from cannon.errors import InvalidRun
from cannon.result import Result
from cannon.runner import Interrupt
from cannon.slots import OWN
from cannon.validity import Validity
from tests.cli.fakes import FakeCompare, FakeRun
from tests.cli.refusing import refused
from tests.comparisons import BASE, SIDE, a_comparison
from tests.gated import compared
from tests.results import a_result
from tests.staging import SERVER, a_service, a_table, python, until, written

IDLE = {"name": "idle", "command": ["sleep", "60"]}
SIDES = [{"name": "direct", "url": "http://127.0.0.1:1/"}, {"name": "haproxy", "url": "http://127.0.0.1:2/"}]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders are made."""
    made = tmp_path / "folders"
    made.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(made))
    monkeypatch.chdir(tmp_path)
    return made


def a_file(folder: Path, **changes: Any) -> str:
    """A scenario whose sides are those of `a_comparison`, and which starts nothing unless it is told to."""
    usual = {"side": SIDES, "service": [], "finding": "{haproxy.p50.added}"}
    return str(written(folder, a_table(**(usual | changes))))


def a_run_file(folder: Path, **changes: Any) -> str:
    usual = {"kind": "run", "side": SIDES[:1], "service": []}
    return str(written(folder, a_table(**(usual | changes))))


def staged(*words: str, weigh: FakeCompare | None = None, run: FakeRun | None = None) -> int:
    return main(["scenario", "run", *words], run=run or FakeRun(), weigh=weigh or FakeCompare())


def test_the_comparison_of_the_file_is_made_and_told_with_its_finding(
    tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weigh = FakeCompare()
    assert staged(a_file(tmp_path), "-o", "x.json", weigh=weigh) == 0
    assert weigh.plan.names == ("direct", "haproxy")
    assert weigh.plan.rounds == 1
    found = Comparison.from_json(Path("x.json").read_bytes())
    assert found.scenario is not None
    assert (found.scenario.name, found.scenario.question) == ("tried", "What does it cost?")
    assert found.scenario.finding in " ".join(capsys.readouterr().out.split())
    assert weigh.commands == [f"cannon scenario run {tmp_path}/tried.toml -o x.json"]
    assert os.listdir(folders) == []


def test_the_run_of_the_file_is_fired_and_told_with_its_finding(
    tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = FakeRun()
    gate = [{"expression": "p50 < 1us"}]
    assert staged(a_run_file(tmp_path, gate=gate), "-o", "x.json", run=run) == 4
    assert run.plan.stop.duration_ns == 100_000_000
    found = Result.from_json(Path("x.json").read_bytes())
    assert found.scenario is not None
    assert found.scenario.finding in " ".join(capsys.readouterr().out.split())
    assert [gate.verdict for gate in found.gates] == ["fail"]
    assert os.listdir(folders) == []


def test_gates_of_a_comparison_are_judged_the_users_besides_the_files(tmp_path: Path) -> None:
    gate = [{"expression": "p50 < direct + 1s"}, {"expression": "p50@direct < 1us"}]
    path = a_file(tmp_path, gate=gate, load={"gate": "rps > 1/s", "rounds": 1})
    assert staged(path, "--gate", "errors == 0", "-o", "x.json") == 4
    found = Comparison.from_json(Path("x.json").read_bytes())
    assert [(gate.expression, gate.verdict) for gate in found.gates] == [
        ("rps > 1/s", "pass"),
        ("p50 < direct + 1s", "pass"),
        ("p50@direct < 1us", "fail"),
        ("errors == 0", "pass"),
    ]


def test_a_gate_may_be_of_the_cpu_of_a_service(tmp_path: Path) -> None:
    used = [{OWN: 40.0, "idle": cpu_us} for cpu_us in (90.0, 91.0, 92.0, 93.0, 94.0, 95.0)]
    found = compared({BASE: used, SIDE: used}, field="cpu_us")
    gate = [{"expression": "cpu@idle < 200us"}, {"expression": "cpu@idle < 80us"}]
    path = a_file(tmp_path, service=[IDLE], gate=gate)
    assert staged(path, "-o", "x.json", weigh=FakeCompare(found)) == 4
    verdicts = Comparison.from_json(Path("x.json").read_bytes()).gates
    assert [gate.verdict for gate in verdicts] == ["pass", "fail"]


def test_a_run_is_ended_for_a_gate_of_its_scenario(tmp_path: Path) -> None:
    asked: list[object] = []
    run = FakeRun(during=lambda interrupt: asked.append(interrupt and interrupt.is_enough))
    gate = [{"expression": "errors == 0"}]
    assert staged(a_run_file(tmp_path, gate=gate), "--abort-on-fail", "1s", run=run) == 0
    assert isinstance(asked.pop(), Abort)


def test_what_the_user_says_goes_before_the_file(tmp_path: Path) -> None:
    weigh, run = FakeCompare(), FakeRun()
    assert staged(a_file(tmp_path), "--rounds", "6", "--seed", "9", "-c", "7", "-d", "3", weigh=weigh) == 0
    assert (weigh.plan.rounds, weigh.plan.seed, weigh.plan.sides[0].plan.connections) == (6, 9, 7)
    assert staged(a_run_file(tmp_path), "-d", "5", run=run) == 0
    assert run.plan.stop.duration_ns == 5_000_000_000


def test_services_run_while_it_is_compared_and_no_longer(tmp_path: Path) -> None:
    seen: list[tuple[tuple[str, int], ...]] = []
    weigh = FakeCompare(during=lambda interrupt: seen.append(weigh.plan.processes))
    service = a_service(page="http://127.0.0.1:{port.web}/stats")
    assert staged(a_file(tmp_path, service=[service, IDLE]), weigh=weigh) == 0
    (processes,) = seen
    assert [name for name, _ in processes] == ["web", "idle"]
    for _, process_id in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process_id, 0)


def test_the_page_of_a_service_is_told_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    service = {**IDLE, "page": "http://127.0.0.1:8404/stats"}
    staged(a_file(tmp_path, service=[service]))
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "cannon: idle's own page, while it runs: http://127.0.0.1:8404/stats"


def test_a_folder_of_the_users_keeps_configurations_and_logs(
    tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.cfg").write_text("listen {port.web}")
    service = a_service(
        command=python(f"print('begun', flush=True){SERVER}", "{port.web}"), configuration="web.cfg"
    )
    kept = tmp_path / "a" / "kept"
    assert staged(a_file(tmp_path, service=[service]), "--keep", str(kept)) == 0
    assert sorted(os.listdir(kept)) == ["web.cfg", "web.log"]
    assert (kept / "web.log").read_text() == "begun\n"
    assert f"cannon: configurations and logs are in {kept}\n" in capsys.readouterr().err
    assert stat.S_IMODE(kept.stat().st_mode) == 0o755
    assert os.listdir(folders) == []


def test_the_rights_of_a_folder_that_is_there_are_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    assert staged(a_file(tmp_path), "--keep", str(kept)) == 0
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


def test_a_certificate_is_made_where_it_is_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    service = {"name": "idle", "command": ["sleep", "60"], "environment": {"CERT": "{cert}"}}
    assert staged(a_file(tmp_path, service=[service]), "--keep", str(kept)) == 0
    assert sorted(os.listdir(kept)) == ["cert.pem", "idle.log", "key.pem"]
    assert staged(a_file(tmp_path, service=[IDLE]), "--keep", str(tmp_path / "other")) == 0
    assert os.listdir(tmp_path / "other") == ["idle.log"]


def dies(go: Path) -> dict[str, Any]:
    """A service that says a last word and dies once a file is there."""
    script = f"until [ -e {go} ]; do sleep 0.01; done; echo '\x1b[31mlast words'; exit 9"
    return {"name": "mortal", "command": ["sh", "-c", script]}


def test_a_service_that_dies_meanwhile_is_told_with_its_last_words_and_the_folder_stays(
    tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"

    def die(interrupt: Interrupt | None) -> None:
        go.touch()
        process_id = dict(weigh.plan.processes)["mortal"]
        assert until(lambda: not Path(f"/proc/{process_id}/exe").exists())

    weigh = FakeCompare(during=die)
    assert staged(a_file(tmp_path, service=[dies(go), IDLE]), "-o", "x.json", weigh=weigh) == 3
    (folder,) = folders.iterdir()
    told = capsys.readouterr().err.splitlines()
    assert told[-3:] == [
        r"  \x1b[31mlast words",
        f"cannon: configurations and logs are in {folder}",
        "cannon: service 'mortal' ended with exit code 9 before the end",
    ]
    assert sorted(os.listdir(folder)) == ["idle.log", "mortal.log"]
    found = Comparison.from_json(Path("x.json").read_bytes()).scenario
    assert found is not None
    assert [service.lost for service in found.services] == ["ended with exit code 9", None]


def test_where_it_is_why_nothing_could_be_compared_that_is_told_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go = tmp_path / "go"

    def die(interrupt: Interrupt | None) -> None:
        go.touch()
        raise InvalidRun("a: nobody answers")

    assert staged(a_file(tmp_path, service=[dies(go)]), weigh=FakeCompare(during=die)) == 3
    told = capsys.readouterr().err.splitlines()
    assert told[-4] == r"  \x1b[31mlast words"
    assert told[-2:] == [
        "cannon: service 'mortal' ended with exit code 9 before the end",
        "cannon: a: nobody answers",
    ]


def test_one_that_does_not_get_ready_is_told_with_its_words_and_nothing_is_fired(
    tmp_path: Path, folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rig, "START_LIMIT_S", 0.1)
    service = a_service(command=["sh", "-c", "echo starting up; exec sleep 60"])
    weigh = FakeCompare()
    assert staged(a_file(tmp_path, service=[service]), weigh=weigh) == 3
    assert weigh.plans == []
    told = capsys.readouterr().err.splitlines()
    (folder,) = folders.iterdir()
    assert told[:2] == ["  starting up", f"cannon: configurations and logs are in {folder}"]
    assert told[2].startswith("cannon: service 'web': the server '")
    assert told[2].endswith(" after 0.1 s, and was stopped")
    assert len(told) == 3


def test_the_exit_code_is_that_of_what_was_found(tmp_path: Path) -> None:
    weigh = FakeCompare(found=a_comparison(validity=Validity("invalid", ["too odd"])))
    assert staged(a_file(tmp_path), weigh=weigh) == 3
    assert staged(a_run_file(tmp_path), run=FakeRun(result=a_result(interrupted="SIGTERM"))) == 143


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_it_is_compared_is_the_comparisons_and_the_report_is_written(
    number: signal.Signals, code: int, tmp_path: Path, folders: Path
) -> None:
    weigh = FakeCompare()

    def during(interrupt: Interrupt | None) -> None:
        assert interrupt is not None
        signal.raise_signal(number)
        weigh.found = a_comparison(interrupted=interrupt.reason)

    weigh.during = during
    assert staged(a_file(tmp_path, service=[IDLE]), "-o", "x.json", weigh=weigh) == code
    assert Comparison.from_json(Path("x.json").read_bytes()).interrupted == number.name
    assert os.listdir(folders) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_anything_is_fired_leaves_nothing(
    number: signal.Signals, tmp_path: Path, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[int] = []
    real = rig.Rig.start

    def interrupted(self: rig.Rig, name: str) -> None:
        real(self, name)
        processes.extend(process_id for _, process_id in self.processes)
        signal.raise_signal(number)

    monkeypatch.setattr(rig.Rig, "start", interrupted)
    weigh = FakeCompare()
    if number is signal.SIGINT:
        # Whoever runs the tests in the background has it ignored.
        before = signal.signal(number, signal.default_int_handler)
        code: object = staged(a_file(tmp_path, service=[IDLE]), weigh=weigh)
        signal.signal(number, before)
    else:
        with pytest.raises(SystemExit) as left:
            staged(a_file(tmp_path, service=[IDLE]), weigh=weigh)
        code = left.value.code
    assert code == 128 + number
    assert weigh.plans == []
    assert os.listdir(folders) == []
    (process_id,) = processes
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_what_handled_a_signal_before_handles_it_again(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    staged(a_file(tmp_path))
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["http://127.0.0.1:1/"],
            "'http://127.0.0.1:1/' is no option, and a scenario has its own URLs; e.g.",
        ),
        (["c=http://127.0.0.1:1/"], "'c=http://127.0.0.1:1/' is no option, and a scenario has its own URLs"),
        (["--roundz", "3"], "there is no option --roundz; did you mean --rounds?"),
        (["-a", "5"], "-a/--amount: a comparison fires every slot for the same time; give -d"),
        (["-d", "soon"], "-d/--duration: 'soon' is no duration"),
        (["--pid", "idle=1"], "--pid idle=1: the CPU of the service 'idle' is told anyway; leave it out"),
        (["--keep", "/dev/null/x"], "--keep /dev/null/x: Not a directory"),
        (["--keep", "tried.toml"], "--keep tried.toml: File exists"),
        (["-o", "/nowhere/x.json"], "-o/--output /nowhere/x.json"),
    ],
)
def test_words_that_make_no_sense_are_refused_before_anything_is_started(
    words: list[str], told: str, tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path, service=[{**IDLE, "command": ["touch", str(tmp_path / "started")]}])
    assert refused(["scenario", "run", path, *words], capsys).startswith(f"cannon: {told}")
    assert not (tmp_path / "started").exists()
    assert os.listdir(folders) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--find-rate", "p99 < 50ms"], "a scenario is one run; leave --find-rate and -f out"),
        (["-f"], "a scenario is one run; leave --find-rate and -f out"),
        (["-a", "50"], "a scenario with events is fired for a time; give -d instead of -a"),
        (
            ["-d", "1"],
            "{file}: event[0].at: the run of 1 s is over by 2s; give an earlier time, or a longer -d",
        ),
        (["--rounds", "3"], "there is no option --rounds"),
        (["-o", "/nowhere/x.json"], "-o/--output /nowhere/x.json"),
    ],
)
def test_so_are_those_of_a_run(
    words: list[str], told: str, tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_run_file(tmp_path, service=[IDLE], event=[{"at": "2s", "stop": "idle"}], load={"duration": "3s"})
    err = refused(["scenario", "run", path, *words], capsys)
    assert err.startswith(f"cannon: {told.format(file=path)}")
    assert os.listdir(folders) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"finding": "{nobody.p50}"}, "finding: {nobody.p50} stands for nothing; there are "),
        (
            {"finding": "{direct.p50.added}"},
            "finding: {direct.p50.added} stands for nothing: direct is the base",
        ),
        ({"finding": "{haproxy.cpu.nobody}"}, "finding: {haproxy.cpu.nobody} stands for nothing"),
        ({"finding": "{haproxy.p50"}, "finding: a brace stands alone; a placeholder is written {rate}"),
        ({"load": {"duration": "10x"}}, "load.duration: -d/--duration: '10x' is no duration"),
        *[
            (
                {"gate": [{"expression": "rps > 1/s"}, {"expression": expression}]},
                f"gate[1].expression: {told}",
            )
            for expression, told in (
                ("p99 < 50", "'p99 < 50' at character "),
                ("", "a gate is missing; write for example p99 < 50ms"),
                ("p99\n< 5s", "--gate: a CR, LF or NUL is in it"),
                ("-h", "'-h' at character 1: "),
                (
                    "p99@idle < 1s",
                    "'p99@idle < 1s' at character 5: 'idle' is no side; there are direct, haproxy",
                ),
                ("cpu@idel < 1s", "'cpu@idel < 1s' at character 5: 'idel' is no side or process; there are "),
                ("p99 < base", "'p99 < base' at character 7: there is no baseline"),
            )
        ],
        ({"load": {"gate": ["rps > 1/s", "p99 <"]}}, "load.gate: 'p99 <' at character 6: a bound is missing"),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused_before_anything_is_started(
    changes: dict[str, Any], told: str, tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path, **({"service": [IDLE]} | changes))
    assert refused(["scenario", "run", path], capsys).startswith(f"cannon: {path}: {told}")
    assert os.listdir(folders) == []


def test_a_gate_that_a_run_cannot_have_is_refused_before_anything_is_started(
    tmp_path: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_run_file(tmp_path, service=[IDLE], gate=[{"expression": "p99@idle < 1s"}])
    told = (
        "gate[0].expression: 'p99@idle < 1s' at character 4: a side is of a comparison, and this is one run"
    )
    assert refused(["scenario", "run", path], capsys).startswith(f"cannon: {path}: {told}")
    assert os.listdir(folders) == []


def test_where_no_folder_can_be_made_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    told = refused(["scenario", "run", a_file(tmp_path)], capsys)
    assert (
        told
        == "cannon: there is no folder for the services: No such file or directory; e.g. --keep services\n"
    )


def test_logs_that_cannot_be_kept_cost_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept"
    (kept / "idle.log").mkdir(parents=True)
    assert staged(a_file(tmp_path, service=[IDLE]), "--keep", str(kept), "-o", "x.json") == 0
    assert Path("x.json").exists()
    assert f"cannon: not all logs are in {kept}: Is a directory\n" in capsys.readouterr().err
