"""A response head: its lines, what they say about the body and the connection, and what a head is not.

Law: pure; a Head follows from the lines alone. The section numbers in the comments are those of RFC 9112.
"""

from __future__ import annotations

import re
from typing import Final

from cannon.errors import Fault, FramingError

__all__ = [
    "CHUNKED",
    "FIELD",
    "FOLD",
    "TELLING_NAMES",
    "UNTIL_CLOSE",
    "Head",
    "add_head_line",
    "bodiless",
    "closes",
    "judge_head",
    "no_http",
    "snippet",
    "starts_a_head",
]

CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2

FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\0\r\n]*)")
FOLD = re.compile(rb"[ \t][^\0\r\n]*")

_NUMBER_LIMIT = 2**64 - 1
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([0-9]{3})(?: [^\0\r\n]*)?")
_STATUS_START = re.compile(rb"HTTP/1\.[0-9] [0-9]{3}[ \r]")
_STATUS_MODEL = b"HTTP/1.1 200 "
_CODING = re.compile(rb'(?:"(?:\\.|[^"\\])*"|[^",])+')
_DIGITS = re.compile(rb"[0-9]+")

TELLING_NAMES = frozenset({b"connection", b"content-length", b"proxy-connection", b"transfer-encoding"})
"""The fields that judge_head looks at, in lower case; all the others may say what they like."""


class Head:
    """persistent: may the connection carry another request; length: in bytes, or CHUNKED or UNTIL_CLOSE. Immutable."""

    __slots__ = ("length", "persistent", "status")

    def __init__(self, status: int, persistent: bool, length: int) -> None:
        self.status = status
        self.persistent = persistent
        self.length = length


def starts_a_head(start: bytes) -> bool:
    """Whether a status line may begin with these bytes, however few."""
    start = start[: len(_STATUS_MODEL)]
    return _STATUS_START.match(start + _STATUS_MODEL[len(start) :]) is not None


def add_head_line(lines: list[bytes], line: bytes) -> None:
    """Append a line without its CRLF to those of a head, unfolded. FramingError if it cannot stand there."""
    if not lines:
        if not _STATUS_LINE.fullmatch(line):
            raise FramingError(Fault.MALFORMED, no_http(line))
        lines.append(line)
    elif FIELD.fullmatch(line):
        lines.append(line)
    elif len(lines) > 1 and FOLD.fullmatch(line):  # 5.2: a user agent unfolds
        lines[-1] += b" " + line.strip(b" \t")
    else:
        raise FramingError(Fault.MALFORMED, f"malformed header line {snippet(line)}")


def closes(line: bytes) -> bool:
    """Whether a field outside its place, as in a trailer, speaks against reuse: closing is always right."""
    name, _, value = line.partition(b":")
    name = name.lower()
    if name in (b"connection", b"proxy-connection"):
        return b"close" in {option.strip(b" \t").lower() for option in value.split(b",")}
    return name == b"transfer-encoding" and not value.strip(b" \t").lower().endswith(b"chunked")


def judge_head(lines: list[bytes], *, to_head: bool) -> Head:
    """The length of the body (6.3) and whether the connection persists (9.3). to_head: it answers a HEAD."""
    match = _STATUS_LINE.fullmatch(lines[0])
    assert match is not None
    minor, status = int(match[1]), int(match[2])
    lengths: list[bytes] = []
    codings: list[bytes] | None = None
    options: set[bytes] = set()
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name == b"content-length":
            lengths += value.split(b",")
        elif name == b"transfer-encoding":
            codings = (codings or []) + _CODING.findall(value)
        elif name == b"connection":
            options |= {option.strip(b" \t").lower() for option in value.split(b",")}
        elif name == b"proxy-connection" and closes(line):  # llhttp heeds it, and closing is always right
            options.add(b"close")
    persistent = b"close" not in options and (minor > 0 or b"keep-alive" in options)
    if bodiless(status, to_head=to_head):
        return Head(status, persistent, 0)
    if codings is not None:
        if lengths:
            raise FramingError(Fault.MALFORMED, "both Transfer-Encoding and Content-Length")
        length = _transfer_length(codings)
        return Head(status, persistent and minor > 0 and length == CHUNKED, length)  # 6.1: after 1.0, close
    if lengths:
        return Head(status, persistent, _content_length(lengths))
    return Head(status, False, UNTIL_CLOSE)


def bodiless(status: int, *, to_head: bool) -> bool:
    """Whether the head is all of a response, whatever it says of a length."""
    return to_head or status in (204, 304) or 100 <= status < 200


def _transfer_length(codings: list[bytes]) -> int:
    names = [coding.strip(b" \t").lower() for coding in codings]
    names = [name for name in names if name]
    if any(name.partition(b";")[0].rstrip(b" \t") == b"chunked" and b";" in name for name in names):
        raise FramingError(Fault.MALFORMED, "the chunked coding has no parameters")  # 7.1
    return CHUNKED if names and names[-1] == b"chunked" else UNTIL_CLOSE


def _content_length(values: list[bytes]) -> int:
    numbers = [value.strip(b" \t") for value in values]
    if not all(_DIGITS.fullmatch(number) for number in numbers):
        raise FramingError(Fault.MALFORMED, f"malformed Content-Length {snippet(b','.join(numbers))}")
    different = {number.lstrip(b"0") for number in numbers}
    if len(different) > 1:
        raise FramingError(Fault.MALFORMED, f"Content-Length differs: {snippet(b', '.join(numbers))}")
    digits = different.pop() or b"0"
    if len(digits) > 20 or int(digits) > _NUMBER_LIMIT:
        raise FramingError(Fault.MALFORMED, f"Content-Length is too large: {snippet(digits)}")
    return int(digits)


def snippet(data: bytes) -> str:
    """At most 32 bytes, escaped, for a message."""
    return repr(bytes(data[:32])) + ("..." if len(data) > 32 else "")


def no_http(data: bytes) -> str:
    """What to tell a user of bytes that do not begin a response, with a guess at what they are."""
    return f"response is not HTTP/1: starts with {snippet(data)}{_hint(data)}"


def _hint(data: bytes) -> str:
    if data[:1] in (b"\x14", b"\x15", b"\x16", b"\x17") and data[1:2] in (b"", b"\x03"):
        return " (looks like TLS)"
    if data.startswith((b"PRI * HTTP/2", b"HTTP/2")) or (data[:2] == b"\0\0" and data[3:4] == b"\x04"):
        return " (looks like HTTP/2)"
    if data.startswith(b"HTTP/") or not data.strip():
        return ""
    if data[:32].isascii() and data[:32].decode("ascii").replace("\r", "").replace("\n", "").isprintable():
        return " (looks like text without a head, as in HTTP/0.9)"
    return ""
