"""The default command from end to end, but for the firing."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cannon.cli import main
from cannon.errors import Fault, InvalidRun
from cannon.plan import Plan, Stop
from cannon.progress import SoFar
from cannon.result import Result
from cannon.runner import Interrupt
from cannon.tally import Row, Tally
from cannon.target import Target
from tests.cli.fakes import FakeRun
from tests.results import a_plan, a_result, an_empty_tally

URL = "http://127.0.0.1:4000/"


def interrupted(number: signal.Signals, result: Result | None = None) -> FakeRun:
    """A run that is hit by a signal."""

    def during(interrupt: Interrupt | None) -> None:
        signal.raise_signal(number)
        assert interrupt is not None
        assert interrupt.reason == number.name

    return FakeRun(result=result or a_result(interrupted=number.name), during=during)


def test_the_plan_that_is_fired_is_that_of_the_command_line() -> None:
    run = FakeRun()
    assert main(["-d", "60", "-c", "10", "-l", URL], run=run) == 0
    assert run.plan == Plan(targets=(Target.parse(URL),), stop=Stop(duration_ns=60 * 10**9))


def test_tables_go_to_stdout_and_the_header_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    main(["-d", "60", URL], run=FakeRun())
    out, err = capsys.readouterr()
    assert "Latency" in out
    assert "Req/Sec" in out
    assert err.startswith(f"Running 60s test @ {URL}\n")


def test_latency_adds_the_percentiles(capsys: pytest.CaptureFixture[str]) -> None:
    main(["-l", URL], run=FakeRun())
    assert "99.999" in capsys.readouterr().out
    main([URL], run=FakeRun())
    assert "99.999" not in capsys.readouterr().out


def test_status_codes_add_their_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--statusCodes", URL], run=FakeRun())
    assert "Code" in capsys.readouterr().out


@pytest.mark.parametrize("more", [[], ["-l"], ["-n"], ["--statusCodes"]])
def test_json_is_alone_on_stdout(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run = FakeRun()
    assert main(["-j", *more, URL], run=run) == 0
    out, err = capsys.readouterr()
    assert out.encode() == run.result.to_json()
    assert err == ""


@pytest.mark.parametrize("more", [[], ["-j"], ["-n"]])
def test_notes_go_to_stderr(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main([*more, URL], run=FakeRun(notes=("a note of http://u:canary@h/\n",)))
    assert "cannon: a note of http://***@h/\\n\n" in capsys.readouterr().err


def test_a_duration_beside_an_amount_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    main(["-j", "-a", "100", "-d", "5", URL], run=FakeRun())
    assert capsys.readouterr().err == "cannon: -d is not looked at: -a 100 tells when the run ends\n"


def test_an_option_of_tls_beside_a_url_of_http_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-j", "-k", URL], run=FakeRun()) == 0
    assert capsys.readouterr().err == "cannon: -k is not looked at: no URL is of https\n"


def test_the_reports_asked_for_are_written(tmp_path: Path) -> None:
    run = FakeRun()
    first, second, stream = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "rows.ndjson"
    assert main(["-o", str(first), "-o", str(second), "--stream", str(stream), URL], run=run) == 0
    assert first.read_bytes() == second.read_bytes() == run.result.to_json()
    assert len(stream.read_text().splitlines()) == len(run.result.series)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_is_reported_all_the_same(
    number: signal.Signals, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    before = signal.getsignal(number)
    assert main(["-j", "-o", str(path), URL], run=interrupted(number)) == code
    assert json.loads(capsys.readouterr().out)["interrupted"] == number.name
    assert json.loads(path.read_bytes())["interrupted"] == number.name
    assert signal.getsignal(number) == before


def losing(path: Path, result: Result | None = None) -> FakeRun:
    """A run in whose course the folder of the report goes."""

    def during(interrupt: object) -> None:
        path.parent.rmdir()

    return FakeRun(result=result or a_result(), during=during)


@pytest.mark.parametrize(("reason", "code"), [(None, 3), ("SIGINT", 130)])
def test_a_report_that_cannot_be_written_goes_to_stdout(
    reason: str | None, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "folder" / "a.json"
    path.parent.mkdir()
    run = losing(path, a_result(interrupted=reason))
    assert main(["-o", str(path), URL], run=run) == code
    out, err = capsys.readouterr()
    assert out.endswith(run.result.to_json().decode())
    assert f"cannon: cannot write {path}: No such file or directory\n" in err


def test_a_lost_report_does_not_print_the_json_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "folder" / "a.json"
    path.parent.mkdir()
    run = losing(path)
    assert main(["-j", "-o", str(path), URL], run=run) == 3
    assert capsys.readouterr().out.encode() == run.result.to_json()


def test_a_lost_report_costs_no_other(tmp_path: Path) -> None:
    lost, kept = tmp_path / "folder" / "a.json", tmp_path / "b.json"
    lost.parent.mkdir()
    run = losing(lost)
    assert main(["-o", str(lost), "-o", str(kept), URL], run=run) == 3
    assert kept.read_bytes() == run.result.to_json()


def test_a_stream_that_fails_costs_no_report_and_makes_the_run_invalid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    run = FakeRun()
    assert main(["--stream", "/dev/full", "-o", str(path), URL], run=run) == 3
    assert path.read_bytes() == run.result.to_json()
    assert capsys.readouterr().err.endswith("cannon: cannot write /dev/full: No space left on device\n")


@pytest.mark.parametrize("option", ["-o", "--log", "--stream"])
def test_an_output_that_cannot_be_written_stops_the_run_before_it_begins(option: str, tmp_path: Path) -> None:
    run = FakeRun()
    assert main([option, str(tmp_path / "missing" / "a.json"), URL], run=run) == 2
    assert run.plans == []


def test_nothing_to_fire_at_is_exit_code_3_and_no_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def during(interrupt: object) -> None:
        raise InvalidRun("cannot connect")

    path = tmp_path / "a.json"
    assert main(["-j", "-o", str(path), URL], run=FakeRun(during=during)) == 3
    assert capsys.readouterr() == ("", "cannon: cannot connect\n")
    assert not path.exists()


def test_an_invalid_run_is_reported_and_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    run = FakeRun(result=a_result(tally=an_empty_tally()))
    assert main(["-j", URL], run=run) == 3
    out, err = capsys.readouterr()
    assert msgspec.json.decode(out)["validity"]["verdict"] == "invalid"
    assert err == "cannon: invalid: no request succeeded\n"


def test_a_run_of_a_saturated_client_is_suspect_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result()
    validity = msgspec.structs.replace(result.validity, verdict="suspect", reasons=["cannon was busy"])
    assert main(["-j", URL], run=FakeRun(result=msgspec.structs.replace(result, validity=validity))) == 0
    assert capsys.readouterr().err == "cannon: suspect: cannon was busy\n"


def test_each_reason_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result()
    validity = msgspec.structs.replace(
        result.validity, verdict="suspect", reasons=["one; try a", "two; try b"]
    )
    main(["-j", URL], run=FakeRun(result=msgspec.structs.replace(result, validity=validity)))
    assert capsys.readouterr().err == "cannon: suspect: one; try a\ncannon: suspect: two; try b\n"


def test_remarks_are_made_before_the_firing_and_not_of_what_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-a", "100", "-d", "5", "-o", str(tmp_path / "missing" / "a.json"), URL]
    assert main(words, run=FakeRun()) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_results_of_an_interrupted_run_begin_on_a_line_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leader, follower = os.openpty()
    shown = b""

    def until(text: bytes) -> None:
        nonlocal shown
        while text not in shown:
            shown += os.read(leader, 1 << 16)

    def during(interrupt: Interrupt | None) -> None:
        os.write(leader, b"\x03")
        until(b"^C")  # the terminal's echo

    with open(follower, "w", encoding="utf-8") as terminal:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        main(["-n", URL], run=FakeRun(result=a_result(interrupted="SIGINT"), during=during))
        until(b"Stat ")
        lines = shown.decode().splitlines()
    os.close(leader)
    assert lines[lines.index("^C") + 1].startswith("Stat ")


@pytest.mark.parametrize(
    ("program", "options", "schema"),
    [
        ("cannon", [], "cannon/result/1"),
        ("autocannon", ["--format", "cannon"], "cannon/result/1"),
        ("autocannon", [], None),
        ("cannon", ["--format", "autocannon"], None),
    ],
)
def test_json_is_of_the_format_asked_for_else_of_the_program_it_is_called_as(
    program: str,
    options: list[str],
    schema: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours, theirs = tmp_path / "a.json", tmp_path / "a.autocannon.json"
    words = ["-j", "-o", str(ours), "-o", str(theirs), *options, URL]
    assert main(words, run=FakeRun(), program=program) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found.get("schema") == schema
    assert ("requests" in found, "2xx" in found) == (True, schema is None)
    assert out.count("\n") == 1 or schema is not None
    # A file's format is told by its name, whatever stdout is given.
    assert json.loads(ours.read_text())["schema"] == "cannon/result/1"
    assert "2xx" in json.loads(theirs.read_text())
    assert err == ""


def test_the_program_is_named_by_what_it_is_called_as(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/autocannon", "-j", URL])
    run = FakeRun()
    assert main(run=run) == 0
    assert "2xx" in json.loads(capsys.readouterr().out)
    assert run.commands == [f"cannon -j {URL}"]
    assert main(["--help"], program="autocannon") == 0
    assert capsys.readouterr().out.startswith("Usage: cannon ")


def test_without_verbose_the_lines_stay_and_the_tables_go(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-verbose", "-l", URL], run=FakeRun()) == 0
    out = capsys.readouterr().out
    assert out
    assert "Req/Sec" not in out
    assert "99.999" not in out


def forever(last: int, during: Callable[[Interrupt | None], None]) -> FakeRun:
    """Runs of which that one, from 1, meets something."""

    def each(interrupt: Interrupt | None) -> None:
        assert len(run.plans) <= last
        if len(run.plans) == last:
            during(interrupt)

    run = FakeRun(during=each)
    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_forever_is_until_a_signal_and_every_run_is_reported(
    number: signal.Signals, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(interrupt: Interrupt | None) -> None:
        path.unlink()
        run.result = a_result(interrupted=number.name)
        signal.raise_signal(number)

    path = tmp_path / "a.json"
    run = forever(3, stop)
    assert main(["-f", "-j", "-o", str(path), URL], run=run) == code
    decoder, out, found = json.JSONDecoder(), capsys.readouterr().out, []
    while out:
        document, end = decoder.raw_decode(out)
        found.append(document["interrupted"])
        out = out[end:].lstrip()
    assert found == [None, None, number.name]
    assert path.read_bytes() == run.result.to_json()


def test_forever_ends_with_a_signal_that_came_when_the_run_was_over() -> None:
    def stop(interrupt: Interrupt | None) -> None:
        signal.raise_signal(signal.SIGINT)

    # The result knows nothing of it.
    assert main(["-f", "-j", URL], run=forever(2, stop)) == 130


def test_forever_ends_where_there_is_nothing_left_to_fire_at(capsys: pytest.CaptureFixture[str]) -> None:
    def gone(interrupt: Interrupt | None) -> None:
        raise InvalidRun("cannot connect")

    assert main(["-f", "-j", URL], run=forever(2, gone)) == 3
    assert capsys.readouterr().err == "cannon: cannot connect\n"


def test_forever_goes_on_after_a_run_that_is_not_valid() -> None:
    def stop(interrupt: Interrupt | None) -> None:
        signal.raise_signal(signal.SIGINT)

    run = forever(3, stop)
    run.result = a_result(tally=an_empty_tally())
    assert main(["-f", "-j", URL], run=run) == 130
    assert len(run.plans) == 3


@pytest.mark.parametrize(("more", "average"), [([], 30.0), (["-C"], 10.0)])
def test_with_ignored_omission_the_latencies_of_autocannon_are_timed_from_the_send(
    more: list[str], average: float, capsys: pytest.CaptureFixture[str]
) -> None:
    result = a_result()
    run = FakeRun(
        result=msgspec.structs.replace(
            result,
            latency_ms=msgspec.structs.replace(result.latency_ms, mean=30.0),
            service_ms=msgspec.structs.replace(result.service_ms, mean=10.0),
        )
    )
    assert main(["-j", "--format", "autocannon", "-R", "5", *more, URL], run=run) == 0
    assert json.loads(capsys.readouterr().out)["latency"]["average"] == average


def ending(*counts: int) -> tuple[FakeRun, list[bool]]:
    """Runs that have told of so many resets, and are over then, and whether each was to be ended before."""
    ended: list[bool] = []
    left = list(counts)

    def during(interrupt: Interrupt | None) -> None:
        assert interrupt is not None
        assert interrupt.is_enough is not None
        failed = left.pop(0)
        row = Row(window_ns=2 * 10**9, requests=9, succeeded=9, failed=failed)
        tally = Tally(sent=9 + failed, status={200: 9}, errors={Fault.RESET: failed}, row=row)
        ended.append(interrupt.is_enough(SoFar(a_plan(), (tally,), (9.0,))))
        if not left:
            interrupt.reason = "SIGINT"

    return FakeRun(during=during), ended


@pytest.mark.parametrize(("failed", "code"), [(5, 4), (4, 0)])
def test_a_run_that_can_no_longer_pass_is_ended_and_fails(
    failed: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ended = ending(failed, 0)
    assert main(["-j", "--gate", "errors < 5", "--abort-on-fail", "2s", URL], run=run) == code
    assert ended == [code == 4]
    (gate,) = json.loads(capsys.readouterr().out)["gates"]
    assert (gate["verdict"] == "fail") is ended[0]
    assert gate["reason"].startswith("stopped after 10.0 s: errors had come to 5") is ended[0]


def test_without_that_option_no_run_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[object] = []
    run = FakeRun(during=lambda interrupt: asked.append(interrupt and interrupt.is_enough))
    assert main(["--gate", "errors == 0", URL], run=run) == 0
    assert asked == [None]


def test_each_of_the_runs_that_go_on_for_ever_is_looked_at_on_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, ended = ending(0, 7, 0, 9)
    main(["-j", "-f", "--gate", "errors < 5", "--abort-on-fail", "2s", URL], run=run)
    assert ended == [False, True, False, True]
    found = capsys.readouterr().out.split('"gates"')[1:]
    assert ["stopped after" in each for each in found] == ended


def test_what_ended_a_run_that_was_over_does_not_end_the_next() -> None:
    readable: list[bool] = []

    def during(interrupt: Interrupt | None) -> None:
        assert interrupt is not None
        readable.append(bool(select.select([interrupt], [], [], 0)[0]))
        interrupt.finish()
        if len(readable) == 2:
            interrupt.reason = "SIGINT"

    main(["-f", "--gate", "errors < 5", "--abort-on-fail", "2s", URL], run=FakeRun(during=during))
    assert readable == [False, False]
