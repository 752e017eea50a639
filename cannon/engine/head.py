"""A response head: its lines, what they say about the body and the connection, and what a head is not.

Law: a Head follows from the lines alone, and judge_head says how; what LastHead remembers is only a shorter way to the
same. The section numbers in the comments are those of RFC 9112.
"""

from __future__ import annotations

import re

from cannon.errors import Fault, FramingError

__all__ = [
    "CHUNKED",
    "FIELD",
    "FOLD",
    "UNTIL_CLOSE",
    "Head",
    "LastHead",
    "add_head_line",
    "closes",
    "judge_head",
    "no_http",
    "snippet",
    "starts_a_head",
]

CHUNKED = -1
UNTIL_CLOSE = -2

FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\0\r\n]*)")
FOLD = re.compile(rb"[ \t][^\0\r\n]*")

_NUMBER_LIMIT = 2**64 - 1
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([0-9]{3})(?: [^\0\r\n]*)?")
_STATUS_START = re.compile(rb"HTTP/1\.[0-9] [0-9]{3}[ \r]")
_STATUS_MODEL = b"HTTP/1.1 200 "
_CODING = re.compile(rb'(?:"(?:\\.|[^"\\])*"|[^",])+')
_DIGITS = re.compile(rb"[0-9]+")

_END = b"\r\n\r\n"
_FRAMING_NAMES = frozenset({b"connection", b"content-length", b"proxy-connection", b"transfer-encoding"})
_SHORT_NUMBER = 18
_REMEMBERED_BYTES = 4_096


class Head:
    """persistent: may the connection carry another request; length: in bytes, or CHUNKED or UNTIL_CLOSE. Immutable."""

    __slots__ = ("length", "persistent", "status")

    def __init__(self, status: int, persistent: bool, length: int) -> None:
        self.status = status
        self.persistent = persistent
        self.length = length


class LastHead:
    """The last head that answered one kind of request, for the next is most likely the same, or much like it.

    Two heads are alike if they have the same lines, but for the values of fields that say nothing of the framing, and
    the number of a Content-Length. Then nothing is judged anew. `head` is the verdict on the one that was taken last.
    """

    __slots__ = ("_data", "_length_at", "_lines", "_names", "_to_head", "head")

    def __init__(self, *, to_head: bool) -> None:
        self.head = Head(0, False, 0)
        self._to_head = to_head
        self._data = b""
        self._lines: list[bytes] = []
        # The start of each line that has to be the same, where not all of it has to.
        self._names: list[bytes] = []
        self._length_at = -1

    def take(self, data: bytes, position: int, room_bytes: int) -> int:
        """The position after the head that begins at this one; -1 if it does not end in as many bytes as there is
        room for. FramingError if it is none, and nothing is remembered.
        """
        whole = data[position : position + len(self._data)]
        if len(whole) <= room_bytes:
            if whole == self._data and whole:
                return position + len(whole)
            # Heads of one length are common, and to look is cheaper than to search.
            if whole.endswith(_END) and self._take_whole(whole):
                return position + len(whole)
        stop = data.find(_END, position, position + room_bytes) + len(_END)
        if stop < len(_END):
            return -1
        self._take_whole(data[position:stop])
        return stop

    def _take_whole(self, whole: bytes) -> bool:
        """Judge a head, or as good as; False if it ends before the end of these bytes."""
        lines = whole.split(b"\r\n")
        lines.pop()
        lines.pop()
        if not self._is_alike(lines):
            unfolded: list[bytes] = []
            for line in lines:
                if unfolded and not line:
                    return False
                add_head_line(unfolded, line)
            self._judge(unfolded)
            if len(unfolded) < len(lines) or len(whole) > _REMEMBERED_BYTES:
                lines = []
        self._lines = lines
        self._data = whole if len(whole) <= _REMEMBERED_BYTES else b""
        return True

    def _is_alike(self, lines: list[bytes]) -> bool:
        before, names = self._lines, self._names
        if len(lines) != len(before):
            return False
        length = -1
        for at, line in enumerate(lines):
            if line == before[at]:
                continue
            name = names[at]
            if not name or not line.startswith(name) or b"\r" in line or b"\n" in line or b"\0" in line:
                return False
            if at == self._length_at:
                digits = line[len(name) :].strip(b" \t")
                if not digits.isdigit() or len(digits) > _SHORT_NUMBER:
                    return False
                length = int(digits)
        if length >= 0:
            self.head = Head(self.head.status, self.head.persistent, length)
        return True

    def _judge(self, lines: list[bytes]) -> None:
        telling = [lines[0]]
        names = [b""]
        lengths: list[int] = []
        for line in lines[1:]:
            start = line[: line.index(b":") + 1]
            name = start[:-1].lower()
            if name in _FRAMING_NAMES:
                telling.append(line)
                if name == b"content-length":
                    lengths.append(len(names))
                start = b""
            names.append(start)
        head = judge_head(telling, to_head=self._to_head)
        self._length_at = -1
        if len(lengths) == 1 and head.length >= 0 and not bodiless(head.status, to_head=self._to_head):
            self._length_at = lengths[0]
            names[lengths[0]] = lines[lengths[0]][: len(b"content-length:")]
        self.head = head
        self._names = names


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
