from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import trials
from cannon.comparison import Comparison
from cannon.rounds import Pass
from tests.comparisons import BASE, SIDE, a_comparison, a_round, a_slot
from told import Told, Visit
from trials import DELAYS_US, AgainstItself, Bench, Capacity, Injected, Time, Trial, Width

NOTHING = (0.0, 0.0, 0.0, 0.0)


def _comparison() -> Comparison:
    slots = {BASE: a_slot(sent=90, outside=10), SIDE: a_slot(sent=95, outside=5)}
    return a_comparison(rounds=[a_round(Pass.LATENCY, number, slots) for number in (1, 2)])


@dataclass(frozen=True)
class ScriptedBench(Bench):
    """Its comparisons are there at once; keeps what was asked for."""

    per_s: float = 4_000.0
    asked: list[list[str]] = field(default_factory=list)

    def compare(self, words: Sequence[str], slots: int, seconds: float) -> tuple[Comparison, float]:
        self.asked.append(list(words))
        return _comparison(), 12.5

    def load(self, client: str, url: str, connections: int, seconds: int) -> float:
        return self.per_s if client == "cannon" else {"direct": 100.0, "haproxy": 40.0}[url]


class ScriptedTold(Told):
    """Its record is there at once."""

    def __init__(self, visits: list[Visit]) -> None:
        self.ports = (8001, 8002)
        self._visits = visits

    def visits(self) -> list[Visit]:
        return self._visits


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def url(bench: Bench) -> Iterator[str]:
        yield "http://127.0.0.1:8000/"

    @contextmanager
    def recorded(bench: Bench, delay_us: int, other_us: int) -> Iterator[Told]:
        visits = []
        for _ in range(2):
            visits += [
                Visit(place, 100, (1e6 * (1 + place),) * 4, NOTHING, NOTHING, NOTHING) for place in (0, 1)
            ]
        yield ScriptedTold(visits)

    monkeypatch.setattr(trials, "at_nginx", url)
    monkeypatch.setattr(trials, "_told", recorded)
    monkeypatch.setitem(trials.SERVERS, "nginx", url)


def _value(words: Sequence[str], option: str) -> str:
    return words[words.index(option) + 1]


@pytest.fixture
def bench() -> ScriptedBench:
    return ScriptedBench(Path("nowhere"), (0, 1), commit="abc")


def test_a_server_is_compared_with_itself_in_short_slots_from_a_seed_of_its_own(bench: ScriptedBench) -> None:
    with AgainstItself("nginx").begin(bench) as make:
        outcomes = [make(1), make(2)]
    (words, other) = bench.asked
    assert words[words.index("--aa") + 1] == "http://127.0.0.1:8000/"
    assert (_value(words, "-d"), _value(words, "--rounds")) == ("1.6", "8")
    assert (_value(words, "--seed"), _value(other, "--seed")) == ("1", "2")
    assert "--no-capacity" not in words
    assert [(one.part, one.number, one.commit, one.wall_s) for one in outcomes] == [
        ("aa", 1, "abc", 12.5),
        ("aa", 2, "abc", 12.5),
    ]


@pytest.mark.parametrize("delay_us", DELAYS_US)
def test_a_delay_is_injected_at_half_of_what_the_slower_side_can_take(
    bench: ScriptedBench, delay_us: int
) -> None:
    bench = replace(bench, per_s=5_001.0)
    with Injected(delay_us, DELAYS_US[delay_us]).begin(bench) as make:
        outcome = make(1)
    (words,) = bench.asked
    assert {"plain=http://127.0.0.1:8001/", "held=http://127.0.0.1:8002/", "--no-capacity"} < set(words)
    assert _value(words, "--rate") == "2500"
    assert _value(words, "-c") == str(DELAYS_US[delay_us])
    # Enough for the p99 of each slot.
    assert float(_value(words, "-d")) / int(_value(words, "--rounds")) * 2500 >= 2_000
    assert outcome.own_ms == dict.fromkeys(("p50", "p90", "p99", "mean"), 1.0)


def test_the_width_is_of_ten_rounds_of_two_seconds(bench: ScriptedBench) -> None:
    with Width().begin(bench) as make:
        make(1)
    (words,) = bench.asked
    assert (_value(words, "-d"), _value(words, "--rounds"), _value(words, "--rate")) == ("20", "10", "2000")


def test_a_change_of_capacity_by_hand_is_that_of_pairs(bench: ScriptedBench) -> None:
    changes = [Capacity()._by_hand(bench, pair, "direct", "haproxy") for pair in (0, 1)]
    assert changes == [pytest.approx(-60.0), pytest.approx(-60.0)]


def test_the_time_is_that_of_ten_seconds_in_ten_rounds(bench: ScriptedBench) -> None:
    with Time().begin(bench) as make:
        outcome = make(1)
    (words,) = bench.asked
    assert (_value(words, "-d"), _value(words, "--rounds")) == ("10", "10")
    assert (outcome.measured_s, outcome.lead_in_s, outcome.wall_s) == (10.0, 2.0, 12.5)


def test_what_is_run_is_the_command_line(tmp_path: Path) -> None:
    said = a_comparison().to_json()
    (tmp_path / "said.json").write_bytes(said)
    program = tmp_path / "cannon"
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/words\ncat {tmp_path}/said.json\n')
    program.chmod(0o700)
    core = max(os.sched_getaffinity(0))
    bench = Bench(tmp_path, (core, core), program=(str(program),), commit="abc")
    found, wall_s = bench.compare(["--aa", "URL"], 4, 0.1)
    assert found == Comparison.from_json(said)
    assert wall_s > 0
    assert (tmp_path / "words").read_text() == "compare --aa URL -j\n"


def test_a_trial_is_known_by_its_part_and_by_what_is_in_it() -> None:
    found: list[Trial] = [AgainstItself("nginx"), Injected(200, 3), Width(), Capacity(), Time()]
    assert [trial.part for trial in found] == ["aa", "injected", "width", "capacity", "time"]
    assert found[1].setting == "0.2 ms, 3 connections, 8 rounds"
    assert sys.executable in Bench(Path("x"), (0, 1), commit="abc").program
