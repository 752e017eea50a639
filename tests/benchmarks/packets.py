"""Captures made by hand: a pcap file with nanoseconds, of Ethernet frames that hold TCP over IPv4."""

from __future__ import annotations

import struct
from collections.abc import Iterable

SERVER = 4000
NANOSECONDS, MICROSECONDS = 0xA1B23C4D, 0xA1B2C3D4


def frame(source: int, destination: int, sequence: int, payload: bytes, *, options: bytes = b"") -> bytes:
    """A frame as loopback has it."""
    tcp = struct.pack(
        "!HHIIBBHHH", source, destination, sequence, 0, (5 + len(options) // 4) << 4, 24, 0, 0, 0
    )
    length = 20 + len(tcp) + len(options) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    return bytes(12) + b"\x08\x00" + ip + tcp + options + payload


def file(
    packets: Iterable[tuple[int, bytes]],
    *,
    order: str = "<",
    magic: int = NANOSECONDS,
    link: int = 1,
    snapshot: int = 96,
) -> bytes:
    """A file of (moment in ns, frame), of which so many bytes are kept."""
    data = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snapshot, link)
    for at_ns, whole in packets:
        kept = whole[:snapshot]
        seconds, nanoseconds = divmod(at_ns, 10**9)
        data += struct.pack(f"{order}IIII", seconds, nanoseconds, len(kept), len(whole)) + kept
    return data
