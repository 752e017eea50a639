"""The bytes on the wire, as a server reads them."""

from __future__ import annotations

import h11
import pytest

from cannon.errors import UsageError
from cannon.plan import Plan, Target
from cannon.request import Request


def _build(
    url: str = "http://host:4000/path?q=1", method: str = "GET", body: bytes = b"", *headers: tuple[str, str]
) -> Request:
    target = Target.parse(url)
    plan = Plan(targets=(target,), method=method, body=body, headers=headers)
    return Request.build(plan, plan.steps[0])


def _read(request: Request) -> tuple[h11.Request, bytes]:
    """What an independent server makes of it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(request.data)
    head = server.next_event()
    assert isinstance(head, h11.Request)
    body = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += event.data
    assert server.trailing_data == (b"", False)
    return head, body


def test_a_plain_get_is_one_head_and_nothing_else() -> None:
    assert _build().data.startswith(b"GET /path?q=1 HTTP/1.1\r\nHost: host:4000\r\n")
    head, body = _read(_build())
    names = [name for name, _ in head.headers]
    assert names == [b"host", b"connection", b"user-agent"]
    assert body == b""


def test_a_body_is_counted_in_bytes() -> None:
    head, body = _read(_build(method="POST", body="ü".encode()))
    assert dict(head.headers)[b"content-length"] == b"2"
    assert body == "ü".encode()


def test_a_post_without_a_body_says_so() -> None:
    head, _ = _read(_build(method="POST"))
    assert dict(head.headers)[b"content-length"] == b"0"


def test_a_host_of_the_users_replaces_ours_in_any_case() -> None:
    head, _ = _read(_build("http://a/", "GET", b"", ("hOsT", "b")))
    assert [value for name, value in head.headers if name == b"host"] == [b"b"]


def test_repeated_headers_are_all_sent_in_order() -> None:
    head, _ = _read(_build("http://a/", "GET", b"", ("X-A", "1"), ("X-A", "2")))
    assert [value for name, value in head.headers if name == b"x-a"] == [b"1", b"2"]


def test_connection_and_user_agent_can_be_replaced() -> None:
    head, _ = _read(_build("http://a/", "GET", b"", ("Connection", "close"), ("User-Agent", "me")))
    assert dict(head.headers)[b"connection"] == b"close"
    assert dict(head.headers)[b"user-agent"] == b"me"


def test_user_and_password_of_the_url_become_basic_authorization() -> None:
    head, _ = _read(_build("http://user:p%40ss@a/"))
    assert dict(head.headers)[b"authorization"] == b"Basic dXNlcjpwQHNz"


@pytest.mark.parametrize(
    ("value", "closes"), [("close", True), ("Foo, CLOSE", True), ("keep-alive", False), ("closed", False)]
)
def test_a_request_that_closes_the_connection_says_so(value: str, *, closes: bool) -> None:
    assert _build("http://a/", "GET", b"", ("connection", value)).closes is closes
    assert not _build().closes


def test_a_value_is_never_repeated_in_a_message() -> None:
    with pytest.raises(UsageError) as raised:
        _build("http://a/", "GET", b"", ("Auth\x01orization", "canary"))
    assert "canary" not in raised.value.message


def test_only_head_expects_no_body() -> None:
    assert _build(method="HEAD").expects_no_body
    assert not _build(method="GET").expects_no_body


@pytest.mark.parametrize(
    ("method", "headers", "said"),
    [
        ("GE T", (), "is no method"),
        ("", (), "is no method"),
        ("GET", (("X\r\nY", "1"),), "is no header name"),
        ("GET", (("", "1"),), "is no header name"),
        ("GET", (("X", "1\r\nY: 2"),), "CR, LF or NUL"),
        ("GET", (("X", "1\0"),), "CR, LF or NUL"),
        ("GET", (("Content-Length", "5"),), "cannon's to set"),
        ("GET", (("Transfer-Encoding", "chunked"),), "cannon's to set"),
        ("GET", (("Host", "a"), ("host", "b")), "more than once"),
    ],
)
def test_what_would_break_the_request_is_refused(
    method: str, headers: tuple[tuple[str, str], ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        _build("http://a/", method, b"", *headers)
    assert "\n" not in raised.value.message
