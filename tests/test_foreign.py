"""What a file of anybody's is made into: texts that move nothing, numbers that anything can be made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.foreign import LONGEST_TEXT, cleaned, refuse_negative
from cannon.rows import Change
from tests.comparisons import a_row

WHERE = "'x.json'"
ESCAPE = "\x1b[31m"
SHOWN = "\\x1b[31m"

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(-1e19, 1e19) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\x1b\n", max_size=2), inner, max_size=3)
    ),
    max_leaves=9,
)


def _refusal_of(document: object) -> str:
    with pytest.raises(UsageError) as raised:
        cleaned(document, WHERE)
    assert raised.value.message.isprintable()
    return raised.value.message


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in _texts(each)]
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else []


@given(_VALUES)
def test_whatever_comes_out_is_printable_and_cleaning_it_again_changes_nothing(document: object) -> None:
    once = cleaned(document, WHERE)
    assert all(text.isprintable() and len(text) <= LONGEST_TEXT for text in _texts(once))
    assert cleaned(once, WHERE) == once


def test_texts_are_cleaned_as_values_and_as_keys() -> None:
    found = cleaned({ESCAPE: [ESCAPE, 1, None, True]}, WHERE)
    assert found == {SHOWN: [SHOWN, 1, None, True]}


def test_a_long_text_is_cut() -> None:
    found = cleaned(["x" * 10_000_000], WHERE)
    assert isinstance(found, list)
    assert len(found[0]) == LONGEST_TEXT


def test_a_lone_surrogate_becomes_an_escape() -> None:
    assert cleaned(["\ud800"], WHERE) == ["\\ud800"]


def test_a_secret_in_a_url_is_taken_out() -> None:
    found = cleaned(
        {"urls": ["http://u:canary@h/?token=canary&a=1"], "note": "see http://u:canary@h/"}, WHERE
    )
    assert found == {"urls": ["http://***@h/?token=***&a=1"], "note": "see http://***@h/"}


def test_a_command_line_stays_as_it_was_redacted() -> None:
    line = "cannon -H 'X-Token: ***' 'http://h/?token=***'"
    assert cleaned({"cannon": {"command": line}}, WHERE) == {"cannon": {"command": line}}


def test_a_configuration_keeps_its_lines() -> None:
    text = f"global\n\tdaemon\r\n{ESCAPE}"
    services = [{"configuration": text, "name": text}]
    assert cleaned({"scenario": {"services": services}}, WHERE) == {
        "scenario": {
            "services": [
                {
                    "configuration": f"global\n\tdaemon\\r\n{SHOWN}",
                    "name": f"global\\n\\tdaemon\\r\\n{SHOWN}",
                }
            ]
        }
    }


def test_a_histogram_stays_as_it_is_where_there_is_one_and_nowhere_else() -> None:
    long = "A" * (2 * LONGEST_TEXT)
    slots = {"direct": {"histogram": long}}
    document = {"latency_ms": {"histogram": long}, "rounds": [{"slots": slots}]}
    assert cleaned(document, WHERE) == document
    for spoilt in ({"error_examples": {"histogram": long}}, {"latency_ms": {"histogram": long + ESCAPE}}):
        assert max(map(len, _texts(cleaned(spoilt, WHERE)))) <= LONGEST_TEXT


def test_keys_that_are_the_same_once_they_are_visible_are_refused() -> None:
    said = _refusal_of({"a": {ESCAPE: 1, SHOWN: 2}})
    assert said == f"{WHERE}: a.{SHOWN} stands there twice, once it is made visible"


@pytest.mark.parametrize("number", [1e308, -1e308, 10**4000, 2**65, -(2**65)])
def test_a_number_beyond_all_bounds_is_refused_by_its_key(number: float) -> None:
    said = _refusal_of({"series": [{}, {"p99_ms": number}]})
    assert said.startswith(f"{WHERE}: series[1].p99_ms: ")
    assert said.endswith("is more than a number may be")
    assert len(said) < 120


def test_what_is_nested_more_deeply_than_any_result_is_refused() -> None:
    document: object = 1
    for _ in range(500):
        document = [document]
    assert "nested too deeply" in _refusal_of({"a": document})


def test_a_number_below_zero_is_refused_by_its_key_unless_it_may_be_one() -> None:
    row = a_row(base_value=-1.0, added=None)
    with pytest.raises(
        UsageError, match=r"^'x.json': rows\[0\].base_value is -1, and that is less than nothing$"
    ):
        refuse_negative([row], WHERE, "rows")
    change = {"a": [Change(-1.0, -2.0, -0.5)]}
    refuse_negative(change, WHERE, "found", {"estimate", "low", "high"})
    with pytest.raises(UsageError, match=r"found.a\[0\].estimate is -1"):
        refuse_negative(change, WHERE, "found")


def test_a_key_is_told_as_the_file_has_it() -> None:
    with pytest.raises(UsageError, match=r"row.rounds is -1"):
        refuse_negative(a_row(rounds=-1), WHERE, "row", {"estimate", "low", "high"})
