"""Bodies are counted as they came and compared decoded; what cannot be decoded is told, with what helps."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from cannon import probe as module
from tests.probing import answered, fed

TEXT = b"to be compressed, " * 400


def _twice(data: bytes) -> bytes:
    return gzip.compress(data[:100]) + gzip.compress(data[100:])


def _raw_deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("gzip", _twice),
        ("deflate", zlib.compress),
        ("deflate", _raw_deflated),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("identity", bytes),
        ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
    ],
)
def test_a_body_is_counted_as_it_came_and_compared_decoded(
    coding: str, encode: Callable[[bytes], bytes]
) -> None:
    body = encode(TEXT)
    answer = fed(answered("200 OK", f"Content-Encoding: {coding}", body=body))
    assert (answer.encoding, answer.wire_bytes, answer.undecodable) == (coding.lower(), len(body), "")
    assert (answer.body_bytes, answer.digest) == (len(TEXT), hashlib.sha256(TEXT).hexdigest())


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br"])
def test_an_empty_body_has_nothing_to_be_decoded(coding: str) -> None:
    answer = fed(answered("200 OK", f"Content-Encoding: {coding}", body=b""))
    assert (answer.body_bytes, answer.undecodable) == (0, "")


@pytest.mark.parametrize(
    ("coding", "body", "words"),
    [
        ("gzip", b"\x1f\x8bbroken", "it is no gzip that can be decoded"),
        ("gzip", gzip.compress(TEXT)[:-9], "it is no gzip that can be decoded"),
        ("deflate", b"\xff\xff\xff", "it is no deflate that can be decoded"),
        ("br", b"\xff\xff\xff\xff", "it is no br that can be decoded"),
        ("zstd", zstandard.compress(TEXT)[:-9], "it is no zstd that can be decoded"),
        ("compress", b"hello", "cannon knows no coding 'compress'"),
        ("\x1b[2J", b"hello", "cannon knows no coding '\\x1b[2j'"),
    ],
    # A packed body holds the time of its packing, and a test must be called the same in every process.
    ids=["broken gzip", "cut gzip", "broken deflate", "broken br", "cut zstd", "unknown", "hostile"],
)
def test_what_cannot_be_decoded_is_told_and_stays_as_it_came(coding: str, body: bytes, words: str) -> None:
    answer = fed(answered("200 OK", f"Content-Encoding: {coding}", body=body))
    assert words in answer.undecodable
    assert (answer.body_bytes, answer.digest) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_decoder_that_is_missing_is_told_with_its_extra(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_known_codings", lambda: ["gzip", "deflate"])
    answer = fed(answered("200 OK", f"Content-Encoding: {coding}"))
    assert (
        answer.undecodable == f"no decoder of {coding} is installed (pip install 'cannon-load[compression]')"
    )


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
    ],
)
def test_a_body_that_swells_without_end_is_left_as_it_is(
    coding: str, encode: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST_DECODED_BYTES", 1 << 20)
    body = encode(bytes((1 << 20) + 1))
    answer = fed(answered("200 OK", f"Content-Encoding: {coding}", body=body))
    assert answer.undecodable == "it decodes to more than 1 MiB"
    assert answer.body_bytes == len(body)
