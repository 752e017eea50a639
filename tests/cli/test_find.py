"""`--find-rate` fires one rate after the other, tells each, and reports the highest that held."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cannon.cli import main
from cannon.errors import Fault, InvalidRun
from cannon.pace import Arrivals, Pace
from cannon.plan import Plan
from cannon.profile import Constant
from cannon.result import Result
from cannon.runner import Interrupt
from tests.cli.fakes import FakeRun
from tests.results import a_paced_tally, a_result

URL = "http://127.0.0.1:4000/"
FIND = ["--find-rate", "p99 < 50ms", URL]
SAMPLES = 2_000


@dataclass
class Knee(FakeRun):
    """A target whose p99 is 10 ms up to `knee_per_s`, and 200 ms beyond; `met`: what happens in which trial, from 1."""

    knee_per_s: float = 500
    saturated: bool = False
    met: Mapping[int, Callable[[], object]] = field(default_factory=dict)

    def answer(self, plan: Plan, interrupt: Interrupt | None) -> Result:
        if happens := self.met.get(len(self.plans)):
            happens()
        beyond = self.rates[-1] > self.knee_per_s
        tally = a_paced_tally([200_000_000 if beyond else 10_000_000] * SAMPLES)
        changes: dict[str, Any] = {"duration_ns": int(SAMPLES / self.rates[-1] * 1e9)}
        if interrupt is not None and interrupt.reason is not None:
            changes["interrupted"] = interrupt.reason
        result = a_result(plan=plan, tally=tally, **changes)
        if not (self.saturated and beyond):
            return result
        client = msgspec.structs.replace(result.client, saturated=True)
        validity = msgspec.structs.replace(
            result.validity, verdict="suspect", reasons=["cannon used 99 % of a core; try -w 2"]
        )
        return msgspec.structs.replace(result, client=client, validity=validity)

    @property
    def rates(self) -> list[float]:
        found = []
        for plan in self.plans:
            assert plan.pace is not None
            assert isinstance(plan.pace.profile, Constant)
            found.append(plan.pace.profile.per_s)
        return found


def document_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_rate_is_found_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    run = Knee()
    assert main(FIND, run=run) == 0
    out, _ = capsys.readouterr()
    assert out.splitlines()[-1] == (
        "485/s is the highest rate at which p99 < 50ms holds: at 507/s p99 was 200 ms"
    )
    assert run.rates == [204, 408, 816, 577, 485, 529, 507, 485]


def test_each_trial_is_a_row_of_the_table_and_a_line_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    run = Knee()
    main(FIND, run=run)
    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if line.startswith("cannon: trial ")]
    assert told[1:3] == [
        "cannon: trial 2: 408/s asked, 408/s sent, p99 10.0 ms: holds",
        "cannon: trial 3: 816/s asked, 816/s sent, p99 200 ms: fails",
    ]
    assert len(told) == len(run.plans)
    rows = [line.split() for line in out.splitlines()[2:] if line[:5].strip().isdigit()]
    assert [float(row[1]) for row in rows] == run.rates


def test_what_will_be_fired_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    main(["-d", "30", *FIND], run=Knee())
    err = capsys.readouterr().err
    heading = "Searching the highest rate at which p99 < 50ms holds, in trials of"
    assert err.startswith(f"{heading} 30 s or more @ {URL}\n10 connections\n")
    assert "cannon: from 100/s on, at most 20 trials, of 60.0 s at most\n" in err
    main(["-d", "90", *FIND], run=Knee())
    assert capsys.readouterr().err.startswith(f"{heading} 90 s @ {URL}\n")


def test_a_rate_too_low_for_its_samples_is_fired_for_longer_and_that_is_said_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Knee(knee_per_s=60)
    assert main(FIND, run=run) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("58/s is the highest rate at which p99 < 50ms holds")
    lasted_s = {rate: plan.stop.duration_ns / 1e9 for rate, plan in zip(run.rates, run.plans, strict=True)}
    assert (lasted_s[204], lasted_s[102], lasted_s[51]) == (10, 20, 40)
    assert max(lasted_s.values()) <= 60
    said = [line for line in err.splitlines() if line.startswith("cannon: trial ")]
    assert said[0].startswith("cannon: trial 1: 204/s asked")
    assert said[1] == "cannon: trial 2 takes 20.0 s, to have the 2,000 samples of p99 at 102/s"
    assert said[2].startswith("cannon: trial 2: 102/s asked")


def test_every_trial_is_the_plan_at_another_rate() -> None:
    run = Knee()
    main(["-d", "10", "-c", "7", "-W", "1s", *FIND], run=run)
    for plan in run.plans:
        assert msgspec.structs.replace(plan, pace=None, preflight=True) == msgspec.structs.replace(
            run.plans[0], pace=None
        )
    assert run.plans[0].connections == 7
    assert run.plans[0].warmup is not None


def test_the_server_is_asked_whether_it_is_there_once() -> None:
    run = Knee()
    main(FIND, run=run)
    assert [plan.preflight for plan in run.plans] == [True] + [False] * (len(run.plans) - 1)
    run = Knee()
    main(["--no-preflight", *FIND], run=run)
    assert not any(plan.preflight for plan in run.plans)


def test_arrivals_and_seed_are_those_that_were_asked() -> None:
    run = Knee()
    main(["--arrivals", "poisson", "--seed", "7", *FIND], run=run)
    assert {plan.pace for plan in run.plans} == {
        Pace(Constant(rate), Arrivals.POISSON, seed=7) for rate in run.rates
    }


def test_a_seed_that_is_drawn_is_that_of_every_trial() -> None:
    run = Knee()
    main(["--arrivals", "poisson", *FIND], run=run)
    assert len({plan.pace.seed for plan in run.plans if plan.pace is not None}) == 1


def test_where_no_rate_holds_the_exit_code_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    run = Knee(knee_per_s=1)
    assert main(FIND, run=run) == 3
    out, _ = capsys.readouterr()
    assert out.splitlines()[-2:] == [
        "no rate was found at which p99 < 50ms holds: at 34/s p99 was 200 ms; at lower",
        "rates, 60.0 s are too short to judge it; for 17/s give -d 120",
    ]


def test_where_cannon_is_the_limit_the_answer_is_a_lower_bound_with_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["-j", *FIND], run=Knee(saturated=True)) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["verdict"], document["found_per_s"]) == ("at_least", 485)
    assert document["reason"] == "at 507/s p99 was 200 ms, and cannon was the limit"
    assert err.count("cannon: suspect: cannon used 99 % of a core; try -w 2\n") == 1


def test_json_is_one_document_and_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    run = Knee()
    assert main(["-j", *FIND], run=run) == 0
    document = document_of(capsys)
    assert {name: document[name] for name in ("schema", "gate", "unit", "found_per_s", "verdict")} == {
        "schema": "cannon/search/1",
        "gate": "p99 < 50ms",
        "unit": "ms",
        "found_per_s": 485,
        "verdict": "found",
    }
    assert [trial["rate"] for trial in document["trials"]] == run.rates
    assert document["trials"][2]["verdict"] == "fail"
    assert document["trials"][2]["reason"] == "p99 was 200 ms"
    assert document["trials"][2]["achieved_per_s"] == pytest.approx(816, rel=0.001)
    assert document["interrupted"] is None


def test_the_result_of_the_best_trial_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "best.json"
    assert main(["-j", "-o", str(path), *FIND], run=Knee()) == 0
    best = Result.from_json(path.read_bytes())
    assert best.plan.rate == 485
    assert [(gate.expression, gate.verdict) for gate in best.gates] == [("p99 < 50ms", "pass")]
    assert document_of(capsys)["result"] == json.loads(path.read_bytes())


def test_where_no_rate_holds_the_lowest_that_was_tried_is_written(tmp_path: Path) -> None:
    path = tmp_path / "lowest.json"
    main(["-d", "30", "-o", str(path), *FIND], run=Knee(knee_per_s=1))
    assert Result.from_json(path.read_bytes()).plan.rate == 34


def test_the_rows_of_all_trials_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    run = Knee()
    main(["--stream", str(path), *FIND], run=run)
    assert len(path.read_text().splitlines()) == 10 * len(run.plans)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_search_reports_what_it_knows(
    number: signal.Signals, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "best.json"
    run = Knee(met={3: lambda: signal.raise_signal(number)})
    assert main(["-j", "-o", str(path), *FIND], run=run) == code
    document = document_of(capsys)
    assert (document["verdict"], document["found_per_s"]) == ("at_least", 408)
    assert (document["reason"], document["interrupted"]) == (f"interrupted by {number.name}", number.name)
    assert [trial["rate"] for trial in document["trials"]] == [204, 408]
    assert Result.from_json(path.read_bytes()).plan.rate == 408


def test_a_search_that_is_interrupted_in_its_first_trial_writes_that_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.json"
    run = Knee(met={1: lambda: signal.raise_signal(signal.SIGINT)})
    assert main(["-o", str(path), *FIND], run=run) == 130
    assert Result.from_json(path.read_bytes()).interrupted == "SIGINT"
    assert capsys.readouterr().out == ("no rate was found at which p99 < 50ms holds: interrupted by SIGINT\n")


def refuse() -> None:
    raise InvalidRun("127.0.0.1:4000 refused the connection")


def test_a_server_that_is_not_there_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-j", *FIND], run=Knee(met={1: refuse})) == 3
    assert capsys.readouterr() == ("", "cannon: 127.0.0.1:4000 refused the connection\n")


def test_a_server_that_goes_costs_nothing_that_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-j", *FIND], run=Knee(met={3: refuse})) == 3
    document = document_of(capsys)
    assert (document["found_per_s"], document["reason"]) == (408, "127.0.0.1:4000 refused the connection")


def test_a_report_that_cannot_be_written_is_said_and_costs_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    run = Knee(met={2: folder.rmdir})
    assert main(["-j", "-o", str(folder / "best.json"), *FIND], run=run) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["found_per_s"] == 485
    assert "cannon: cannot write " in err


@pytest.mark.parametrize(("more", "average"), [([], 10.04), (["-C"], 1.0)])
def test_the_file_of_autocannon_has_service_times_where_they_are_asked_for(
    more: list[str], average: float, tmp_path: Path
) -> None:
    class Late(Knee):
        def answer(self, plan: Plan, interrupt: Interrupt | None) -> Result:
            result = super().answer(plan, interrupt)
            service_ms = msgspec.structs.replace(result.service_ms, mean=1.0)
            return msgspec.structs.replace(result, service_ms=service_ms)

    path = tmp_path / "best.autocannon.json"
    assert main([*more, "-o", str(path), *FIND], run=Late()) == 0
    assert json.loads(path.read_bytes())["latency"]["average"] == average


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--find-rate", "rps > 100/s"], "--find-rate 'rps > 100/s' is no limit to how much is asked"),
        (["--find-rate", "rps < 100/s"], "--find-rate 'rps < 100/s' is no limit to how much is asked"),
        (["--find-rate", "p99 > 5ms"], "--find-rate 'p99 > 5ms' is no limit to how much is asked"),
        (["--find-rate", "p99 <"], "--find-rate: 'p99 <' at character 6: a bound is missing"),
        (
            ["--find-rate", "p99.99999 < 5ms", "-d", "1"],
            "--find-rate 'p99.99999 < 5ms' takes 200,000,000 samples a trial, and 60.0 s are too short for them",
        ),
        ([*FIND[:2], "-O", "100"], "--find-rate fires each rate for a time, and -M and -O would end it"),
        ([*FIND[:2], "-M", "100"], "--find-rate fires each rate for a time, and -M and -O would end it"),
        ([*FIND[:2], "--log", "all.csv"], "--log would hold the last of many trials"),
        ([*FIND[:2], "-o", "all.xyz"], "-o/--output all.xyz: the end of the name tells the format"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_sent(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Knee()
    assert main([*words, URL], run=run) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"cannon: {reason}")
    assert (out, err.count("\n"), run.plans) == ("", 1, [])


def test_a_target_that_fails_its_requests_is_no_fast_one(capsys: pytest.CaptureFixture[str]) -> None:
    class Refusing(Knee):
        def answer(self, plan: Plan, interrupt: Interrupt | None) -> Result:
            tally = a_paced_tally([1_000_000] * SAMPLES, sent=SAMPLES + 500, errors={Fault.RESET: 500})
            return a_result(plan=plan, tally=tally)

    assert main(["-j", *FIND], run=Refusing()) == 3
    assert "at 34/s 20 % of what was sent did not succeed" in document_of(capsys)["reason"]
