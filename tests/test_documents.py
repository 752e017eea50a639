"""JSON from a user: what is wrong with it is said in one line, with its place."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.documents import convert, parse_document, read_document
from cannon.errors import UsageError

WHERE = "--har: 'x.har'"

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=9,
)


class _Inner(msgspec.Struct, forbid_unknown_fields=True):
    url: str


class _Outer(msgspec.Struct):
    entries: list[_Inner]


def _refusal_of(text: str) -> str:
    with pytest.raises(UsageError) as raised:
        parse_document(text, WHERE)
    assert raised.value.message.isprintable()
    return raised.value.message


@given(_JSON)
def test_what_is_json_is_read_as_it_is(document: object) -> None:
    assert parse_document(json.dumps(document), WHERE) == document


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON: Expecting value (line 1, column 1)"),
        ('{"a": 1,\n  }', "is no JSON: Expecting property name enclosed in double quotes (line 2, column 3)"),
        ("{} {}", "is no JSON: Extra data (line 1, column 4)"),
        ('["a\nb"]', "is no JSON: Invalid control character at (line 1, column 4)"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"a":' * 100_000, "is nested too deeply"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, said: str) -> None:
    assert _refusal_of(text) == f"{WHERE} {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NaN", ": NaN is no number of JSON"),
        ("[1, NaN]", ": [1]: NaN is no number of JSON"),
        ('{"a": [{"b": -Infinity, "c": NaN}]}', ": a[0].b: -Infinity is no number of JSON"),
        ('{"a": 1e308, "b": 1e999}', ": b: 1e999 is beyond all numbers"),
        ('{"a": -1e400}', ": a: -1e400 is beyond all numbers"),
    ],
)
def test_a_number_that_is_none_is_told_by_its_dotted_key(text: str, said: str) -> None:
    assert _refusal_of(text) == WHERE + said


def test_of_a_long_way_the_end_is_told() -> None:
    text = '{"a":' * 40 + "NaN" + "}" * 40
    assert _refusal_of(text) == f"{WHERE}: ...{'.a' * 12}: NaN is no number of JSON"


def test_a_way_of_long_names_to_many_values_takes_no_memory() -> None:
    deep = f'{{"{"x" * 10_000}":' * 200 + f"[{'0,' * 50_000}NaN]" + "}" * 200
    tracemalloc.start()
    assert _refusal_of(deep).endswith("[50000]: NaN is no number of JSON")
    assert tracemalloc.get_traced_memory()[1] < 40 * len(deep)
    tracemalloc.stop()


def test_no_more_values_are_made_than_there_may_be() -> None:
    assert parse_document("[1, [2], {}]", WHERE, 5) == [1, [2], {}]
    with pytest.raises(UsageError, match="holds more than 4 values, and that is more than it may"):
        parse_document("[1, [2], {}]", WHERE, 4)


def test_a_number_too_long_to_be_read_is_refused() -> None:
    assert _refusal_of("1" * 5000).startswith(f"{WHERE} is no JSON that can be read: Exceeds the limit")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"a": {"b": [{}, {"c": 1, "d": 2, "c": 3}]}}', "a.b[1].c"),
        ('[[{"x": {"\\u001b": 1, "\\u001b": 2}}]]', "[0][0].x.\\x1b"),
    ],
)
def test_a_key_that_stands_twice_is_refused_where_it_stands(text: str, key: str) -> None:
    assert _refusal_of(text) == f"{WHERE}: {key} stands there twice"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, ": log.entries is missing"),
        ({"entries": 3}, ": log.entries: expected array, got int"),
        ({"entries": [{"url": "a"}, {}]}, ": log.entries[1].url is missing"),
        ({"entries": [{"url": None}]}, ": log.entries[0].url: expected str, got null"),
        ({"entries": [{"url": "a", "more": 1}]}, ": log.entries[0].more is not known"),
        ([], ": log: expected object, got array"),
    ],
)
def test_what_is_not_as_it_should_be_is_told_by_its_dotted_key(document: object, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        convert(document, _Outer, WHERE, "log")
    assert raised.value.message == WHERE + said


def test_a_document_that_is_right_becomes_its_type() -> None:
    assert convert({"entries": [{"url": "a"}]}, _Outer, WHERE) == _Outer([_Inner("a")])


def test_a_whole_document_of_another_kind_has_no_key() -> None:
    with pytest.raises(UsageError, match=r"\A--har: 'x.har': expected object, got int\Z"):
        convert(3, _Outer, WHERE)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_document(str(tmp_path / "a"), WHERE, 99) == [1]


def test_a_file_may_be_as_large_as_its_bound_and_no_larger(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f'"{"x" * (2**20 - 2)}"')
    assert len(str(read_document(str(tmp_path / "a"), WHERE, 2**20))) == 2**20 - 2
    with pytest.raises(UsageError, match="is larger than it may be, 0 MiB"):
        read_document(str(tmp_path / "a"), WHERE, 2**20 - 1)


def test_an_endless_file_is_read_no_further_than_the_bound() -> None:
    with pytest.raises(UsageError, match="is larger than it may be, 1 MiB"):
        read_document("/dev/zero", WHERE, 2**20)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none", "cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
        ("a\0b", "cannot be read: it is no name of a file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_document(f"{tmp_path}/{path}", WHERE, 99)
    assert raised.value.message == f"{WHERE} {said}"


def test_a_file_that_is_not_utf_8_is_told_with_the_byte(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'["a\xff"]')
    with pytest.raises(UsageError, match="is no JSON: byte 3 is not UTF-8"):
        read_document(str(tmp_path / "a"), WHERE, 99)
