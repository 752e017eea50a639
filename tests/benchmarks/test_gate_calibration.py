from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

import gate_calibration
from cannon.gates import Verdict
from clients import Fault
from gate_calibration import next_kind, repeat, told
from gate_checks import GATE, STRICT, Check, Kind
from gate_series import BASELINES, Load, Series
from kept_lines import Lines

COUNTS = {Kind.EQUAL: 4, Kind.SLOWER: 2}


class ScriptedSeries:
    """Fires at once; runs of `failing` numbers have no verdict. `seen`: of each run its kind, and its baselines."""

    def __init__(self, folder: Path, failing: range = range(0), commit: str = "abc") -> None:
        self.load = Load()
        self.commit = commit
        self.baselines: deque[Path] = deque(maxlen=BASELINES)
        self.seen: list[tuple[Kind, list[str]]] = []
        self._folder = folder
        self._failing = failing

    @property
    def judges(self) -> bool:
        return len(self.baselines) == BASELINES

    def path(self, number: int) -> Path:
        return self._folder / str(number)

    def fired(self, kind: Kind, number: int) -> Check:
        self.seen.append((kind, [path.name for path in self.baselines]))
        if number in self._failing:
            raise Fault("out of luck")
        verdict = Verdict.PASS if kind is Kind.EQUAL else Verdict.FAIL
        return _check(
            kind=kind,
            setting=self.load.setting,
            number=number,
            commit=self.commit,
            verdicts={GATE: verdict} if self.judges else {},
        )


def _check(**changes: Any) -> Check:
    found: dict[str, Any] = {"kind": Kind.EQUAL, "setting": "here", "number": 1, "commit": "abc"}
    return Check(**(found | changes))


@pytest.fixture
def ledger(tmp_path: Path) -> Lines[Check]:
    return Lines(tmp_path / "checks", Check)


def _repeat(
    series: ScriptedSeries, ledger: Lines[Check], counts: Mapping[Kind, int] = COUNTS, quiet: float = 1.0
) -> tuple[list[Check], int]:
    return repeat(cast("Series", series), counts, ledger, quiet)


def test_five_baselines_come_first_and_every_check_is_kept(tmp_path: Path, ledger: Lines[Check]) -> None:
    series = ScriptedSeries(tmp_path)
    checks, aside = _repeat(series, ledger)
    assert [kind for kind, _ in series.seen[:5]] == [Kind.EQUAL] * 5
    assert [check.number for check in checks] == [6, 7, 8, 9, 10, 11]
    assert ledger.read() == checks and not aside


def test_each_run_is_judged_by_the_five_before_it_at_the_same_server(
    tmp_path: Path, ledger: Lines[Check]
) -> None:
    series = ScriptedSeries(tmp_path)
    _repeat(series, ledger)
    assert series.seen[5:8] == [
        (Kind.EQUAL, ["1", "2", "3", "4", "5"]),
        (Kind.SLOWER, ["2", "3", "4", "5", "6"]),
        (Kind.EQUAL, ["2", "3", "4", "5", "6"]),
    ]


def test_what_was_cut_goes_on_after_new_baselines(tmp_path: Path, ledger: Lines[Check]) -> None:
    _repeat(ScriptedSeries(tmp_path), ledger, {Kind.EQUAL: 2, Kind.SLOWER: 1})
    series = ScriptedSeries(tmp_path)
    checks, _ = _repeat(series, ledger)
    assert len(checks) == 6
    assert len(series.seen) == 5 + 3
    assert len({check.number for check in checks}) == 6


def test_checks_of_another_commit_or_load_do_not_count(tmp_path: Path, ledger: Lines[Check]) -> None:
    _repeat(ScriptedSeries(tmp_path, commit="def"), ledger)
    ledger.keep(_check(setting="elsewhere"))
    series = ScriptedSeries(tmp_path)
    assert len(_repeat(series, ledger)[0]) == 6
    assert len(series.seen) == 5 + 6


def test_a_run_without_a_verdict_is_kept_with_its_reason_and_is_no_baseline(
    tmp_path: Path, ledger: Lines[Check]
) -> None:
    series = ScriptedSeries(tmp_path, failing=range(6, 7))
    checks, _ = _repeat(series, ledger)
    assert [check.fault for check in checks] == ["out of luck", *[""] * 6]
    assert not any("6" in names for _, names in series.seen)


def test_runs_that_never_find_a_verdict_are_given_up(tmp_path: Path, ledger: Lines[Check]) -> None:
    series = ScriptedSeries(tmp_path, failing=range(1, 100))
    with pytest.raises(Fault, match="5 runs without a verdict: out of luck"):
        _repeat(series, ledger)
    assert len(series.seen) == 5


def test_what_others_disturbed_is_set_aside_and_is_no_baseline(
    tmp_path: Path, ledger: Lines[Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = iter([0.01, 0.2, *[0.01] * 4, 0.2, *[0.01] * 6])
    monkeypatch.setattr(gate_calibration, "others", lambda before, after: next(shares))
    monkeypatch.setattr(gate_calibration, "until_quiet", lambda share: None)
    series = ScriptedSeries(tmp_path)
    checks, aside = _repeat(series, ledger, quiet=0.05)
    assert (len(checks), aside) == (6, 1)
    assert series.seen[6:8] == [
        (Kind.EQUAL, ["1", "3", "4", "5", "6"]),
        (Kind.EQUAL, ["1", "3", "4", "5", "6"]),
    ]
    assert [check.others for check in ledger.read()][:2] == [0.2, 0.01]


def test_both_kinds_keep_step() -> None:
    counts = {Kind.EQUAL: 20, Kind.SLOWER: 4}
    checks: list[Check] = []
    while (kind := next_kind(checks, counts)) is not None:
        checks.append(_check(kind=kind))
    assert len(checks) == 24
    assert [sum(check.kind is Kind.SLOWER for check in checks[:end]) for end in (6, 12, 18, 24)] == [
        1,
        2,
        3,
        4,
    ]


def test_a_load_has_the_requests_that_a_p99_takes_and_connections_for_them() -> None:
    load = Load(20_000)
    assert load.rate * load.seconds >= 2_000
    assert load.connections >= 2 * load.rate * 0.026
    assert Load().setting != load.setting


def test_a_watcher_is_told_the_interval_and_both_verdicts() -> None:
    assert told(_check(fault="out of luck")).endswith("FAILED: out of luck")
    assert told(_check(value_ms=10.1, own_ms=10.0)).endswith("record 10.000 ms, a baseline")
    judged = _check(
        value_ms=10.1,
        own_ms=10.0,
        low_ms=9.9,
        high_ms=10.3,
        bound_ms=11.0,
        verdicts={GATE: Verdict.PASS, STRICT: Verdict.INCONCLUSIVE},
    )
    assert told(judged).endswith(
        "[9.900, 10.300] beside 11.000; p99 < base + 10%: pass; p99 < base: inconclusive"
    )
