"""The bytes of a request, made once before the clock starts."""

from __future__ import annotations

import base64
import re

import msgspec

from cannon.errors import UsageError
from cannon.plan import Plan
from cannon.sequence import Step, Streamed
from cannon.text import clean
from cannon.version import __version__

__all__ = ["ID_BYTES", "Request"]

ID_BYTES = 24
"""How long every id is, so that the length of a request does not depend on it."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Request(msgspec.Struct, frozen=True):
    """What is written on a connection, and what of it the reader of the response must know.

    `data`: head and body, or, of one that is `stream`ed, its head. `closes`: it asks for the connection to be closed,
    so nothing may be sent after it (RFC 9112, 9.6). `pieces`: the data around the places where an id of its own goes.
    """

    method: str
    data: bytes
    closes: bool = False
    stream: Streamed | None = None
    pieces: tuple[bytes, ...] = ()

    @property
    def total_bytes(self) -> int:
        """How many bytes one of these is on the wire, whatever its id."""
        return len(self.data) + (len(self.stream) if self.stream is not None else 0)

    def with_id(self, ident: bytes) -> bytes:
        """The data of one request: `ident`, ID_BYTES long, in each of its places."""
        return ident.join(self.pieces)

    @property
    def expects_no_body(self) -> bool:
        """Whether the response ends with its head, whatever that head says."""
        return self.method == "HEAD"

    @classmethod
    def build(cls, plan: Plan, step: Step) -> Request:
        """The request of one step of the plan.

        Raises UsageError for a method or a header name that is no token, a CR, LF or NUL in a value, and a
        Content-Length or Transfer-Encoding of the user's own (cannon counts the body itself).
        """
        target = plan.targets[step.target]
        if not _TOKEN.fullmatch(step.method):
            raise UsageError(f"-m/--method {step.method!r} is no method; e.g. -m POST")
        given = {name.lower() for name, _ in step.headers}
        headers = [("Host", target.authority)] if "host" not in given else []
        for name, value in step.headers:
            _check_header(name, value)
            if name.lower() == "host":
                headers.insert(0, ("Host", value))
            else:
                headers.append((name, value))
        if sum(name == "Host" for name, _ in headers) > 1:
            raise UsageError("-H Host is given more than once; one request has one host")
        if target.userinfo and "authorization" not in given:
            headers.append(("Authorization", f"Basic {base64.b64encode(target.userinfo.encode()).decode()}"))
        if "connection" not in given:
            headers.append(("Connection", "keep-alive"))
        if "user-agent" not in given:
            headers.append(("User-Agent", f"cannon/{__version__}"))
        if len(step.body) or step.method in _WITH_BODY:
            headers.append(("Content-Length", str(len(step.body))))
        lines = [
            f"{step.method} {step.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers),
            "",
            "",
        ]
        closes = any(
            name.lower() == "connection"
            and "close" in [option.strip().lower() for option in value.split(",")]
            for name, value in headers
        )
        head = "\r\n".join(lines).encode("utf-8")
        if isinstance(step.body, Streamed):
            return cls(step.method, head, closes, step.body)
        return cls(step.method, head + step.body, closes)


def _check_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise UsageError(f"-H {clean(name)!r} is no header name; e.g. -H 'Accept: text/html'")
    if _FORBIDDEN.search(value):
        raise UsageError(f"-H {name} has a CR, LF or NUL in its value; a header is one line")
    if name.lower() in ("content-length", "transfer-encoding"):
        raise UsageError(f"-H {name} is cannon's to set, from the body; leave it out")
