"""A histogram in a file that anybody may have written: looked at before it is unpacked by anything that trusts it.

Law: what passes is a histogram as cannon writes them (nanoseconds, three significant digits), in bounded time and
memory: it unpacks to no more than its range takes, and no count lies beyond that range. Whatever else is a ValueError
that says why.

Source: HdrHistogram's V2 encoding: base64 of a header and a zlib stream; in that another header, and the counts as
ZigZag LEB128 numbers, a negative one standing for so many empty places.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Weight", "weighed"]

_OUTER = struct.Struct(">II")
_INNER = struct.Struct(">IIIIQQd")
_WORD_SIZE = 0xF0
"""Bits of a cookie that V2 does not read."""
_PACKED = 0x1C849304
_PLAIN = 0x1C849303

_DIGITS = 3
_HALF_PLACES = 1024
"""Three digits: each doubling of the range takes so many places more."""
_HIGHEST = 1 << 62

_LONGEST_NUMBER = 9
_MOST_PLACES = (62 + 2) * _HALF_PLACES
_MOST_BYTES = _INNER.size + _LONGEST_NUMBER * _MOST_PLACES
_MOST_CHARACTERS = 4 * _MOST_BYTES // 3
_MOST_SAMPLES = 1 << 63


class Weight(NamedTuple):
    """How many samples a histogram holds, and what it takes to read them."""

    samples: int
    unpacked_bytes: int


def weighed(encoded: str) -> Weight:
    """The weight of a histogram. ValueError: it is none that may be unpacked."""
    body = _unpacked(encoded)
    if len(body) < _INNER.size:
        raise ValueError("it ends in its header")
    cookie, length, offset, digits, lowest, highest, ratio = _INNER.unpack_from(body)
    if cookie & ~_WORD_SIZE != _PLAIN or length != len(body) - _INNER.size:
        raise ValueError("it is no HdrHistogram V2")
    if (digits, lowest, offset, ratio) != (_DIGITS, 1, 0, 1.0) or not 2 * _HALF_PLACES <= highest <= _HIGHEST:
        raise ValueError("it is not of nanoseconds at three significant digits")
    places = _places(highest)
    place = samples = 0
    for number in _numbers(body[_INNER.size :]):
        if number < 0:
            place -= number
        else:
            place += 1
            samples += number
        if place > places or samples >= _MOST_SAMPLES:
            raise ValueError("it counts beyond its range")
    if not samples:
        raise ValueError("it holds no sample, and then there is none")
    return Weight(samples, len(body))


def _unpacked(encoded: str) -> bytes:
    """The inner header and the counts."""
    if len(encoded) > _MOST_CHARACTERS:
        raise ValueError("it is longer than any can be")
    # Not ASCII, or no base64: a ValueError as well, whose words say nothing to a user.
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise ValueError("it is no base64") from None
    if len(data) < _OUTER.size:
        raise ValueError("it ends in its header")
    cookie, length = _OUTER.unpack_from(data)
    if cookie & ~_WORD_SIZE != _PACKED or length != len(data) - _OUTER.size:
        raise ValueError("it is no HdrHistogram V2")
    unpacking = zlib.decompressobj()
    try:
        body = unpacking.decompress(data[_OUTER.size :], _MOST_BYTES + 1)
    except zlib.error:
        raise ValueError("it cannot be unpacked") from None
    if len(body) > _MOST_BYTES:
        raise ValueError("it unpacks to more than any can hold")
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("it cannot be unpacked")
    return body


def _places(highest: int) -> int:
    """How many counts a range takes, as HdrHistogram lays them out."""
    reach, doublings = 2 * _HALF_PLACES, 1
    while reach <= highest:
        reach, doublings = 2 * reach, doublings + 1
    return (doublings + 1) * _HALF_PLACES


def _numbers(data: bytes) -> Iterator[int]:
    """ZigZag LEB128: seven bits a byte, the lowest first, and all eight of the ninth."""
    value = shift = 0
    last = 7 * (_LONGEST_NUMBER - 1)
    for byte in data:
        if byte & 0x80 and shift < last:
            value |= (byte & 0x7F) << shift
            shift += 7
            continue
        value |= byte << shift
        yield (value >> 1) ^ -(value & 1)
        value = shift = 0
    if shift:
        raise ValueError("it ends within a count")
