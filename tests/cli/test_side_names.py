from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.cli.options import Options
from cannon.cli.options.compare import CompareOptions
from cannon.cli.side_names import sides_of
from cannon.errors import UsageError
from cannon.rounds import Mode
from cannon.route import Proxy

URL = "http://127.0.0.1:4000/"


def named(*words: str) -> dict[str, str]:
    """By name, the URLs of these words."""
    return {side.name: side.url for side in sides_of(Options(), CompareOptions(), words)[1]}


@pytest.mark.parametrize(
    "words",
    [
        {"direct": URL, "haproxy": "https://h/"},
        {"a": "http://h/?x=1&base=2", "B_2": "h:80/p=q"},
        {"_": "/", "cannon": "h"},
        {"localhost": "localhost:4000", "b": "c=d", "d": URL},
    ],
)
def test_a_side_is_a_name_and_a_url_the_first_is_the_base(words: dict[str, str]) -> None:
    found = named(*(f"{name}={url}" for name, url in words.items()))
    assert list(found.items()) == list(words.items())


@given(st.lists(st.text(max_size=12), max_size=3))
def test_whatever_the_words_are_they_name_sides_or_are_refused_in_one_line(words: list[str]) -> None:
    try:
        found = named(*words)
    except UsageError as error:
        assert error.message.isprintable()
    else:
        assert [f"{name}={url}" for name, url in found.items()] == words


def test_a_coding_is_a_side_that_asks_for_it() -> None:
    options = Options(headers=("X: 1",))
    mode, sides = sides_of(options, CompareOptions(compression=("gzip", "br")), [URL])
    assert mode is Mode.COMPRESSION
    assert [(side.name, side.url, side.options.headers) for side in sides] == [
        (coding, URL, ("X: 1", f"Accept-Encoding: {coding}")) for coding in ("identity", "gzip", "br")
    ]


def test_a_proxy_is_compared_with_going_direct() -> None:
    proxy = Proxy.parse("http://127.0.0.1:3128")
    mode, sides = sides_of(Options(proxy=proxy, connections=3), CompareOptions(), [URL])
    assert mode is Mode.PROXY
    assert [(side.name, side.url, side.options) for side in sides] == [
        ("direct", URL, Options(connections=3)),
        ("proxy", URL, Options(proxy=proxy, connections=3)),
    ]


def test_a_url_may_be_compared_with_itself() -> None:
    mode, sides = sides_of(Options(), CompareOptions(aa=True), ["http://h/?a=b"])
    assert mode is Mode.AA
    assert [(side.name, side.url) for side in sides] == [("a", "http://h/?a=b"), ("b", "http://h/?a=b")]
