"""Rates over time: how many are due by a moment, when a number is reached, and what a user may write."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.profile import MOST_PER_S, Constant, Profile, Ramp, Steps, parse_ramp, parse_steps
from tests.strategies import profiles

SECOND_NS = 1_000_000_000


def exactly_due(profile: Profile, at_ns: int) -> Fraction:
    """The area under the rate until then, in fractions: an oracle that shares nothing with what it judges."""
    at_s = Fraction(at_ns, SECOND_NS)
    if isinstance(profile, Constant):
        return Fraction(profile.per_s) * at_s
    if isinstance(profile, Ramp):
        over_s = Fraction(profile.over_ns, SECOND_NS)
        begin, end = Fraction(profile.from_per_s), Fraction(profile.to_per_s)
        on_ramp_s = min(at_s, over_s)
        now = begin + (end - begin) * on_ramp_s / over_s
        return (begin + now) / 2 * on_ramp_s + end * max(Fraction(0), at_s - over_s)
    each_s = Fraction(profile.each_ns, SECOND_NS)
    last = len(profile.per_s) - 1
    return sum(
        (
            Fraction(rate)
            * max(Fraction(0), at_s - place * each_s if place == last else min(each_s, at_s - place * each_s))
            for place, rate in enumerate(profile.per_s)
        ),
        Fraction(0),
    )


@given(profiles(), st.integers(0, 100 * SECOND_NS))
def test_what_is_due_by_a_moment_is_the_area_under_the_rate(profile: Profile, at_ns: int) -> None:
    assert profile.expected(at_ns) == pytest.approx(float(exactly_due(profile, at_ns)), rel=1e-12, abs=1e-9)


@given(profiles(), st.floats(0, 1))
def test_the_clock_of_a_stage_turns_its_count_back_into_a_time(profile: Profile, share: float) -> None:
    for stage in profile.stages:
        length_ns = min(stage.length_ns, 100 * SECOND_NS)
        at_ns = stage.begin_ns + int(share * length_ns)
        position = stage.position + stage.expected(at_ns)
        if not stage.position <= position < stage.end:
            continue
        found_ns = stage.clock()(position)
        slack_ns = 1 + 1e-9 * length_ns
        assert stage.begin_ns <= found_ns <= stage.begin_ns + length_ns + 1
        # Where the rate is next to nothing a time is not sharp, but the count at it is.
        assert abs(found_ns - at_ns) <= slack_ns or stage.expected(found_ns) == pytest.approx(
            stage.expected(at_ns), rel=1e-9, abs=1e-6
        )


@pytest.mark.parametrize(
    ("per_s", "position", "expected_ns"),
    [
        (1000, 10**9, 10**15),
        (1_000_000, 10**11, 10**14),
        (999_999, 999_999 * 86_400, 86_400 * SECOND_NS),
        (0.1, 3, 30 * SECOND_NS),
        (300, 3, 10_000_000),
        (3, 3_000_000_000, SECOND_NS * SECOND_NS),
    ],
)
def test_a_time_is_exact_however_long_a_run_is(per_s: float, position: int, expected_ns: int) -> None:
    (stage,) = Constant(per_s).stages
    assert stage.clock()(position) == expected_ns


def test_a_ramp_so_gentle_that_a_careless_root_would_lose_it_is_the_rate_it_begins_with() -> None:
    gentle, _ = Ramp(1000.0, 1000.0 + 1e-9, 3600 * SECOND_NS).stages
    assert gentle.clock()(1_000_000) == pytest.approx(1000 * SECOND_NS, abs=2)


def test_a_length_is_how_long_the_rate_changes() -> None:
    assert Constant(5).length_ns is None
    assert Ramp(0, 5, 30 * SECOND_NS).length_ns == 30 * SECOND_NS
    assert Steps((1, 2, 3), 10 * SECOND_NS).length_ns == 30 * SECOND_NS


def test_the_highest_rate_is_that_of_any_stage() -> None:
    assert Constant(5).highest_per_s == 5
    assert Ramp(9, 5, SECOND_NS).highest_per_s == 9
    assert Steps((1, 7, 3), SECOND_NS).highest_per_s == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0..500/s:30s", Ramp(0, 500, 30 * SECOND_NS)),
        ("100..2k/s:1m30s", Ramp(100, 2000, 90 * SECOND_NS)),
        ("1k/s..0/s:500ms", Ramp(1000, 0, SECOND_NS // 2)),
        ("0..500:30", Ramp(0, 500, 30 * SECOND_NS)),
        ("0.5...5:10s", Ramp(0.5, 0.5, 10 * SECOND_NS)),
        ("60..90/m:1h", Ramp(1, 1.5, 3600 * SECOND_NS)),
        ("60/m..60/s:1h", Ramp(1, 60, 3600 * SECOND_NS)),
        (" 0 .. 1M/s : 10s ", Ramp(0, 1_000_000, 10 * SECOND_NS)),
    ],
)
def test_a_ramp_is_read(text: str, expected: Ramp) -> None:
    assert parse_ramp(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100,200,400/s:10s", Steps((100, 200, 400), 10 * SECOND_NS)),
        ("1k,2k:1m", Steps((1000, 2000), 60 * SECOND_NS)),
        ("100:10s", Steps((100,), 10 * SECOND_NS)),
        ("100, 0, 100/s:10s", Steps((100, 0, 100), 10 * SECOND_NS)),
        ("60,120/m:10s", Steps((1, 2), 10 * SECOND_NS)),
    ],
)
def test_steps_are_read(text: str, expected: Steps) -> None:
    assert parse_steps(text) == expected


WRONG_TIMES = [
    ("{}", "has no ':' and a time at its end"),
    ("{}:", "has no ':' and a time at its end"),
    ("{}:0s", "takes no time at all"),
    ("{}:soon", "has a wrong time: 'soon' is no duration"),
    ("{}:-5s", "has a wrong time: '-5s' is negative"),
    ("{}:5x", "has a wrong time: '5x' is no duration"),
    ("{}:20000h", "has a wrong time: '20000h' is too large, the most is 10000h"),
]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text.format("0..500/s"), reason) for text, reason in WRONG_TIMES),
        ("500/s:30s", "has no '..' between two rates"),
        ("0-500/s:30s", "has no '..' between two rates"),
        ("..500/s:30s", "has a wrong rate: a rate is missing"),
        ("0..:30s", "has a wrong rate: a rate is missing"),
        ("0..fast:30s", "has a wrong rate: 'fast' is no rate"),
        ("0..-5/s:30s", "has a wrong rate: '-5/s' is negative"),
        ("0..500/d:30s", "has a wrong rate: '0/d' is no rate"),
        ("0..0/s:30s", "has no rate that is more than 0/s"),
        ("0..1000001/s:30s", "is more than the 1,000,000/s that cannon may fire in all"),
        ("0..2G/s:30s", "has a wrong rate: '2G/s' is too large, the most is 1G/s"),
        ("0..5\r\nX: y:30s", "has a wrong rate: '5\\r\\nX: y' is no rate"),
    ],
)
def test_a_wrong_ramp_is_one_line_that_shows_a_right_one(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_ramp(text)
    message = refused.value.message
    assert message.endswith("; write for example 0..500/s:30s")
    assert reason in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text.format("100,200/s"), reason) for text, reason in WRONG_TIMES),
        ("100,,200/s:10s", "has a wrong rate: a rate is missing"),
        (",:10s", "has a wrong rate: a rate is missing"),
        ("100;200/s:10s", "has a wrong rate: '100;200/s' is no rate"),
        ("0,0/s:10s", "has no rate that is more than 0/s"),
        ("0/s:10s", "must be more than 0/s"),
        ("100,1000001/s:10s", "is more than the 1,000,000/s that cannon may fire in all"),
        ("100,-1/s:10s", "has a wrong rate: '-1/s' is negative"),
        ("100,2\x1b[31m/s:10s", "is no rate"),
    ],
)
def test_wrong_steps_are_one_line_that_shows_right_ones(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_steps(text)
    message = refused.value.message
    assert message.endswith("; write for example 100,200,400/s:10s")
    assert reason in message
    assert message.isprintable()


def test_what_is_missing_is_called_by_its_name() -> None:
    with pytest.raises(UsageError, match=r"^a ramp is missing; write for example 0\.\.500/s:30s$"):
        parse_ramp(" ")
    with pytest.raises(
        UsageError, match=r"^a list of steps is missing; write for example 100,200,400/s:10s$"
    ):
        parse_steps("")


@given(st.text(max_size=30))
def test_whatever_is_written_is_read_or_refused_in_one_line(text: str) -> None:
    for parse in (parse_ramp, parse_steps):
        try:
            assert 0 < parse(text).highest_per_s <= MOST_PER_S
        except UsageError as refused:
            assert refused.message.isprintable()
            assert "for example" in refused.message


@pytest.mark.parametrize(
    ("rates", "over_ns"),
    [((0, 0), 1), ((-1, 5), 1), ((1, 1_000_001), 1), ((1, math.nan), 1), ((math.inf, 1), 1), ((1, 2), 0)],
)
def test_a_profile_that_cannot_be_fired_names_its_option(rates: tuple[float, float], over_ns: int) -> None:
    with pytest.raises(UsageError, match=r"^--ramp .*; e\.g\. --ramp 0\.\.500/s:30s$"):
        Ramp(*rates, over_ns)
    with pytest.raises(UsageError, match=r"^--steps .*; e\.g\. --steps 100,200,400/s:10s$"):
        Steps(rates, over_ns)


def test_steps_need_a_rate() -> None:
    with pytest.raises(UsageError, match="--steps has no rate"):
        Steps((), SECOND_NS)
