"""`cannon compare` round by round: the order of the sides and its seed, the command before a slot, CPU of processes.

Two comparisons of six rounds with one seed are made once, and each test is a promise that both keep.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from cannon.comparison import Comparison
from cannon.rounds import Pass
from tests.comparing import comparison_of, orders_of, run_compare, slots_of, sound, told
from tests.firing import run_cli
from tests.schemas import assert_valid
from tests.servers.real import Nginx, Node

SIX = ("-c", "2", "-d", "0.6", "--rounds", "6", "-R", "100", "--seed", "4127")
"""Six rounds are the least that have intervals."""


class Itself(NamedTuple):
    """A target compared with itself, and how many requests its server counted. `printed`, `written`: by -j and -o."""

    comparison: Comparison
    counted: int
    printed: bytes
    written: bytes


class Errands(NamedTuple):
    """A comparison with a command before each slot, which wrote down what it was told: side, pass and round."""

    comparison: Comparison
    done: list[tuple[str, str, int]]


@pytest.fixture(scope="module")
def itself(tmp_path_factory: pytest.TempPathFactory) -> Itself:
    path = tmp_path_factory.mktemp("itself") / "comparison.json"
    with Node() as node:
        process = run_compare(*SIX, "--aa", "-o", str(path), node.url())
        return Itself(sound(process), node.count(), process.stdout.encode(), path.read_bytes())


@pytest.fixture(scope="module")
def errands(tmp_path_factory: pytest.TempPathFactory) -> Errands:
    """Of two sides that are one nginx, whose first process serves nobody itself."""
    path = tmp_path_factory.mktemp("errands") / "done"
    errand = f"""sh -c 'echo "$CANNON_SIDE $CANNON_PASS $CANNON_ROUND" >> "{path}"'"""
    with Nginx() as nginx:
        watched = ("--pid", f"nginx={nginx.process_id}", "--before-slot", errand)
        comparison = sound(run_compare(*SIX, *watched, f"a={nginx.url()}", f"b={nginx.url('/')}"))
    lines = [line.split() for line in path.read_text().splitlines()]
    return Errands(comparison, [(side, of, int(number)) for side, of, number in lines])


def test_a_target_compared_with_itself_is_sent_what_it_counts(itself: Itself) -> None:
    comparison = itself.comparison
    assert (comparison.mode, [side.name for side in comparison.sides]) == ("aa", ["a", "b"])
    assert told(comparison, "a") + told(comparison, "b") == itself.counted


def test_every_side_is_first_as_often_as_the_other_and_last_too(itself: Itself) -> None:
    orders = orders_of(itself.comparison, Pass.LATENCY)
    assert Counter(map(tuple, orders)) == {("a", "b"): 3, ("b", "a"): 3}


def test_the_order_is_that_of_its_seed_whatever_is_compared(itself: Itself, errands: Errands) -> None:
    assert itself.comparison.seed == errands.comparison.seed == 4127
    orders = orders_of(itself.comparison, Pass.LATENCY)
    assert orders == orders_of(errands.comparison, Pass.LATENCY)
    assert orders not in ([["a", "b"], ["b", "a"]] * 3, [["b", "a"], ["a", "b"]] * 3), "drawn"


def test_six_rounds_have_intervals(itself: Itself) -> None:
    for metric in ("mean", "cpu"):
        (row,) = [row for row in itself.comparison.rows if row.metric == metric]
        assert row.level == pytest.approx(1 - 2**-5)
        for change in (row.added, row.change_pct):
            assert change is not None and change.low is not None and change.high is not None
            assert change.low <= change.estimate <= change.high


def test_a_percentile_that_slots_cannot_support_says_what_it_takes(itself: Itself) -> None:
    (row,) = [row for row in itself.comparison.rows if row.metric == "p99"]
    assert (row.base_value, row.added, row.level) == (None, None, None)
    assert row.reason.startswith("needs 2,000 requests per slot, had ")


def test_what_is_printed_is_what_is_written_and_what_the_schema_promises(itself: Itself) -> None:
    published = run_cli("schema", "comparison")
    assert published.returncode == 0
    assert itself.printed == itself.written
    assert_valid(itself.written, lambda: json.loads(published.stdout))


def test_the_command_is_run_before_each_slot_and_told_which(errands: Errands) -> None:
    thrown_away, rounds = errands.done[:2], errands.done[2:]
    assert sorted(thrown_away) == [("a", "latency", 0), ("b", "latency", 0)]
    fired = [(name, each.of.value, each.number) for each in errands.comparison.rounds for name in each.order]
    assert rounds == fired


def test_a_process_is_told_with_its_descendants_in_every_slot(errands: Errands) -> None:
    for name in ("a", "b"):
        for slot in slots_of(errands.comparison, name):
            assert slot.cpu_us["nginx"] > 0
    (row,) = [row for row in errands.comparison.rows if row.metric == "cpu@nginx"]
    assert row.base_value is not None and row.base_value > 0
    assert row.level is not None


# What becomes of the command and of the process.


def test_a_command_that_fails_drops_its_round_and_a_pattern_of_it_ends_the_comparison(tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    errand = """sh -c 'test "$CANNON_SIDE" = a || exit 7'"""
    with Node() as node:
        process = run_compare(
            *SIX, "--before-slot", errand, "-o", str(path), f"a={node.url()}", f"b={node.url()}"
        )
        comparison = comparison_of(process)
        assert node.count() == told(comparison, "a") + told(comparison, "b")
    why = "--before-slot sh ended with exit code 7"
    assert [(one.number, one.side, one.reason) for one in comparison.dropped] == [
        (number, "b", why) for number in range(3)
    ]
    assert (process.returncode, comparison.rounds) == (3, [])
    ended = f"3 rounds were dropped one after the other (in round 2 of the latency pass): {why}"
    assert ended in comparison.validity.reasons
    assert f"cannon: invalid: {ended}" in process.stderr.splitlines()


def test_a_process_that_ends_in_mid_run_is_told_and_has_no_figure_from_then_on() -> None:
    with Nginx() as nginx, subprocess.Popen(["/bin/sleep", "60"]) as watched:
        try:
            errand = f"""sh -c 'test "$CANNON_ROUND" != 2 || kill -9 {watched.pid}; true'"""
            options = ("-c", "1", "-d", "0.2", "--rounds", "2", "-R", "100", "--before-slot", errand)
            process = run_compare(
                *options, "--pid", f"watched={watched.pid}", f"a={nginx.url()}", f"b={nginx.url()}"
            )
        finally:
            watched.kill()
    comparison = sound(process)
    for name in ("a", "b"):
        assert ["watched" in slot.cpu_us for slot in slots_of(comparison, name)] == [True, False]
    gone = f"cannon: the process 'watched' ({watched.pid}) is gone: its CPU is not told from here on"
    assert process.stderr.splitlines().count(gone) == 1
    assert not [row for row in comparison.rows if row.metric == "cpu@watched"]


def test_a_process_that_does_not_run_is_refused_and_nothing_is_sent() -> None:
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    with Node() as node:
        process = run_cli("compare", "--pid", f"x={ended.pid}", f"a={node.url()}", f"b={node.url()}")
        assert node.count() == 0
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(f"cannon: --pid x={ended.pid}: no process {ended.pid} runs here")
