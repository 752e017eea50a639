"""Asks a side for what it answers: the request of its plan, once, read by httpx's own reader and decoded.

Law: what is sent is what a run sends, to the byte, over the same way: cannon's sockets carry cannon's own request, and
httpcore is only given what comes back. So no header of httpx's is added, no redirect followed, no cookie kept, no
proxy of the environment asked. Whatever goes wrong is an InvalidRun of one line that names the URL.

A request that changes something at the server is sent as well, though a preflight would not: the comparison that
follows sends thousands of them. Of a sequence each step that differs from those before it is asked for, on a
connection of its own, the first ten at most.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import islice

import httpcore
import httpx

from cannon.engine.head import no_http, starts_a_head
from cannon.engine.openers import openers_of
from cannon.engine.sockets import Socket
from cannon.engine.supply import identities
from cannon.engine.wire import Stopped, Wait, Wire, dialled
from cannon.equivalence import Probe
from cannon.errors import InvalidRun
from cannon.plan import Plan
from cannon.preflight import resolved
from cannon.request import Request
from cannon.route import Address
from cannon.target import Target
from cannon.text import clean, redact_url

__all__ = ["LARGEST_BODY_BYTES", "probe"]

LARGEST_BODY_BYTES = 64 << 20
"""Of a body as it comes; it is held whole."""

_LARGEST_DECODED_BYTES = 256 << 20
_MOST_STEPS = 10
_DECODED_PIECE_BYTES = 256
"""What a decoder is given at once: a few bytes may stand for megabytes, and what comes out is looked at in between."""

_EXTRA = "pip install 'cannon-load[compression]'"

_ORIGIN = httpcore.Origin(b"http", b"cannon", 80)
_UNSENT = httpcore.Request("GET", "http://cannon/", headers={"Host": "cannon"})
_UNSENT_HEAD = httpcore.Request("HEAD", "http://cannon/", headers={"Host": "cannon"})
"""What httpcore believes to have asked for; of a request it needs to know no more than whether a body follows."""


def probe(plan: Plan, control: int | None = None) -> tuple[Probe, ...]:
    """What is answered to each step of a plan. InvalidRun, in one line that names the URL, where one is not answered,
    or with more than 64 MiB; UsageError for what cannot be built. `control`: a descriptor; once it can be read, no more
    is asked, and what was answered by then is returned.
    """
    if not all(target.addresses for target in plan.targets):
        plan = resolved(plan)
    steps, openers = plan.steps, openers_of(plan)
    ids = identities(int.from_bytes(os.urandom(4), "big"), 0)
    asked: dict[tuple[int, Request], str] = {}
    for step, request in zip(steps, Request.build_all(plan), strict=True):
        asked.setdefault((step.target, request), step.name)
    answers: list[Probe] = []
    try:
        for (target, request), name in islice(asked.items(), _MOST_STEPS):
            wait = Wait(plan.timeout_ns, control)
            answers.append(
                _asked(
                    plan.targets[target],
                    request,
                    request.with_id(next(ids)) if request.pieces else request.data,
                    openers[target](),
                    wait,
                    clean(name, 60) if len(asked) > 1 else "",
                )
            )
    except Stopped:
        pass
    return tuple(answers)


def _asked(
    target: Target,
    request: Request,
    data: bytes,
    open_socket: Callable[[Address], Socket],
    wait: Wait,
    step: str,
) -> Probe:
    url = clean(redact_url(target.url))
    try:
        opened = dialled(target.addresses, open_socket, wait)
    except OSError as error:
        raise InvalidRun(f"cannot connect to {url}: {_reason(error)}") from None
    wire = Wire(opened, request, data, wait)
    try:
        with closing(wire):
            return _answer(wire, request, url, step)
    except (OSError, httpcore.ProtocolError) as error:
        raise InvalidRun(f"no response from {url}: {_why(error, wire, wait)}") from None


# The answer.


class _Stream(httpcore.NetworkStream):
    """What httpcore takes for a connection. Whatever it writes, cannon's request is sent; it reads what came."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._wire.send()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._wire.read(max_bytes)

    def close(self) -> None:
        self._wire.close()


def _answer(wire: Wire, request: Request, url: str, step: str) -> Probe:
    """Have httpcore read one response. OSError, or a ProtocolError of httpcore's, where it is none."""
    connection = httpcore.HTTP11Connection(_ORIGIN, _Stream(wire))
    response = connection.handle_request(_UNSENT_HEAD if request.expects_no_body else _UNSENT)
    body = bytearray()
    for part in response.iter_stream():
        body += part
        if len(body) > LARGEST_BODY_BYTES:
            raise InvalidRun(
                f"the body that {url} sends is larger than {LARGEST_BODY_BYTES >> 20} MiB, too large to be held and"
                " compared; compare a smaller one"
            )
    fields = [
        value.decode("latin-1") for name, value in response.headers if name.lower() == b"content-encoding"
    ]
    encoding = clean(", ".join(fields).lower(), 60)
    wire_body = bytes(body)
    decoded, undecodable = _decoded(wire_body, encoding)
    agreed = wire.agreed
    return Probe(
        status=response.status,
        protocol=clean(response.extensions["http_version"]),
        tls=agreed[0],
        cipher=agreed[1],
        encoding=encoding,
        wire_bytes=len(wire_body),
        body_bytes=len(decoded),
        digest=hashlib.sha256(decoded).hexdigest(),
        undecodable=undecodable,
        step=step,
    )


def _decoded(body: bytes, encoding: str) -> tuple[bytes, str]:
    """A body without its codings, the last first; or as it came, and why."""
    decoded = body
    for coding in reversed([coding.strip() for coding in encoding.split(",")]):
        try:
            decoded = _DECODERS.get(coding, _by_httpx)(decoded, coding)
        except _Undecodable as error:
            return body, str(error)
        except (httpx.DecodingError, OSError, EOFError, zlib.error) as error:
            return body, f"it is no {coding} that can be decoded: {clean(str(error)).rstrip('.')}"
    return decoded, ""


class _Undecodable(Exception):
    """Why a body cannot be decoded, and what helps."""


def _as_it_is(body: bytes, coding: str) -> bytes:
    return body


def _gunzipped(body: bytes, coding: str) -> bytes:
    """By the standard library: httpx reads one member of several, and takes a truncated one for whole."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        decoded = file.read(_LARGEST_DECODED_BYTES + 1)
    return _bounded(decoded)


def _by_httpx(body: bytes, coding: str) -> bytes:
    if coding not in _known_codings():
        missing = f"no decoder of {coding} is installed ({_EXTRA})"
        raise _Undecodable(missing if coding in _OF_EXTRA else f"cannon knows no coding '{coding}'")
    pieces = (
        body[start : start + _DECODED_PIECE_BYTES] for start in range(0, len(body), _DECODED_PIECE_BYTES)
    )
    decoded = bytearray()
    for part in httpx.Response(200, headers={"Content-Encoding": coding}, content=pieces).iter_bytes():
        decoded += part
        if len(decoded) > _LARGEST_DECODED_BYTES:
            break
    return _bounded(bytes(decoded))


def _known_codings() -> list[str]:
    """What httpx has decoders of: so much it would offer by itself."""
    with httpx.Client(transport=httpx.MockTransport(_nobody), trust_env=False) as client:
        return client.headers["Accept-Encoding"].split(", ")


def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError("this client sends nothing; it is asked what it can decode")


def _bounded(decoded: bytes) -> bytes:
    if len(decoded) > _LARGEST_DECODED_BYTES:
        raise _Undecodable(f"it decodes to more than {_LARGEST_DECODED_BYTES >> 20} MiB")
    return decoded


_OF_EXTRA = ("br", "zstd")
_DECODERS: Mapping[str, Callable[[bytes, str], bytes]] = {
    "": _as_it_is,
    "identity": _as_it_is,
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
}


# What went wrong.


def _reason(error: OSError) -> str:
    """Of a dial or a handshake, in the words of whoever refused."""
    return error.strerror or clean(str(error))


def _why(error: Exception, wire: Wire, wait: Wait) -> str:
    """Of an exchange."""
    if wire.start and not starts_a_head(wire.start):
        return no_http(wire.start)
    if isinstance(error, TimeoutError):
        return f"no whole response in {wait.timeout_ns / 1e9:g} s (-t allows for more)"
    where = "in mid-response" if wire.start else "before any byte of a response"
    if isinstance(error, OSError):
        return f"{_reason(error)}, {where}"
    return f"closed {where}" if wire.ended else f"httpx cannot read what it sends: {clean(str(error))}"
