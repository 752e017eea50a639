"""Gates against baselines fail as often as they say: thousands of runs, made up, through the code that judges.

What differs from run to run on a machine is made with a seed; whether there is a true change is known. Beside it a few
real runs, briefly for each change, and in full for a release.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from cannon.comparison import Comparison
from cannon.gate_grammar import Known, parse
from cannon.gates import Gate, Verdict
from cannon.judging import judge_comparison, judge_run
from cannon.result import Result
from cannon.rounds import Pass
from clients import CLIENTS
from gate_calibration import COUNTS, repeat
from gate_checks import Check, Kind, table
from gate_series import Load, beginning
from intervals import most_by_chance
from kept_lines import Lines
from script import two_cores
from tests.comparisons import BASE, SIDE, a_comparison, a_round, a_slot
from tests.firing import result_of, run_cli
from tests.results import a_result
from told import Told, build_told, telling

CHECKS = 1000
MOST, LEAST = 67, 33
"""Of 1,000 verdicts that are wrong one time in twenty may so many be: more, or fewer, are in one such test of 100."""

SERIES, IN_A_SERIES, MOST_OF_SERIES = 10, 200, 18

PLAIN, MARGIN = "p99 < base", "p99 < base + 10%"
SLOWER = 1.3

Noise: TypeAlias = Callable[[random.Random], Iterator[float]]
"""By how much the figures of one run after the other differ from what they would be: a factor."""


def lognormal(sd: float) -> Noise:
    """What many small causes make."""

    def runs(draw: random.Random) -> Iterator[float]:
        while True:
            yield math.exp(draw.gauss(0, sd))

    return runs


def heavy(sd: float) -> Noise:
    """The same spread, but with Student's t of 3 degrees: many runs alike, and some far out on either side."""

    def runs(draw: random.Random) -> Iterator[float]:
        while True:
            yield math.exp(sd * draw.gauss(0, 1) / math.sqrt(draw.gammavariate(1.5, 2)))

    return runs


def disturbed(sd: float) -> Noise:
    """In one run of twenty something else runs too, and it takes 40 % longer, or more, or less."""

    def runs(draw: random.Random) -> Iterator[float]:
        while True:
            disturbance = draw.expovariate(1 / 0.4) if draw.random() < 0.05 else 0.0
            yield math.exp(draw.gauss(0, sd) + disturbance)

    return runs


def lasting(sd: float) -> Noise:
    """What disturbed one run is still half there in the next."""

    def runs(draw: random.Random) -> Iterator[float]:
        now = draw.gauss(0, sd)
        while True:
            yield math.exp(now)
            now = 0.5 * now + math.sqrt(0.75) * draw.gauss(0, sd)

    return runs


@cache
def the_gate(text: str) -> Gate:
    return parse(text, Known((BASE, SIDE) if "@" in text else (), baseline=True))


_TEMPLATE = a_result()


def a_run(p99_ms: float) -> Result:
    latency = msgspec.structs.replace(_TEMPLATE.latency_ms, p99=p99_ms)
    return msgspec.structs.replace(_TEMPLATE, latency_ms=latency)


def verdicts(
    noise: Noise, text: str = MARGIN, baselines: int = 5, change: float = 1.0, checks: int = CHECKS
) -> Counter[str]:
    """Of so many checks, each of a run of its own against baselines of its own."""
    draw = random.Random(f"{text} {baselines} {change}")
    gate = the_gate(text)
    found: Counter[str] = Counter()
    for _ in range(checks):
        *earlier, factor = islice(noise(draw), baselines + 1)
        told = judge_run(gate, a_run(4.0 * factor * change), [a_run(4.0 * each) for each in earlier])
        found[told.verdict] += 1
    return found


def failures_in_a_series(noise: Noise, text: str, seed: int) -> int:
    """Of 200 runs that follow one another, each judged against the five before it."""
    gate = the_gate(text)
    runs = [a_run(4.0 * each) for each in islice(noise(random.Random(seed)), IN_A_SERIES + 5)]
    judged = (judge_run(gate, runs[place], runs[place - 5 : place]) for place in range(5, len(runs)))
    return sum(each.verdict == Verdict.FAIL for each in judged)


@pytest.mark.parametrize("baselines", [5, 10, 20])
def test_without_an_allowance_one_run_in_twenty_fails_falsely_and_not_fewer(baselines: int) -> None:
    assert LEAST <= verdicts(lognormal(0.05), PLAIN, baselines)[Verdict.FAIL] <= MOST


@pytest.mark.parametrize("noise", [heavy(0.05), disturbed(0.05)], ids=["heavy", "disturbed"])
def test_so_it_is_where_some_runs_are_far_out(noise: Noise) -> None:
    assert verdicts(noise, PLAIN)[Verdict.FAIL] <= MOST


@pytest.mark.parametrize("sd", [0.02, 0.05, 0.1, 0.2])
def test_an_allowance_leaves_fewer_of_them_whatever_the_noise(sd: float) -> None:
    assert verdicts(lognormal(sd))[Verdict.FAIL] <= MOST


def test_of_a_change_as_large_as_the_allowance_neither_verdict_is_wrong_more_than_one_time_in_twenty() -> (
    None
):
    found = verdicts(lognormal(0.03), change=1.1)
    assert LEAST <= found[Verdict.FAIL] <= MOST
    assert LEAST <= found[Verdict.PASS] <= MOST


@pytest.mark.parametrize("sd", [0.02, 0.04])
def test_where_runs_differ_little_a_true_change_is_found_in_four_of_five_runs(sd: float) -> None:
    assert verdicts(lognormal(sd), change=SLOWER)[Verdict.FAIL] >= 0.8 * CHECKS


def test_where_they_differ_more_it_takes_more_baselines() -> None:
    found = [
        verdicts(lognormal(0.06), baselines=baselines, change=SLOWER)[Verdict.FAIL] for baselines in (5, 20)
    ]
    assert found[0] < 0.8 * CHECKS <= found[1]


@pytest.mark.parametrize("sd", [0.05, 0.1, 0.2])
def test_a_true_change_that_is_not_found_is_left_open_and_does_not_pass(sd: float) -> None:
    assert verdicts(lognormal(sd), change=SLOWER)[Verdict.PASS] <= 0.02 * CHECKS


def test_one_baseline_alone_would_fail_many_times_as_many_falsely() -> None:
    found = verdicts(lognormal(0.1), baselines=1)
    assert found[Verdict.FAIL] > 2 * MOST
    assert not found[Verdict.INCONCLUSIVE]


@pytest.mark.parametrize("text", [PLAIN, MARGIN])
def test_of_200_runs_each_judged_by_the_five_before_it_no_more_fail_than_of_200_alone(text: str) -> None:
    found = [failures_in_a_series(lognormal(0.05), text, seed) for seed in range(SERIES)]
    assert max(found) <= MOST_OF_SERIES, found
    assert sum(found) <= most_by_chance(SERIES * IN_A_SERIES), found


def test_so_it_is_on_a_machine_that_changes_slowly() -> None:
    found = [failures_in_a_series(lasting(0.05), MARGIN, seed) for seed in range(SERIES)]
    assert max(found) <= MOST_OF_SERIES, found


ROUNDS = 6
COMPARISONS = 300
MOST_OF_COMPARISONS = most_by_chance(COMPARISONS)
OVERHEAD = f"p99@{SIDE} < base + 10%"
ADDED_RATIO = 1.5

_COMPARED = a_comparison(rows=[], noise=[])
_SLOT = a_slot()


def a_compared(draw: random.Random, machine: float, change: float) -> Comparison:
    """HAProxy takes half as long again, on a machine that is so many times slower, by which nothing else is changed."""
    ratio = ADDED_RATIO * change * math.exp(draw.gauss(0, 0.03))

    def slot(middle_ms: float) -> Mapping[str, float]:
        return {"p99_ms": 4.0 * machine * middle_ms * math.exp(draw.gauss(0, 0.05))}

    rounds = [
        a_round(
            Pass.LATENCY,
            number,
            {
                name: msgspec.structs.replace(_SLOT, **slot(middle))
                for name, middle in ((BASE, 1.0), (SIDE, ratio))
            },
        )
        for number in range(1, ROUNDS + 1)
    ]
    return msgspec.structs.replace(_COMPARED, rounds=rounds)


def compared_verdicts(change: float = 1.0) -> Counter[str]:
    """Of an overhead against five earlier ones, each of another machine."""
    draw = random.Random(f"overhead {change}")
    gate = the_gate(OVERHEAD)
    found: Counter[str] = Counter()
    for _ in range(COMPARISONS):
        *earlier, now = (a_compared(draw, draw.uniform(0.5, 2.0), true) for true in (*[1.0] * 5, change))
        found[judge_comparison(gate, now, earlier).verdict] += 1
    return found


def test_an_overhead_is_judged_as_well_by_baselines_of_other_machines() -> None:
    assert compared_verdicts()[Verdict.FAIL] <= MOST_OF_COMPARISONS
    assert compared_verdicts(SLOWER)[Verdict.FAIL] >= 0.8 * COMPARISONS


HELD_US, LONGER_US = 10_000, 30_000
LOOSE = "p50 < base + 50%"
"""Wide enough for a machine that does other things meanwhile, and far from three times as much."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_told(tmp_path_factory.mktemp("told"))


@pytest.fixture(scope="module")
def server(program: Path) -> Iterator[Told]:
    with telling(program, HELD_US, LONGER_US) as running:
        yield running


@pytest.fixture(scope="module")
def baselines(server: Told, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Five runs at the first port, as a command line names them."""
    paths = [tmp_path_factory.mktemp("baselines") / f"{number}.json" for number in range(5)]
    for path in paths:
        path.write_bytes(_fired(server.url(0))[1].to_json())
    return [word for path in paths for word in ("--baseline", str(path))]


def _fired(*words: str) -> tuple[int, Result]:
    """A fifth of a second, and 60 requests, which is enough for a p50."""
    done = run_cli("-d", "0.2", "-R", "300", "-c", "20", "-j", *words)
    return done.returncode, result_of(done)


def test_a_run_at_the_same_server_as_its_baselines_does_not_fail(server: Told, baselines: list[str]) -> None:
    exit_code, result = _fired("--gate", LOOSE, *baselines, server.url(0))
    assert (exit_code, result.gates[0].verdict != Verdict.FAIL) == (0, True), result.gates


def test_a_run_at_a_server_that_takes_longer_fails(server: Told, baselines: list[str]) -> None:
    exit_code, result = _fired("--gate", LOOSE, *baselines, server.url(1))
    assert (exit_code, result.gates[0].verdict) == (4, Verdict.FAIL), result.gates


@pytest.mark.calibration
@pytest.mark.timeout(0)
def test_every_goal_of_a_gate_is_reached(tmp_path: Path) -> None:
    with beginning(Load(), tmp_path, two_cores(), CLIENTS["cannon"].program) as series:
        checks, _ = repeat(series, COUNTS, Lines(tmp_path / "checks", Check))
    told, reached = table(checks)
    assert reached, f"\n{told}"
    assert {check.kind for check in checks} == set(Kind)
