"""Packets of a capture, and the exchanges of HTTP/1.1 that they make: pure, from bytes.

Law: a stamp is the kernel's, in ns, as the file has it; an exchange lasts from the last byte of its request to the
last byte of its response. What does not frame is refused, never guessed at.
Source: the classic pcap format with nanoseconds (draft-ietf-opsawg-pcap), as `tcpdump --time-stamp-precision=nano`
writes it; Ethernet, as loopback has it, and IPv4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["BrokenCapture", "Exchange", "Segment", "exchanges", "segments"]

_NANOSECONDS = 0xA1B23C4D
_ETHERNET = 1
_ETHERNET_BYTES = 14
_IPV4 = b"\x08\x00"
_TCP = 6
_FILE_HEADER_BYTES = 24
_PACKET_HEADER_BYTES = 16


class BrokenCapture(Exception):
    """A capture that cannot be read, or that does not hold whole exchanges, one after the other."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A TCP segment that carries bytes. `client` is the client's port, `to_server` which way it went."""

    at_ns: int
    client: int
    to_server: bool
    sequence: int
    payload_bytes: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response: when the last byte of each was on the wire, and the client's port."""

    asked_ns: int
    answered_ns: int
    client: int

    @property
    def duration_ns(self) -> int:
        return self.answered_ns - self.asked_ns


def segments(data: bytes, port: int) -> Iterator[Segment]:
    """The segments with bytes in them that went to or from this port, in the order of the file.

    A file that ends inside a packet, as one does whose writer was killed, is broken. BrokenCapture.
    """
    order = _byte_order(data)
    packet = struct.Struct(f"{order}IIII")
    place = _FILE_HEADER_BYTES
    while place < len(data):
        begin = place + _PACKET_HEADER_BYTES
        if begin > len(data):
            raise BrokenCapture("the capture ends inside a packet's header")
        seconds, nanoseconds, kept_bytes, _ = packet.unpack_from(data, place)
        place = begin + kept_bytes
        if place > len(data):
            raise BrokenCapture("the capture ends inside a packet")
        found = _segment(data[begin:place], port, seconds * 1_000_000_000 + nanoseconds)
        if found is not None and found.payload_bytes:
            yield found


def _byte_order(data: bytes) -> str:
    if len(data) < _FILE_HEADER_BYTES:
        raise BrokenCapture("the capture has no header")
    for order in "<>":
        if struct.unpack_from(f"{order}I", data)[0] == _NANOSECONDS:
            (link,) = struct.unpack_from(f"{order}I", data, 20)
            if link & 0xFFFF != _ETHERNET:
                raise BrokenCapture(f"the capture is of link type {link}, not of Ethernet")
            return order
    raise BrokenCapture("the file is no capture with nanoseconds")


def _segment(frame: bytes, port: int, at_ns: int) -> Segment | None:
    """The segment in a frame; None where it is no TCP over IPv4 to or from the port."""
    if frame[12:14] != _IPV4 or len(frame) < _ETHERNET_BYTES + 20:
        return None
    ip_header_bytes = (frame[_ETHERNET_BYTES] & 0x0F) * 4
    tcp = _ETHERNET_BYTES + ip_header_bytes
    if frame[_ETHERNET_BYTES + 9] != _TCP or len(frame) < tcp + 20:
        return None
    # The length of the datagram is the one thing that a snapshot shortens nowhere.
    (datagram_bytes,) = struct.unpack_from("!H", frame, _ETHERNET_BYTES + 2)
    source, destination, sequence = struct.unpack_from("!HHI", frame, tcp)
    if port not in (source, destination):
        return None
    to_server = destination == port
    return Segment(
        at_ns=at_ns,
        client=source if to_server else destination,
        to_server=to_server,
        sequence=sequence,
        payload_bytes=datagram_bytes - ip_header_bytes - (frame[tcp + 12] >> 4) * 4,
    )


class _Conversation:
    """One connection, of whose exchange so much has been seen."""

    def __init__(self) -> None:
        self.asked_ns: int | None = None
        self.answered_bytes = 0
        self.last_sequence: dict[bool, int] = {}


def exchanges(found: Iterable[Segment], response_bytes: int) -> Iterator[Exchange]:
    """The whole exchanges, in the order in which they ended, of responses that are all so long.

    Clients and server have to take turns: BrokenCapture where a request comes before the response to the last one is
    whole. A segment that was sent again counts once. What is under way at the end is left out.
    """
    conversations: dict[int, _Conversation] = {}
    for segment in found:
        conversation = conversations.setdefault(segment.client, _Conversation())
        if conversation.last_sequence.get(segment.to_server) == segment.sequence:
            continue
        conversation.last_sequence[segment.to_server] = segment.sequence
        if segment.to_server:
            if conversation.answered_bytes:
                raise BrokenCapture(f"port {segment.client} asked again before it had its response")
            conversation.asked_ns = segment.at_ns
            continue
        conversation.answered_bytes += segment.payload_bytes
        if conversation.asked_ns is None or conversation.answered_bytes > response_bytes:
            raise BrokenCapture(f"port {segment.client} was sent more than the response it asked for")
        if conversation.answered_bytes == response_bytes:
            yield Exchange(conversation.asked_ns, segment.at_ns, segment.client)
            conversation.asked_ns = None
            conversation.answered_bytes = 0
