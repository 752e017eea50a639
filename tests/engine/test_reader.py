"""Whatever a server sends, reading it is bounded, and what is wrong with it is said in one line."""

from __future__ import annotations

import tracemalloc

import pytest

from cannon.engine.framing import FastFraming
from cannon.engine.owed import Bodies
from cannon.engine.reader import HEAD_LIMIT_BYTES
from cannon.errors import Fault, FramingError
from tests.corpus import Case, load
from tests.engine.driving import CHUNKED, FRAMINGS, GET, HEAD, Caller, answer, split

CASES = load()
OWED = {"GET": GET, "HEAD": HEAD}


# What a server may send without end.


def endless(name: str, start: bytes, piece: bytes, limit_bytes: int) -> FramingError:
    """Feed the piece again and again until it is refused, which must come before the limit."""
    bodies = Bodies()
    framing = FRAMINGS[name](bodies=bodies)
    caller = Caller(framing, bodies)
    caller.expect()
    caller.take(start)
    with pytest.raises(FramingError) as caught:
        for _ in range(limit_bytes // len(piece) + 1):
            caller.take(piece)
    return caught.value


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 8000),
        (b"HTTP/1.1 200 ", b"a" * 8000),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n", b" b\r\n" * 1000),
        (b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n" * 100),
    ],
    ids=["fields", "a field", "a reason", "folds", "interim responses"],
)
def test_an_endless_head_is_too_large_at_the_documented_limit(name: str, start: bytes, piece: bytes) -> None:
    error = endless(name, start, piece, HEAD_LIMIT_BYTES)
    assert error.fault is Fault.HEAD_TOO_LARGE
    assert str(HEAD_LIMIT_BYTES) in error.message


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (CHUNKED + b"5;", b"a" * 16_000),
        (CHUNKED + b"0\r\n", b"X: a\r\n" * 2000),
        (CHUNKED + b"0\r\nX: ", b"a" * 16_000),
        (CHUNKED, (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 16),
        (CHUNKED, b"0" * 16_000),
    ],
    ids=["a chunk extension", "trailers", "a trailer", "chunk extensions", "a chunk size"],
)
def test_endless_framing_without_a_body_is_malformed(name: str, start: bytes, piece: bytes) -> None:
    assert endless(name, start, piece, 1_300_000).fault is Fault.MALFORMED


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_head_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(name: str) -> None:
    frame = b"HTTP/1.1 204 X\r\nX: %b\r\n\r\n"
    room = HEAD_LIMIT_BYTES - len(frame % b"")
    for length, kind in ((room, None), (room + 1, Fault.HEAD_TOO_LARGE)):
        data = frame % (b"a" * length)
        assert answer(name, split(data, [0, len(data)])).kind is kind


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (CHUNKED, b"1\r\nx\r\n" * 2730),
        (CHUNKED, b"4000\r\n" + b"x" * 16_384 + b"\r\n"),
        (CHUNKED + b"ffffffffffffffff\r\n", b"x" * 16_384),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", b"x" * 16_384),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 16_384),
        (CHUNKED, (b"1;" + b"a" * 5 + b"\r\nx\r\n") * 1638),
    ],
    ids=["tiny chunks", "chunks", "one chunk", "a length", "until close", "short extensions"],
)
def test_no_byte_is_kept_beyond_the_head_however_long_the_body(start: bytes, piece: bytes) -> None:
    bodies = Bodies()
    framing = FastFraming(bodies=bodies)
    caller = Caller(framing, bodies)
    caller.expect()
    caller.take(start)
    caller.take(piece)
    kept = []
    tracemalloc.start()
    try:
        # Whatever else runs in this process may keep something meanwhile; the reader would do so every time.
        for _ in range(3):
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(6):
                assert caller.take(piece) > 0
            after, _ = tracemalloc.get_traced_memory()
            kept.append(after - before)
    finally:
        tracemalloc.stop()
    assert min(kept) < len(piece)


# Messages are for users.


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x16\x03\x03\x00\x31\x02", "looks like TLS"),
        (b"\x15\x03\x01\x00\x02\x02\x0a", "looks like TLS"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", "looks like HTTP/2"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "looks like HTTP/2"),
        (b"<html>\nhello\n</html>\n", "HTTP/0.9"),
        (b"\x1b[2J\x00" + b"\xff" * 500, r"b'\x1b[2J\x00\xff"),
    ],
    ids=["TLS", "a TLS alert", "HTTP/2 settings", "an HTTP/2 preface", "text", "binary"],
)
def test_what_is_no_http_is_named_in_a_short_printable_message(name: str, data: bytes, words: str) -> None:
    message = answer(name, [data]).message
    assert words in message
    assert message.isprintable()
    assert len(message) < 250


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize("case", [case for case in CASES if case.kind], ids=lambda case: case.id)
def test_every_error_is_one_short_printable_line(name: str, case: Case) -> None:
    verdict = answer(name, split(case.data, [0, len(case.data)]), OWED[case.method])
    message = verdict.message
    assert bool(message) == (verdict.kind is not None)
    assert message.isprintable()
    assert len(message) < 250


def test_a_truncated_body_says_how_much_of_it_came() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"x" * 15
    assert answer("fast", [data]).message == "closed after 15 of 50 body bytes"
