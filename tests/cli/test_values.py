from __future__ import annotations

import contextlib

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


@pytest.mark.parametrize(
    "read",
    [option.read for option in OPTIONS if option.read is not None] + [values.port],
)
@given(given_text=st.text(max_size=20))
def test_whatever_is_written_a_value_is_read_or_bad_usage(read: object, given_text: str) -> None:
    assert callable(read)
    with contextlib.suppress(UsageError, values.WrongValue):
        read(given_text)
