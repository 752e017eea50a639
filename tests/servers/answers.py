"""What the rude server does for a path: a table of scripts, each a generator of steps.

A script knows no socket and no clock. A step is bytes to write, a Pause, or an End; where a script runs out,
the connection is ready for the next request. The names of the paths say what goes wrong, and `/after/N/...`
lets it go wrong only after N good responses on the same connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import repeat
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

__all__ = ["GOOD", "Asked", "End", "Pause", "Script", "Step", "reads_body", "script_for"]

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"
"""The response of `/ok`, as it is on the wire."""

_HUGE = 1 << 62


class End(Enum):
    """How a script leaves its connection, where it does not stay open for the next request."""

    FIN = "the writing half is closed; what still comes is read, and counted"
    NOTIFY = "the same, after the goodbye of TLS, where there is TLS"
    ALERT = "a fatal alert of TLS, then FIN; in the clear, a FIN"
    SPOILT = "a record of TLS that cannot be decrypted, and nothing more; in the clear, a FIN"
    RESET = "a RST, and whatever was unread is lost"
    SILENCE = "nothing more is ever written"
    DEAF = "nothing more is read either"


@dataclass(frozen=True)
class Pause:
    """Write nothing for a while."""

    seconds: float


Step = bytes | Pause | End
Script = Iterator[Step]


@dataclass(frozen=True)
class Asked:
    """A request as scripts see it: `ordinal` counts from 0 on its connection, `connection` from 1 at the server;
    `arguments` follow the name.
    """

    method: str
    path: str
    query: str = ""
    ordinal: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    connection: int = 1

    def number(self, otherwise: int) -> int:
        """The first argument as a number."""
        return int(self.arguments[0]) if self.arguments else otherwise


def script_for(asked: Asked) -> Script:
    """The script of a path; 404 where there is none."""
    name, arguments = _find(asked.path)
    return _SCRIPTS[name](replace(asked, arguments=arguments))


def reads_body(path: str) -> bool:
    """Whether the server reads a request's body before it answers."""
    return not _find(path)[0].startswith("early")


def _find(path: str) -> tuple[str, tuple[str, ...]]:
    """The longest name that the path begins with, and what follows it."""
    parts = tuple(part for part in urlsplit(path).path.split("/") if part)
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in _SCRIPTS:
            return name, parts[length:]
    return "", parts


def _always(*steps: Step) -> Callable[[Asked], Script]:
    return lambda _: iter(steps)


def _head(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode("latin-1")


def _ok(asked: Asked) -> Script:
    yield GOOD.partition(b"hello")[0] if asked.method == "HEAD" else GOOD


def _missing(_: Asked) -> Script:
    yield _head("404 Not Found", "Content-Length: 0")


def _after(asked: Asked) -> Script:
    """/after/N/NAME: N good responses on each connection, then NAME."""
    if asked.ordinal < asked.number(1):
        return _ok(asked)
    return script_for(replace(asked, path="/".join(asked.arguments[1:])))


def _sick(asked: Asked) -> Script:
    """/sick/FIRST/LAST: no answer on the FIRST to the LAST connection of the server, good ones on the others."""
    first, last = map(int, asked.arguments)
    return iter((End.SILENCE,)) if first <= asked.connection <= last else _ok(asked)


def _drip(asked: Asked) -> Script:
    """/drip/MS: a good response, a byte every MS ms."""
    for byte in GOOD:
        yield bytes((byte,))
        yield Pause(asked.number(20) / 1000)


def _slow(asked: Asked) -> Script:
    """/slow/MS: a good response, MS ms late."""
    yield Pause(asked.number(50) / 1000)
    yield GOOD


def _status(asked: Asked) -> Script:
    """/status/N: a final response of that status, without a body where it may have none."""
    status = asked.number(200)
    yield _head(f"{status} Status {status}", *(() if status in (204, 304) else ("Content-Length: 0",)))


def _reason(asked: Asked) -> Script:
    """/reason?text=...: 200 with any bytes as its reason phrase, even such as may not be there."""
    text = unquote_to_bytes(asked.query.partition("text=")[2].replace("+", " "))
    yield b"HTTP/1.1 200 " + text + b"\r\nContent-Length: 5\r\n\r\nhello"


def _interim(asked: Asked) -> Script:
    """/interim/N: N interim responses, then the final one."""
    for index in range(asked.number(1)):
        yield _head(("100 Continue", "102 Processing", "103 Early Hints")[index % 3], "Link: </a.css>")
    yield GOOD


def _tiny_chunks(asked: Asked) -> Script:
    """/chunks/tiny/N: a whole chunked body of N chunks of a byte each."""
    yield _head("200 OK", "Transfer-Encoding: chunked")
    left = asked.number(1000)
    while left:
        batch = min(left, 4096)
        yield b"1\r\nx\r\n" * batch
        left -= batch
    yield b"0\r\n\r\n"


def _chunk_extensions(asked: Asked) -> Script:
    """/chunks/extensions/KIB: a whole chunked body of one byte, whose chunk extension is that long."""
    yield _head("200 OK", "Transfer-Encoding: chunked") + b"1;name="
    yield from repeat(b"x" * 1024, asked.number(64))
    yield b"\r\nx\r\n0\r\n\r\n"


def _endless(begin: bytes, piece: bytes) -> Callable[[Asked], Script]:
    """What begins and never ends; the server sets a bound."""

    def script(_: Asked) -> Script:
        yield begin
        yield from repeat(piece)

    return script


def _idle_close(asked: Asked) -> Script:
    """/idle-close/MS: a good response that promises to stay, and a FIN MS ms later."""
    yield GOOD
    if asked.number(0):
        yield Pause(asked.number(0) / 1000)
    yield End.FIN


def _early(_: Asked) -> Script:
    """/early: a refusal before the body was read, then FIN; the body is still read, and thrown away."""
    yield _head("413 Content Too Large", "Content-Length: 0", "Connection: close")
    yield End.FIN


def _never_read(_: Asked) -> Script:
    """/early/never-reads: the body is not read, and nothing answered."""
    yield End.DEAF


def _length(asked: Asked) -> Script:
    """/length/N: a good response with a body of N bytes."""
    yield _head("200 OK", f"Content-Length: {asked.number(1)}")
    yield b"x" * asked.number(1)


def _query_bytes(asked: Asked) -> Script:
    """/raw?bytes=...: exactly these bytes, then FIN."""
    yield parse_qs(asked.query, encoding="latin-1")["bytes"][0].encode("latin-1")
    yield End.FIN


_CHUNKED = _head("200 OK", "Transfer-Encoding: chunked")
_TWO_LENGTHS = _head("200 OK", "Content-Length: 5", "Content-Length: 6")
_H2_SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
_LINE = b"X-Filler: " + b"x" * 244 + b"\r\n"
_HOSTILE = b"HTTP/1.1 [/red]\x1b[2J\n::error::owned \x9b31m\x00 OK\r\n\r\n"

_SCRIPTS: dict[str, Callable[[Asked], Script]] = {
    "": _missing,
    "ok": _ok,
    "after": _after,
    "sick": _sick,
    "slow": _slow,
    "drip": _drip,
    "status": _status,
    "no-content": _always(_head("204 No Content")),
    "reason": _reason,
    "interim": _interim,
    "length": _length,
    "raw": _query_bytes,
    "close": _always(End.FIN),
    "reset": _always(End.RESET),
    "reset/body": _always(GOOD[:-2], Pause(0.005), End.RESET),
    "stall": _always(End.SILENCE),
    "stall/body": _always(GOOD[:-2], End.SILENCE),
    "alert": _always(End.ALERT),
    "alert/body": _always(GOOD[:-2], End.ALERT),
    "spoilt": _always(End.SPOILT),
    "spoilt/body": _always(GOOD[:-2], End.SPOILT),
    "truncate/head": _always(GOOD[:25], End.FIN),
    "truncate/body": _always(GOOD[:-2], End.FIN),
    "truncate/body/notify": _always(GOOD[:-2], End.NOTIFY),
    "truncate/chunk": _always(_CHUNKED + b"5\r\nhe", End.FIN),
    "truncate/last-chunk": _always(_CHUNKED + b"5\r\nhello\r\n", End.FIN),
    "garbage/tls": _always(b"\x15\x03\x01\x00\x02\x02\x46", End.FIN),
    "garbage/http09": _always(b"<html><body>hello</body></html>\n", End.FIN),
    "garbage/h2": _always(_H2_SETTINGS, End.SILENCE),
    "garbage/text": _always(b"220 mail.test ESMTP ready\r\n", End.SILENCE),
    "garbage/lengths": _always(_TWO_LENGTHS + b"hello!", End.SILENCE),
    "garbage/version": _always(GOOD.replace(b"HTTP/1.1", b"HTTP/2.0")),
    "hostile-error": _always(_HOSTILE, End.SILENCE),
    "head/endless/lines": _endless(b"HTTP/1.1 200 OK\r\n", _LINE * 16),
    "head/endless/value": _endless(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"x" * 4096),
    "head/endless/name": _endless(b"HTTP/1.1 200 OK\r\n", b"x" * 4096),
    "head/endless/reason": _endless(b"HTTP/1.1 200 ", b"x" * 4096),
    "body/endless/chunked": _endless(_CHUNKED, b"8000\r\n" + b"x" * 0x8000 + b"\r\n"),
    "body/endless/chunk": _endless(_CHUNKED + b"3fffffffffffffff\r\n", b"x" * 0x8000),
    "body/endless/length": _endless(_head("200 OK", f"Content-Length: {_HUGE}"), b"x" * 0x8000),
    "body/endless/close": _endless(_head("200 OK"), b"x" * 0x8000),
    "body/endless/trailers": _endless(_CHUNKED + b"0\r\n", _LINE * 16),
    "chunks/tiny": _tiny_chunks,
    "chunks/extensions": _chunk_extensions,
    "chunks/extensions/endless": _endless(_CHUNKED + b"1;name=", b"x" * 4096),
    "chunks/good": _always(_CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"),
    "broken-gzip": _always(
        _head("200 OK", "Content-Encoding: gzip", "Content-Length: 8") + b"\x1f\x8bbroken"
    ),
    "chunks/good/close": _always(
        _head("200 OK", "Transfer-Encoding: chunked", "Connection: close") + b"5\r\nhello\r\n0\r\n\r\n",
        End.FIN,
    ),
    "excess/response": _always(GOOD + GOOD),
    "excess/text": _always(GOOD + b"and more"),
    "excess/partial": _always(GOOD + GOOD[:12]),
    "close-delimited": _always(_head("200 OK") + b"hello", End.FIN),
    "close-delimited/notify": _always(_head("200 OK") + b"hello", End.NOTIFY),
    "http10": _always(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", End.FIN),
    "http10/keep-alive": _always(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"
    ),
    "says-close": _always(_head("200 OK", "Connection: close", "Content-Length: 5") + b"hello", End.FIN),
    "says-close/stays": _always(_head("200 OK", "Connection: close", "Content-Length: 5") + b"hello"),
    "idle-close": _idle_close,
    "early": _early,
    "early/never-reads": _never_read,
}
