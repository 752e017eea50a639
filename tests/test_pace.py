"""Due times are one sequence, the same at each call, that follows its rate without bursts."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice, pairwise

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.pace import Arrivals, Pace, Scope
from cannon.profile import Constant, Profile, Ramp, Steps
from tests.strategies import paces, profiles
from tests.test_profile import exactly_due

SECOND_NS = 1_000_000_000
MOST = 300

rates = st.floats(0.01, 1_000_000)


def first(due_ns: Iterator[int], most: int = MOST) -> list[int]:
    return list(islice(due_ns, most))


def gaps_of(due_ns: list[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(due_ns)]


def variation(values: list[int]) -> float:
    return statistics.pstdev(values) / statistics.fmean(values)


def test_an_even_pace_is_due_at_equal_distances() -> None:
    assert first(Pace(Constant(1000)).due_ns(), 4) == [0, 1_000_000, 2_000_000, 3_000_000]


@given(paces, st.integers(1, 9))
def test_the_due_times_of_shards_interleave_to_those_of_the_plan(pace: Pace, shards: int) -> None:
    whole = first(pace.due_ns())
    for index in range(shards):
        assert first(pace.due_ns(index, shards), len(whole[index::shards])) == whole[index::shards]


@given(st.integers(1, 200), st.sampled_from(Arrivals), st.integers(1, 9))
def test_shards_of_a_pace_that_ends_have_no_due_times_more(
    per_s: int, arrivals: Arrivals, shards: int
) -> None:
    pace = Pace(Steps((per_s, 0), SECOND_NS), arrivals)
    taken = sorted(due for index in range(shards) for due in pace.due_ns(index, shards))
    assert taken == [*pace.due_ns()]


@given(paces)
def test_due_times_never_decrease_and_none_lies_before_the_window(pace: Pace) -> None:
    for due_ns in (first(pace.due_ns()), first(pace.connection_due_ns(2, 7))):
        assert due_ns == sorted(due_ns)
        assert all(each >= 0 for each in due_ns)


@given(paces)
def test_each_call_gives_the_same_due_times(pace: Pace) -> None:
    assert first(pace.due_ns()) == first(pace.due_ns())
    assert first(pace.connection_due_ns(1, 3)) == first(pace.connection_due_ns(1, 3))


@given(paces)
def test_a_pace_that_was_sent_to_a_worker_has_the_same_due_times(pace: Pace) -> None:
    received = msgspec.msgpack.decode(msgspec.msgpack.encode(pace), type=Pace)
    assert received == pace
    assert first(received.due_ns()) == first(pace.due_ns())


@given(profiles(), st.integers(0, 60 * SECOND_NS))
def test_as_many_are_due_before_a_moment_as_the_rate_asks(profile: Profile, at_ns: int) -> None:
    due_ns = first(Pace(profile).due_ns(), 2000)
    assume(len(due_ns) < 2000 or due_ns[-1] > at_ns)
    # Times are rounded to the nearest ns, so the count is that of a ns before or after at most.
    least = math.ceil(exactly_due(profile, max(0, at_ns - 1)) * (1 - 10**-12))
    most = math.ceil(exactly_due(profile, at_ns + 1) * (1 + 10**-12))
    assert least <= bisect_left(due_ns, at_ns) <= most


@given(rates)
def test_an_even_pace_has_no_bursts(per_s: float) -> None:
    gap_ns = SECOND_NS / per_s
    gaps = gaps_of(first(Pace(Constant(per_s)).due_ns(), 1000))
    assert min(gaps) >= gap_ns - 1
    assert max(gaps) <= gap_ns + 1


def test_the_begin_of_a_second_is_like_any_other_moment() -> None:
    due_ns = first(Pace(Constant(997)).due_ns(), 5 * 997)
    for begin_ns in range(0, 5 * SECOND_NS, SECOND_NS // 10):
        in_slot = bisect_left(due_ns, begin_ns + SECOND_NS // 10) - bisect_left(due_ns, begin_ns)
        assert in_slot in (99, 100)


def test_a_ramp_from_nothing_begins_at_once_and_grows() -> None:
    due_ns = first(Pace(Ramp(0, 100, 10 * SECOND_NS)).due_ns(), 500)
    assert due_ns[0] == 0
    # 5 t^2 requests are due after t seconds.
    assert due_ns[5] == SECOND_NS
    assert due_ns[125] == 5 * SECOND_NS
    gaps = gaps_of(due_ns)
    assert gaps == sorted(gaps, reverse=True)


def test_a_ramp_stays_at_the_rate_it_led_to() -> None:
    due_ns = first(Pace(Ramp(0, 100, 10 * SECOND_NS)).due_ns(), 600)
    assert due_ns[500:503] == [10_000_000_000, 10_010_000_000, 10_020_000_000]


def test_a_ramp_to_nothing_ends() -> None:
    due_ns = first(Pace(Ramp(100, 0, 10 * SECOND_NS)).due_ns(), 10_000)
    assert len(due_ns) == 500
    assert due_ns[-1] < 10 * SECOND_NS


def test_nothing_is_due_while_the_rate_is_nothing() -> None:
    due_ns = first(Pace(Steps((100, 0, 100), 10 * SECOND_NS)).due_ns(), 1003)
    assert due_ns[999:] == [9_990_000_000, 20_000_000_000, 20_010_000_000, 20_020_000_000]


def test_steps_that_begin_with_nothing_begin_later() -> None:
    assert first(Pace(Steps((0, 10), SECOND_NS)).due_ns(), 2) == [SECOND_NS, 1_100_000_000]


@pytest.mark.parametrize("arrivals", Arrivals)
def test_steps_that_end_with_nothing_end(arrivals: Arrivals) -> None:
    due_ns = first(Pace(Steps((100, 0), 10 * SECOND_NS), arrivals).due_ns(), 10_000)
    assert 800 < len(due_ns) < 1200
    assert due_ns[-1] < 10 * SECOND_NS


def test_the_gaps_of_poisson_arrivals_vary_as_chance_has_them() -> None:
    gaps = gaps_of(first(Pace(Constant(1000), Arrivals.POISSON, seed=1).due_ns(), 50_000))
    assert statistics.fmean(gaps) == pytest.approx(1_000_000, rel=0.02)
    assert variation(gaps) == pytest.approx(1, abs=0.02)
    # Of an exponential distribution this share lies above its mean; of any other with that variation, hardly.
    assert sum(gap > 1_000_000 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.01)
    assert abs(statistics.correlation(gaps[:-1], gaps[1:])) < 0.02


def test_poisson_counts_of_equal_times_vary_as_much_as_their_mean() -> None:
    due_ns = first(Pace(Constant(1000), Arrivals.POISSON, seed=2).due_ns(), 100_000)
    edges = range(0, 90 * SECOND_NS, SECOND_NS // 50)
    counts = [bisect_left(due_ns, end) - bisect_left(due_ns, begin) for begin, end in pairwise(edges)]
    assert statistics.variance(counts) / statistics.fmean(counts) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "profile", [Ramp(0, 2000, 10 * SECOND_NS), Steps((500, 0, 2000), 4 * SECOND_NS), Constant(1000)]
)
def test_poisson_arrivals_follow_every_profile(profile: Profile) -> None:
    due_ns = first(Pace(profile, Arrivals.POISSON, seed=3).due_ns(), 20_000)
    for at_s in (2, 4, 6, 8, 10):
        expected = profile.expected(at_s * SECOND_NS)
        assert abs(bisect_left(due_ns, at_s * SECOND_NS) - expected) <= 4 * math.sqrt(expected)


def test_a_seed_is_a_sequence() -> None:
    sequences = {
        tuple(first(Pace(Constant(10), Arrivals.POISSON, seed).due_ns(), 5)) for seed in range(-50, 50)
    }
    assert len(sequences) == 100


def test_a_seed_stands_for_the_same_times_in_every_version() -> None:
    assert first(Pace(Constant(1000), Arrivals.POISSON, seed=7).due_ns(), 4) == [
        1_246_316,
        3_349_316,
        6_360_131,
        6_714_238,
    ]


def test_the_even_pace_does_not_know_its_seed() -> None:
    assert first(Pace(Constant(10), seed=1).due_ns()) == first(Pace(Constant(10), seed=2).due_ns())


@given(rates, st.integers(1, 12))
def test_connections_with_a_rate_each_are_as_even_as_one(per_s: float, connections: int) -> None:
    pace = Pace(Constant(per_s / connections), scope=Scope.CONNECTION)
    each = [first(pace.connection_due_ns(index, connections), 50) for index in range(connections)]
    gap_ns = SECOND_NS / per_s
    gaps = gaps_of(sorted(due for due_ns in each for due in due_ns))
    assert min(gaps) >= gap_ns - 1.001
    assert max(gaps) <= gap_ns + 1.001


def test_each_connection_has_the_whole_rate() -> None:
    pace = Pace(Constant(4), scope=Scope.CONNECTION)
    assert first(pace.connection_due_ns(0, 2), 3) == [0, 250_000_000, 500_000_000]
    assert first(pace.connection_due_ns(1, 2), 3) == [125_000_000, 375_000_000, 625_000_000]


def test_connections_of_a_poisson_pace_know_nothing_of_each_other() -> None:
    pace = Pace(Constant(100), Arrivals.POISSON, scope=Scope.CONNECTION)
    gaps = [gaps_of(first(pace.connection_due_ns(index, 2), 20_000)) for index in (0, 1)]
    assert abs(statistics.correlation(*gaps)) < 0.03
    assert variation(gaps[0]) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("per_s", [0, -1, math.nan, math.inf, 1_000_001])
@pytest.mark.parametrize(
    ("scope", "option", "example"),
    [(Scope.TOOL, "-R/--overallRate", "-R 500"), (Scope.CONNECTION, "-r/--connectionRate", "-r 5")],
)
def test_a_rate_that_cannot_be_fired_is_refused(
    per_s: float, scope: Scope, option: str, example: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Pace(Constant(per_s), scope=scope)
    assert refused.value.message.startswith(f"{option} ")
    assert refused.value.message.endswith(f"; e.g. {example}")


def test_connections_together_may_not_ask_for_more_than_the_most() -> None:
    pace = Pace(Constant(200_000), scope=Scope.CONNECTION)
    pace.check(connections=5)
    with pytest.raises(
        UsageError, match=r"^-r/--connectionRate asks 200k/s of 6 connections.*-r 166666 or less"
    ):
        pace.check(connections=6)
    Pace(Constant(1_000_000)).check(connections=6)
