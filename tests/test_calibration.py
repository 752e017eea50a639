"""Whether comparisons are right, fired: briefly for each change, and in full, with all the goals, for a release."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from calibration import PARTS, repeat
from calibration_tables import TABLES
from cannon.comparison import Comparison
from cannon.verdict import Change
from outcomes import Ledger, own_added_ms, samples_of
from targets import CASES
from tests.firing import run_cli
from told import Told, build_told, telling
from trials import DELAYS_US, SERVERS, Bench

HELD_US = 10_000
ROUNDS = 6
NOISE_MS = 5.0
"""By how much a machine that does other things meanwhile may shift the middle of six rounds: generous."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_told(tmp_path_factory.mktemp("told"))


@pytest.fixture
def server(program: Path) -> Iterator[Told]:
    with telling(program, 0, HELD_US) as running:
        running.visits()
        yield running


def _compared(*sides: str) -> Comparison:
    """Six rounds of a tenth of a second; each slot has 60 requests, where a p50 takes 40: a busy machine gets some
    of them too late.
    """
    done = run_cli(
        *("compare", "-d", str(ROUNDS / 10), "--rounds", str(ROUNDS), "-R", "600", "-c", "10", "-j", *sides)
    )
    assert done.stdout.startswith("{"), f"exit {done.returncode}: {done.stderr[-2000:]}"
    return Comparison.from_json(done.stdout.encode())


def _p50(comparison: Comparison) -> Change:
    """What was added to the median, in ms; it has an interval."""
    (row,) = (row for row in comparison.rows if (row.of, row.metric) == ("latency", "p50"))
    assert row.rounds == ROUNDS and row.added is not None, row.reason
    assert row.added.low is not None and row.added.high is not None
    assert row.added.low <= row.added.estimate <= row.added.high
    return row.added


def test_a_server_adds_nothing_to_itself(server: Told) -> None:
    assert abs(_p50(_compared("--aa", server.url(0))).estimate) < NOISE_MS


def test_a_delay_is_found_with_its_sign_and_size_as_the_server_recorded_it(server: Told) -> None:
    comparison = _compared(f"plain={server.url(0)}", f"held={server.url(1)}")
    own_ms = own_added_ms(samples_of(comparison, server.visits()))["p50"]
    assert own_ms == pytest.approx(HELD_US / 1_000, abs=NOISE_MS)
    assert _p50(comparison).estimate == pytest.approx(own_ms, abs=NOISE_MS)


@pytest.mark.calibration
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", PARTS)
def test_every_goal_is_reached(part: str, tmp_path: Path) -> None:
    given = argparse.Namespace(server=list(SERVERS), delay=list(DELAYS_US), case=list(CASES)[:1])
    cores = sorted(os.sched_getaffinity(0))
    bench = Bench(tmp_path, (cores[0], cores[1]))
    ledger = Ledger(tmp_path / "outcomes")
    trials = PARTS[part].trials(given)
    outcomes = [repeat(trial, PARTS[part].count, bench, ledger)[0] for trial in trials]
    table, reached = TABLES[part](outcomes)
    assert reached, f"\n{table}"
