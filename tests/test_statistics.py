"""The intervals are what they say they are: on a machine as noisy as machines are, through the code that analyses.

Thousands of comparisons are simulated slot by slot, in the order in which they would be fired. What is said of two
sides that are equal, and of two whose difference is known, is set beside the truth. Everything is seeded.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from statistics import fmean

import msgspec
import pytest

from cannon.power import rounds_for, student_quantile
from cannon.rounds import ComparisonPlan, Order, Pass, orders
from cannon.rows import Change, Row, headlines, noise_of, rows_of
from cannon.slots import Round, Slot
from tests.comparisons import BASE, SIDE, a_comparison_plan, a_slot

MANY, FEWER, FEW = 2000, 1000, 400
MOST_OUTSIDE = {MANY: 124, FEWER: 67, FEW: 31}
"""Of so many intervals may this many leave out the truth: where one in twenty does, more do in one such test of 100."""

COUNT = 20_000
"""Requests of a slot: enough for each percentile."""

ADDED_MS, RATIO = 0.3, 0.8
LATENCIES = ("p50", "p90", "p99", "p99_9", "mean")
EQUAL = {**dict.fromkeys(LATENCIES, 0.0), "rps": 0.0, "cpu": 0.0}
DIFFERENT = {**dict.fromkeys(LATENCIES, ADDED_MS), "rps": 100 * (RATIO - 1), "cpu": 100 * (RATIO - 1)}
"""The truth: what is added to a latency, in ms, and the change of what is no latency, in percent."""

DRIFT, STEEP_DRIFT = 0.01, 0.05

_TEMPLATE = a_slot(count=COUNT, sent=COUNT, completed=COUNT)


def slowness(draw: random.Random, drift: float) -> Iterator[float]:
    """By how much one slot after the other is slower than it might be: a factor.

    Log-normal noise, a part that lasts (AR(1)), a drift that goes on, two levels between which the machine falls, and
    in one slot of twenty something else that ran.
    """
    gauss, chance = draw.gauss, draw.random
    lasting, level, number = gauss(0, 0.04), draw.choice((-0.04, 0.04)), 0
    while True:
        lasting = 0.7 * lasting + gauss(0, 0.03)
        level = -level if chance() < 0.2 else level
        outlier = draw.expovariate(1 / 0.4) if chance() < 0.05 else 0.0
        yield math.exp(gauss(0, 0.03) + lasting + level + drift * number + outlier)
        number += 1


def a_measured_slot(draw: random.Random, slower: float, differs: bool) -> Slot:
    """All its figures suffer from the machine, and a little from chance, the higher percentiles the more."""
    gauss = draw.gauss
    added_ms, ratio = (ADDED_MS, RATIO) if differs else (0.0, 1.0)
    return msgspec.structs.replace(
        _TEMPLATE,
        rps=9_000 * ratio / (slower * (1 + gauss(0, 0.01))),
        p50_ms=0.8 * slower * (1 + gauss(0, 0.01)) + added_ms,
        p90_ms=1.5 * slower * (1 + gauss(0, 0.02)) + added_ms,
        p99_ms=4.0 * slower * (1 + gauss(0, 0.05)) + added_ms,
        p99_9_ms=9.0 * slower * math.exp(gauss(0, 0.15)) + added_ms,
        mean_ms=slower * (1 + gauss(0, 0.01)) + added_ms,
        cpu_us={"cannon": 40 * ratio * math.sqrt(slower) * (1 + gauss(0, 0.01))},
    )


class Bench:
    """A machine of its own, on which rounds are fired. The base is one side, the others are equal to it or are not."""

    def __init__(
        self, seed: int, names: Sequence[str] = (BASE, SIDE), differ: bool = False, drift: float = DRIFT
    ) -> None:
        self._draw = random.Random(seed)
        self._machine = slowness(self._draw, self._draw.gauss(0, drift))
        self._seed, self._names, self._differ = seed, names, differ

    def rounds(self, of: Pass, count: int, part: str = "") -> list[Round]:
        """In an order that is drawn."""
        return self.fired(of, orders(self._names, count, Order.SHUFFLED, self._seed, f"{of}{part}"))

    def fired(self, of: Pass, lines: Iterable[Sequence[str]]) -> list[Round]:
        """In this order."""
        rounds = []
        for number, line in enumerate(lines, start=1):
            slots = {
                name: a_measured_slot(self._draw, next(self._machine), self._differ and name != BASE)
                for name in line
            }
            rounds.append(Round(of=of, number=number, order=list(line), slots=slots))
        return rounds

    def rows(self, plan: ComparisonPlan) -> list[Row]:
        """Of a whole comparison."""
        return rows_of(
            plan, [*self.rounds(Pass.CAPACITY, plan.rounds), *self.rounds(Pass.LATENCY, plan.rounds)]
        )


def many_rows(rounds: int, times: int, differ: bool = False) -> list[Row]:
    plan = a_comparison_plan(rounds=rounds)
    seeds = range(2 * rounds * MANY + differ * MANY, 2 * rounds * MANY + differ * MANY + times)
    return list(chain.from_iterable(Bench(seed, differ=differ).rows(plan) for seed in seeds))


def leaves_out(change: Change | None, truth: float) -> bool:
    assert change is not None and change.low is not None and change.high is not None
    return not change.low <= truth <= change.high


def outside(rows: Iterable[Row], truths: dict[str, float]) -> Counter[str]:
    """How many rows of each metric and side leave out the truth; 0 for those that never do."""
    found: Counter[str] = Counter()
    for row in rows:
        if row.metric in truths:
            told = row.added if row.metric in LATENCIES else row.change_pct
            found[f"{row.of} {row.metric} {row.side}"] += leaves_out(told, truths[row.metric])
    return found


@pytest.mark.parametrize(("rounds", "times"), [(6, FEWER), (8, FEWER), (10, MANY), (20, FEWER)])
def test_of_equal_sides_one_row_in_twenty_is_told_apart(rounds: int, times: int) -> None:
    found = outside(many_rows(rounds, times), EQUAL)
    assert len(found) == 8
    assert max(found.values()) <= MOST_OUTSIDE[times], found


@pytest.mark.parametrize(("rounds", "times"), [(6, FEWER), (8, FEWER), (10, MANY), (20, FEWER)])
def test_nineteen_intervals_in_twenty_contain_a_true_difference(rounds: int, times: int) -> None:
    found = outside(many_rows(rounds, times, differ=True), DIFFERENT)
    assert len(found) == 8
    assert max(found.values()) <= MOST_OUTSIDE[times], found


def test_so_it_is_with_three_sides_on_a_machine_that_becomes_slower_all_the_time() -> None:
    plan = a_comparison_plan(BASE, SIDE, "nginx")
    benches = (Bench(seed, plan.names, drift=STEEP_DRIFT) for seed in range(FEW))
    found = outside(chain.from_iterable(bench.rows(plan) for bench in benches), EQUAL)
    assert len(found) == 16
    assert max(found.values()) <= MOST_OUTSIDE[FEW], found


def test_sides_that_stand_always_in_the_same_order_would_fail_on_such_a_machine() -> None:
    plan = a_comparison_plan()
    found = outside(
        chain.from_iterable(
            headlines(
                plan, Bench(seed, drift=STEEP_DRIFT).fired(Pass.LATENCY, [plan.names] * 10), Pass.LATENCY
            )
            for seed in range(FEW)
        ),
        EQUAL,
    )
    assert min(found.values()) > 2 * MOST_OUTSIDE[FEW], found


def test_a_test_that_takes_requests_for_the_sample_would_fail() -> None:
    alarms = sum(
        abs(t_of_requests(Bench(seed).rounds(Pass.LATENCY, 10))) > student_quantile(0.975, COUNT)
        for seed in range(FEW)
    )
    assert alarms > 10 * MOST_OUTSIDE[FEW]


def t_of_requests(rounds: Sequence[Round]) -> float:
    """Student's t between all requests of either side, whose latencies spread as widely as their mean is."""
    base, side = (fmean(found.slots[name].mean_ms or 0.0 for found in rounds) for name in (BASE, SIDE))
    return (side - base) / math.sqrt((base**2 + side**2) / (len(rounds) * COUNT))


def test_rounds_that_are_added_for_precision_leave_the_intervals_what_they_are() -> None:
    plan = a_comparison_plan(precision=0.05)
    found: Counter[str] = Counter()
    counts = []
    for seed in range(FEW):
        bench = Bench(seed, differ=True)
        rounds = bench.rounds(Pass.LATENCY, plan.rounds)
        (noise,) = noise_of(headlines(plan, rounds, Pass.LATENCY))
        count = rounds_for(noise.resolvable_pct, 5.0, plan.rounds, plan.most_rounds)
        counts.append(count)
        rounds += bench.rounds(Pass.LATENCY, count - plan.rounds, "/added")
        found += outside(headlines(plan, rounds, Pass.LATENCY), DIFFERENT)
    assert min(counts) == 10 < sorted(counts)[FEW // 2] < 40 == max(counts)
    assert max(found.values()) <= MOST_OUTSIDE[FEW], found
