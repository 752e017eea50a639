"""Plans are validated where they are made, and a wrong one says what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.plan import Plan, Stop, Target, Warmup
from cannon.route import Address

TARGET = Target.parse("http://127.0.0.1:4000/")


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


def test_an_address_shows_as_it_is_dialled() -> None:
    assert str(Address("::1", 80)) == "[::1]:80"
    assert str(Address("127.0.0.1", 80)) == "127.0.0.1:80"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"targets": ()}, "a URL is needed"),
        ({"connections": 0}, "-c/--connections"),
        ({"workers": 0}, "-w/--workers"),
        ({"workers": 11}, "need a connection each"),
        ({"timeout_ns": 0}, "-t/--timeout"),
        ({"drain_ns": -1}, "--drain"),
        ({"sample_ns": 1_000_000}, "-L must be"),
        ({"stop": Stop(amount=9)}, "-a 9 is less than -c 10"),
        ({"expect_status": (100,)}, "--expect-status"),
    ],
)
def test_a_wrong_plan_names_the_option_and_shows_a_right_value(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Plan(**{"targets": (TARGET,), **settings})


@pytest.mark.parametrize(("duration_ns", "amount"), [(0, None), (-1, None), (1, -1)])
def test_a_run_that_ends_before_it_begins_is_refused(duration_ns: int, amount: int | None) -> None:
    with pytest.raises(UsageError):
        Stop(duration_ns, amount)


@given(st.integers(10_000_000, 10**11))
def test_ticks_are_at_most_a_second_and_add_up_to_a_sample(sample_ns: int) -> None:
    plan = Plan(targets=(TARGET,), sample_ns=sample_ns)
    ticks = sample_ns // plan.tick_ns
    assert plan.tick_ns <= 1_000_000_000
    assert abs(ticks * plan.tick_ns - sample_ns) <= ticks


def test_the_drain_is_never_longer_than_a_response_may_take() -> None:
    assert Plan(targets=(TARGET,), timeout_ns=500).drain_limit_ns == 500
    assert Plan(targets=(TARGET,)).drain_limit_ns == 2_000_000_000


def test_success_is_2xx_and_3xx_or_what_is_expected() -> None:
    plan = Plan(targets=(TARGET,))
    assert [plan.succeeds(status) for status in (200, 304, 404, 500, 700)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    expecting = Plan(targets=(TARGET,), expect_status=(404,))
    assert [expecting.succeeds(status) for status in (200, 404)] == [False, True]


@pytest.mark.parametrize(
    ("method", "amount"), [("GET", 1), ("HEAD", 1), ("OPTIONS", 1), ("POST", 0), ("DELETE", 0)]
)
def test_the_preflight_sends_only_what_changes_nothing(method: str, amount: int) -> None:
    plan = Plan(targets=(TARGET,), method=method, log="latencies").for_preflight()
    assert (plan.stop.amount, plan.connections, plan.workers, plan.log) == (amount, 1, 1, None)


def test_a_warm_up_is_a_plan_of_its_own() -> None:
    assert Plan(targets=(TARGET,)).for_warmup() is None
    warm = Plan(targets=(TARGET,), workers=4, warmup=Warmup(Stop(duration_ns=5), connections=2)).for_warmup()
    assert warm is not None
    assert (warm.connections, warm.workers, warm.stop.duration_ns, warm.warmup) == (2, 2, 5, None)
