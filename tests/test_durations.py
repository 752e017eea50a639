"""A distribution in a file: percentiles in ms, None where there is nothing."""

from __future__ import annotations

import pytest

from cannon.durations import PERCENTILES, Durations, OwnDelay
from cannon.tally import Histogram


def test_percentiles_are_those_of_the_histogram_in_ms() -> None:
    durations = Durations.of(Histogram.of(*range(1_000_000, 101_000_000, 1_000_000)))
    assert durations.p50 == pytest.approx(50, rel=2e-3)
    assert durations.p99 == pytest.approx(99, rel=2e-3)
    assert durations.mean == pytest.approx(50.5, rel=2e-3)
    assert durations.max == pytest.approx(100, rel=2e-3)
    assert durations.count == 100
    figures = [getattr(durations, name) for name in PERCENTILES]
    assert figures == sorted(figures)


def test_of_nothing_nothing_is_told() -> None:
    durations = Durations.of(Histogram())
    assert {
        getattr(durations, name) for name in (*PERCENTILES, "mean", "min", "max", "stddev", "histogram")
    } == {None}
    assert durations.count == 0
    assert OwnDelay.of(Histogram()) == OwnDelay(None, None, None)
