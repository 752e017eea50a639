"""A URL is taken apart once; what is none says why, and repeats no secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.target import Target


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("http://localhost:4000/a?b=c", "http", "localhost", 4000, "/a?b=c"),
        ("localhost", "http", "localhost", 80, "/"),
        ("127.0.0.1:8080", "http", "127.0.0.1", 8080, "/"),
        ("https://example.com", "https", "example.com", 443, "/"),
        ("http://[::1]:4000/x", "http", "::1", 4000, "/x"),
        ("http://host?q=1", "http", "host", 80, "/?q=1"),
        ("http://host/a#fragment", "http", "host", 80, "/a"),
        ("HTTP://HOST/Path", "http", "host", 80, "/Path"),
        ("http://bücher.example/ü", "http", "xn--bcher-kva.example", 80, "/%C3%BC"),
    ],
)
def test_a_url_is_taken_apart(url: str, scheme: str, host: str, port: int, path: str) -> None:
    target = Target.parse(url)
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/", "the scheme 'ftp'"),
        ("http:///path", "has no host"),
        ("http://host:99999/", "no port from 1 to 65535"),
        ("http://host:0/", "no port from 1 to 65535"),
        ("http://host:abc/", "no port from 1 to 65535"),
        ("http://host:/", "no port from 1 to 65535"),
        ("http://ho st/", "holds a space"),
        ("http://host/\r\nX: y", "a control character"),
        ("http://host/\0", "a control character"),
        ("http://[::1/", "cannot be read"),
        ("https://../", "no valid host: between its dots stand 1 to 63 characters"),
        ("https://..", "no valid host"),
        ("http://./", "no valid host"),
        ("http://a..b/", "no valid host"),
        ("http://ä..b/", "no valid host"),
        (f"http://{'a' * 64}.example/", "no valid host"),
        (f"http://{'ä' * 60}.example/", "cannot be read"),
        ("http://[zz]/", "cannot be read"),
    ],
)
def test_a_bad_url_says_why(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("[", r"\[")) as raised:
        Target.parse(url)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    "url", ["http://user:canaryp/x@127.0.0.1:1/", "http://u:canary@h:99999/", "ftp://u:canary@h/"]
)
def test_a_password_is_not_repeated_in_a_message(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        Target.parse(url)
    assert "canary" not in raised.value.message


@given(st.text())
def test_no_text_makes_the_parser_raise_anything_but_usage_errors(text: str) -> None:
    try:
        target = Target.parse(text)
    except UsageError as error:
        assert "\n" not in error.message
    else:
        assert target.path.startswith("/") and target.path.isascii() and 0 < target.port < 65536


def test_the_authority_has_the_port_only_where_it_is_not_the_schemes_own() -> None:
    assert Target.parse("http://a:80/").authority == "a"
    assert Target.parse("https://a:80/").authority == "a:80"
    assert Target.parse("http://[::1]:4000/").authority == "[::1]:4000"
