"""The bytes on the wire, as a server reads them."""

from __future__ import annotations

import re
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.plan import Plan
from cannon.request import ID_BYTES, Request, basic
from cannon.route import Proxy, ProxyKind, Route
from cannon.sequence import Body, FilePiece, Step, Streamed
from cannon.target import Target

IDENT = b"abcdefghijklmnopqrstuvwx"


def _build(
    url: str = "http://host:4000/path?q=1", method: str = "GET", body: bytes = b"", *headers: tuple[str, str]
) -> Request:
    target = Target.parse(url)
    plan = Plan(targets=(target,), method=method, body=body, headers=headers)
    return Request.build(plan, plan.steps[0])


def _plan(url: str = "http://host:4000/path?q=1", **fields: Any) -> Plan:
    return Plan(targets=(Target.parse(url),), **fields)


def _of(plan: Plan) -> Request:
    return Request.build(plan, plan.steps[0])


def _through(url: str, proxy: str = "http", userinfo: str = "", *headers: tuple[str, str]) -> Request:
    route = Route(proxy=Proxy(ProxyKind(proxy), "proxy", 3128, userinfo))
    return _of(_plan(url, route=route, headers=headers))


def _read(request: Request, ident: bytes | None = None) -> tuple[h11.Request, bytes]:
    """What an independent server makes of it, its streamed body all zeros."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(request.data if ident is None else request.with_id(ident))
    if request.stream is not None and len(request.stream):
        server.receive_data(bytes(len(request.stream)))
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


_BODIES = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from((b"[<id>]", b"[<id>", b"id>]", b"\xff", b"a"))).map(b"".join),
    st.lists(
        st.one_of(st.binary(max_size=9), st.builds(FilePiece, st.just("/f"), st.integers(0, 99))), max_size=4
    ).map(lambda pieces: Streamed(tuple(pieces))),
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND")


@given(
    st.sampled_from(_METHODS),
    _BODIES,
    st.sampled_from(("http://a/x", "http://a/x/[<id>]?y=[<id>]")),
    st.booleans(),
    st.booleans(),
)
def test_the_length_that_is_told_is_the_length_that_follows(
    method: str, body: Body, url: str, ids: bool, proxied: bool
) -> None:
    route = Route(proxy=Proxy(ProxyKind.HTTP, "proxy", 1)) if proxied else Route()
    request = _of(_plan(url, method=method, body=body, ids=ids, route=route))
    head, received = _read(request, IDENT if request.pieces else None)
    told = dict(head.headers).get(b"content-length")
    sent = request.with_id(IDENT) if request.pieces else request.data
    streamed_bytes = len(request.stream) if request.stream is not None else 0
    assert len(sent) + streamed_bytes == request.total_bytes
    assert len(received) == len(sent.partition(b"\r\n\r\n")[2]) + streamed_bytes
    if told is None:
        assert (len(received), method in ("POST", "PUT", "PATCH")) == (0, False)
    else:
        assert int(told) == len(received)


def test_every_place_of_a_request_gets_the_same_id() -> None:
    plan = _plan(
        "http://a/items/[<id>]?again=[<id>]",
        method="POST",
        body=b"\xff[<id>] and [<id>]",
        headers=(("X-Request-Id", "<[<id>]>"),),
        ids=True,
    )
    request = _of(plan)
    assert (ID_BYTES, len(IDENT), len(request.pieces)) == (24, 24, 6)
    head, body = _read(request, IDENT)
    ident = IDENT.decode()
    assert head.target.decode() == f"/items/{ident}?again={ident}"
    assert dict(head.headers)[b"x-request-id"].decode() == f"<{ident}>"
    assert body == b"\xff" + IDENT + b" and " + IDENT


@pytest.mark.parametrize("place", ["[%3Cid%3E]", "%5B%3Cid%3E%5D", "%5b%3cid%3e%5d", "[<id>]"])
def test_a_place_in_a_path_may_be_percent_encoded(place: str) -> None:
    head, _ = _read(_of(_plan(f"http://a/{place}", ids=True)), IDENT)
    assert head.target == b"/" + IDENT


def test_without_ids_a_place_is_sent_as_it_stands() -> None:
    request = _of(_plan("http://a/[<id>]", method="POST", body=b"[<id>]"))
    assert request.pieces == ()
    assert request.data.startswith(b"POST /[<id>] HTTP/1.1\r\n") and request.data.endswith(b"\r\n\r\n[<id>]")


def test_without_a_place_nothing_differs() -> None:
    assert _of(_plan(ids=True, method="POST", body=b"x")) == _of(_plan(method="POST", body=b"x"))


def test_ids_without_any_place_are_refused_and_one_in_any_step_is_enough() -> None:
    with pytest.raises(UsageError, match=r"-I/--idReplacement finds no \[<id>\]"):
        Request.build_all(_plan(ids=True))
    steps = tuple(Step(name=path, target=0, method="GET", path=path) for path in ("/a", "/[<id>]"))
    plain, with_place = Request.build_all(_plan(ids=True, sequence=steps))
    assert (plain.pieces, len(with_place.pieces)) == ((), 2)


def test_no_id_goes_into_what_is_streamed() -> None:
    form = Streamed((b"a=[<id>]", FilePiece("/f", 1)))
    with pytest.raises(UsageError, match="-I puts no id into a body that is streamed"):
        _of(_plan(method="POST", body=form, ids=True))
    assert _of(_plan("http://a/[<id>]", body=Streamed((FilePiece("/f", 1),)), ids=True)).pieces


def test_a_streamed_body_is_no_part_of_the_data() -> None:
    body = Streamed((b"ab", FilePiece("/f", 2**33)))
    request = _of(_plan(method="PUT", body=body))
    assert request.data.endswith(f"Content-Length: {2**33 + 2}\r\n\r\n".encode())
    assert (request.stream, request.total_bytes) == (body, len(request.data) + 2**33 + 2)


def test_through_a_proxy_http_is_asked_for_by_its_whole_url() -> None:
    head, _ = _read(_through("http://host:4000/path?q=1"))
    assert head.target == b"http://host:4000/path?q=1"
    assert dict(head.headers)[b"host"] == b"host:4000"
    assert _read(_through("http://[::1]/"))[0].target == b"http://[::1]/"


@pytest.mark.parametrize(("url", "proxy"), [("https://host/a", "http"), ("http://host/a", "socks5")])
def test_through_a_tunnel_the_server_is_asked_as_ever_and_told_no_password(url: str, proxy: str) -> None:
    head, _ = _read(_through(url, proxy, "me:secret"))
    assert head.target == b"/a"
    assert b"proxy-authorization" not in dict(head.headers)


def test_a_proxy_is_told_who_asks() -> None:
    head, _ = _read(_through("http://u:p@host/", "http", "me:secret"))
    assert dict(head.headers)[b"proxy-authorization"].decode() == basic("me:secret")
    assert dict(head.headers)[b"authorization"].decode() == basic("u:p")
    head, _ = _read(_through("http://host/", "http", "me:secret", ("proxy-AUTHORIZATION", "Bearer x")))
    assert [value for name, value in head.headers if name == b"proxy-authorization"] == [b"Bearer x"]
    assert b"proxy-authorization" not in dict(_read(_through("http://host/"))[0].headers)


def test_a_user_without_a_password_has_an_empty_one() -> None:
    assert basic("Aladdin") == "Basic QWxhZGRpbjo="
    assert basic("Aladdin:open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_compressed_asks_for_every_coding_unless_the_user_names_his() -> None:
    assert (
        dict(_read(_of(_plan(compressed=True)))[0].headers)[b"accept-encoding"] == b"gzip, deflate, br, zstd"
    )
    head, _ = _read(_of(_plan(compressed=True, headers=(("ACCEPT-encoding", "br"),))))
    assert [value for name, value in head.headers if name == b"accept-encoding"] == [b"br"]
    assert b"accept-encoding" not in dict(_read(_of(_plan()))[0].headers)


def test_a_byte_that_is_not_utf_8_is_sent_as_it_was_given() -> None:
    assert b"\r\nX: \xff\r\n" in _of(_plan(headers=(("X", "\udcff"),))).data


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
def test_a_method_that_cannot_be_fired_says_why(method: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{method} ")):
        _of(_plan(method=method, body=b"x"))


def test_trace_goes_out_without_a_body() -> None:
    assert _read(_of(_plan(method="TRACE")))[1] == b""


def test_only_head_expects_no_body() -> None:
    assert _build(method="HEAD").expects_no_body
    assert not _build(method="GET").expects_no_body


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a",
        "shop.example:8080",
        "my_service:80",
        "127.0.0.1",
        "[::1]:8080",
        "[fe80::1%25eth0]",
        "xn--bcher-kva.de",
    ],
)
def test_a_host_of_the_users_own_is_sent_as_it_is(host: str) -> None:
    assert _build("http://a/", "GET", b"", ("host", host)).data.startswith(
        f"GET / HTTP/1.1\r\nHost: {host}\r\n".encode()
    )


def test_an_id_may_stand_in_a_host() -> None:
    request = _of(_plan(ids=True, headers=(("Host", "[<id>].example"),)))
    assert f"\r\nHost: {IDENT.decode()}.example\r\n".encode() in request.with_id(IDENT)


@pytest.mark.parametrize(
    "host", ["a b", "a/b", "http://a", "a:b", "a:1:2", "::1", "user@a", "a\tb", "[<id>]"]
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(UsageError) as raised:
        _build("http://a/", "GET", b"", ("Host", host))
    assert raised.value.message == (
        "-H Host has a value that is no host[:port]; e.g. -H 'Host: www.example.com:8080'"
    )


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
        ("GET", (("Host", "a b"),), "no host"),
        ("GET", (("X", "\ud800"),), "half a character"),
        ("CONNECT", (), "asks for a tunnel"),
    ],
)
def test_what_would_break_the_request_is_refused(
    method: str, headers: tuple[tuple[str, str], ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        _build("http://a/", method, b"", *headers)
    assert "\n" not in raised.value.message
