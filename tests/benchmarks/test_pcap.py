from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcap import BrokenCapture, Exchange, Segment, exchanges, segments
from tests.benchmarks.packets import MICROSECONDS, SERVER, file, frame

STAMPS = bytes(12)
"""As long as the option with which Linux sends its time stamps."""

RESPONSE_BYTES = 77


def asked(at_ns: int, client: int = 50_000, *, sequence: int = 1, payload_bytes: int = 40) -> Segment:
    return Segment(at_ns, client, to_server=True, sequence=sequence, payload_bytes=payload_bytes)


def answered(at_ns: int, client: int = 50_000, *, sequence: int = 1, payload_bytes: int = 77) -> Segment:
    return Segment(at_ns, client, to_server=False, sequence=sequence, payload_bytes=payload_bytes)


def _exchanges(*found: Segment) -> list[Exchange]:
    return list(exchanges(found, RESPONSE_BYTES))


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_segment_has_its_stamp_its_way_and_its_length(order: str) -> None:
    data = file(
        [
            (1_700_000_000_123_456_789, frame(50_000, SERVER, 7, b"x" * 40, options=STAMPS)),
            (1_700_000_001_000_000_001, frame(SERVER, 50_000, 9, b"y" * 77)),
        ],
        order=order,
    )
    assert list(segments(data, SERVER)) == [
        asked(1_700_000_000_123_456_789, sequence=7, payload_bytes=40),
        answered(1_700_000_001_000_000_001, sequence=9, payload_bytes=77),
    ]


def test_a_length_is_that_of_the_segment_not_of_what_was_kept_of_it() -> None:
    data = file([(1, frame(SERVER, 50_000, 9, b"y" * 5_000))])
    assert [segment.payload_bytes for segment in segments(data, SERVER)] == [5_000]


@pytest.mark.parametrize(
    "other",
    [
        frame(50_000, SERVER, 7, b""),  # a bare acknowledgement
        frame(50_000, SERVER + 1, 7, b"x"),
        bytes(12) + b"\x86\xdd" + bytes(60),  # IPv6
        bytes(12) + b"\x08\x00" + b"\x45" + bytes(8) + b"\x11" + bytes(40),  # UDP
        bytes(12) + b"\x08\x00",
    ],
)
def test_what_carries_nothing_to_or_from_the_server_is_passed_over(other: bytes) -> None:
    assert list(segments(file([(1, other)]), SERVER)) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no header"),
        (file([], magic=MICROSECONDS), "no capture with nanoseconds"),
        (file([], link=113), "link type 113"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "no capture with nanoseconds"),
    ],
)
def test_what_is_no_capture_of_loopback_with_nanoseconds_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(BrokenCapture, match=told):
        list(segments(data, SERVER))


@given(st.data())
def test_a_capture_that_ends_inside_a_packet_is_refused(data: st.DataObject) -> None:
    start = file([(1, frame(50_000, SERVER, 7, b"x"))])
    whole = start + file([(2, frame(50_000, SERVER, 8, b"x"))])[24:]
    end = data.draw(st.integers(len(start) + 1, len(whole) - 1))
    with pytest.raises(BrokenCapture, match="ends inside a packet"):
        list(segments(whole[:end], SERVER))


def test_an_exchange_lasts_from_the_last_byte_of_the_request_to_the_last_of_the_response() -> None:
    (exchange,) = _exchanges(
        asked(100, sequence=1),
        asked(130, sequence=2),
        answered(1_000, sequence=1, payload_bytes=70),
        answered(1_130, sequence=2, payload_bytes=7),
    )
    assert exchange == Exchange(asked_ns=130, answered_ns=1_130, client=50_000)
    assert exchange.duration_ns == 1_000


@given(st.integers(1, 30), st.integers(1, 30))
def test_connections_are_kept_apart_and_every_whole_exchange_is_found(connections: int, rounds: int) -> None:
    moments_ns = count(1)
    found = [
        make(next(moments_ns), client, sequence=number)
        for number in range(rounds)
        for make in (asked, answered)
        for client in range(connections)
    ]
    assert [exchange.duration_ns for exchange in _exchanges(*found)] == [connections] * connections * rounds


def test_what_is_under_way_at_the_end_is_left_out() -> None:
    assert len(_exchanges(asked(1), answered(2), asked(3, sequence=2))) == 1
    assert (
        len(_exchanges(asked(1), answered(2), asked(3, sequence=2), answered(4, sequence=2, payload_bytes=9)))
        == 1
    )


def test_a_segment_that_was_sent_again_counts_once() -> None:
    (exchange,) = _exchanges(asked(1), asked(2), answered(3), answered(4))
    assert (exchange.asked_ns, exchange.answered_ns) == (1, 3)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([asked(1), answered(2, payload_bytes=9), asked(3, sequence=2)], "asked again before"),
        ([asked(1), answered(2, payload_bytes=78)], "more than the response"),
        ([asked(1), answered(2), answered(3, sequence=2)], "more than the response"),
        ([answered(2)], "more than the response"),
    ],
)
def test_conversations_that_take_no_turns_are_refused(found: list[Segment], told: str) -> None:
    with pytest.raises(BrokenCapture, match=told):
        _exchanges(*found)
