from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.cli.fire import fire
from cannon.cli.later import LATER_OPTIONS
from cannon.cli.messages import nearest, refuse_extra, usage_error
from cannon.cli.options import OPTIONS, WARMUP
from cannon.errors import UsageError
from cannon.text import clean

NAMES = {name for option in OPTIONS for name in option.names}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--latncy", "--latency"),
        ("--connection", "--connections"),
        ("--Duration", "--duration"),
        ("--expect-statuses", "--expect-status"),
        ("-A", "-a"),
        ("-q", None),
        ("--zzzzzzzz", None),
    ],
)
def test_a_slip_of_the_fingers_is_understood(word: str, meant: str | None) -> None:
    assert nearest(word, NAMES) == meant


def test_names_of_later_are_not_names_of_now() -> None:
    assert not NAMES & LATER_OPTIONS.keys()


@pytest.mark.parametrize("name", sorted(LATER_OPTIONS))
def test_an_option_of_later_is_told_by_its_names(name: str) -> None:
    message = usage_error(click.NoSuchOption(name), fire).message
    assert message == f"{LATER_OPTIONS[name]} is not in this version yet; cannon --help shows what is"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("-z", "there is no option -z; cannon's is -d/--duration, e.g. -d 10"),
        ("--rate", "there is no option --rate; cannon's is -R/--overallRate, e.g. -R 1000"),
        (
            "-q",
            (
                "there is no option -q; hey's, a rate of each connection, is -r here, and oha's, of all together, is"
                " -R; e.g. -R 1000"
            ),
        ),
        (
            "--latency-correction",
            "there is no option --latency-correction; under -R a latency always counts from when its request was due",
        ),
        ("--no-tui", "there is no option --no-tui; cannon's is -n/--no-progress"),
    ],
)
def test_an_option_of_another_tool_is_told_by_cannons_own(name: str, message: str) -> None:
    assert usage_error(click.NoSuchOption(name), fire).message == message


def test_where_cannons_own_is_no_option_either_it_is_not_told() -> None:
    for name in ("-q", "--rate"):
        assert "-R" not in usage_error(click.NoSuchOption(name), WARMUP).message


@given(st.text(max_size=300))
def test_whatever_click_says_is_one_line(text: str) -> None:
    for error in (click.UsageError(text), click.NoSuchOption(text), click.BadOptionUsage(text, text)):
        message = usage_error(error, fire).message
        assert clean(message, 1000) == message
        assert len(message) < 350


def test_a_word_too_many_is_named() -> None:
    refuse_extra([], "cannon serve --help")
    with pytest.raises(UsageError, match="'x' is one word too many; see cannon serve --help"):
        refuse_extra(["x", "y"], "cannon serve --help")
