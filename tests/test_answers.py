"""What the bundled origin answers, without a socket."""

from __future__ import annotations

import base64
import gzip
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.answers import LARGEST_BODY_BYTES, Reply, Request, answer, chosen_coding

GIB = 1024**3


def get(path: str, **headers: str) -> Reply:
    """Ask for a path; header names with `_` for `-`."""
    pairs = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return answer(Request("GET", path, headers=pairs))


def body(reply: Reply) -> bytes:
    """The whole body of a reply."""
    return b"".join(reply.pieces())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/json", 200),
        ("/text", 200),
        ("/echo", 200),
        ("/bytes/0", 200),
        (f"/bytes/{GIB}", 200),
        (f"/bytes/{GIB + 1}", 400),
        ("/bytes/-1", 400),
        ("/bytes/x", 400),
        ("/bytes/\u0661", 400),
        ("/bytes/" + "9" * 5000, 400),
        ("/bytes", 400),
        ("/delay/60000", 200),
        ("/delay/60001", 400),
        ("/status/200", 200),
        ("/status/599", 599),
        ("/status/199", 400),
        ("/status/600", 400),
        ("/nowhere", 404),
        ("/json/", 404),
        ("", 404),
        ("*", 404),
    ],
)
def test_every_path_has_its_status(path: str, status: int) -> None:
    assert get(path).status == status


def test_an_unknown_path_is_told_the_paths() -> None:
    assert body(get("/nowhere")) == b"the paths are /, /bytes/N, /json, /delay/MS, /status/N, /text, /echo\n"


@given(st.text())
def test_any_path_gets_an_answer_whose_length_is_true(path: str) -> None:
    reply = get(path)
    assert len(body(reply)) == reply.length_bytes


@given(st.integers(0, 300_000))
def test_bytes_come_as_many_as_asked_and_in_pieces(size_bytes: int) -> None:
    pieces = list(get(f"/bytes/{size_bytes}").pieces())
    assert sum(map(len, pieces)) == size_bytes
    assert max(map(len, pieces), default=0) <= 65_536


def test_a_gibibyte_is_never_in_memory_at_once() -> None:
    reply = get(f"/bytes/{GIB}")
    assert len(reply.content) <= 65_536
    assert [len(piece) for piece in itertools.islice(reply.pieces(), 3)] == [65_536] * 3


def test_a_delay_is_a_number_for_the_server_to_wait() -> None:
    assert get("/delay/250").delay_s == 0.25
    assert get("/").delay_s == 0


@pytest.mark.parametrize("status", [204, 304])
def test_no_body_and_no_length_where_there_may_be_none(status: int) -> None:
    reply = get(f"/status/{status}")
    assert (reply.has_body, reply.length_bytes, reply.headers) == (False, 0, ())


def test_json_is_json() -> None:
    assert json.loads(body(get("/json")))["hello"] == "origin"


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        (b"", "identity"),
        (b"identity", "identity"),
        (b"br", "identity"),
        (b"gzip", "gzip"),
        (b"GZIP", "gzip"),
        (b"x-gzip", "gzip"),
        (b"gzip, deflate, br", "gzip"),
        (b"gzip;q=0", "identity"),
        (b"gzip;q=0.0, *;q=1", "identity"),
        (b"gzip ; q=0.5 , identity;q=0.6", "identity"),
        (b"gzip;q=0.6, identity;q=0.5", "gzip"),
        (b"gzip;q=0.001", "gzip"),
        (b"*", "gzip"),
        (b"*;q=0", None),
        (b"identity;q=0", None),
        (b"identity;q=0, gzip", "gzip"),
        (b"gzip;q=0, identity;q=0", None),
        (b"*;q=0, identity", "identity"),
        (b"gzip;q=2", "identity"),
        (b"gzip;q=nan", "identity"),
        (b",, ;q=1, gzip", "gzip"),
    ],
)
def test_the_coding_is_the_one_the_client_prefers(accept_encoding: bytes, expected: str | None) -> None:
    assert chosen_coding(accept_encoding) == expected


@given(st.binary())
def test_any_accept_encoding_is_understood_or_ignored(accept_encoding: bytes) -> None:
    assert chosen_coding(accept_encoding) in ("gzip", "identity", None)


def test_both_codings_carry_the_same_text() -> None:
    plain, compressed = get("/text"), get("/text", accept_encoding="gzip")
    assert gzip.decompress(body(compressed)) == body(plain)
    assert (b"content-encoding", b"gzip") in compressed.headers
    assert compressed.length_bytes < plain.length_bytes / 2


def test_text_is_compressed_once_and_kept() -> None:
    first, second = (get("/text", accept_encoding="gzip") for _ in range(2))
    assert first.content is second.content


@pytest.mark.parametrize(("accept_encoding", "status"), [("gzip", 200), ("identity", 200), ("*;q=0", 406)])
def test_every_answer_to_text_varies(accept_encoding: str, status: int) -> None:
    reply = get("/text", accept_encoding=accept_encoding)
    assert reply.status == status
    assert (b"vary", b"accept-encoding") in reply.headers


def test_echo_tells_what_it_was_sent() -> None:
    headers = ((b"x-a", b"1"), (b"x-a", b"\xe9"))
    reply = answer(Request("PUT", "/echo", "q=1", headers, "gr\u00fc\u00dfe".encode()))
    assert json.loads(body(reply)) == {
        "method": "PUT",
        "path": "/echo",
        "query": "q=1",
        "headers": [["x-a", "1"], ["x-a", "\u00e9"]],
        "body_bytes": 7,
        "body": "gr\u00fc\u00dfe",
    }


def test_echo_gives_back_a_body_that_is_no_text() -> None:
    told = json.loads(body(answer(Request("POST", "/echo", body=b"\xff\x00"))))
    assert base64.b64decode(told["body_base64"]) == b"\xff\x00"
    assert told["body_bytes"] == 2


def test_echo_refuses_a_body_over_its_bound() -> None:
    assert answer(Request("POST", "/echo", body=bytes(LARGEST_BODY_BYTES + 1))).status == 413
