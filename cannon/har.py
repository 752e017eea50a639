"""Recorded requests (HAR 1.2, as browsers export it) as steps: those that went to a target, in their order.

Law: what belonged to the connection of the browser stays behind (RFC 9110, 7.6.1), what the server was asked is sent
again; a request whose body the file does not hold is refused and never sent without it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from email.message import Message
from urllib.parse import urlencode, urlsplit

import msgspec

from cannon.documents import convert, read_document
from cannon.errors import UsageError
from cannon.form import Form, Part, multipart
from cannon.request import basic, check_header, check_method
from cannon.sequence import Step
from cannon.target import Target
from cannon.text import clean, redact_url

__all__ = ["MOST_HAR_BYTES", "HarSteps", "read_har"]

MOST_HAR_BYTES = 64 * 1024**2

_SHOWN_ORIGINS = 4
_SHOWN_NAME = 100
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_URLENCODED = "application/x-www-form-urlencoded"
_OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_Headers = list[tuple[str, str]]


class HarSteps(msgspec.Struct, frozen=True):
    """The steps of all targets, target by target; `other_origins`: whose requests were left out, each once."""

    steps: tuple[Step, ...]
    other_origins: tuple[str, ...]


class _Header(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Param(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    value: str | None = None
    file_name: str | None = None
    content_type: str | None = None


class _PostData(msgspec.Struct, frozen=True, rename="camel"):
    mime_type: str | None = None
    text: str | None = None
    params: tuple[_Param, ...] | None = None
    encoding: str | None = None


class _Request(msgspec.Struct, frozen=True, rename="camel"):
    method: str
    url: str
    headers: tuple[_Header, ...] = ()
    post_data: _PostData | None = None


class _Entry(msgspec.Struct, frozen=True):
    request: _Request


class _Log(msgspec.Struct, frozen=True):
    entries: tuple[_Entry, ...]


class _Har(msgspec.Struct, frozen=True):
    log: _Log


def read_har(path: str, targets: Sequence[Target], headers: Sequence[tuple[str, str]] = ()) -> HarSteps:
    """The entries of a HAR file that have the origin (scheme, host, port) of a target, as steps of that target.

    `headers` are sent with each of them, instead of the entry's own of the same name. Raises UsageError with the file
    and the dotted key, and where a target has no entry.
    """
    where = f"--har: '{clean(path)}'"
    recorded = convert(read_document(path, where, MOST_HAR_BYTES), _Har, where).log.entries
    by_origin: dict[str, list[Step]] = {_origin(target): [] for target in targets}
    others: dict[str, None] = {}
    for position, entry in enumerate(recorded):
        place = f"{where}: log.entries[{position}].request"
        origin, target = _addressed(entry.request.url, f"{place}.url")
        if target is None or origin not in by_origin:
            others[origin] = None
            continue
        by_origin[origin].append(_step(entry.request, target, headers, place))
    for target in targets:
        if not by_origin[_origin(target)]:
            found = ", ".join(list(others)[:_SHOWN_ORIGINS]) or "no requests at all"
            more = f" and {len(others) - _SHOWN_ORIGINS} more" if len(others) > _SHOWN_ORIGINS else ""
            raise UsageError(f"{where} has no request to {_origin(target)}; it has {found}{more}")
    steps = tuple(
        msgspec.structs.replace(step, target=position)
        for position, target in enumerate(targets)
        for step in by_origin[_origin(target)]
    )
    return HarSteps(steps, tuple(others))


def _origin(target: Target) -> str:
    """The scheme, the host and the port, this where it is not the scheme's own."""
    return clean(f"{target.scheme}://{target.authority}")


def _addressed(url: str, where: str) -> tuple[str, Target | None]:
    """The origin of a URL, and its parts if it is one that cannon can fire at: a browser asks for others, too."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise UsageError(f"{where} is no whole URL; e.g. http://127.0.0.1:4000/path")
    try:
        if scheme[1].lower() in ("http", "https"):
            url.encode()
            target = Target.parse(url)
            return _origin(target), target
        host = urlsplit(url).hostname
        return f"{scheme[1].lower()}://{clean(host)}" if host else f"{scheme[1].lower()}:", None
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}") from None
    except ValueError:
        raise UsageError(f"{where}: '{clean(redact_url(url))}' is no URL") from None


def _step(request: _Request, target: Target, given: Sequence[tuple[str, str]], where: str) -> Step:
    check_method(request.method, f"{where}.method")
    headers = _kept(request.headers, given, where)
    if target.userinfo and not _value_of("authorization", headers):
        headers.append(("Authorization", basic(target.userinfo)))
    body = b""
    if request.post_data is not None:
        body = _body(request.post_data, headers, f"{where}.postData")
    try:
        return Step(
            name=clean(f"{request.method} {redact_url(target.path)}", _SHOWN_NAME),
            target=0,
            method=request.method,
            path=target.path,
            headers=tuple(headers),
            body=body,
        )
    except UsageError as error:
        raise UsageError(f"{where}.url: {error.message}") from None


def _kept(recorded: Sequence[_Header], given: Sequence[tuple[str, str]], where: str) -> _Headers:
    """The headers to send. HTTP/2 may cut the cookies apart; HTTP/1.1 has them on one line (RFC 9113, 8.2.3)."""
    replaced = {name.lower() for name, _ in given}
    named = [header.value for header in recorded if header.name.lower() == "connection"]
    hop_by_hop = {option.strip().lower() for value in named for option in value.split(",")}
    kept: _Headers = []
    cookies: list[str] = []
    for position, header in enumerate(recorded):
        name = header.name.lower()
        if name.startswith(":") or name in _OF_THE_CONNECTION or name in hop_by_hop or name in replaced:
            continue
        check_header(header.name, header.value, f"{where}.headers[{position}]")
        if name == "cookie":
            cookies.append(header.value)
            if len(cookies) > 1:
                continue
        kept.append((header.name, header.value))
    if len(cookies) > 1:
        kept = [
            (name, "; ".join(cookies)) if name.lower() == "cookie" else (name, value) for name, value in kept
        ]
    return [*kept, *given]


def _body(data: _PostData, headers: _Headers, where: str) -> bytes:
    """What was posted. A Content-Type that the entry's headers lack is added to them."""
    if data.params and not data.text:
        form = _form(data.params, headers, data.mime_type or "", where)
        content_type, body = form.content_type, form.body
        assert isinstance(body, bytes)
    else:
        content_type, body = data.mime_type or "", _bytes(data.text or "", data.encoding, where)
    if body and content_type and not _value_of("content-type", headers):
        check_header("Content-Type", content_type, f"{where}.mimeType:")
        headers.append(("Content-Type", content_type))
    return body


def _bytes(text: str, encoding: str | None, where: str) -> bytes:
    if encoding not in (None, "", "base64"):
        raise UsageError(f"{where}.encoding: '{clean(encoding)}' is not known; base64 is")
    try:
        return base64.b64decode(text, validate=True) if encoding else text.encode()
    except binascii.Error:
        raise UsageError(f"{where}.text is no base64") from None
    except ValueError:
        raise UsageError(f"{where}.text holds half a character, a lone surrogate") from None


def _form(params: Sequence[_Param], headers: _Headers, mime_type: str, where: str) -> Form:
    """The body of fields: multipart where the Content-Type says so, with its boundary, else urlencoded."""
    for position, param in enumerate(params):
        if param.file_name is not None and param.value is None:
            raise UsageError(
                f"{where}.params[{position}]: what was in the file '{clean(param.file_name)}' is not recorded;"
                " take the entry out, or write it as postData.text"
            )
    told = _value_of("content-type", headers) or mime_type
    sent = Message()
    sent["Content-Type"] = told
    if sent.get_content_type() == "multipart/form-data":
        named = sent.get_param("boundary")
        boundary = named if isinstance(named, str) and named else None
        parts = [
            Part(
                name=param.name,
                content=_bytes(param.value or "", None, f"{where}.params[{position}]"),
                filename=param.file_name,
                content_type=param.content_type or None,
            )
            for position, param in enumerate(params)
        ]
        form = multipart(parts, f"{where}.params", boundary)
        if boundary is not None:
            return Form(told, form.body)
        # What the headers have says nothing of where parts end.
        headers[:] = [(name, value) for name, value in headers if name.lower() != "content-type"]
        return form
    try:
        body = urlencode([(param.name, param.value or "") for param in params]).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{where}.params hold half a character, a lone surrogate") from None
    return Form(_URLENCODED, body)


def _value_of(name: str, headers: _Headers) -> str:
    """The value of the first header of this name; empty where there is none."""
    return next((value for given, value in headers if given.lower() == name), "")
