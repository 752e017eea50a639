"""Responses are told in the order of the requests, each by what its own request is owed."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.framing import FastFraming
from cannon.engine.owed import Bodies, Owed
from cannon.errors import Fault
from tests.engine.driving import CHUNKED, FRAMINGS, GET, GOOD, HEAD, Caller, Verdict, answer, drive, split

CLOSING = b"HTTP/1.1 200 OK\r\n\r\n"


def framed(name: str, body: bytes) -> bytes:
    """A response with that body: by a length, in chunks of three bytes, or until the close."""
    if name == "length":
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    if name == "close":
        return CLOSING + body
    chunks = [body[at : at + 3] for at in range(0, len(body), 3)]
    return CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def told(name: str, pieces: list[bytes], owed: list[Owed]) -> Verdict:
    bodies = Bodies()
    return drive(Caller(FRAMINGS[name](bodies=bodies), bodies), pieces, owed)


BODIES = st.binary(max_size=12) | st.sampled_from([b"", b"ok", b"oko", b"0\r\n\r\n", b"\r\n"])


@given(
    name=st.sampled_from(sorted(FRAMINGS)),
    ways=st.lists(st.sampled_from(["length", "chunked"]), max_size=4),
    last=st.sampled_from(["length", "chunked", "close"]),
    data=st.data(),
)
def test_a_body_is_compared_with_what_is_owed_however_it_arrives(
    name: str, ways: list[str], last: str, data: st.DataObject
) -> None:
    ways = [*ways, last]
    sent = [data.draw(BODIES) for _ in ways]
    wanted = [data.draw(st.sampled_from([body, None, body + b"x", body[:-1]]) | BODIES) for body in sent]
    stream = b"".join(framed(way, body) for way, body in zip(ways, sent, strict=True))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    pieces = split(stream, [0, *cuts, len(stream)])
    verdict = told(name, pieces, [Owed(body=body) for body in wanted])
    assert verdict.kind is None
    assert verdict.statuses == [200] * len(ways)
    pairs = zip(sent, wanted, strict=True)
    assert verdict.mismatched == [at for at, (got, want) in enumerate(pairs) if want not in (None, got)]


@pytest.mark.parametrize("name", FRAMINGS)
@pytest.mark.parametrize(("body", "mismatched"), [(None, []), (b"", []), (b"ok", [0])])
def test_a_response_to_head_matches_an_empty_body_only(
    name: str, body: bytes | None, mismatched: list[int]
) -> None:
    head = GOOD[: -len(b"ok")]
    verdict = answer(name, [head], Owed(head=True, body=body))
    assert (verdict.statuses, verdict.mismatched) == ([200], mismatched)


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_body_that_breaks_off_is_truncated_and_no_mismatch(name: str) -> None:
    verdict = told(name, [GOOD + GOOD[:-1]], [Owed(body=b"no"), Owed(body=b"ok")])
    assert (verdict.statuses, verdict.mismatched, verdict.kind) == ([200], [0], Fault.TRUNCATED)


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_mismatch_is_that_of_its_own_response(name: str) -> None:
    want = Owed(body=b"ok")
    bad = GOOD[:-2] + b"no"
    assert told(name, [GOOD + bad + GOOD + bad], [want] * 4).mismatched == [1, 3]
    assert told(name, [GOOD + bad[:-1], bad[-1:] + GOOD], [want] * 3).mismatched == [1]


@pytest.mark.parametrize("name", FRAMINGS)
def test_what_head_and_get_are_owed_is_told_apart_in_one_read(name: str) -> None:
    head = GOOD[: -len(b"ok")]
    stream = head + GOOD + head + head + GOOD
    verdict = told(name, [stream], [HEAD, GET, HEAD, HEAD, GET])
    assert (verdict.statuses, verdict.body_bytes, verdict.kind) == ([200] * 5, 4, None)


@pytest.mark.parametrize("name", FRAMINGS)
def test_any_number_may_be_owed_and_each_is_answered_once(name: str) -> None:
    bodies = Bodies()
    framing = FRAMINGS[name](bodies=bodies)
    wants = [Owed(body=b"%02d" % number) for number in range(100)]
    for want in wants:
        framing.expect(want)
    for number, want in enumerate(wants):
        framing.read(GOOD[:-2] + b"%02d" % number)
        framing.expect(want)
    for want in wants:
        framing.expect(want)
    for _ in range(2):
        framing.read(b"".join(GOOD[:-2] + b"%02d" % number for number in range(100)))
    assert framing.statuses == [200] * 300
    assert framing.mismatched == []
    framing.read(b"more")
    assert framing.excess


@pytest.mark.parametrize("name", FRAMINGS)
def test_what_is_cleared_is_told_once(name: str) -> None:
    framing = FRAMINGS[name](bodies=Bodies())
    want = Owed(body=b"no")
    for _ in range(3):
        framing.expect(want)
        framing.read(GOOD)
        assert (framing.statuses, framing.mismatched) == ([200], [0])
        framing.statuses.clear()
        framing.mismatched.clear()


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_response_is_in_progress_from_its_first_byte_to_its_last(name: str) -> None:
    framing = FRAMINGS[name](bodies=Bodies())
    framing.expect(GET)
    assert framing.between
    for at in range(len(GOOD)):
        framing.read(GOOD[at : at + 1])
        assert framing.between == (at == len(GOOD) - 1)


def test_comparing_a_long_body_keeps_none_of_it() -> None:
    piece = bytes(range(256)) * 64
    framing = FastFraming(bodies=Bodies())
    framing.expect(Owed(body=piece * 50))
    framing.read(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * 50))
    framing.read(piece)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(48):
            framing.read(piece)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < len(piece)
    framing.read(piece)
    assert (framing.statuses, framing.mismatched) == ([200], [])
