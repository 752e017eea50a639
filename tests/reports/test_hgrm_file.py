"""The distribution as HdrHistogram's plotter reads it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given

from cannon.durations import Durations
from cannon.errors import InvalidRun
from cannon.reports.hgrm_file import _lines, render
from cannon.result import Result
from cannon.tally import Histogram
from tests.results import a_result, a_tally, an_empty_tally
from tests.strategies import histograms

LADDER = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.775, 0.8, 0.825, 0.85, 0.875, 0.8875, 0.9)
"""Where every HdrHistogram has its first lines, at five to a half."""


def of(histogram: Histogram) -> Result:
    """A run with these latencies."""
    return msgspec.structs.replace(a_result(), latency_ms=Durations.of(histogram))


def lines_of(result: Result) -> list[list[float]]:
    """The figures of each line, as a reader splits them at spaces."""
    head, empty, *lines = render(result).decode().splitlines()
    assert head.split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert empty == ""
    return [[float(word) for word in line.split()] for line in lines if not line.startswith("#")]


def figures_of(histogram: Histogram) -> list[list[float]]:
    """The same of a histogram alone, which takes no time to pack."""
    return [[float(word) for word in line.split()] for line in _lines(histogram)]


def plotted(result: Result) -> Iterator[tuple[float, float]]:
    """What the plotter draws: of lines with four words the last and the first."""
    for line in render(result).decode().splitlines():
        words = line.split()
        if not line.startswith("#") and len(words) == 4 and words[0] != "Value":
            yield float(words[3]), float(words[0])


def test_the_lines_stand_where_every_other_program_has_them() -> None:
    assert [line[1] for line in lines_of(a_result())][: len(LADDER)] == [*LADDER]


def test_the_values_are_those_of_the_run() -> None:
    found = {line[1]: line[0] for line in lines_of(a_result())}
    latency = a_result().latency_ms
    assert found[0.5] == pytest.approx(latency.p50, abs=1e-6)
    assert found[0.75] == pytest.approx(latency.p75, abs=1e-6)
    assert found[0.9] == pytest.approx(latency.p90, abs=1e-6)
    assert found[1.0] == pytest.approx(latency.max, abs=1e-6)


def test_a_microsecond_more_is_seen() -> None:
    assert lines_of(of(Histogram.of(71_200)))[0][0] == pytest.approx(0.0712, abs=64e-6)
    assert lines_of(of(Histogram.of(72_200)))[0][0] == pytest.approx(0.0722, abs=64e-6)


def test_the_plotter_draws_all_lines_but_the_last() -> None:
    points = [*plotted(a_result())]
    assert len(points) == len(lines_of(a_result())) - 1
    assert points[0][0] == 1 and points[5][0] == 2
    assert points[5][1] == pytest.approx(a_result().latency_ms.p50, abs=1e-6)
    assert points == sorted(points)


def test_the_mean_and_the_rest_are_in_milliseconds() -> None:
    latency = a_result().latency_ms
    mean, most = render(a_result()).decode().splitlines()[-2:]
    assert mean.split() == [
        "#[Mean",
        "=",
        f"{latency.mean:.6f},",
        "StdDeviation",
        "=",
        f"{latency.stddev:.6f}]",
    ]
    assert most.split() == ["#[Max", "=", f"{latency.max:.6f},", "TotalCount", "=", f"{latency.count}]"]


def test_one_sample_is_a_line_and_the_end() -> None:
    first, last = lines_of(of(Histogram.of(1_000_000)))
    assert first[1:] == [0, 1, 1] and last[1:] == [1, 1]
    assert first[0] == last[0] == pytest.approx(1, rel=1e-3)


def test_without_a_sample_there_is_no_line() -> None:
    empty = a_result(tally=an_empty_tally())
    assert lines_of(empty) == []
    assert render(empty).decode().endswith("TotalCount     =            0]\n")


def test_percentiles_alone_are_no_distribution() -> None:
    latency = msgspec.structs.replace(a_result().latency_ms, histogram=None)
    with pytest.raises(InvalidRun, match="no histogram"):
        render(msgspec.structs.replace(a_result(), latency_ms=latency))


@given(histograms.filter(lambda each: bool(each.counts)))
def test_every_line_tells_how_many_samples_do_not_exceed_its_value(histogram: Histogram) -> None:
    lines = figures_of(histogram)
    for value_ms, percentile, seen, *_ in lines:
        at_most = sum(
            samples for upper_ns, samples in histogram.buckets_ns if upper_ns <= value_ms * 1e6 + 0.5
        )
        assert seen == at_most
        assert seen >= percentile * histogram.count * (1 - 1e-9)
    assert lines[-1][2] == histogram.count
    assert lines == sorted(lines, key=lambda line: line[:3])


@given(histograms.filter(lambda each: bool(each.counts)))
def test_a_value_is_the_percentile_of_its_line(histogram: Histogram) -> None:
    for value_ms, percentile, *_ in figures_of(histogram)[1:30]:
        found_ns = histogram.percentile_ns(100 * percentile)
        assert found_ns is not None and value_ms == pytest.approx(found_ns / 1e6, abs=1e-6)


def test_what_a_tally_counted_comes_out_whole() -> None:
    result = a_result(tally=a_tally([1_000_000] * 5 + [9_000_000] * 5))
    assert [line[:3] for line in lines_of(result)][4:7] == [
        [pytest.approx(1, rel=1e-3), 0.4, 5],
        [pytest.approx(1, rel=1e-3), 0.5, 5],
        [pytest.approx(9, rel=1e-3), 0.55, 10],
    ]
