"""What a row says in words: for each metric and each verdict."""

from __future__ import annotations

import pytest

from cannon.reports.verdicts import label, verdict
from cannon.rows import Row, Verdict
from tests.comparisons import TOTALS, a_row

LESS: tuple[float, ...] = (-20.0, -30.0, -10.0)
MORE: tuple[float, ...] = (20.0, 10.0, 30.0)


def said(row: Row) -> str:
    return verdict(row, 5.0)[0]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("p50", "p50"), ("p99_9", "p99.9"), ("rps", "capacity"), ("cpu", "cannon"), ("cpu@nginx", "nginx")],
)
def test_a_metric_has_a_name(metric: str, expected: str) -> None:
    assert label(metric) == expected


@pytest.mark.parametrize(
    ("metric", "higher", "lower"),
    [
        ("p50", "slower", "faster"),
        ("mean", "slower", "faster"),
        ("rps", "more capacity", "less capacity"),
        ("cpu", "more CPU", "less CPU"),
        ("cpu@nginx", "more CPU", "less CPU"),
        ("bytes", "more bytes", "fewer bytes"),
        ("errors", "more errors", "fewer errors"),
    ],
)
def test_what_higher_and_lower_mean_depends_on_the_metric(metric: str, higher: str, lower: str) -> None:
    up = a_row(metric, added=MORE, change_pct=MORE, verdict=Verdict.HIGHER)
    down = a_row(metric, added=LESS, change_pct=LESS, verdict=Verdict.LOWER)
    assert said(up) == f"{higher}, by more than 5 %"
    assert said(down) == f"{lower}, by more than 5 %"


def test_a_difference_that_was_not_seen_is_not_called_none() -> None:
    assert said(a_row(verdict=Verdict.EQUIVALENT)) == "no difference larger than 5 %"
    assert verdict(a_row(verdict=Verdict.EQUIVALENT), 2.5)[0] == "no difference larger than 2.5 %"


@pytest.mark.parametrize(("change", "expected"), [(MORE, "slower"), (LESS, "faster")])
def test_an_uncertain_size_has_its_direction_and_says_so_once(
    change: tuple[float, ...], expected: str
) -> None:
    row = a_row(added=change, change_pct=change, verdict=Verdict.UNCERTAIN, reason="higher, size uncertain")
    assert said(row) == f"{expected}, size uncertain"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("cannot tell: would need about 40 rounds", "cannot tell: would need about 40 rounds"),
        (
            "cannon was the limit for direct; try -w 2",
            "cannot tell: cannon was the limit for direct; try -w 2",
        ),
        ("", "cannot tell"),
    ],
)
def test_what_cannot_be_told_says_what_it_would_take(reason: str, expected: str) -> None:
    assert said(a_row(verdict=Verdict.INCONCLUSIVE, reason=reason)) == expected


def test_where_there_is_no_ratio_the_reason_stands_alone() -> None:
    reason = "no change in percent: direct was 0 in 10 of 10 slots"
    assert said(a_row(change_pct=None, verdict=Verdict.INCONCLUSIVE, reason=reason)) == reason


def test_totals_do_not_repeat_what_their_heading_says() -> None:
    assert said(a_row("bytes", reason=TOTALS)) == "more bytes, by more than 5 %"
    reason = f"higher: 12 of 3,000 against 0 of 3,000; {TOTALS}"
    row = a_row("errors", added=(0.4,), change_pct=None, verdict=Verdict.UNCERTAIN, reason=reason)
    assert said(row) == "more errors: 12 of 3,000 against 0 of 3,000"


def test_worse_is_red_and_better_is_green() -> None:
    assert verdict(a_row(), 5.0)[1] == "red"
    assert verdict(a_row("rps"), 5.0)[1] == "green"
    assert verdict(a_row("rps", change_pct=LESS, verdict=Verdict.LOWER), 5.0)[1] == "red"
    assert verdict(a_row(verdict=Verdict.EQUIVALENT), 5.0)[1] == ""


def test_a_reason_moves_no_terminal() -> None:
    row = a_row(verdict=Verdict.INCONCLUSIVE, reason="\x1b[31m")
    assert said(row) == "cannot tell: \\x1b[31m"
