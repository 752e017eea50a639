"""A row for each metric and side, with what the rounds support, and in words where they support nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.rounds import ComparisonPlan, Pass
from cannon.rows import Change, Row, Verdict, headlines, noise_of, rows_of
from cannon.signed_rank import interval
from cannon.slots import Round, Slot
from tests.comparisons import BASE, SIDE, a_comparison_plan, a_side, a_slot, no_row, some_rounds

PLAN = a_comparison_plan()
HIGHER, LOWER, EQUIVALENT, UNCERTAIN, INCONCLUSIVE = Verdict
LATENCIES = ["p50", "p90", "p99", "p99_9", "mean"]

P50S = {
    BASE: [0.81, 0.80, 0.84, 0.79, 0.82, 0.81, 0.95, 0.80, 0.83, 0.81],
    SIDE: [1.12, 1.10, 1.15, 1.11, 1.12, 1.30, 1.13, 1.09, 1.14, 1.12],
}


def rounds_of(of: Pass, slots: Mapping[str, Sequence[Slot]]) -> list[Round]:
    """Of the slots of each side, in the order of the rounds."""
    return [
        Round(of=of, number=number, order=[*slots], slots=dict(zip(slots, fired, strict=True)))
        for number, fired in enumerate(zip(*slots.values(), strict=True), start=1)
    ]


def latency_rounds(values: Mapping[str, Sequence[float]], **changes: Any) -> list[Round]:
    """Rounds of these p50, in ms."""
    return rounds_of(
        Pass.LATENCY, {name: [a_slot(value, **changes) for value in own] for name, own in values.items()}
    )


def capacity_rounds(rates: Mapping[str, Sequence[float]], **changes: Any) -> list[Round]:
    """Rounds of so many successes a second."""
    return rounds_of(
        Pass.CAPACITY, {name: [a_slot(1.0, rate, **changes) for rate in own] for name, own in rates.items()}
    )


def changed(rounds: list[Round], side: str, *numbers: int, **changes: Any) -> list[Round]:
    """The same, but for fields of the slots of one side in these rounds."""
    replace = msgspec.structs.replace
    return [
        replace(one, slots={**one.slots, side: replace(one.slots[side], **changes)})
        if one.number in numbers
        else one
        for one in rounds
    ]


def the_row(rounds: list[Round], metric: str, plan: ComparisonPlan = PLAN, of: Pass | None = None) -> Row:
    (found,) = (row for row in rows_of(plan, rounds) if row.metric == metric and of in (None, row.of))
    return found


def test_both_passes_have_their_rows_and_the_latency_pass_those_of_totals() -> None:
    rounds = [*some_rounds(Pass.CAPACITY, 10), *some_rounds(Pass.LATENCY, 10)]
    assert [(row.of, row.metric, row.unit) for row in rows_of(PLAN, rounds)] == [
        ("capacity", "rps", "/s"),
        ("capacity", "cpu", "us"),
        *(("latency", metric, "ms") for metric in LATENCIES),
        ("latency", "cpu", "us"),
        ("latency", "bytes", "B"),
        ("latency", "errors", "%"),
    ]


def test_without_a_latency_round_the_totals_are_those_of_the_capacity_pass() -> None:
    rows = rows_of(PLAN, some_rounds(Pass.CAPACITY, 10))
    assert [(row.of, row.metric) for row in rows] == [
        ("capacity", metric) for metric in ("rps", "cpu", "bytes", "errors")
    ]


def test_without_rounds_there_are_no_rows() -> None:
    assert rows_of(PLAN, []) == []
    assert headlines(PLAN, [], Pass.LATENCY) == ()


def test_a_row_is_made_of_one_difference_a_round() -> None:
    row = the_row(latency_rounds(P50S), "p50")
    added = interval([side - base for base, side in zip(P50S[BASE], P50S[SIDE], strict=True)])
    logs = interval([math.log(side / base) for base, side in zip(P50S[BASE], P50S[SIDE], strict=True)])
    assert (row.base_value, row.side_value) == (median(P50S[BASE]), median(P50S[SIDE]))
    assert row.added == Change(added.estimate, added.low, added.high)
    assert row.change_pct is not None and row.change_pct.low is not None
    assert row.change_pct.estimate == pytest.approx(100 * (math.exp(logs.estimate) - 1))
    assert row.change_pct.low == pytest.approx(100 * (math.exp(logs.low or 0) - 1))
    assert row.change_pct.high == pytest.approx(100 * (math.exp(logs.high or 0) - 1))
    assert (row.rounds, row.level, row.verdict, row.reason) == (10, 0.951171875, HIGHER, "")
    assert (row.base, row.side) == (BASE, SIDE)


def test_pairs_are_those_of_a_round_so_what_both_suffer_from_cancels_out() -> None:
    drift = [1.5**number for number in range(10)]
    row = the_row(latency_rounds({BASE: drift, SIDE: [1.01 * value for value in drift]}), "p50")
    assert row.change_pct is not None
    ends = (row.change_pct.estimate, row.change_pct.low, row.change_pct.high)
    assert list(ends) == pytest.approx([1, 1, 1])
    assert row.verdict is EQUIVALENT


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=6, max_size=12))
def test_sides_that_change_places_change_their_signs(pairs: list[tuple[float, float]]) -> None:
    bases, sides = zip(*pairs, strict=True)
    row = the_row(latency_rounds({BASE: bases, SIDE: sides}), "p50")
    turned = the_row(latency_rounds({BASE: sides, SIDE: bases}), "p50")
    assert row.added is not None and turned.added is not None
    assert row.added.low is not None and row.added.high is not None
    assert turned.added == Change(-row.added.estimate, -row.added.high, -row.added.low)
    assert row.change_pct is not None and turned.change_pct is not None
    product = (1 + row.change_pct.estimate / 100) * (1 + turned.change_pct.estimate / 100)
    assert product == pytest.approx(1)


@pytest.mark.parametrize(
    ("ratios", "verdict", "reason"),
    [
        ([1.3] * 10, HIGHER, ""),
        ([0.7] * 10, LOWER, ""),
        ([1.02, 0.99] * 5, EQUIVALENT, ""),
        ([1.03, 1.08] * 5, UNCERTAIN, "higher, size uncertain"),
        ([0.97, 0.92] * 5, UNCERTAIN, "lower, size uncertain"),
        ([1.12, 0.9] * 5, INCONCLUSIVE, "cannot tell: would need about 44 rounds"),
    ],
)
def test_the_verdict_is_on_the_change_in_percent(ratios: list[float], verdict: Verdict, reason: str) -> None:
    row = the_row(latency_rounds({BASE: [2.0] * 10, SIDE: [2 * ratio for ratio in ratios]}), "p50")
    assert (row.verdict, row.reason) == (verdict, reason)


def test_the_margin_is_that_of_the_plan() -> None:
    rounds = latency_rounds({BASE: [2.0] * 10, SIDE: [2.2] * 10})
    assert the_row(rounds, "p50").verdict is HIGHER
    assert the_row(rounds, "p50", a_comparison_plan(margin=0.2)).verdict is EQUIVALENT


@pytest.mark.parametrize(
    ("count", "asked", "reason"),
    [
        (1, 1, "1 round, and an interval takes 6 at least (--rounds 6)"),
        (5, 5, "5 rounds, and an interval takes 6 at least (--rounds 6)"),
        (3, 10, "3 of 10 rounds, and an interval takes 6 at least"),
    ],
)
def test_fewer_than_six_rounds_have_estimates_alone(count: int, asked: int, reason: str) -> None:
    rounds = [*some_rounds(Pass.CAPACITY, count), *some_rounds(Pass.LATENCY, count)]
    rows = rows_of(a_comparison_plan(rounds=asked), rounds)
    measured = [row for row in rows if row.metric in ("rps", "p50", "p99", "mean", "cpu")]
    assert len(measured) == 6
    for row in measured:
        assert row.added is not None and row.change_pct is not None
        assert (row.added.low, row.added.high, row.change_pct.low, row.change_pct.high) == (None,) * 4
        assert (row.level, row.verdict, row.reason, row.rounds) == (None, INCONCLUSIVE, reason, count)


def test_six_rounds_have_an_interval() -> None:
    row = the_row(some_rounds(Pass.LATENCY, 6), "p50")
    assert (row.level, row.verdict) == (0.96875, HIGHER)


@pytest.mark.parametrize(("metric", "needs"), [("p50", 40), ("p90", 200), ("p99", 2_000), ("p99_9", 20_000)])
def test_a_percentile_takes_twenty_samples_beyond_it_in_every_slot(metric: str, needs: int) -> None:
    enough = latency_rounds(P50S, count=needs)
    assert the_row(enough, metric).verdict is HIGHER
    for side in (BASE, SIDE):
        row = the_row(changed(enough, side, 4, count=needs - 1), metric)
        assert row.reason == f"needs {needs:,} requests per slot, had {needs - 1:,}; -d 11 would do"
        assert row == no_row(metric, row.reason)


def test_a_percentile_that_is_refused_says_what_would_do() -> None:
    row = the_row(latency_rounds(P50S, count=6_000), "p99_9")
    assert row.reason == "needs 20,000 requests per slot, had 6,000; -d 34 would do"


def test_of_no_requests_no_duration_would_do() -> None:
    row = the_row(changed(latency_rounds(P50S), SIDE, 2, count=0, p50_ms=None), "p50")
    assert row.reason == "needs 40 requests per slot, had 0"


def test_a_mean_takes_responses_in_every_slot() -> None:
    rounds = changed(latency_rounds(P50S), SIDE, 2, 5, count=0, mean_ms=None)
    assert the_row(rounds, "mean") == no_row("mean", "haproxy has no mean in 2 of 10 slots")


def test_a_slot_without_throughput_leaves_the_row_without_numbers() -> None:
    rounds = changed(some_rounds(Pass.CAPACITY, 10), BASE, 1, rps=None)
    both = changed(rounds, SIDE, 2, rps=None)
    row = the_row(both, "rps")
    assert (row.added, row.change_pct, row.base_value, row.side_value) == (None, None, None, None)
    assert row.reason == "direct has no rps in 1 of 10 slots; haproxy has no rps in 1 of 10 slots"


def test_a_zero_has_no_ratio_and_its_row_still_tells_what_was_added() -> None:
    rounds = capacity_rounds({BASE: [1000.0] * 10, SIDE: [0.0, 0.0, *[900.0] * 8]})
    row = the_row(rounds, "rps")
    assert row.added == Change(-100.0, -550.0, -100.0)
    assert (row.change_pct, row.verdict) == (None, INCONCLUSIVE)
    assert row.reason == "no change in percent: haproxy was 0 in 2 of 10 slots"


def test_nothing_on_both_sides_has_no_ratio_either() -> None:
    row = the_row(latency_rounds(P50S, cpu_us={"origin": 0.0}), "cpu@origin")
    assert row.added == Change(0.0, 0.0, 0.0)
    assert (
        row.reason
        == "no change in percent: direct was 0 in 10 of 10 slots and haproxy was 0 in 10 of 10 slots"
    )


values = st.none() | st.just(0.0) | st.floats(1e-6, 1e9)
slots = st.builds(
    partial(msgspec.structs.replace, a_slot()),
    rps=values,
    p50_ms=values,
    p90_ms=values,
    p99_ms=values,
    p99_9_ms=values,
    mean_ms=values,
    bytes_per_response=values,
    count=st.sampled_from((0, 40, 100_000)),
    completed=st.integers(0, 3),
    sent=st.integers(0, 3),
    errors=st.dictionaries(st.sampled_from(("reset", "timeout")), st.integers(1, 3)),
    cpu_us=st.dictionaries(st.sampled_from(("cannon", "origin")), st.just(0.0) | st.floats(1e-6, 1e6)),
    cpu_bound=st.booleans(),
)


@given(st.lists(st.tuples(st.sampled_from(Pass), slots, slots), max_size=16))
def test_whatever_slots_say_there_are_rows_with_a_reason_where_a_number_is_missing(
    fired: list[tuple[Pass, Slot, Slot]],
) -> None:
    rounds = [
        Round(of=of, number=number, order=[BASE, SIDE], slots={BASE: base, SIDE: side})
        for number, (of, base, side) in enumerate(fired, start=1)
    ]
    rows = rows_of(PLAN, rounds)
    for row in rows:
        told = (row.base_value, row.side_value, row.added, row.change_pct, row.level)
        assert row.reason or (None not in told and row.verdict in (HIGHER, LOWER, EQUIVALENT))
        assert "same" not in row.reason
        assert "significant" not in row.reason
        for change in (row.added, row.change_pct):
            if change is not None and change.low is not None and change.high is not None:
                assert change.low <= change.estimate <= change.high
                assert all(math.isfinite(value) for value in (change.low, change.high))
    assert all(found.resolvable_pct >= 0 for found in noise_of(rows))
    for of in Pass:
        headlines(PLAN, rounds, of)


def test_cpu_is_of_cannon_and_of_each_process_that_every_slot_tells() -> None:
    rounds = latency_rounds(P50S, cpu_us={"haproxy": 12.0, "cannon": 40.0, "origin": 8.0})
    some = changed(rounds, SIDE, 3, cpu_us={"cannon": 44.0, "origin": 9.0})
    rows = [row for row in rows_of(PLAN, some) if row.unit == "us"]
    assert [row.metric for row in rows] == ["cpu", "cpu@origin"]
    assert [(row.base_value, row.side_value) for row in rows] == [(40.0, 40.0), (8.0, 8.0)]
    assert [row.metric for row in rows_of(PLAN, rounds) if row.unit == "us"] == [
        "cpu",
        "cpu@haproxy",
        "cpu@origin",
    ]


def test_a_process_that_one_side_does_not_run_through_has_no_change_in_percent_but_a_verdict() -> None:
    rounds = latency_rounds(P50S)
    for place, found in enumerate(rounds):
        for name, used_us in ((BASE, 0.01 + 0.02 * (place % 3)), (SIDE, 23.0 + place)):
            found.slots[name] = msgspec.structs.replace(found.slots[name], cpu_us={"haproxy": used_us})
    row = the_row(rounds, "cpu@haproxy")
    assert (row.change_pct, row.verdict) == (None, HIGHER)
    assert row.reason == "no change in percent: direct has next to none"
    assert row.added is not None
    assert row.added.low is not None
    assert row.added.low > 22


def test_cpu_that_no_slot_tells_has_no_row() -> None:
    assert "cpu" not in {row.metric for row in rows_of(PLAN, latency_rounds(P50S, cpu_us={}))}


def test_bytes_and_errors_are_those_of_all_rounds() -> None:
    rounds = changed(latency_rounds(P50S), SIDE, 1, bytes_per_response=356.0, errors={"reset": 74})
    received, errors = the_row(rounds, "bytes"), the_row(rounds, "errors")
    assert (received.base_value, received.level, received.verdict) == (178.0, None, HIGHER)
    assert received.side_value == pytest.approx(195.8)
    assert received.added is not None
    assert received.added.estimate == pytest.approx(17.8)
    assert (errors.base_value, errors.unit, errors.change_pct, errors.verdict) == (
        0.0,
        "%",
        None,
        INCONCLUSIVE,
    )
    assert errors.side_value == pytest.approx(0.2)
    assert "74 of 37,000 against 0 of 37,000" in errors.reason
    for found in (received, errors):
        assert "without an interval" in found.reason


def limited(rounds: list[Round], **times: int) -> list[Round]:
    """Cannon was the limit in so many slots of a side."""
    for side, count in times.items():
        rounds = changed(rounds, side, *range(1, count + 1), cpu_bound=True)
    return rounds


@pytest.mark.parametrize(
    ("times", "sides"),
    [
        ({BASE: 5, SIDE: 5}, []),
        ({BASE: 6}, [BASE]),
        ({SIDE: 6}, [SIDE]),
        ({BASE: 6, SIDE: 10}, [BASE, SIDE]),
    ],
)
def test_a_capacity_at_which_cannon_was_the_limit_more_often_than_not_is_a_lower_bound(
    times: dict[str, int], sides: list[str]
) -> None:
    row = the_row(limited(capacity_rounds({BASE: [9_800.0] * 10, SIDE: [7_400.0] * 10}), **times), "rps")
    assert row.at_least == sides
    assert row.change_pct is not None
    if sides:
        assert row.verdict is INCONCLUSIVE
        assert row.reason == f"cannon was the limit for {' and '.join(sides)}; try -w 2"


def test_with_more_workers_yet_more_are_advised() -> None:
    rounds = limited(some_rounds(Pass.CAPACITY, 10), direct=10)
    plan = a_comparison_plan(sides=(a_side(BASE, workers=3), a_side(SIDE, workers=3)))
    assert the_row(rounds, "rps", plan).reason.endswith("try -w 4")


def test_no_worker_is_advised_for_whom_there_is_no_connection() -> None:
    rounds = limited(some_rounds(Pass.CAPACITY, 10), direct=10)
    plan = a_comparison_plan(sides=(a_side(BASE, connections=1), a_side(SIDE, connections=1)))
    assert the_row(rounds, "rps", plan).reason.endswith("direct; fire from another machine")


def test_a_lower_bound_of_few_rounds_says_both() -> None:
    row = the_row(limited(some_rounds(Pass.CAPACITY, 3), direct=3), "rps")
    assert row.reason == (
        "cannon was the limit for direct; try -w 2; 3 of 10 rounds, and an interval takes 6 at least"
    )


def test_only_throughput_has_lower_bounds() -> None:
    rounds = [*limited(some_rounds(Pass.CAPACITY, 10), direct=10), *latency_rounds(P50S, cpu_bound=True)]
    assert [row.metric for row in rows_of(PLAN, rounds) if row.at_least] == ["rps"]


def test_each_of_more_sides_is_set_against_the_first() -> None:
    plan = a_comparison_plan("direct", "haproxy", "nginx")
    middles = {"direct": 1.0, "haproxy": 1.5, "nginx": 2.0}
    rows = rows_of(plan, some_rounds(Pass.LATENCY, 10, middles))
    p50s = [row for row in rows if row.metric == "p50"]
    assert [(row.base, row.side) for row in p50s] == [("direct", "haproxy"), ("direct", "nginx")]
    assert [row.change_pct.estimate for row in p50s if row.change_pct] == [
        pytest.approx(50),
        pytest.approx(100),
    ]
    shown = headlines(plan, some_rounds(Pass.LATENCY, 10, middles), Pass.LATENCY)
    assert list(shown) == p50s


def test_the_headline_of_a_pass_is_one_of_its_rows() -> None:
    rounds = [*some_rounds(Pass.CAPACITY, 10), *some_rounds(Pass.LATENCY, 4)]
    rows = rows_of(PLAN, rounds)
    assert headlines(PLAN, rounds, Pass.CAPACITY) == (rows[0],)
    assert headlines(PLAN, rounds, Pass.LATENCY) == (rows[2],)
    assert (rows[0].metric, rows[2].metric) == ("rps", "p50")


def test_the_names_of_sides_are_those_of_the_plan() -> None:
    plan = a_comparison_plan("identity", "gzip")
    rows = rows_of(plan, some_rounds(Pass.LATENCY, 6, {"identity": 1.0, "gzip": 3.0}))
    assert {(row.base, row.side) for row in rows} == {("identity", "gzip")}
