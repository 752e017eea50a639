"""A gate and what was measured make a verdict, whatever was measured, and no better value makes it worse."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.comparison import Comparison
from cannon.gate_grammar import Known, parse
from cannon.gates import Gate
from cannon.judging import judge_comparison, judge_run
from cannon.result import GateVerdict, Result
from cannon.rounds import Pass
from tests.comparisons import BASE, SIDE, a_comparison, some_rounds
from tests.gated import SIDES, a_run, compared, runs, saturated
from tests.results import a_failing_tally, a_result, a_tally, an_empty_tally, latencies_ns

WITH_BASE = Known(baseline=True)
RANK = {"pass": 2, "inconclusive": 1, "fail": 0}
FIVE = (10.0, 10.4, 9.8, 10.1, 9.9)
"""The p99 of five baselines."""

WOBBLE = (1.0, 1.02, 0.99, 1.01, 0.98, 1.0, 1.03, 0.97, 1.01, 0.99)
"""By which factor ten rounds differ."""


def judged(text: str, result: Result, baselines: Sequence[Result] = ()) -> GateVerdict:
    return judge_run(parse(text, WITH_BASE), result, baselines)


def compares(text: str, comparison: Comparison, baselines: Sequence[Comparison] = ()) -> GateVerdict:
    return judge_comparison(parse(text, SIDES), comparison, baselines)


def rounds(direct: float, haproxy: float, count: int = 10) -> Comparison:
    """Both sides wobble alike, as they do on one machine; the side a little besides."""
    return compared(
        {
            BASE: [direct * wobble for wobble in WOBBLE[:count]],
            SIDE: [haproxy * wobble * wobble for wobble in WOBBLE[:count]],
        }
    )


def test_a_run_that_holds_passes() -> None:
    assert judged("p99 < 50ms", a_result()) == GateVerdict(
        expression="p99 < 50ms",
        verdict="pass",
        value=a_result().latency_ms.p99,
        bound=50.0,
        low=None,
        high=None,
        unit="ms",
        reason="",
    )


def test_a_run_that_does_not_hold_fails_and_says_what_was_measured() -> None:
    found = judged("p99 < 1ms", a_result())
    assert (found.verdict, found.value, found.reason) == (
        "fail",
        a_result().latency_ms.p99,
        "p99 was 2.28 ms",
    )


def test_errors_are_what_failed_did_not_match_or_could_not_connect() -> None:
    found = judged("errors == 0", a_result(tally=a_failing_tally()))
    assert (found.verdict, found.value, found.reason) == ("fail", 24.0, "errors was 24")


def test_what_fails_on_a_saturated_client_is_open_and_what_holds_stands() -> None:
    found = judged("p99 < 1ms", saturated(a_result()))
    assert (found.verdict, found.reason) == ("inconclusive", "p99 was 2.28 ms, and cannon was the limit")
    assert judged("p99 < 50ms", saturated(a_result())).verdict == "pass"


def test_no_data_fails_on_a_saturated_client_too() -> None:
    found = judged("p99 < 1s", saturated(a_result(tally=an_empty_tally())))
    assert (found.verdict, found.value, found.reason) == ("fail", None, "nothing was measured of p99")


def test_a_percentile_with_too_few_samples_fails_however_good_it_looks() -> None:
    found = judged("p99 < 10s", a_result(tally=a_tally(latencies_ns(1999))))
    assert (found.verdict, found.reason) == ("fail", "p99 takes 2,000 samples, and there were 1,999")
    assert found.value is not None


@pytest.mark.parametrize(
    ("p99_ms", "verdict", "reason"),
    [
        (10.2, "pass", "5 baselines"),
        (
            10.8,
            "inconclusive",
            (
                "p99 was 10.8 ms [10.2, 11.4], bound 11.0 ms (base 10.0 ms + 10%);"
                " cannot tell: 5 baselines can see 5.5 %; 5 baselines"
            ),
        ),
        (13.0, "fail", "p99 was 13.0 ms [12.3, 13.7], bound 11.0 ms (base 10.0 ms + 10%); 5 baselines"),
    ],
)
def test_a_run_after_five_is_better_or_worse_or_nobody_can_tell(
    p99_ms: float, verdict: str, reason: str
) -> None:
    found = judged("p99 < base + 10%", a_run(p99=p99_ms), runs(*FIVE))
    assert (found.verdict, found.value, found.reason) == (verdict, p99_ms, reason)
    assert found.low is not None and found.high is not None


def test_a_run_after_four_is_a_point_and_it_is_said_so_even_where_it_passes() -> None:
    found = judged("p99 < base + 10%", a_run(p99=10.8), runs(*FIVE[:4]))
    assert (found.verdict, found.low, found.high) == ("pass", None, None)
    assert found.reason == "judged as a point value: 4 baselines do not tell chance from change, and 5 do"


def test_a_baseline_may_be_set_off_by_an_amount() -> None:
    assert judged("p99 < base + 2ms", a_run(p99=11.0), runs(*FIVE)).verdict == "pass"
    assert judged("p99 < base + 2ms", a_run(p99=14.0), runs(*FIVE)).verdict == "fail"
    assert judged("p99 > base - 2ms", a_run(p99=7.0), runs(*FIVE)).verdict == "fail"


def test_a_saturated_run_that_fails_its_baseline_is_open() -> None:
    found = judged("p99 < base + 10%", saturated(a_run(p99=20.0)), runs(*FIVE))
    assert (found.verdict, found.reason.count("cannon was the limit")) == ("inconclusive", 1)


def test_saturated_baselines_leave_open_what_passes_beside_them() -> None:
    baselines = [saturated(run) for run in runs(*FIVE)]
    found = judged("p99 < base + 10%", a_run(p99=9.0), baselines)
    assert found.verdict == "inconclusive"
    assert "cannon was the limit for base" in found.reason
    assert judged("p99 < base + 10%", a_run(p99=20.0), baselines).verdict == "fail"


def test_a_baseline_without_data_fails_with_its_number() -> None:
    found = judged("p99 < base + 10%", a_run(p99=9.0), [*runs(10.0), a_result(tally=an_empty_tally())])
    assert (found.verdict, found.value) == ("fail", 9.0)
    assert found.reason == "baseline 2: nothing was measured of p99"


def test_a_base_that_stands_for_nothing_fails() -> None:
    assert judged("p99 < base", a_run(p99=9.0)).reason == "there is no baseline"
    assert compares("p99 < base", rounds(10, 12)).reason == "there is no baseline"
    assert compares("errors < base", rounds(10, 12)).verdict == "fail"


def test_errors_that_are_0_in_every_run_hold() -> None:
    assert judged("errors <= base", a_result(), [a_result()] * 5).verdict == "pass"
    assert judged("errors < base", a_result(), [a_result()] * 5).verdict == "fail"
    assert judged("bytes == base", a_result(), [a_result()] * 7).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("p99 < 15ms", "pass"),
        ("p99 < 12ms", "inconclusive"),
        ("p99 < 10ms", "fail"),
        ("p99@direct < 10.5ms", "pass"),
        ("p99@direct < 10ms", "inconclusive"),
        ("p99@direct < 9ms", "fail"),
        ("p99 < direct + 3ms", "pass"),
        ("p99 < direct + 2ms", "inconclusive"),
        ("p99 < direct + 1ms", "fail"),
        ("p99 < direct + 25%", "pass"),
        ("p99 < direct + 20%", "inconclusive"),
        ("p99 < direct + 15%", "fail"),
        ("p99 > direct + 15%", "pass"),
        ("p99@direct < haproxy", "pass"),
        ("p99@direct < haproxy - 20%", "fail"),
        ("p99@direct < haproxy - 1ms", "pass"),
    ],
)
def test_each_side_passes_fails_or_is_open(text: str, verdict: str) -> None:
    found = compares(text, rounds(10, 12))
    assert found.verdict == verdict
    assert found.value is not None and found.low is not None and found.high is not None
    assert found.low <= found.value <= found.high


def test_rps_are_judged_the_other_way_round() -> None:
    comparison = a_comparison()
    assert compares("rps > direct - 30%", comparison).verdict == "pass"
    found = compares("rps > direct - 10%", comparison)
    assert (found.verdict, found.unit) == ("fail", "/s")
    assert found.reason == "rps was 7.42k/s [7.42k/s, 7.42k/s], bound 8.83k/s (direct 9.81k/s - 10%)"


def test_what_fails_or_is_open_says_what_the_bound_is_made_of_and_what_could_be_seen() -> None:
    found = compares("p99@haproxy < direct + 20%", rounds(10, 12))
    told, _, seen = found.reason.partition("; ")
    assert told.startswith("p99@haproxy was 12.0 ms [")
    assert told.endswith("], bound 12.0 ms (direct 10.0 ms + 20%)")
    assert seen.startswith("cannot tell: 10 rounds can see ")
    assert seen.endswith(" %")


@pytest.mark.parametrize(("count", "is_point"), [(1, True), (5, True), (6, False)])
def test_fewer_than_six_rounds_are_judged_as_a_point_and_it_is_said_so(count: int, is_point: bool) -> None:
    found = compares("p99 < direct + 25%", rounds(10, 12, count))
    assert found.verdict == "pass"
    assert (found.low is None) is is_point
    assert ("judged as a point value" in found.reason) is (1 < count < 6)


def test_a_capacity_that_cannon_could_not_reach_is_a_lower_bound() -> None:
    def capacity(*limited: str) -> Comparison:
        found = some_rounds(Pass.CAPACITY, 10)
        return a_comparison(
            rounds=[
                msgspec.structs.replace(
                    each,
                    slots={
                        name: msgspec.structs.replace(slot, cpu_bound=name in limited)
                        for name, slot in each.slots.items()
                    },
                )
                for each in found
            ]
        )

    assert compares("rps > direct - 10%", capacity()).verdict == "fail"
    assert compares("rps > direct - 10%", capacity(SIDE)).verdict == "inconclusive"
    assert compares("rps > direct - 10%", capacity(BASE)).verdict == "fail"
    assert compares("rps > direct - 30%", capacity()).verdict == "pass"
    assert compares("rps > direct - 30%", capacity(SIDE)).verdict == "pass"
    assert compares("rps > direct - 30%", capacity(BASE)).verdict == "inconclusive"
    assert compares("rps > direct - 30%", capacity(BASE, SIDE)).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("p99.9 < 1s", "p99.9 takes 20,000 samples in each round, and one had 3,700"),
        ("p99.9 < direct", "p99.9 takes 20,000 samples in each round, and one had 3,700"),
        ("cpu@nginx < 1s", "haproxy has no cpu@nginx in 10 of 10 rounds"),
    ],
)
def test_what_the_rounds_do_not_support_fails(text: str, reason: str) -> None:
    found = compares(text, a_comparison())
    assert (found.verdict, found.value, found.reason) == ("fail", None, reason)


def test_what_the_other_side_lacks_is_told_as_its_own() -> None:
    found = compares("p99 < direct", compared({BASE: [1.0, None], SIDE: [2.0, 2.0]}))
    assert found.reason == "direct: direct has no p99 in 1 of 2 rounds"


def test_a_comparison_without_a_round_fails() -> None:
    found = compares("p99 < 1s", a_comparison(rounds=[]))
    assert (found.verdict, found.reason) == ("fail", "there is no whole round, and so no p99")


def test_errors_are_judged_on_what_was_counted() -> None:
    failing: list[dict[str, int]] = [{}] * 9 + [{"reset": 200}]
    found = compares("errors < 0.05%", compared({BASE: [{}] * 10, SIDE: failing}, "errors"))
    assert (found.verdict, found.value, found.low) == ("fail", 0.1, None)
    assert compares("errors == 0", compared({BASE: [{}] * 10, SIDE: failing}, "errors")).value == 200


def test_one_heap_of_errors_beside_a_side_without_may_be_chance_and_errors_in_every_round_are_none() -> None:
    heap = compared({BASE: [{}] * 10, SIDE: [{}] * 9 + [{"reset": 200}]}, "errors")
    assert compares("errors <= direct + 0.05%", heap).verdict == "inconclusive"
    steady = compared({BASE: [{}] * 10, SIDE: [{"reset": 20}] * 10}, "errors")
    assert compares("errors <= direct + 0.05%", steady).verdict == "fail"
    assert compares("errors <= direct + 0.2%", steady).verdict == "pass"
    clean = compared({BASE: [{}] * 10, SIDE: [{}] * 10}, "errors")
    assert compares("errors <= direct", clean).verdict == "pass"


def test_an_overhead_carries_over_from_one_machine_to_another() -> None:
    baselines = [rounds(10, 12 * wobble) for wobble in (1.0, 1.01, 0.99, 1.005, 0.995)]
    # Three times as slow a machine, with the same share on top, and with twice as much.
    assert compares("p99 < base + 10%", rounds(30, 36), baselines).verdict == "pass"
    found = compares("p99 < base + 10%", rounds(30, 42), baselines)
    assert found.verdict == "fail"
    assert "bound 39.6 ms (base 36.0 ms + 10%, where direct is 30.0 ms)" in found.reason
    assert found.reason.endswith("; 5 baselines")


def test_the_first_side_is_judged_by_its_own_value() -> None:
    baselines = [rounds(10 * wobble, 12) for wobble in (1.0, 1.01, 0.99, 1.005, 0.995)]
    assert compares("p99@direct < base + 20%", rounds(10, 99), baselines).verdict == "pass"
    assert compares("p99@direct < base + 20%", rounds(30, 36), baselines).verdict == "fail"


def test_the_cpu_of_a_process_is_judged_by_its_own_value_for_it_idles_beside_the_other_side() -> None:
    def using(us: float) -> Comparison:
        return compared({BASE: [{"nginx": 0.0}] * 10, SIDE: [{"nginx": us}] * 10}, "cpu_us")

    baselines = [using(20.0)] * 5
    assert compares("cpu@nginx < base + 10%", using(21.0), baselines).verdict == "pass"
    assert compares("cpu@nginx < base + 10%", using(23.0), baselines).verdict == "fail"


def test_a_baseline_of_other_sides_fails_with_its_number() -> None:
    other = compared({"old": [1.0], "new": [2.0]})
    other = msgspec.structs.replace(
        other,
        sides=[
            msgspec.structs.replace(side, name=name)
            for side, name in zip(other.sides, ("old", "new"), strict=True)
        ],
    )
    found = compares("p99 < base", rounds(10, 12), [other])
    assert found.reason == "baseline 1: there is no side haproxy in it, but old and new"


def test_few_baselines_of_a_comparison_are_told_beside_the_ends_of_its_rounds() -> None:
    found = compares("p99 < base + 10%", rounds(10, 12), [rounds(10, 12)])
    assert (found.verdict, found.reason) == (
        "pass",
        "1 baseline does not tell chance from change, and 5 do",
    )
    assert found.low is not None


figures = st.floats(0.01, 1000)
operators = st.sampled_from(["<", "<="])


def better_is_never_worse(gate: Gate, worse: GateVerdict, better: GateVerdict) -> None:
    assert RANK[better.verdict] >= RANK[worse.verdict], (gate.expression, worse, better)


@given(figures, st.floats(0.1, 1), operators, st.booleans(), st.lists(figures, min_size=1, max_size=8))
def test_a_better_run_never_has_a_worse_verdict(
    p99_ms: float, better: float, operation: str, limited: bool, earlier: list[float]
) -> None:
    runs_of = [a_run(p99=p99_ms), a_run(p99=p99_ms * better)]
    if limited:
        runs_of = [saturated(run) for run in runs_of]
    for bound in ("100ms", "base", "base + 10%", "base - 10%", "base + 5ms", "base - 1us"):
        gate = parse(f"p99 {operation} {bound}", WITH_BASE)
        better_is_never_worse(gate, *(judge_run(gate, run, runs(*earlier)) for run in runs_of))


@given(st.data(), st.integers(1, 12), operators)
def test_a_better_round_of_a_side_never_makes_a_worse_verdict(
    data: st.DataObject, count: int, operation: str
) -> None:
    values = st.lists(figures, min_size=count, max_size=count)
    direct, haproxy = data.draw(values), data.draw(values)
    better = [value * data.draw(st.floats(0.1, 1)) for value in haproxy]
    baselines = [compared({BASE: data.draw(values), SIDE: data.draw(values)}) for _ in range(5)]
    for bound in ("100ms", "direct", "direct + 10%", "direct + 5ms", "base", "base + 10%", "base + 5ms"):
        gate = parse(f"p99 {operation} {bound}", SIDES)
        better_is_never_worse(
            gate,
            *(
                judge_comparison(gate, compared({BASE: direct, SIDE: each}), baselines)
                for each in (haproxy, better)
            ),
        )
