"""Each metric has one value in a result, in the unit of its bound."""

from __future__ import annotations

import pytest

from cannon.metrics import EXAMPLES, UNITS, Literal, Metric, Unit, bound_of, shown, value_of
from cannon.result import Result
from tests.results import a_failing_tally, a_result, a_tally, an_empty_tally, latencies_ns


def value(result: Result, metric: Metric, unit: Unit = Unit.MS) -> float | None:
    return value_of(result, metric, None, unit)


def test_a_percentile_of_the_file_is_that_of_the_file() -> None:
    result = a_result()
    assert value_of(result, Metric.PERCENTILE, 97.5, Unit.MS) == result.latency_ms.p97_5


@pytest.mark.parametrize("percentile", [50, 60, 98.7, 99.5])
def test_any_percentile_is_that_of_the_samples(percentile: float) -> None:
    durations_ns = latencies_ns(10_000)
    result = a_result(tally=a_tally(durations_ns))
    exact_ms = sorted(durations_ns)[int(percentile * 100) - 1] / 1e6
    found_ms = value_of(result, Metric.PERCENTILE, percentile, Unit.MS)
    assert found_ms is not None
    assert exact_ms <= found_ms <= exact_ms * 1.001 + 0.0001


def test_mean_and_max_are_those_of_the_latency() -> None:
    result = a_result()
    assert value(result, Metric.MEAN) == result.latency_ms.mean
    assert value(result, Metric.MAX) == result.latency_ms.max


def test_rps_is_what_succeeded_inside_the_window_a_second() -> None:
    # 960 of the 990 that ended in the ten seconds.
    assert value(a_result(tally=a_failing_tally()), Metric.RPS, Unit.PER_S) == pytest.approx(96)


def test_nothing_a_second_is_a_value_and_no_time_is_none() -> None:
    assert value(a_result(tally=an_empty_tally()), Metric.RPS, Unit.PER_S) == 0
    assert value(a_result(duration_ns=0), Metric.RPS, Unit.PER_S) is None


@pytest.mark.parametrize(
    ("metric", "count", "percent"),
    [
        # 8 failed, 3 did not match, 13 dials failed; of 1,000 sent and those dials.
        (Metric.ERRORS, 24, 100 * 24 / 1013),
        (Metric.TIMEOUTS, 6, 100 * 6 / 1013),
        # 20 and 7 of 990 responses.
        (Metric.NON2XX, 27, 100 * 27 / 990),
    ],
)
def test_what_went_wrong_is_a_count_or_a_share(metric: Metric, count: int, percent: float) -> None:
    result = a_result(tally=a_failing_tally())
    assert value(result, metric, Unit.COUNT) == count
    assert value(result, metric, Unit.PERCENT) == pytest.approx(percent)


def test_dials_that_failed_are_errors_where_nothing_could_be_sent() -> None:
    result = a_result(tally=an_empty_tally())
    assert value(result, Metric.ERRORS, Unit.COUNT) == 40
    assert value(result, Metric.ERRORS, Unit.PERCENT) == 100
    assert value(result, Metric.NON2XX, Unit.COUNT) is None


def test_bytes_are_those_of_a_response() -> None:
    assert value(a_result(), Metric.BYTES, Unit.BYTES) == 178


def test_cpu_is_that_of_a_request() -> None:
    result = a_result()
    assert value(result, Metric.CPU, Unit.US) == result.client.cpu_us_per_request


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_has_units_and_takes_its_example(metric: Metric) -> None:
    assert UNITS[metric]
    number_and_unit = EXAMPLES.get(metric, "p99 < 50ms").split()[-1]
    number = number_and_unit.rstrip("msukB%/")
    assert isinstance(bound_of(metric, number, number_and_unit[len(number) :]), Literal)


@pytest.mark.parametrize("metric", Metric)
def test_no_metric_takes_the_unit_of_another(metric: Metric) -> None:
    taken = {
        unit
        for unit in ("ms", "/s", "%")
        if bound_of(metric, "5", unit if metric is not Metric.BYTES else "")
    }
    assert len(taken) <= 1


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        (1.2345, Unit.MS, "1.23 ms"),
        (12.3, Unit.US, "12.3 \N{MICRO SIGN}s"),
        (2000, Unit.PER_S, "2k/s"),
        (0.1, Unit.PERCENT, "0.1 %"),
        (1234, Unit.BYTES, "1.2 kB"),
        (1234, Unit.COUNT, "1,234"),
    ],
)
def test_a_value_is_shown_in_its_unit(amount: float, unit: Unit, expected: str) -> None:
    assert shown(amount, unit) == expected
