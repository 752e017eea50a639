"""Quantities: what is read exactly, what is refused in one line, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.units import (
    format_bytes,
    format_count,
    format_duration,
    format_rate,
    format_seconds,
    parse_count,
    parse_duration,
    parse_percent,
    parse_rate,
    parse_size,
)

PARSERS: tuple[Callable[[str], object], ...] = (
    parse_duration,
    parse_percent,
    parse_rate,
    parse_size,
    parse_count,
)
HALF_OF_THE_THIRD_DIGIT = 0.005


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("10", 10_000_000_000),
        ("0", 0),
        ("10s", 10_000_000_000),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1m30s", 90_000_000_000),
        ("1h", 3_600_000_000_000),
        ("1h2m3s4ms5us6ns", 3_723_004_005_006),
        ("500ms", 500_000_000),
        ("250us", 250_000),
        ("250\N{MICRO SIGN}s", 250_000),
        ("250\N{GREEK SMALL LETTER MU}s", 250_000),
        (" 1.24 ms ", 1_240_000),
        ("0.1s", 100_000_000),
        ("10000h", 36_000_000_000_000_000),
    ],
)
def test_a_duration_is_read_as_exact_nanoseconds(text: str, expected_ns: int) -> None:
    assert parse_duration(text) == expected_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100", Fraction(100)),
        ("500/s", Fraction(500)),
        ("2k/s", Fraction(2000)),
        ("2k", Fraction(2000)),
        ("0.1", Fraction(1, 10)),
        ("1M / s", Fraction(1_000_000)),
        ("100/m", Fraction(5, 3)),
        ("1/h", Fraction(1, 3600)),
        ("0/s", Fraction(0)),
    ],
)
def test_a_rate_is_read_as_an_exact_fraction_per_second(text: str, expected: Fraction) -> None:
    assert parse_rate(text) == expected


@pytest.mark.parametrize(
    ("text", "expected_bytes"),
    [
        ("512", 512),
        ("512B", 512),
        ("10kB", 10_000),
        ("1.5kB", 1500),
        ("64KiB", 65_536),
        ("1MB", 1_000_000),
        ("2 GiB", 2_147_483_648),
    ],
)
def test_a_size_is_read_as_bytes(text: str, expected_bytes: int) -> None:
    assert parse_size(text) == expected_bytes


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("10", 10), ("2k", 2000), ("1.2M", 1_200_000)])
def test_a_count_is_read_as_a_whole_number(text: str, expected: int) -> None:
    assert parse_count(text) == expected


def test_a_count_may_be_zero_only_where_that_is_said() -> None:
    assert parse_count("0", least=0) == 0
    with pytest.raises(UsageError, match="too small, the least is 1"):
        parse_count("0")


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "-1",
        "-1s",
        "+1",
        "nan",
        "inf",
        "1e5",
        "0x10",
        "1_000",
        "\u0661",
        "1..2",
        "1,5",
        "9" * 30,
        "9" * 5000,
    ],
)
def test_what_is_no_quantity_is_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(
    ("parse", "text", "reason"),
    [
        (parse_duration, "30s1m", "out of order"),
        (parse_duration, "1s1s", "out of order"),
        (parse_duration, "1m30", "is no duration"),
        (parse_duration, "10S", "is no duration"),
        (parse_duration, "0.1ns", "less than 1 ns"),
        (parse_duration, "10001h", "too large, the most is 10000h"),
        (parse_duration, "-5s", "is negative"),
        (parse_rate, "5/x", "is no rate"),
        (parse_rate, "5/", "is no rate"),
        (parse_rate, "2G/s", "too large"),
        (parse_percent, "5", "is no percentage"),
        (parse_percent, "%", "is no percentage"),
        (parse_percent, "-5%", "is negative"),
        (parse_percent, "1001%", "too large, the most is 1000%"),
        (parse_size, "1.5B", "not a whole number"),
        (parse_size, "1kb", "is no size"),
        (parse_count, "1.5", "not a whole number"),
        (parse_count, "1s", "is no count"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_shows_right_values(
    parse: Callable[[str], object], text: str, reason: str
) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert reason in refused.value.message
    assert "write for example" in refused.value.message


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.text() | st.text("0123456789.hmsun/kMGiB -\u00b5", max_size=60))
def test_any_text_is_read_or_refused_in_one_printable_line(parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except UsageError as refused:
        assert refused.message.isprintable()
        assert len(refused.message) < 200


@pytest.mark.parametrize(
    ("duration_ns", "expected"),
    [
        (0, "0 ms"),
        (0.5, "0.5 ns"),
        (1, "1.00 ns"),
        (850, "850 ns"),
        (999.6, "1.00 \u00b5s"),
        (230_400, "230 \u00b5s"),
        (999_499, "999 \u00b5s"),
        (999_500, "1.00 ms"),
        (1_240_000, "1.24 ms"),
        (9_994_999, "9.99 ms"),
        (9_996_000, "10.0 ms"),
        (12_300_000, "12.3 ms"),
        (2_050_000_000, "2.05 s"),
        (90_000_000_000, "90.0 s"),
        (3_600_000_000_000, "3600 s"),
        (-230_000, "-230 \u00b5s"),
    ],
)
def test_a_duration_shows_three_digits(duration_ns: float, expected: str) -> None:
    assert format_duration(duration_ns) == expected


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234, "1.2 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (214_000_000, "214 MB"),
        (12.5, "12.5 B"),
    ],
)
def test_bytes_show_decimal_units(size_bytes: float, expected: str) -> None:
    assert format_bytes(size_bytes) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5%", Fraction(1, 20)),
        ("0.5 %", Fraction(1, 200)),
        (".1%", Fraction(1, 1000)),
        ("0%", Fraction(0)),
        ("1000%", 10),
    ],
)
def test_a_percentage_is_read_as_an_exact_share(text: str, expected: Fraction) -> None:
    assert parse_percent(text) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0"), (950, "950"), (1000, "1.0k"), (251_000, "251k"), (1_200_000, "1.2M")]
)
def test_a_count_is_short(count: int, expected: str) -> None:
    assert format_count(count) == expected


@pytest.mark.parametrize(
    ("per_s", "expected"),
    [
        (0, "0/s"),
        (100, "100/s"),
        (2000, "2k/s"),
        (2345, "2.35k/s"),
        (156_234, "156k/s"),
        (0.5, "0.5/s"),
        (Fraction(1, 3), "0.333/s"),
        (999.9, "1k/s"),
    ],
)
def test_a_rate_shows_three_digits_without_idle_zeros(per_s: float | Fraction, expected: str) -> None:
    assert format_rate(per_s) == expected


@pytest.mark.parametrize(
    ("duration_ns", "expected"), [(60_000_000_000, "60.00 s"), (1_234_000_000, "1.23 s"), (0, "0.00 s")]
)
def test_a_run_shows_seconds_with_two_decimals(duration_ns: int, expected: str) -> None:
    assert format_seconds(duration_ns) == expected


@given(st.integers(1, 10_000 * 3_600 * 10**9))
def test_a_shown_duration_reads_as_what_it_was_within_its_digits(duration_ns: int) -> None:
    assert parse_duration(format_duration(duration_ns)) == pytest.approx(
        duration_ns, rel=HALF_OF_THE_THIRD_DIGIT
    )


@given(st.integers(0, 10**15).map(lambda size: size // 1000 * 1000))
def test_a_shown_size_reads_as_what_it_was_within_its_digits(size_bytes: int) -> None:
    assert parse_size(format_bytes(size_bytes)) == pytest.approx(size_bytes, rel=0.05)


@given(st.integers(1, 10**12))
def test_a_shown_count_reads_as_what_it_was_within_its_digits(count: int) -> None:
    assert parse_count(format_count(count)) == pytest.approx(count, rel=0.05)


@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**9))
def test_a_shown_rate_reads_as_what_it_was_within_its_digits(per_s: Fraction) -> None:
    assert float(parse_rate(format_rate(per_s))) == pytest.approx(float(per_s), rel=HALF_OF_THE_THIRD_DIGIT)


@given(st.floats(1e-3, 1e16))
def test_a_duration_that_is_not_zero_never_shows_as_zero(duration_ns: float) -> None:
    assert any(digit in format_duration(duration_ns) for digit in "123456789")
