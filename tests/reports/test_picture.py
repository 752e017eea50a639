"""A distribution in characters: as wide as allowed, no sample invisible."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cannon.reports.picture import ASCII, BLOCKS, draw
from cannon.tally import Histogram

DURATIONS = st.lists(st.integers(min_value=0, max_value=60_000_000_000), min_size=1, max_size=200)


def test_two_humps_are_drawn_with_a_valley_between_and_round_labels_below() -> None:
    durations = [1_000_000] * 60 + [1_300_000] * 30 + [9_000_000] * 30 + [100_000_000]
    assert draw(Histogram.of(*durations), 40, BLOCKS) == [
        "█",
        "█",
        "█ ▄                ▄",
        "█ █                █",
        "█ █                █                   ▁",
        "┴────────────┴─────┴──────┴────────────┴",
        "1.00 ms      5 ms  10 ms  20 ms   100 ms",
    ]


@given(DURATIONS, st.integers(min_value=2, max_value=120))
def test_no_line_is_wider_than_allowed(durations: list[int], columns: int) -> None:
    lines = draw(Histogram.of(*durations), columns, BLOCKS)
    assert all(len(line) <= columns for line in lines)


@given(DURATIONS)
def test_ascii_ink_draws_in_ascii_but_for_the_unit(durations: list[int]) -> None:
    lines = draw(Histogram.of(*durations), 60, ASCII)
    assert "".join(lines).replace("µ", "").isascii()


@given(DURATIONS)
def test_both_ends_stand_on_the_ground(durations: list[int]) -> None:
    lines = draw(Histogram.of(*durations), 60, BLOCKS)
    if lines:
        ground, axis = lines[-3], lines[-2]
        assert ground[0] != " "
        assert len(ground) == len(axis)


def test_one_sample_in_a_million_is_seen() -> None:
    histogram = Histogram({10_000: 1_000_000, 1_000_000: 1})
    assert draw(histogram, 60, BLOCKS)[-3].endswith("▁")


def test_few_samples_make_no_picture() -> None:
    assert draw(Histogram.of(*range(1_000_000, 20_000_000, 1_000_000)), 60, BLOCKS) == []
    assert draw(Histogram(), 60, BLOCKS) == []


def test_nearly_one_value_makes_no_picture() -> None:
    assert draw(Histogram.of(*[5_000_000] * 100), 60, BLOCKS) == []
    assert draw(Histogram.of(*range(5_000_000, 5_100_000, 1_000)), 60, BLOCKS) == []
