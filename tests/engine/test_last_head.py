"""What is remembered of heads changes no verdict on any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.head import Head, add_head_line, judge_head
from cannon.engine.last_head import LastHead
from cannon.errors import FramingError

LIMIT_BYTES = 65_536
HEAD = b"HTTP/1.1 200 OK\r\nServer: s\r\nDate: Mon, 23 Nov 2026 10:14:31 GMT\r\nX-Id: 1\r\nContent-Length: 12\r\n\r\n"

LINES = st.sampled_from(
    [
        *(b"Server: a", b"Server: b", b"X-Id: 1", b"X-Id: 22", b"x-id: 1", b"X-Id:", b"Content-Type: t"),
        *(b"Content-Length: 1", b"Content-Length: 2", b"Content-Length: 007", b"Content-Length: 3 "),
        *(b"Content-Length:", b"content-length:4", b"Content-Length: 5, 5", b"Content-Length: -1"),
        *(b"Content-Length: 99999999999999999999", b"Keep-Alive: 5"),
        *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"transfer-encoding: CHUNKED"),
        *(b"Connection: close", b"Connection: keep-alive", b"Proxy-Connection: close"),
        *(
            b"X-Id: a\rb",
            b"X-Id: a\nb",
            b"X-Id: a\0b",
            b"X-Id : 1",
            b"X-Id",
            b" folded",
            b"",
            b"\xff: 1",
            b": 1",
        ),
    ]
)
STATUS_LINES = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK", b"HTTP/1.1 200 Ok", b"HTTP/1.1 404 No", b"HTTP/1.1 204 No", b"HTTP/1.1 304 No"),
        *(b"HTTP/1.0 200 OK", b"HTTP/1.1 103 Early", b"HTTP/1.1 200", b"HTTP/1.1 200 O\rK", b"HTTP/2 200"),
        *(b"", b"X-Id: 1"),
    ]
)
HEADS = st.tuples(STATUS_LINES, st.lists(LINES, max_size=5)).map(
    lambda parts: b"\r\n".join([parts[0], *parts[1]]) + b"\r\n\r\n"
)


def verdict(head: Head) -> tuple[int, bool, int]:
    return head.status, head.persistent, head.length


def line_by_line(data: bytes, *, to_head: bool) -> tuple[int, int, bool, int] | None:
    """Where the head ends and what it says; None if it is malformed. The law, without any memory."""
    end = data.index(b"\r\n\r\n")
    lines: list[bytes] = []
    try:
        for line in data[:end].split(b"\r\n"):
            add_head_line(lines, line)
        return end + 4, *verdict(judge_head(lines, to_head=to_head))
    except FramingError:
        return None


def remembering(last: LastHead, data: bytes, position: int = 0) -> tuple[int, int, bool, int] | None:
    try:
        stop = last.take(data, position, LIMIT_BYTES)
    except FramingError:
        return None
    return stop - position, *verdict(last.head)


@given(heads=st.lists(HEADS, max_size=12), to_head=st.booleans(), position=st.integers(0, 3))
def test_the_verdict_is_that_of_the_lines_whatever_came_before(
    heads: list[bytes], to_head: bool, position: int
) -> None:
    last = LastHead(to_head=to_head)
    for head in heads:
        data = head + b"body \r\n\r\n" + head
        assert remembering(last, bytes(position) + data, position) == line_by_line(data, to_head=to_head)


PIECES = st.sampled_from([b"", b"\r\n", b" ", b":", b"1", b"\0", b"\r", b"\n"])


@given(edits=st.lists(st.tuples(st.integers(0, len(HEAD)), st.integers(0, 2), PIECES)))
def test_an_edit_of_the_head_before_is_judged_as_if_it_stood_alone(
    edits: list[tuple[int, int, bytes]],
) -> None:
    last = LastHead(to_head=False)
    for at, removed, inserted in edits:
        for data in (HEAD, HEAD[:at] + inserted + HEAD[at + removed :] + b"\r\n\r\n"):
            assert remembering(last, data) == line_by_line(data, to_head=False)


@pytest.mark.parametrize(
    "fields",
    [
        [b"Content-Length: 1\r\nContent-Length: 1", b"Content-Length: 1\r\nContent-Length: 2"],
        [b"Content-Length: 1\r\nContent-Length: 1", b"Content-Length: 2\r\nContent-Length: 1"],
        [b"Content-Length: 1\r\nX-Id: a", b"X-Id: 1\r\nX-Id: a", b"X-Id: 22\r\nX-Id: a"],
        [b"Content-Length: 1", b"Content-Length: 2", b"Content-Length: x", b"Content-Length: 3"],
        [b"Content-Length: 1", b"Transfer-Encoding: chunked", b"Content-Length: 2", b"X-Id: 3"],
        [b"X-Id: 1", b"Connection: close", b"X-Id: 2"],
    ],
)
def test_a_field_that_frames_is_judged_by_what_it_says_now(fields: list[bytes]) -> None:
    last = LastHead(to_head=False)
    for field in fields * 2:
        for number in range(2):
            data = b"HTTP/1.1 200 OK\r\nDate: %d\r\n%b\r\n\r\n" % (number, field)
            assert remembering(last, data) == line_by_line(data, to_head=False)


@pytest.mark.parametrize("data", [b"", b"HTTP", HEAD[:-1], HEAD[1:-1]])
def test_of_a_head_that_does_not_end_nothing_is_said(data: bytes) -> None:
    last = LastHead(to_head=False)
    assert last.take(data, 0, LIMIT_BYTES) == -1
    assert remembering(last, HEAD) == (len(HEAD), 200, True, 12)
    assert last.take(data, 0, LIMIT_BYTES) == -1
    assert verdict(last.head) == (200, True, 12)


def test_a_head_that_has_no_room_is_not_taken_though_it_was_before() -> None:
    last = LastHead(to_head=False)
    assert last.take(HEAD, 0, len(HEAD)) == len(HEAD)
    assert last.take(HEAD, 0, len(HEAD)) == len(HEAD)
    assert last.take(HEAD, 0, len(HEAD) - 1) == -1


def test_an_end_before_the_end_of_the_last_head_is_found() -> None:
    last = LastHead(to_head=False)
    assert remembering(last, HEAD) == (len(HEAD), 200, True, 12)
    short = b"HTTP/1.1 204 No Content\r\n\r\n"
    data = short + b"a" * (len(HEAD) - len(short) - 4) + b"\r\n\r\n"
    assert len(data) == len(HEAD)
    assert remembering(last, data) == (len(short), 204, True, 0)


def test_what_is_remembered_is_bounded_however_many_names_and_heads_come() -> None:
    last = LastHead(to_head=False)
    for number in range(1_200):
        head = b"HTTP/1.1 200 OK\r\nX-%d: a\r\nConnection: o%d\r\nContent-Length: 1\r\n\r\n" % (
            number,
            number,
        )
        for data in (head, head.replace(b": a", b": b")):
            assert remembering(last, data) == (len(data), 200, True, 1)
    large = HEAD.replace(b"Server: s", b"Server: " + b"s" * 10_000)
    assert remembering(last, large) == remembering(last, large) == (len(large), 200, True, 12)
