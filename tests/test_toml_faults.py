"""What is wrong with a TOML file is told with the dotted key, which tomllib and msgspec do not."""

from __future__ import annotations

import tomllib
from enum import StrEnum

import msgspec
import pytest

from cannon.toml_faults import of_syntax, of_type


class Taste(StrEnum):
    """Words that a key takes."""

    SWEET = "sweet"
    SOUR = "sour"


class Crate(msgspec.Struct, forbid_unknown_fields=True):
    """A table in an array."""

    number: int
    tastes: list[Taste] = []
    labels: dict[str, str] = {}


class Shop(msgspec.Struct, forbid_unknown_fields=True):
    """What the file holds."""

    crate: list[Crate]


def syntax_of(text: str) -> str:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    return of_syntax(error.value, text)


def type_of(table: object) -> str:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(table, Shop)
    return of_type(error.value, {"crate[0].tastes": tuple(Taste)})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a = 1\na = 2", "a"),
        ("a = 1\na = 2\nb = 3\n", "a"),
        ("[t]\na = 1\n  a = 2  # again\n", "t.a"),
        ("[t]\na = 1\n'a' = 2\n", "t.'a'"),
        ("[[t]]\na = 1\n[[t]]\na = 1\na = 2\nb = 1\n", "t[1].a"),
        ("[[t]]\na = 1\n[u]\n[[t]]\na = 1\n[[t]]\na = 1\na = [\n  1,\n]\nb = 1\n", "t[2].a"),
        ("[t]\na = 1\n[t]\nb = 1\n", "t"),
        ("[[t]]\na = 1\n[t]\nb = 1\n", "t"),
        ("t = [1]\n[[t]]\n", "t[0]"),
        ("a.b = 1\na = 2\nc = 3\n", "a"),
    ],
)
def test_a_key_that_is_given_twice_is_named(text: str, key: str) -> None:
    assert syntax_of(text) == f"{key}: the key is given twice"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("t = { a = 1, a = 2 }", "t"),
        ("t = [\n  { b = 1 },\n  { a = 1, a = 2 },\n]\n", "t"),
        ("[u]\nt = { a = 1, a = 2 }\n", "u.t"),
    ],
)
def test_so_is_one_of_a_table_on_one_line(text: str, key: str) -> None:
    assert syntax_of(text) == f"{key}: the key 'a' is given twice"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = ", "it is no TOML: Invalid value (at end of document)"),
        ("a\n", "it is no TOML: Expected '=' after a key in a key/value pair (at line 1, column 2)"),
        ("\x1b[31m = 1", "it is no TOML: Invalid statement (at line 1, column 1)"),
    ],
)
def test_whatever_else_is_told_as_it_was_found(text: str, told: str) -> None:
    assert syntax_of(text) == told


def test_a_long_line_costs_no_time() -> None:
    assert syntax_of(f"{' ' * 200_000}a = 1\na = 2").endswith(": the key is given twice")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "the key 'crate' is missing"),
        ({"crate": [{}]}, "the key 'crate[0].number' is missing"),
        ({"crate": [], "box": 1}, "there is no key 'box' in a scenario"),
        (
            {"crate": [{"number": 1}, {"number": 1, "size": 1}]},
            "there is no key 'crate[1].size' in a scenario",
        ),
        ({"crate": [], "\x1b[31m": 1}, r"there is no key '\x1b[31m' in a scenario"),
        ({"crate": [{"number": "1"}]}, "crate[0].number: expected int, got str"),
        ({"crate": {}}, "crate: expected array, got object"),
        ({"crate": [{"number": 1, "labels": {"a": 1}}]}, "crate[0].labels[...]: expected str, got int"),
        ({"crate": [{"number": 1, "tastes": ["hot"]}]}, "crate[0].tastes[0]: 'hot' is none of sweet, sour"),
    ],
)
def test_what_is_not_as_it_should_be_is_told_with_its_key(table: object, told: str) -> None:
    assert type_of(table) == told
