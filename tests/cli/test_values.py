from __future__ import annotations

import contextlib
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.cli import values
from cannon.cli.options import OPTIONS
from cannon.errors import UsageError


@pytest.mark.parametrize(
    ("given_text", "duration_ns"),
    [("1000", 1_000_000_000), ("250", 250_000_000), ("1s", 1_000_000_000), ("100ms", 100_000_000)],
)
def test_a_bare_sample_interval_is_milliseconds(given_text: str, duration_ns: int) -> None:
    assert values.sample_ns(given_text) == duration_ns


def test_a_bare_duration_is_seconds() -> None:
    assert values.duration_ns("2") == 2_000_000_000


def test_each_status_counts_once() -> None:
    assert values.statuses("200, 404,200") == (200, 404)


@pytest.mark.parametrize("given_text", ["get", "Post", "delete"])
def test_a_method_in_small_letters_is_refused(given_text: str) -> None:
    with pytest.raises(values.WrongValue):
        values.method(given_text)


def test_a_method_that_is_not_of_http_is_taken_as_it_is() -> None:
    assert values.method("purge") == "purge"


def test_every_option_that_takes_a_value_shows_one_and_an_example() -> None:
    for option in OPTIONS:
        assert bool(option.example) == bool(option.metavar) == (option.read is not None), option.label


def test_every_example_is_right() -> None:
    for option in OPTIONS:
        if option.read is not None:
            name, _, value = option.example.partition(" ")
            assert name in option.names
            option.read(value.strip("'"))


def test_a_rate_is_exact() -> None:
    assert values.rate("90/m") == Fraction(3, 2)


@pytest.mark.parametrize("given_text", ["0", "0/s", "0.0", ".0k/m"])
def test_a_rate_of_nothing_is_refused(given_text: str) -> None:
    with pytest.raises(values.WrongValue, match="would never send anything"):
        values.rate(given_text)


def test_a_reconnect_rate_of_0_means_never() -> None:
    assert values.count_or_none("0") == 0
    with pytest.raises(UsageError):
        values.count("0")


def test_a_seed_has_32_bits() -> None:
    assert values.seed("4294967295") == 2**32 - 1
    for wrong in ("4294967296", "-1", "1.5", "x", ""):
        with pytest.raises(values.WrongValue):
            values.seed(wrong)


def test_a_script_is_no_name_of_a_host() -> None:
    assert values.host_name("lua.example") == "lua.example"
    with pytest.raises(values.WrongValue, match="is a script"):
        values.host_name("script.lua")


@pytest.mark.parametrize("end", ["\r", "\n", "\0"])
@pytest.mark.parametrize("read", [values.line, values.socket_path, values.address])
def test_what_is_one_line_has_no_end_of_one(read: Callable[[str], object], end: str) -> None:
    with pytest.raises(values.WrongValue, match="CR, LF or NUL"):
        read(f"a{end}b")


def test_a_wrong_value_says_what_other_tools_mean_by_the_name() -> None:
    option = values.Option(
        ("-t", "--time"),
        "time",
        values.duration_ns,
        "",
        section="",
        example="-t 1",
        elsewhere="that is -w here",
    )
    with pytest.raises(UsageError) as raised:
        option._read("x")
    assert raised.value.message.startswith("-t/--time: 'x' is no duration; ")
    assert raised.value.message.endswith(" (that is -w here)")


@pytest.mark.parametrize("given", ["abc", "-1", "", "10x"])
def test_a_wrong_sample_interval_is_told_in_milliseconds(given: str) -> None:
    (interval,) = [option for option in OPTIONS if option.name == "sample_ns"]
    with pytest.raises(UsageError, match=r"\A-L/--sampleInt: .*milliseconds\); e\.g\. -L 1000 \("):
        interval._read(given)


def test_a_message_that_names_its_option_names_it_once() -> None:
    (proxy,) = [option for option in OPTIONS if option.name == "proxy"]
    with pytest.raises(UsageError, match=r"\A--proxy '"):
        proxy._read("ftp://h")


@pytest.mark.parametrize(
    "read",
    [option.read for option in OPTIONS if option.read is not None] + [values.port],
)
@given(given_text=st.text(max_size=20))
def test_whatever_is_written_a_value_is_read_or_bad_usage(read: object, given_text: str) -> None:
    assert callable(read)
    with contextlib.suppress(UsageError, values.WrongValue):
        read(given_text)
