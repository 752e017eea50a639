"""What a comparison could have seen at all: half of an interval, on the scale of ratios."""

from __future__ import annotations

import pytest

from cannon.rounds import Pass
from cannon.rows import noise_of, rows_of
from tests.comparisons import SIDE, a_comparison_plan, a_row, some_rounds

PLAN = a_comparison_plan()


@pytest.mark.parametrize(
    ("change_pct", "resolvable_pct"), [((0.0, -5.0, 5.263157894736), 5.2631578), ((38.0, 36.0, 41.0), 1.8217)]
)
def test_noise_is_how_far_the_interval_would_reach_about_no_change(
    change_pct: tuple[float, ...], resolvable_pct: float
) -> None:
    (found,) = noise_of([a_row("p99", change_pct=change_pct)])
    assert (found.of, found.metric, found.side) == ("latency", "p99", SIDE)
    assert found.resolvable_pct == pytest.approx(resolvable_pct, rel=1e-4)


def test_noise_is_told_of_throughput_and_latency_where_they_have_an_interval() -> None:
    rounds = [*some_rounds(Pass.CAPACITY, 10), *some_rounds(Pass.LATENCY, 10)]
    assert [(found.of, found.metric) for found in noise_of(rows_of(PLAN, rounds))] == [
        ("capacity", "rps"),
        ("latency", "p50"),
        ("latency", "p90"),
        ("latency", "p99"),
        ("latency", "mean"),
    ]
    assert noise_of(rows_of(PLAN, some_rounds(Pass.LATENCY, 5))) == []
