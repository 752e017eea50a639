from __future__ import annotations

import pytest

from tests.cli.reading import read_comparison

A, B = "a=http://127.0.0.1:4000/", "b=http://127.0.0.1:4001/x?y=z"


def notes_of(*words: str) -> tuple[str, ...]:
    """What is said of these words before they are followed."""
    return read_comparison(*words).notes


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ()),
        ("-k", ("-k is not looked at: no URL is of https",)),
        ("--side [ a -k ]", ("side 'a': -k is not looked at: no URL is of https",)),
        (
            "--rounds 3",
            ("--rounds 3: an interval takes 6 rounds, so there will be none; give --rounds 6 or more",),
        ),
        (
            "--max-rounds 20",
            ("--max-rounds is not looked at: rounds are added for --precision alone; e.g. --precision 3%",),
        ),
        (
            "--seed 1 --order abba",
            ("--seed is not looked at: --order abba and even arrivals leave nothing to chance",),
        ),
        ("--seed 1", ()),
        ("--seed 1 --order abba --arrivals poisson", ()),
    ],
)
def test_what_is_odd_is_said_once(line: str, expected: tuple[str, ...]) -> None:
    assert notes_of(A, B, *line.split()) == expected


def test_an_option_that_one_side_looks_at_is_not_odd() -> None:
    assert notes_of(A, "c=https://127.0.0.1:4443/", "-k") == ()
