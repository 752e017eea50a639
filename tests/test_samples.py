"""What a gate is judged by: what was measured, in the pass it is of, or why there is nothing."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from cannon.comparison import Comparison
from cannon.gate_grammar import parse
from cannon.metrics import Metric
from cannon.rounds import Pass
from cannon.samples import Sample, is_total, of_run, of_side
from tests.comparisons import BASE, SIDE, a_comparison, a_histogram, a_round, a_slot, some_rounds
from tests.gated import SIDES, a_run, compared, saturated
from tests.results import a_failing_tally, a_result, a_tally, an_empty_tally, latencies_ns

COUNT = 20_000


def ran(text: str, **changes: Any) -> Sample:
    return of_run(parse(text), a_result(**changes))


def side(text: str, comparison: Comparison, name: str = SIDE) -> Sample:
    return of_side(parse(text, SIDES), comparison, name)


def test_a_run_has_one_value() -> None:
    assert of_run(parse("p99 < 1s"), a_run(p99=12.5)) == Sample((12.5,))


def test_a_value_is_in_the_unit_of_the_bound() -> None:
    assert ran("errors < 10%", tally=a_failing_tally()).values == pytest.approx((100 * 24 / 1013,))
    assert ran("errors < 10", tally=a_failing_tally()).values == (24,)


def test_a_saturated_client_is_told() -> None:
    assert of_run(parse("p99 < 1s"), saturated(a_result())).limited
    assert not ran("p99 < 1s").limited


@pytest.mark.parametrize(
    "text", ["p99 < 1s", "p98.7 < 1s", "mean < 1s", "max < 1s", "bytes < 1MB", "cpu < 1s"]
)
def test_what_was_not_measured_is_no_value(text: str) -> None:
    found = ran(text, tally=an_empty_tally())
    assert found == Sample(reason=f"nothing was measured of {text.partition(' ')[0]}")


def test_shares_of_nothing_are_none_but_dials_that_failed_are_errors() -> None:
    assert ran("non2xx == 0", tally=an_empty_tally()).reason == "nothing was measured of non2xx"
    assert ran("errors == 0", tally=an_empty_tally()).values == (40,)


def test_too_few_samples_are_told_with_the_value_that_they_have() -> None:
    few = ran("p99 < 1s", tally=a_tally(latencies_ns(1999)))
    assert few.reason == "p99 takes 2,000 samples, and there were 1,999"
    assert len(few.values) == 1
    assert not ran("p99 < 1s", tally=a_tally(latencies_ns(2000))).reason


def test_nothing_is_late_without_a_rate() -> None:
    assert ran("late < 1ms").reason == "nothing is late without a rate, e.g. -R 1000"


def test_late_is_the_99th_percentile_of_what_was_late() -> None:
    result = a_result()
    late = msgspec.structs.replace(result, late_ms=result.latency_ms)
    assert of_run(parse("late < 1s"), late).values == (result.latency_ms.p99,)
    few = msgspec.structs.replace(result, late_ms=result.connect_ms)
    assert of_run(parse("late < 1s"), few).reason == "late takes 2,000 samples, and there were 10"


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, 1e300])
def test_what_nobody_can_have_measured_is_no_value(value: float) -> None:
    assert of_run(parse("p99 < 1s"), a_run(p99=value)) == Sample(reason="p99 is out of any range")
    found = side("p99 < 1s", compared({BASE: [1.0], SIDE: [value]}))
    assert found == Sample(reason="p99 is out of any range")


@pytest.mark.parametrize(
    ("text", "field", "of"),
    [
        ("p50 < 1s", "p50_ms", Pass.LATENCY),
        ("p90 < 1s", "p90_ms", Pass.LATENCY),
        ("p99 < 1s", "p99_ms", Pass.LATENCY),
        ("p99.9 < 1s", "p99_9_ms", Pass.LATENCY),
        ("mean < 1s", "mean_ms", Pass.LATENCY),
        ("late < 1s", "late_p99_ms", Pass.LATENCY),
        ("rps > 1/s", "rps", Pass.CAPACITY),
    ],
)
def test_a_side_has_a_value_of_each_round(text: str, field: str, of: Pass) -> None:
    assert side(text, compared({BASE: [1.0, 2.0], SIDE: [5.0, 4.0]}, field, of)) == Sample((5.0, 4.0))


@pytest.mark.parametrize(("text", "name"), [("cpu < 1s", "cannon"), ("cpu@nginx < 1s", "nginx")])
def test_cpu_is_cannon_s_own_or_that_of_a_process(text: str, name: str) -> None:
    used = [{"cannon": 40.0, "nginx": 20.0}, {"cannon": 41.0, "nginx": 21.0}]
    found = side(text, compared({BASE: used, SIDE: used}, "cpu_us"))
    assert found.values == tuple(each[name] for each in used)


def test_any_other_percentile_and_the_max_are_those_of_the_histogram() -> None:
    slot = a_slot(histogram=a_histogram(0.81, 3_700))
    comparison = a_comparison(rounds=[a_round(slots={BASE: slot, SIDE: slot})])
    exact_ms = sorted(latencies_ns(3_700, 810_000))
    (p95,) = side("p95 < 1s", comparison).values
    (most,) = side("max < 1s", comparison).values
    assert p95 == pytest.approx(exact_ms[3_515 - 1] / 1e6, rel=0.002)
    assert most == pytest.approx(exact_ms[-1] / 1e6, rel=0.002)


def test_without_a_histogram_there_is_no_other_percentile() -> None:
    assert (
        side("p95 < 1s", compared({BASE: [1.0], SIDE: [1.0]})).reason == "haproxy has no p95 in 1 of 1 rounds"
    )


def test_latencies_are_of_the_latency_pass_and_rps_of_the_capacity_pass() -> None:
    both = a_comparison()
    assert side("p50 < 1s", both).values == tuple(
        found.slots[SIDE].p50_ms for found in both.rounds if found.of is Pass.LATENCY
    )
    assert side("rps > 1/s", both).values == tuple(
        found.slots[SIDE].rps for found in both.rounds if found.of is Pass.CAPACITY
    )


def test_where_the_capacity_pass_was_left_out_there_are_no_rps() -> None:
    paced = a_comparison(rounds=some_rounds(Pass.LATENCY, 6))
    assert side("rps > 1/s", paced).reason == "rps is of the capacity pass, of which there is no round"


def test_where_only_the_capacity_pass_was_fired_it_has_errors_and_cpu_but_no_latency() -> None:
    closed = a_comparison(rounds=some_rounds(Pass.CAPACITY, 2))
    assert side("errors == 0", closed).values == (0,)
    assert side("cpu < 1s", closed).values == (41.0, 41.0)
    assert side("p99 < 1s", closed).reason == "there is no whole round, and so no p99"


def test_a_round_that_lacks_a_side_is_none() -> None:
    rounds = [*some_rounds(Pass.LATENCY, 2), a_round(number=3, slots={SIDE: a_slot()})]
    assert len(side("p50 < 1s", a_comparison(rounds=rounds)).values) == 2


def test_a_side_that_is_not_there_is_told() -> None:
    assert (
        side("p99 < 1s", a_comparison(), "nginx").reason
        == "there is no side nginx in it, but direct and haproxy"
    )


def test_every_round_needs_samples_enough() -> None:
    found = side("p99.9 < 1s", compared({BASE: [1.0, 1.0], SIDE: [2.0, 2.0]}, "p99_9_ms", count=19_999))
    assert found.reason == "p99.9 takes 20,000 samples in each round, and one had 19,999"


def test_what_is_late_counts_with_what_was_sent() -> None:
    found = side("late < 1s", compared({BASE: [1.0], SIDE: [2.0]}, "late_p99_ms", sent=1_999))
    assert found.reason == "late takes 2,000 samples in each round, and one had 1,999"


def test_a_value_that_lacks_in_a_round_is_none_at_all() -> None:
    found = side("p99@haproxy < 1s", compared({BASE: [1.0, 1.0], SIDE: [2.0, None]}))
    assert found == Sample(reason="haproxy has no p99 in 1 of 2 rounds")
    assert side("cpu@nginx < 1s", a_comparison()).reason == "haproxy has no cpu@nginx in 10 of 10 rounds"


@pytest.mark.parametrize(
    ("text", "total", "shares"),
    [
        ("errors < 1%", 100 * 9 / 2_006, (100 * 7 / 1_006, 100 * 2 / 1_000)),
        ("errors < 10", 9, ()),
        ("timeouts < 1%", 100 * 3 / 2_006, (100 * 1 / 1_006, 100 * 2 / 1_000)),
        ("timeouts == 0", 3, ()),
        ("non2xx < 1%", 100 * 15 / 1_987, (100 * 10 / 990, 100 * 5 / 997)),
        ("bytes < 1kB", (990 * 100 + 997 * 200) / 1_987, ()),
    ],
)
def test_shares_and_bytes_are_of_all_rounds_together(
    text: str, total: float, shares: tuple[float, ...]
) -> None:
    first = a_slot(
        sent=1_000,
        completed=990,
        errors={"timeout": 1},
        connects_failed=6,
        status={"200": 980, "503": 10},
        bytes_per_response=100.0,
    )
    later = a_slot(
        sent=1_000,
        completed=997,
        errors={"timeout": 2},
        status={"200": 992, "404": 5},
        bytes_per_response=200.0,
    )
    rounds = [
        a_round(number=number, slots={BASE: slot, SIDE: slot}) for number, slot in ((1, first), (2, later))
    ]
    found = side(text, a_comparison(rounds=rounds))
    assert found.values == pytest.approx((total,))
    assert found.shares == pytest.approx(shares)


def test_a_share_of_nothing_is_none_and_in_one_round_tells_nothing_of_the_rounds() -> None:
    slots: list[dict[str, Any]] = [
        {"sent": 0, "completed": 0, "status": {}},
        {"sent": 100, "completed": 100, "status": {"200": 100}},
    ]
    rounds = [
        a_round(number=number, slots=dict.fromkeys((BASE, SIDE), a_slot(**each)))
        for number, each in enumerate(slots, start=1)
    ]
    assert side("errors < 1%", a_comparison(rounds=rounds[:1])).reason == "nothing was measured of errors"
    assert side("errors < 1%", a_comparison(rounds=rounds)) == Sample((0,))


@pytest.mark.parametrize(("limited", "expected"), [(2, False), (3, True)])
@pytest.mark.parametrize(
    ("text", "field", "of"),
    [
        ("p50 < 1s", "saturated", Pass.LATENCY),
        ("errors == 0", "saturated", Pass.LATENCY),
        ("rps > 1/s", "cpu_bound", Pass.CAPACITY),
    ],
)
def test_cannon_was_the_limit_where_it_was_in_most_rounds(
    text: str, field: str, of: Pass, limited: int, expected: bool
) -> None:
    marks = [number < limited for number in range(4)]
    assert side(text, compared({BASE: [False] * 4, SIDE: marks}, field, of)).limited is expected


def test_totals_are_what_is_counted() -> None:
    assert {metric for metric in Metric if is_total(metric)} == {"errors", "timeouts", "non2xx", "bytes"}
