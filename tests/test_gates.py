"""A gate is read from one line, says where it is wrong, and judges one run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.gates import Gate, Operator, Verdict
from cannon.metrics import Literal, Metric, Unit
from cannon.result import GateVerdict, Result
from tests.results import a_failing_tally, a_result, a_tally, an_empty_tally, latencies_ns


def saturated(result: Result) -> Result:
    return msgspec.structs.replace(result, client=msgspec.structs.replace(result.client, saturated=True))


def judged(expression: str, **changes: Any) -> GateVerdict:
    return Gate.parse(expression).judge(a_result(**changes))


@pytest.mark.parametrize(
    ("text", "metric", "percentile", "operation", "bound"),
    [
        ("p99 < 50ms", Metric.PERCENTILE, 99, Operator.BELOW, Literal(50, Unit.MS)),
        ("p99.9<=1.5s", Metric.PERCENTILE, 99.9, Operator.AT_MOST, Literal(1500, Unit.MS)),
        ("p50 < 250us", Metric.PERCENTILE, 50, Operator.BELOW, Literal(0.25, Unit.MS)),
        ("p50 < 250\N{MICRO SIGN}s", Metric.PERCENTILE, 50, Operator.BELOW, Literal(0.25, Unit.MS)),
        ("mean > .5 ms", Metric.MEAN, None, Operator.ABOVE, Literal(0.5, Unit.MS)),
        ("  max  >=  1s  ", Metric.MAX, None, Operator.AT_LEAST, Literal(1000, Unit.MS)),
        ("rps > 1000/s", Metric.RPS, None, Operator.ABOVE, Literal(1000, Unit.PER_S)),
        ("rps > 2k/s", Metric.RPS, None, Operator.ABOVE, Literal(2000, Unit.PER_S)),
        ("errors == 0", Metric.ERRORS, None, Operator.EQUAL, Literal(0, Unit.COUNT)),
        ("errors < 0.1%", Metric.ERRORS, None, Operator.BELOW, Literal(0.1, Unit.PERCENT)),
        ("timeouts < 1 %", Metric.TIMEOUTS, None, Operator.BELOW, Literal(1, Unit.PERCENT)),
        ("non2xx <= 100", Metric.NON2XX, None, Operator.AT_MOST, Literal(100, Unit.COUNT)),
        ("bytes < 10kB", Metric.BYTES, None, Operator.BELOW, Literal(10_000, Unit.BYTES)),
        ("cpu < 80us", Metric.CPU, None, Operator.BELOW, Literal(80, Unit.US)),
        ("late < 1ms", Metric.LATE, None, Operator.BELOW, Literal(1, Unit.MS)),
    ],
)
def test_a_gate_is_read(
    text: str, metric: Metric, percentile: float | None, operation: Operator, bound: Literal
) -> None:
    assert Gate.parse(text) == Gate(" ".join(text.split()), metric, percentile, operation, bound)


@pytest.mark.parametrize(
    ("text", "character", "reason"),
    [
        ("latency < 5ms", 1, "'latency' is no metric; there are p50, p99, p99.9, ..., mean, max, rps,"),
        ("P99 < 5ms", 1, "'P99' is no metric"),
        ("p < 5ms", 1, "'p' is no metric"),
        ("p99x < 5ms", 1, "'p99x' is no metric"),
        (" < 5ms", 2, "'< 5ms' is no metric"),
        ("p100 < 5ms", 1, "'p100' is no percentile between 0 and 100; the highest value is max"),
        ("p0 < 5ms", 1, "'p0' is no percentile between 0 and 100"),
        ("p99.99999999999999999999 < 5ms", 1, "is no percentile between 0 and 100"),
        ("p99@direct < 5ms", 4, "a side is of a comparison"),
        ("p99 @direct < 5ms", 5, "a side is of a comparison"),
        ("p99", 4, "a comparison is missing; there are < <= > >= =="),
        ("p99 << 5ms", 5, "'<<' is no comparison"),
        ("p99 = 5ms", 5, "'=' is no comparison"),
        ("p99 != 5ms", 5, "'!=' is no comparison"),
        ("p99 below 5ms", 5, "'below 5ms' is no comparison"),
        ("p99 <", 6, "a bound is missing"),
        ("p99 < -5ms", 7, "'-5ms' is no bound"),
        ("p99 < base + 5%", 7, "'base + 5%' stands for another run or side, and there is none"),
        ("p99 < direct", 7, "'direct' stands for another run or side"),
        ("p99 < 50", 9, "a unit is missing; p99 takes us, ms or s"),
        ("p99 < 50min", 9, "'min' is no unit; p99 takes us, ms or s"),
        ("p99 < 50%", 9, "'%' is no unit; p99 takes us, ms or s"),
        ("cpu < 50%", 9, "'%' is no unit; cpu takes us, ms or s"),
        ("p99 < 99999999s", 7, "'99999999s' is too large, the most is 10000h"),
        ("p99 < 5ms + 1ms", 11, "'+ 1ms' stands behind the bound"),
        ("rps > 100", 10, "a unit is missing; rps takes /s"),
        ("rps > 100ms", 10, "'ms' is no unit; rps takes /s"),
        ("rps > 100/d", 7, "'100/d' is no rate"),
        ("errors < 0.5", 10, "'0.5' is not a whole number"),
        ("errors < 5ms", 11, "'ms' is no unit; errors takes % or, for a count, none"),
        ("errors < 150%", 10, "'150%' is more than all"),
        ("bytes < 10", 11, "a unit is missing; bytes takes B, kB or MB"),
        ("bytes < 10Q", 9, "'10Q' is no size"),
        ("p99 \x1b[31m< 5ms", 5, "'\\x1b[31m< 5ms' is no comparison"),
        ("p99 < 5ms" + " " * 100 + "x", 81, "nobody can read so long a line"),
    ],
)
def test_a_wrong_gate_is_one_line_that_points_at_the_character(
    text: str, character: int, reason: str
) -> None:
    with pytest.raises(UsageError) as refused:
        Gate.parse(text)
    message = refused.value.message
    assert f" at character {character}: " in message
    assert reason in message
    assert message.isprintable()


def test_a_gate_that_is_missing_is_said_so() -> None:
    with pytest.raises(UsageError, match=r"^a gate is missing; write for example p99 < 50ms$"):
        Gate.parse("  ")


@pytest.mark.parametrize("metric", [metric for metric in Metric if metric is not Metric.PERCENTILE])
def test_what_a_message_shows_is_a_right_gate_of_the_same_metric(metric: Metric) -> None:
    with pytest.raises(UsageError) as refused:
        Gate.parse(f"{metric} <")
    assert Gate.parse(refused.value.message.rpartition("for example ")[2]).metric is metric


@given(st.text(max_size=40) | st.from_regex(r"(p9|p99\.9|mean|errors) ?[<>=]{1,2} ?[0-9.]+ ?[a-z%/]{0,3}"))
def test_whatever_is_written_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        assert Gate.parse(text).bound.value >= 0
    except UsageError as refused:
        assert refused.message.isprintable()
        assert "for example" in refused.message


@pytest.mark.parametrize(
    ("text", "name", "least"),
    [
        ("p50 < 1ms", "p50", 40),
        ("p90 < 1ms", "p90", 200),
        ("p99 < 1ms", "p99", 2000),
        ("p99.9 < 1ms", "p99.9", 20_000),
        ("p99.99 < 1ms", "p99.99", 200_000),
        ("p1 < 1ms", "p1", 2000),
        ("late < 1ms", "late", 2000),
        ("mean < 1ms", "mean", 1),
        ("errors == 0", "errors", 1),
    ],
)
def test_a_percentile_takes_twenty_samples_beyond_it(text: str, name: str, least: int) -> None:
    gate = Gate.parse(text)
    assert gate.name == name
    assert gate.least_samples == least


def test_what_holds_passes() -> None:
    assert judged("p99 < 50ms") == GateVerdict(
        expression="p99 < 50ms",
        verdict="pass",
        value=a_result().latency_ms.p99,
        bound=50.0,
        low=None,
        high=None,
        unit="ms",
        reason="",
    )


def test_what_does_not_hold_fails_and_says_what_was_measured() -> None:
    found = judged("p99 < 1ms")
    assert (found.verdict, found.value, found.reason) == (
        Verdict.FAIL,
        a_result().latency_ms.p99,
        "p99 was 2.28 ms",
    )


@pytest.mark.parametrize(
    ("operation", "passes"),
    [("<", False), ("<=", True), (">", False), (">=", True), ("==", True)],
)
def test_a_value_at_its_bound(operation: str, passes: bool) -> None:
    assert (judged(f"bytes {operation} 178B").verdict == Verdict.PASS) is passes


def test_what_fails_on_a_saturated_client_is_open() -> None:
    found = Gate.parse("p99 < 1ms").judge(saturated(a_result()))
    assert found.verdict == Verdict.INCONCLUSIVE
    assert found.reason == "p99 was 2.28 ms, and cannon was the limit"


def test_what_holds_on_a_saturated_client_stands() -> None:
    assert Gate.parse("p99 < 50ms").judge(saturated(a_result())).verdict == Verdict.PASS


@pytest.mark.parametrize("expression", ["p99 < 1s", "mean < 1s", "max < 1s", "bytes < 1MB", "cpu < 1s"])
def test_a_metric_without_data_fails(expression: str) -> None:
    found = judged(expression, tally=an_empty_tally())
    assert (found.verdict, found.value) == (Verdict.FAIL, None)
    assert found.reason == f"nothing was measured of {expression.split(maxsplit=1)[0]}"


def test_no_data_of_a_saturated_client_is_no_data() -> None:
    result = saturated(a_result(tally=an_empty_tally()))
    assert Gate.parse("p99 < 1s").judge(result).verdict == Verdict.FAIL


def test_a_percentile_with_too_few_samples_fails_however_good_it_looks() -> None:
    found = judged("p99 < 10s", tally=a_tally(latencies_ns(1999)))
    assert found.verdict == Verdict.FAIL
    assert found.reason == "p99 takes 2,000 samples, and there were 1,999"
    assert judged("p99 < 10s", tally=a_tally(latencies_ns(2000))).verdict == Verdict.PASS


def test_late_needs_a_rate() -> None:
    found = judged("late < 1s")
    assert (found.verdict, found.reason) == (Verdict.FAIL, "nothing is late without a rate, e.g. -R 1000")


def test_late_is_its_99th_percentile() -> None:
    result = a_result()
    result = msgspec.structs.replace(result, late_ms=result.ttfb_ms)
    found = Gate.parse("late < 1s").judge(result)
    assert (found.verdict, found.value) == (Verdict.PASS, result.ttfb_ms.p99)


def test_errors_are_what_failed_did_not_match_or_could_not_connect() -> None:
    found = judged("errors == 0", tally=a_failing_tally())
    assert (found.verdict, found.value, found.reason) == (Verdict.FAIL, 24.0, "errors was 24")


def test_a_gate_round_trips_through_msgspec() -> None:
    gate = Gate.parse("p99.9 < 1.5ms")
    assert msgspec.json.decode(msgspec.json.encode(gate), type=Gate) == gate
