from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import calibration
from calibration import PARTS, priority, repeat, told
from calibration_tables import TABLES
from cannon.verdict import Change
from clients import Fault
from outcomes import Found, Ledger, Outcome
from trials import Bench, Make, Trial

ROW = Found("latency", "p50", Change(0.31, 0.29, 0.33), Change(38.0, 36.0, 41.0))


@dataclass
class ScriptedTrial:
    """Makes its outcomes at once; those of `failing` numbers are faults."""

    failing: range = range(0)
    begun: int = 0
    made: list[int] = field(default_factory=list)
    part: str = "aa"
    setting: str = "scripted"

    @contextmanager
    def begin(self, bench: Bench) -> Iterator[Make]:
        self.begun += 1

        def make(number: int) -> Outcome:
            self.made.append(number)
            if number in self.failing:
                raise Fault("out of luck")
            return Outcome(
                part=self.part, setting=self.setting, number=number, commit=bench.commit, rows=[ROW]
            )

        yield make


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, (0, 1), commit="abc")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "outcomes")


def test_a_trial_is_repeated_and_every_outcome_kept(bench: Bench, ledger: Ledger) -> None:
    trial = ScriptedTrial()
    outcomes, aside = repeat(trial, 3, bench, ledger)
    assert trial.made == [1, 2, 3]
    assert ledger.read() == outcomes and len(outcomes) == 3 and not aside


def test_what_was_cut_goes_on_where_it_was(bench: Bench, ledger: Ledger) -> None:
    repeat(ScriptedTrial(), 2, bench, ledger)
    trial = ScriptedTrial()
    assert [outcome.number for outcome in repeat(trial, 5, bench, ledger)[0]] == [1, 2, 3, 4, 5]
    assert trial.made == [3, 4, 5]


def test_servers_are_not_started_for_what_is_there(bench: Bench, ledger: Ledger) -> None:
    repeat(ScriptedTrial(), 2, bench, ledger)
    trial = ScriptedTrial()
    assert len(repeat(trial, 1, bench, ledger)[0]) == 1
    assert not trial.begun


@pytest.mark.parametrize("other", [{"setting": "of another setting"}, {"part": "injected"}])
def test_outcomes_of_something_else_do_not_count(bench: Bench, ledger: Ledger, other: dict[str, str]) -> None:
    repeat(ScriptedTrial(**other), 2, bench, ledger)  # type: ignore[arg-type]  # passed through
    trial = ScriptedTrial()
    repeat(trial, 2, bench, ledger)
    assert trial.made == [1, 2]


def test_outcomes_of_another_commit_do_not_count(bench: Bench, ledger: Ledger, tmp_path: Path) -> None:
    repeat(ScriptedTrial(), 2, Bench(tmp_path, (0, 1), commit="def"), ledger)
    trial = ScriptedTrial()
    repeat(trial, 2, bench, ledger)
    assert trial.made == [1, 2]


def test_a_comparison_without_figures_is_kept_with_its_reason(bench: Bench, ledger: Ledger) -> None:
    outcomes, _ = repeat(ScriptedTrial(failing=range(2, 3)), 3, bench, ledger)
    assert [outcome.fault for outcome in outcomes] == ["", "out of luck", ""]


def test_a_trial_that_always_fails_is_given_up(bench: Bench, ledger: Ledger) -> None:
    trial = ScriptedTrial(failing=range(1, 200))
    with pytest.raises(Fault, match="5 comparisons without figures: out of luck"):
        repeat(trial, 200, bench, ledger)
    assert trial.made == [1, 2, 3, 4, 5]


def test_what_others_disturbed_is_set_aside_and_made_again(
    bench: Bench, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = iter([0.01, 0.2, 0.01])
    monkeypatch.setattr(calibration, "others", lambda before, after: next(shares))
    monkeypatch.setattr(calibration, "until_quiet", lambda share: None)
    trial = ScriptedTrial()
    outcomes, aside = repeat(trial, 2, bench, ledger, quiet=0.05)
    assert ([outcome.number for outcome in outcomes], aside) == ([1, 3], 1)
    assert [outcome.others for outcome in ledger.read()] == [0.01, 0.2, 0.01]
    # The file has what each was disturbed by, so it can be counted again, more strictly or less.
    assert repeat(trial, 3, bench, ledger, quiet=0.5)[1] == 0
    assert trial.made == [1, 2, 3]


def test_a_watcher_is_told_the_intervals_and_the_servers_own_record() -> None:
    outcome = Outcome(
        part="injected", setting="", number=1, commit="", wall_s=12.34, verdict="valid", rows=[ROW]
    )
    assert told(outcome) == "12.3 s, others took 0.0%, valid: p50 +0.31 [+0.29, +0.33]"
    recorded = Outcome(
        part="injected", setting="", number=1, commit="", verdict="valid", rows=[ROW], own_ms={"p50": 0.3}
    )
    assert told(recorded).endswith("; by its own record p50 0.3000")


def test_what_goes_before_others_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getscheduler", lambda process_id: os.SCHED_FIFO)
    assert priority() == "real-time priority"
    monkeypatch.setattr(os, "sched_getscheduler", lambda process_id: os.SCHED_OTHER)
    assert priority().startswith("nice ")


def test_every_part_has_a_table_and_stands_in_the_scripts_own_words() -> None:
    assert calibration.__doc__ is not None
    assert list(PARTS) == list(TABLES)
    assert all(f"`{part}`" in calibration.__doc__ for part in PARTS)


def test_trials_of_a_part_are_told_apart() -> None:
    given = argparse.Namespace(server=["nginx", "told"], delay=[200, 1_000, 5_000], case=["plain", "chunked"])
    for name, part in PARTS.items():
        trials: list[Trial] = list(part.trials(given))
        assert {trial.part for trial in trials} == {name}
        assert len({trial.setting for trial in trials}) == len(trials)


@pytest.mark.parametrize("text", ["aa", "aa=", "aa=0", "bb=3", "aa=-1"])
def test_a_count_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        calibration._count(text)


def test_a_count_is_of_a_part() -> None:
    assert calibration._count("aa=20") == ("aa", 20)
