"""The bytes of a request, made once before the clock starts: what HTTP asks of a client is seen to here (RFC 9112).

Law: Content-Length is the number of bytes that follow the head, whatever they come from, and no byte of the user's can
end a line of the head.
"""

from __future__ import annotations

import base64
import re

import msgspec

from cannon.errors import UsageError
from cannon.plan import Plan
from cannon.route import Proxy, ProxyKind
from cannon.sequence import Body, Step, Streamed
from cannon.target import Target
from cannon.text import clean
from cannon.version import __version__

__all__ = ["ID_BYTES", "ID_PLACE", "Request", "basic", "check_header", "check_method"]

ID_BYTES = 24
"""How long every id is, so that the length of a request does not depend on it."""

ID_PLACE = b"[<id>]"
"""What an id is put in the place of, in a header or a body."""

_ID_PLACE_IN_PATH = re.compile(r"(?:\[|%5B)(?:<|%3C)id(?:>|%3E)(?:\]|%5D)", re.IGNORECASE)
_ANY_ID = b"0" * ID_BYTES
_ACCEPTED_CODINGS = "gzip, deflate, br, zstd"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(r"[\r\n\0]")
# Of RFC 3986, section 3.2: a name, an address, or an IP literal in brackets, and a port.
_HOST = re.compile(r"(?:\[[0-9A-Za-z:._~%-]+\]|[0-9A-Za-z._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Request(msgspec.Struct, frozen=True):
    """What is written on a connection, and what of it the reader of the response must know.

    `data`: head and body, or, of one that is `stream`ed, its head; an id in it is all zeros. `closes`: it asks for the
    connection to be closed. `pieces`: the data around the places
    where an id goes; empty where there is none, and every one of these requests is the same. Places stand in the path,
    in headers and in bodies that are held; a file that is streamed is sent as it is, and not looked into.
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
    def build_all(cls, plan: Plan) -> tuple[Request, ...]:
        """The requests of all steps. Raises UsageError as `build` does, and where -I finds no place for an id."""
        requests = tuple(cls.build(plan, step) for step in plan.steps)
        if plan.ids and not any(request.pieces for request in requests):
            raise UsageError(
                "-I/--idReplacement finds no [<id>] in a path, a header or a body; e.g. -b 'id=[<id>]'"
            )
        return requests

    @classmethod
    def build(cls, plan: Plan, step: Step) -> Request:
        """The request of one step of the plan.

        Raises UsageError for a method or a header name that is no token, a CR, LF or NUL in a value, a
        Content-Length or Transfer-Encoding of the user's own (cannon counts the body itself), CONNECT, TRACE with a
        body, and an id in a body that is streamed.
        """
        check_method(step.method, "-m/--method")
        if step.method == "TRACE" and len(step.body):
            raise UsageError("-m TRACE sends no body (RFC 9110, 9.3.8); leave the body out, or give -m POST")
        target = plan.targets[step.target]
        path = _ID_PLACE_IN_PATH.sub(ID_PLACE.decode(), step.path) if plan.ids else step.path
        proxy = plan.route.proxy
        through = proxy if proxy and proxy.kind is ProxyKind.HTTP and target.scheme == "http" else None
        headers = _headers(plan, step, target, through)
        if len(step.body) or step.method in _WITH_BODY:
            headers.append(("Content-Length", str(_length_of(step.body, ids=plan.ids))))
        asked = f"http://{target.authority}{path}" if through else path
        lines = [
            f"{step.method} {asked} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers),
            "",
            "",
        ]
        # A byte of the command line that is not UTF-8 is sent as it was given.
        data = "\r\n".join(lines).encode("utf-8", "surrogateescape")
        stream = step.body if isinstance(step.body, Streamed) else None
        if isinstance(step.body, bytes):
            data += step.body
        pieces = tuple(data.split(ID_PLACE)) if plan.ids else ()
        if len(pieces) < 2:
            return cls(step.method, data, step.closes, stream)
        return cls(step.method, _ANY_ID.join(pieces), step.closes, stream, pieces)


def basic(userinfo: str) -> str:
    """The value of an Authorization header for "user:password" (RFC 7617); a user alone has an empty password."""
    pair = userinfo if ":" in userinfo else f"{userinfo}:"
    return f"Basic {base64.b64encode(pair.encode('utf-8', 'surrogateescape')).decode()}"


def check_method(method: str, where: str) -> None:
    """Refuse what is no method, and CONNECT: what it asks for is a tunnel. `where` opens the message."""
    if not _TOKEN.fullmatch(method):
        raise UsageError(f"{where} '{clean(method)}' is no method; e.g. -m POST")
    if method == "CONNECT":
        raise UsageError(
            f"{where} CONNECT asks for a tunnel, not for a response; tunnels are made by --proxy where the URL is of"
            " https, e.g. --proxy http://127.0.0.1:3128"
        )


def check_header(name: str, value: str, where: str) -> None:
    """Refuse what could not be one line of a head, or would break its framing. `where` opens the message, which never
    repeats the value: it may be a secret.
    """
    if not _TOKEN.fullmatch(name):
        raise UsageError(f"{where} {clean(name)!r} is no header name; e.g. -H 'Accept: text/html'")
    if _FORBIDDEN.search(value):
        raise UsageError(f"{where} {name} has a CR, LF or NUL in its value; a header is one line")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise UsageError(f"{where} {name} has half a character in its value, a lone surrogate") from None
    if name.lower() in ("content-length", "transfer-encoding"):
        raise UsageError(f"{where} {name} is cannon's to set, from the body; leave it out")


def _headers(plan: Plan, step: Step, target: Target, through: Proxy | None) -> list[tuple[str, str]]:
    """Every header but Content-Length, those of the user in his order."""
    given = {name.lower() for name, _ in step.headers}
    headers = [("Host", target.authority)] if "host" not in given else []
    for name, value in step.headers:
        check_header(name, value, "-H")
        if name.lower() == "host":
            _check_host(value, ids=plan.ids)
            headers.insert(0, ("Host", value))
        else:
            headers.append((name, value))
    if sum(name == "Host" for name, _ in headers) > 1:
        raise UsageError("-H Host is given more than once; one request has one host")
    if target.userinfo and "authorization" not in given:
        headers.append(("Authorization", basic(target.userinfo)))
    if through is not None and through.userinfo and "proxy-authorization" not in given:
        headers.append(("Proxy-Authorization", basic(through.userinfo)))
    if "connection" not in given:
        headers.append(("Connection", "keep-alive"))
    if "user-agent" not in given:
        headers.append(("User-Agent", f"cannon/{__version__}"))
    if plan.compressed and "accept-encoding" not in given:
        headers.append(("Accept-Encoding", _ACCEPTED_CODINGS))
    return headers


def _check_host(value: str, *, ids: bool) -> None:
    """Refuse what no server could take for its name; nothing at all is a Host as well (RFC 9112, section 3.2)."""
    filled = value.replace(ID_PLACE.decode(), _ANY_ID.decode()) if ids else value
    if not _HOST.fullmatch(filled.strip(" \t")):
        raise UsageError("-H Host has a value that is no host[:port]; e.g. -H 'Host: www.example.com:8080'")


def _length_of(body: Body, *, ids: bool) -> int:
    """How many bytes follow the head, each id as long as it will be."""
    if not ids:
        return len(body)
    if isinstance(body, Streamed):
        if any(isinstance(piece, bytes) and ID_PLACE in piece for piece in body.pieces):
            raise UsageError(
                "-I puts no id into a body that is streamed; keep it under 1 MiB, or leave [<id>] out"
            )
        return len(body)
    return len(body) + body.count(ID_PLACE) * (ID_BYTES - len(ID_PLACE))
