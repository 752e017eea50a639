"""Placeholders: whatever is no placeholder stays what it is, and a value is put in as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.placeholders import filled, names_in

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,3}(\.[a-z0-9_]{1,3}){0,2}", fullmatch=True)
PLAIN = st.text().map(lambda text: text.replace("{", "").replace("}", ""))
"""Text in which nothing begins or ends."""


@given(st.text().filter(lambda text: not list(names_in(text))))
def test_a_text_without_placeholders_stays_what_it_is(text: str) -> None:
    assert filled(text, {}, "here") == text


@given(st.lists(st.tuples(PLAIN, NAMES)), PLAIN, st.dictionaries(NAMES, st.text()))
def test_each_becomes_its_value_whatever_that_holds(
    parts: list[tuple[str, str]], rest: str, values: dict[str, str]
) -> None:
    values = {name: f"{{{name}}}" for _, name in parts} | values
    text = "".join(f"{plain}{{{name}}}" for plain, name in parts) + rest
    assert filled(text, values, "here") == "".join(f"{plain}{values[name]}" for plain, name in parts) + rest


@given(st.lists(st.tuples(PLAIN, NAMES)), PLAIN)
def test_all_names_are_found_in_their_order(parts: list[tuple[str, str]], rest: str) -> None:
    text = "".join(f"{plain}{{{name}}}" for plain, name in parts) + rest
    assert list(names_in(text)) == [name for _, name in parts]


@given(NAMES, st.dictionaries(NAMES, st.text()))
def test_one_that_nothing_fills_is_refused_with_those_there_are(name: str, values: dict[str, str]) -> None:
    values.pop(name, None)
    with pytest.raises(UsageError) as refusal:
        filled(f"a {{{name}}}", values, "web.cfg")
    known = ", ".join(f"{{{each}}}" for each in sorted(values))
    assert refusal.value.message == (f"web.cfg: nothing fills the placeholder {{{name}}}; there are {known}")


@pytest.mark.parametrize(
    "text",
    [
        "server { listen 80; }",
        '{"a": 1, "b": {}}',
        "events {}",
        "%{+Q}o %[src] ${HOME} {$HOME}",
        "map { default\n}",
        "{1} {a-b} {a b} {a.} {.a} {Port.front} {a..b}",
        "{{}}",
    ],
)
def test_the_braces_of_configurations_are_left_alone(text: str) -> None:
    assert list(names_in(text)) == []
    assert filled(text, {"a": "x", "b": "y", "default": "z"}, "here") == text


def test_braces_around_a_placeholder_stay() -> None:
    assert filled("{{dir}} { root {dir}; }", {"dir": "/d"}, "here") == "{/d} { root /d; }"
