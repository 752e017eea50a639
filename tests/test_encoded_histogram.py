"""Histograms that anybody may have encoded: those of cannon pass, and nothing that is larger than it looks."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.encoded_histogram import weighed
from cannon.tally import Histogram
from tests.strategies import histograms

HIGHEST = 7 * 24 * 3_600 * 1_000_000_000


def encoded(
    counts: bytes = b"\x04",
    *,
    cookie: int = 0x1C849303,
    length: int | None = None,
    offset: int = 0,
    digits: int = 3,
    lowest: int = 1,
    highest: int = HIGHEST,
    ratio: float = 1.0,
    behind: bytes = b"",
) -> str:
    r"""A histogram by hand: as cannon's, but for what is told. `counts`: ZigZag LEB128; b"\\x04" is two samples."""
    header = struct.pack(
        ">IIIIQQd",
        cookie,
        len(counts) if length is None else length,
        offset,
        digits,
        lowest,
        highest,
        ratio,
    )
    return wrapped(zlib.compress(header + counts) + behind)


def wrapped(packed: bytes, cookie: int = 0x1C849304, length: int | None = None) -> str:
    """Packed bytes in the outer header, as text."""
    outer = struct.pack(">II", cookie, len(packed) if length is None else length)
    return base64.b64encode(outer + packed).decode("ascii")


@settings(max_examples=25)
@given(histograms.filter(lambda histogram: bool(histogram.counts)))
def test_what_cannon_encodes_passes_with_its_count(histogram: Histogram) -> None:
    assert weighed(histogram.encode()).samples == histogram.count


@settings(max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=300).filter(any))
def test_what_passes_holds_as_many_samples_as_hdrhistogram_reads(counts: list[int]) -> None:
    text = encoded(bytes(2 * count for count in counts))
    assert weighed(text).samples == HdrHistogram.decode(text).get_total_count() == sum(counts)
    assert weighed(text).unpacked_bytes == 40 + len(counts)


def test_a_number_of_nine_bytes_is_read_whole() -> None:
    assert weighed(encoded(b"\xfe" + b"\xff" * 7 + b"\x7f")).samples == 2**62 - 1


REFUSED = {
    "no base64": ("****", "it is no base64"),
    "not ASCII": ("\N{SNOWMAN}", "it is no base64"),
    "empty": ("", "it ends in its header"),
    "cut in the outer header": (base64.b64encode(b"\x1c\x84").decode(), "it ends in its header"),
    "cut in the inner header": (wrapped(zlib.compress(b"x" * 39)), "it ends in its header"),
    "another format": (wrapped(zlib.compress(b"x" * 60), cookie=0x12345678), "it is no HdrHistogram V2"),
    "another format inside": (encoded(cookie=0x1C849301), "it is no HdrHistogram V2"),
    "another outer length": (wrapped(zlib.compress(b"x" * 60), length=7), "it is no HdrHistogram V2"),
    "another inner length": (encoded(length=2), "it is no HdrHistogram V2"),
    "no zlib": (wrapped(b"y" * 60), "it cannot be unpacked"),
    "cut zlib": (wrapped(zlib.compress(bytes(range(256)))[:-8]), "it cannot be unpacked"),
    "bytes behind": (encoded(behind=b"more"), "it cannot be unpacked"),
    "five digits": (encoded(digits=5), "it is not of nanoseconds at three significant digits"),
    "another unit": (encoded(lowest=1000), "it is not of nanoseconds at three significant digits"),
    "an offset": (encoded(offset=1), "it is not of nanoseconds at three significant digits"),
    "a ratio": (encoded(ratio=float("nan")), "it is not of nanoseconds at three significant digits"),
    "no range": (encoded(highest=0), "it is not of nanoseconds at three significant digits"),
    "all ranges": (encoded(highest=2**64 - 1), "it is not of nanoseconds at three significant digits"),
    "nothing in it": (encoded(b""), "it holds no sample, and then there is none"),
    "zeros alone": (encoded(b"\x00\x01"), "it holds no sample, and then there is none"),
    "an open count": (encoded(b"\x02\x80"), "it ends within a count"),
    "zeros beyond its range": (encoded(b"\xff" * 9 + b"\x02"), "it counts beyond its range"),
    "counts beyond its range": (encoded(b"\x02" * 50_000), "it counts beyond its range"),
    "more than can be counted": (encoded((b"\xfe" + b"\xff" * 8) * 2), "it counts beyond its range"),
    "long": ("A" * 2_000_000, "it is longer than any can be"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        weighed(text)


def test_a_bomb_is_unpacked_no_further_than_the_largest_histogram() -> None:
    bomb = wrapped(zlib.compress(bytes(20 * 1024**2), 9))
    with pytest.raises(ValueError, match=r"^it unpacks to more than any can hold$"):
        weighed(bomb)
