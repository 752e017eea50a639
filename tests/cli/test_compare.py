"""`cannon compare` from end to end, but for what is sent."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cannon.cli import main
from cannon.cli.session import Session
from cannon.comparer import compare
from cannon.comparison import Comparison
from cannon.errors import InvalidRun
from cannon.reports import comparison_page
from cannon.reports.terminal import Terminal
from cannon.rounds import Mode
from cannon.runner import Interrupt, run
from cannon.standing import Stage, Standing
from cannon.validity import Validity
from tests.cli.fakes import FakeCompare, FakeRun
from tests.comparisons import a_comparison

SIDES = ["direct=http://127.0.0.1:8000/", "haproxy=http://127.0.0.1:8080/"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)


def weighed(
    *words: str, weigh: FakeCompare | None = None, run: FakeRun | None = None
) -> tuple[int, FakeCompare]:
    """The exit code of these words, and what was asked."""
    fake = weigh or FakeCompare()
    return main(["compare", *words], run=run, weigh=fake), fake


def test_the_sides_are_compared_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, fake = weighed(*SIDES, "--seed", "4127")
    assert code == 0
    assert fake.plan.names == ("direct", "haproxy")
    out, err = capsys.readouterr()
    assert out == comparison_page.render(fake.found, Terminal())
    assert err == (
        "Comparing direct http://127.0.0.1:8000/, haproxy http://127.0.0.1:8080/\n"
        "10 connections; 10 rounds of 1 s a side, capacity and latency; shuffled, seed 4127; about 64 s\n\n"
    )


@pytest.mark.parametrize(
    ("line", "first", "second"),
    [
        ("--aa http://u:canary@h/ --seed 7", "a, b @ http://***@h/", "10 rounds of 1 s a side"),
        ("--compression gzip,br h --order abba", "identity, gzip, br @ http://h", "abba, seed"),
        ("-w 2 -c 20 --aa h", "a, b @ http://h", "20 connections, 2 workers; "),
        ("-R 500 -d 60 --aa h", "a, b @ http://h", "10 rounds of 6 s a side, latency; "),
        ("--precision 3% --aa h", "a, b @ http://h", "or more for the precision"),
        ("--before-slot true --aa h", "a, b @ http://h", "and what --before-slot takes"),
    ],
)
def test_what_will_be_compared_is_said_first(
    line: str, first: str, second: str, capsys: pytest.CaptureFixture[str]
) -> None:
    weighed(*line.split())
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"Comparing {first}"
    assert second in told[1]
    assert len(told) == 3


def test_a_seed_that_was_drawn_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    _, fake = weighed(*SIDES)
    assert f"seed {fake.plan.seed};" in capsys.readouterr().err


def test_whoever_compares_is_told_the_command_without_its_secrets_and_how_to_fire() -> None:
    run = FakeRun()
    _, fake = weighed(*SIDES, "--side", "[ direct -H 'Authorization: canary' ]", run=run)
    assert fake.fires == [run]
    assert fake.commands[0].startswith("cannon compare direct=http://127.0.0.1:8000/ ")
    assert "canary" not in fake.commands[0]
    assert "Authorization: ***" in fake.commands[0]
    assert fake.plan.sides[0].plan.headers == (("Authorization", "canary"),)


def test_without_a_fake_the_comparer_and_the_runner_are_the_real_ones() -> None:
    assert (Session("cannon").compare, Session("cannon").run) == (compare, run)


def test_json_is_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    code, fake = weighed("-j", *SIDES)
    assert code == 0
    assert capsys.readouterr() == (fake.found.to_json().decode(), "")


def test_called_as_autocannon_the_json_is_cannons_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "-j", *SIDES], weigh=FakeCompare(), program="autocannon") == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "cannon/comparison/1"


@pytest.mark.parametrize("more", [[], ["-j"], ["-n"]])
def test_notes_go_to_stderr(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    standing = Standing(stage=Stage.LATENCY, number=1, rounds=10, side="haproxy")
    fake = FakeCompare(notes=("a note of http://u:canary@h/\n",), standings=(standing,))
    weighed(*more, "-k", *SIDES, weigh=fake)
    err = capsys.readouterr().err
    assert err.startswith("cannon: -k is not looked at: no URL is of https\n")
    assert err.endswith("cannon: a note of http://***@h/\\n\n")


def test_the_reports_asked_for_are_written(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    _, fake = weighed("-o", str(first), "-o", str(second), *SIDES)
    assert first.read_bytes() == second.read_bytes() == fake.found.to_json()
    assert Comparison.from_json(first.read_bytes()) == fake.found


def losing(*paths: Path, found: Comparison | None = None) -> FakeCompare:
    """A comparison in whose course the folders of these reports go."""

    def during(interrupt: Interrupt | None) -> None:
        for path in paths:
            path.parent.rmdir()

    return FakeCompare(found=found or a_comparison(), during=during)


@pytest.mark.parametrize(("reason", "code"), [(None, 3), ("SIGINT", 130), ("SIGTERM", 143)])
def test_a_report_that_cannot_be_written_goes_to_stdout_and_costs_no_other(
    reason: str | None, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost, kept = tmp_path / "folder" / "a.json", tmp_path / "b.json"
    lost.parent.mkdir()
    fake = losing(lost, found=a_comparison(interrupted=reason))
    assert weighed("-o", str(lost), "-o", str(kept), *SIDES, weigh=fake)[0] == code
    out, err = capsys.readouterr()
    assert kept.read_bytes() == fake.found.to_json()
    assert out.endswith(fake.found.to_json().decode())
    assert f"cannon: cannot write {lost}: No such file or directory\n" in err


def signalling(number: signal.Signals, then: Callable[[], None]) -> FakeCompare:
    """A comparison that is interrupted by this signal."""

    def during(interrupt: Interrupt | None) -> None:
        os.kill(os.getpid(), number)
        assert interrupt is not None
        assert interrupt.reason == number.name
        then()

    return FakeCompare(found=a_comparison(interrupted=number.name), during=during)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_comparison_is_reported_all_the_same(
    number: signal.Signals, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, before = tmp_path / "a.json", signal.getsignal(number)
    fake = signalling(number, then=lambda: None)
    assert weighed("-j", "-o", str(path), *SIDES, weigh=fake)[0] == code
    assert json.loads(capsys.readouterr().out)["interrupted"] == number.name
    assert json.loads(path.read_bytes())["interrupted"] == number.name
    assert signal.getsignal(number) == before


def nothing_told() -> None:
    raise InvalidRun("there is nothing to tell")


def test_an_interrupt_before_there_is_anything_to_tell_is_no_fault_of_the_sides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert weighed("-j", *SIDES, weigh=signalling(signal.SIGINT, then=nothing_told))[0] == 130
    assert capsys.readouterr() == ("", "cannon: there is nothing to tell\n")


def test_a_side_that_is_down_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def during(interrupt: Interrupt | None) -> None:
        raise InvalidRun("side 'haproxy': 127.0.0.1:8080 refused the connection")

    assert weighed("-j", *SIDES, weigh=FakeCompare(during=during))[0] == 3
    assert capsys.readouterr() == ("", "cannon: side 'haproxy': 127.0.0.1:8080 refused the connection\n")


@pytest.mark.parametrize(("verdict", "code"), [("invalid", 3), ("suspect", 0)])
def test_why_a_comparison_is_not_valid_goes_to_stderr_line_by_line(
    verdict: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    validity = Validity(verdict, ["one; try a", "two; try b"])
    fake = FakeCompare(found=msgspec.structs.replace(a_comparison(), validity=validity))
    assert weighed("-j", *SIDES, weigh=fake)[0] == code
    assert capsys.readouterr().err == f"cannon: {verdict}: one; try a\ncannon: {verdict}: two; try b\n"


def test_who_has_just_read_the_page_is_not_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    leader, follower = os.openpty()
    found = a_comparison(validity=Validity("invalid", ["they answer otherwise"]))
    with open(follower, "w", encoding="utf-8") as terminal:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        assert weighed("-n", *SIDES, weigh=FakeCompare(found=found))[0] == 3
        shown = b""
        terminal.write("the end")
        terminal.flush()
        while b"the end" not in shown:
            shown += os.read(leader, 1 << 16)
    os.close(leader)
    assert shown.count(b"they answer otherwise") == 1
    assert b"cannon: invalid" not in shown


def test_a_stdout_that_cannot_be_written_is_a_report_that_was_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert weighed("-j", *SIDES)[0] == 3
    assert capsys.readouterr().err == "cannon: cannot write the results to stdout: No space left on device\n"


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        ("--aa h", Mode.AA),
        ("--compression gzip h", Mode.COMPRESSION),
        ("--proxy http://127.0.0.1:1 h", Mode.PROXY),
        ("a=h b=h", Mode.NAMED),
    ],
)
def test_what_is_compared_is_told_by_an_option_or_by_names(line: str, mode: Mode) -> None:
    assert weighed(*line.split())[1].plan.mode is mode


def test_three_rounds_are_fired_and_it_is_said_what_they_lack(capsys: pytest.CaptureFixture[str]) -> None:
    code, fake = weighed("--rounds", "3", *SIDES)
    assert (code, fake.plan.rounds) == (0, 3)
    assert capsys.readouterr().err.startswith(
        "cannon: --rounds 3: an interval takes 6 rounds, so there will be none; give --rounds 6 or more\n"
    )
