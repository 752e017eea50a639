from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from clients import CLIENTS, Fault
from pairs import Pair
from peers import Contest, Field, Side, SideFault, _arguments, fight, installed
from runs import Run

CANNON, WRK, AB = (Side(name, CLIENTS[name], (name,)) for name in ("cannon", "wrk", "ab"))


class ScriptedField(Field):
    """Has its pairs ready; in the rows that are named, one side fails."""

    def __init__(self, failing: dict[str, Side]) -> None:
        self._failing = failing

    def pairs(self, contest: Contest, subject: Side) -> Iterator[Pair]:
        run = Run(requests=100, per_s=100.0, cpu_s=0.1, seen=100, accepted=1)
        yield Pair(run, run)
        if contest.peer.name in self._failing:
            raise SideFault(self._failing[contest.peer.name], Fault("exit code 1: out of luck"))

    def notes(self) -> list[str]:
        return ["http, plain, 10 connections: ab opened 99 connections"]


def _fight(failing: dict[str, Side]) -> bool:
    contests = [Contest("http", "plain", 10, peer) for peer in (AB, WRK)]
    return fight(contests, CANNON, ScriptedField(failing))


def test_a_peer_that_fails_costs_its_own_row_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert _fight({"ab": AB})
    said = capsys.readouterr()
    first, second = said.out.splitlines()[2:4]
    assert "ab: exit code 1: out of luck" in first and "1.00" not in first
    assert "1.00 (1.00-1.00)" in second
    assert "FAILED: http, plain, 10 connections: ab: exit code 1: out of luck" in said.err


def test_a_table_without_figures_of_its_subject_is_not_whole() -> None:
    assert not _fight({"wrk": CANNON})


def test_doubts_stand_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    _fight({})
    assert capsys.readouterr().out.splitlines()[-1].startswith("- http, plain, 10 connections: ab opened 99")


def test_a_client_that_is_missing_is_named_with_how_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert list(installed(["cannon", "wrk"], None)) == ["cannon"]
    assert "wrk is not installed and is left out: apt-get install wrk" in capsys.readouterr().err


def test_autocannon_may_be_anywhere() -> None:
    assert installed(["autocannon"], "bin/autocannon")["autocannon"].program == ("bin/autocannon",)


def test_a_row_says_how_many_requests_are_in_flight() -> None:
    pipelined = Contest("http", "plain", 10, WRK, pipelining=7)
    assert pipelined.key == ("http", "plain", "10", "7", "wrk")
    assert str(pipelined) == "http, plain, 10 connections, 7 in flight on each"
    assert str(Contest("http", "plain", 10, WRK)) == "http, plain, 10 connections"


@pytest.mark.parametrize("pipelining", ["0", "ten"])
def test_a_pipelining_below_one_is_refused(
    pipelining: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["peers.py", "--pipelining", pipelining])
    with pytest.raises(SystemExit):
        _arguments()
    assert "--pipelining" in capsys.readouterr().err
