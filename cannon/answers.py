"""What the bundled origin answers: a table of paths, and a Reply for every Request.

Law: decided without sockets or clocks; a delay is a number in the Reply. Everything asked of it is bounded. Negotiation
follows RFC 9110, section 12.5.3; no body with 204 and 304, section 6.4.1.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

import msgspec

__all__ = ["LARGEST_BODY_BYTES", "Reply", "Request", "answer", "chosen_coding"]

_PIECE_BYTES = 64 * 1024
_BODILESS = frozenset({204, 304})
_LARGEST_BYTES = 1024**3
_LONGEST_DELAY_MS = 60_000
LARGEST_BODY_BYTES = 16 * 1024**2

_HELLO = b"Hello from the origin.\n"
_BLOCK = bytes(range(32, 126)) * (_PIECE_BYTES // 94) + b" " * (_PIECE_BYTES % 94)
_TEXT_WORDS = 8000
_VOCABULARY = (
    "a and answer are as at be before body bytes by cache client closed connection encoding for from header how in"
    " is it kept length line long many most name network not of on one open or path proxy read reply request sent"
    " server slow socket status than that the then time to under wait when which while with write"
)

_Headers = tuple[tuple[bytes, bytes], ...]
_PLAIN: _Headers = ((b"content-type", b"text/plain; charset=utf-8"),)
_JSON: _Headers = ((b"content-type", b"application/json"),)
_OCTETS: _Headers = ((b"content-type", b"application/octet-stream"),)
_VARY: _Headers = ((b"vary", b"accept-encoding"),)


class Request(msgspec.Struct, frozen=True):
    """What a client asked. `path` is decoded, `headers` have lower-case names."""

    method: str
    path: str
    query: str = ""
    headers: _Headers = ()
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True):
    """What to answer: after `delay_s` the status and headers, then `content`, over and over up to `length_bytes`."""

    status: int
    headers: _Headers
    content: bytes = b""
    length_bytes: int = 0
    delay_s: float = 0.0

    @property
    def has_body(self) -> bool:
        """Whether a length belongs in its head: not with 204 and 304."""
        return self.status not in _BODILESS

    def pieces(self) -> Iterator[bytes]:
        """Yield the body, 64 KiB at a time at most."""
        left = self.length_bytes
        start = 0
        while left > 0:
            piece = self.content[start : start + min(left, _PIECE_BYTES)]
            start = (start + len(piece)) % len(self.content)
            left -= len(piece)
            yield piece


def _reply(status: int, headers: _Headers, content: bytes, *, delay_s: float = 0.0) -> Reply:
    return Reply(status, headers, content, len(content), delay_s)


def _refusal(status: int, message: str) -> Reply:
    return _reply(status, _PLAIN, f"{message}\n".encode())


def _hello(_request: Request) -> Reply:
    return _reply(200, _PLAIN, _HELLO)


def _json(_request: Request) -> Reply:
    return _reply(200, _JSON, b'{"hello":"origin","numbers":[1,2,3],"nested":{"ok":true}}')


def _bytes(_request: Request, size_bytes: int) -> Reply:
    if size_bytes > _LARGEST_BYTES:
        return _refusal(400, f"at most {_LARGEST_BYTES} bytes, as in /bytes/65536")
    return Reply(200, _OCTETS, _BLOCK, size_bytes)


def _delay(_request: Request, delay_ms: int) -> Reply:
    if delay_ms > _LONGEST_DELAY_MS:
        return _refusal(400, f"at most {_LONGEST_DELAY_MS} ms, as in /delay/100")
    return _reply(200, _PLAIN, f"waited {delay_ms} ms\n".encode(), delay_s=delay_ms / 1000)


def _status(_request: Request, status: int) -> Reply:
    if not 200 <= status <= 599:
        return _refusal(400, "a status from 200 to 599, as in /status/503")
    if status in _BODILESS:
        return Reply(status, ())
    phrase = http.client.responses.get(status, "no phrase")
    return _reply(status, _PLAIN, f"{status} {phrase}\n".encode())


def _text(request: Request) -> Reply:
    coding = chosen_coding(b",".join(value for name, value in request.headers if name == b"accept-encoding"))
    if coding is None:
        return msgspec.structs.replace(_refusal(406, "identity and gzip are offered"), headers=_PLAIN + _VARY)
    if coding == "gzip":
        return _reply(200, (*_PLAIN, *_VARY, (b"content-encoding", b"gzip")), _compressed_text())
    return _reply(200, _PLAIN + _VARY, _plain_text())


@cache
def _plain_text() -> bytes:
    """Return about 40 kB of words in no order, the same at every start: it compresses about as well as prose does."""
    words = random.Random(1).choices(_VOCABULARY.split(), k=_TEXT_WORDS)
    return b"".join(
        " ".join(words[start : start + 12]).encode() + b"\n" for start in range(0, _TEXT_WORDS, 12)
    )


@cache
def _compressed_text() -> bytes:
    # Time 0 keeps the bytes the same from one start to the next.
    return gzip.compress(_plain_text(), mtime=0)


_WEIGHT = re.compile(rb"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def chosen_coding(accept_encoding: bytes) -> str | None:
    """Return "gzip", "identity", or None where the client takes neither. A weight that is not valid counts as 0."""
    weights: dict[bytes, float] = {}
    for element in accept_encoding.lower().split(b","):
        coding, *parameters = (part.strip() for part in element.split(b";"))
        if coding:
            weights[coding] = _weight(parameters)
    others = weights.get(b"*")
    gzip_weight = weights.get(b"gzip", weights.get(b"x-gzip", others or 0.0))
    # Identity is always taken unless it is refused by name, or by a `*` that is 0.
    identity_weight = weights.get(b"identity", 0.001 if others is None else others)
    if gzip_weight > 0 and gzip_weight >= identity_weight:
        return "gzip"
    return "identity" if identity_weight > 0 else None


def _weight(parameters: Sequence[bytes]) -> float:
    for parameter in parameters:
        if parameter.startswith(b"q="):
            weight = _WEIGHT.fullmatch(parameter)
            return float(weight[1]) if weight else 0.0
    return 1.0


def _echo(request: Request) -> Reply:
    if len(request.body) > LARGEST_BODY_BYTES:
        return _refusal(413, f"a body of at most {LARGEST_BODY_BYTES} bytes is echoed")
    document: dict[str, object] = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers],
        "body_bytes": len(request.body),
    }
    try:
        document["body"] = request.body.decode()
    except UnicodeDecodeError:
        document["body_base64"] = base64.b64encode(request.body).decode()
    return _reply(200, _JSON, msgspec.json.encode(document))


_FIXED: Mapping[str, Callable[[Request], Reply]] = {
    "/": _hello,
    "/json": _json,
    "/text": _text,
    "/echo": _echo,
}
_NUMBERED: Mapping[str, Callable[[Request, int], Reply]] = {
    "bytes": _bytes,
    "delay": _delay,
    "status": _status,
}
_NUMBERED_PATH = re.compile(r"/(bytes|delay|status)/([0-9]{1,12})", re.ASCII)
_PATHS = "/, /bytes/N, /json, /delay/MS, /status/N, /text, /echo"


def answer(request: Request) -> Reply:
    """Return what the origin answers. Any method is answered alike; the body of a HEAD is left out when it is sent."""
    if fixed := _FIXED.get(request.path):
        return fixed(request)
    if numbered := _NUMBERED_PATH.fullmatch(request.path):
        return _NUMBERED[numbered[1]](request, int(numbered[2]))
    if request.path.removeprefix("/").partition("/")[0] in _NUMBERED:
        return _refusal(400, f"a whole number is missing; the paths are {_PATHS}")
    return _refusal(404, f"the paths are {_PATHS}")
