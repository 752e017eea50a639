"""Bodies out of files: -i, and the multipart/form-data of -F (RFC 7578), names written as browsers write them.

Law: what is small is held, what is large is streamed. A file that would make a body longer than HELD_BYTES is only
looked at when the plan is made; its bytes are read while they are sent. What cannot be read a second time (a pipe, a
terminal) is held, up to a bound.
"""

from __future__ import annotations

import mimetypes
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import msgspec

from cannon.documents import convert, parse_document, read_document
from cannon.errors import UsageError
from cannon.sequence import Body, FilePiece, Streamed
from cannon.text import clean

__all__ = [
    "HELD_BYTES",
    "MOST_PIPE_BYTES",
    "Form",
    "Part",
    "file_body",
    "held",
    "multipart",
    "occurs",
    "read_form",
]

HELD_BYTES = 1024**2
"""A body up to this long is held in memory."""

MOST_PIPE_BYTES = 64 * 1024**2
"""What can be read only once is held, if it is no longer than this."""

_READ_BYTES = 1024**2
_MOST_FORM_BYTES = 16 * 1024**2
_EXAMPLE = (
    """e.g. -F '{"name": {"type": "text", "value": "x"}, "photo": {"type": "file", "path": "a.png"}}'"""
)
_UNKNOWN_TYPE = "application/octet-stream"
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Form(msgspec.Struct, frozen=True):
    """A body and the Content-Type that goes with it: no other header tells a server where its parts end."""

    content_type: str
    body: Body


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a form, a file where it has a name of one; without a type, it has no Content-Type of its own."""

    name: str
    content: bytes | FilePiece
    filename: str | None = None
    content_type: str | None = None


class _Text(msgspec.Struct, frozen=True, tag_field="type", tag="text", forbid_unknown_fields=True):
    value: str | int | float


class _FileOptions(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    filename: str | None = None
    filepath: str | None = None
    content_type: str | None = None


class _File(msgspec.Struct, frozen=True, tag_field="type", tag="file", forbid_unknown_fields=True):
    path: str
    options: _FileOptions = _FileOptions()


def read_form(given: str) -> Form:
    """The form of -F: JSON, or the path of a file that holds it. A `path` in it is looked for from where cannon runs.

    `filename` is sent without its folders, `filepath` as it is given, and wins. Raises UsageError with the file and
    the dotted key.
    """
    where = "-F/--form"
    if given.lstrip().startswith(("{", "[", '"')):
        document = parse_document(given, where)
    elif "=" in given and not os.path.lexists(given):
        # Fields as another program takes them: they may be secrets, and are not repeated.
        raise UsageError(f"{where} takes JSON, or the path of a file that holds it; {_EXAMPLE}")
    else:
        where = f"{where}: '{clean(given)}'"
        document = read_document(given, where, _MOST_FORM_BYTES)
    if not isinstance(document, dict) or not document:
        raise UsageError(f"{where}: a form is an object with a field or more; {_EXAMPLE}")
    return multipart([_part(name, field, where) for name, field in document.items()], where)


def multipart(parts: Sequence[Part], where: str, boundary: str | None = None) -> Form:
    """The parts as a form. `where` opens the message of a name that cannot be sent; a `boundary` that is given is
    kept, another is made so that it occurs in nothing that is held.
    """
    heads = [_head(part, where) for part in parts]
    contents = _settled(part.content for part in parts)
    known = b"".join((*heads, *(content for content in contents if isinstance(content, bytes))))
    if boundary is None:
        boundary = _boundary(known)
    elif boundary.encode("utf-8", "surrogateescape") in known:
        raise UsageError(f"{where}: the boundary '{clean(boundary)}' occurs in the form itself")
    line = f"--{boundary}\r\n".encode("utf-8", "surrogateescape")
    pieces: list[bytes | FilePiece] = []
    for head, content in zip(heads, contents, strict=True):
        pieces += (line + head, content, b"\r\n")
    pieces.append(line[:-2] + b"--\r\n")
    return Form(f"multipart/form-data; boundary={boundary}", _joined(pieces))


def file_body(path: str) -> Body:
    """The body of -i: the bytes of a file, held up to HELD_BYTES, else streamed."""
    return _joined(_settled([_content(path, f"-i/--input: '{clean(path)}'", "; e.g. -i body.json")]))


def occurs(mark: bytes, body: Streamed) -> bool:
    """Whether these bytes stand in one of its pieces; files are read for it. UsageError where one cannot be."""
    return any(
        mark in piece if isinstance(piece, bytes) else _occurs_in_file(mark, piece) for piece in body.pieces
    )


def held(body: Streamed) -> bytes:
    """All of it, as bytes. UsageError where a file cannot be read."""
    return b"".join(piece if isinstance(piece, bytes) else _held(piece) for piece in body.pieces)


def _boundary(taken: bytes) -> str:
    """What stands between parts: in nothing that is held, and too much chance to be in what is streamed."""
    while (made := f"cannon-{secrets.token_hex(16)}").encode() in taken:
        pass
    return made


def _part(name: str, field: object, where: str) -> Part:
    key = clean(name)
    kind = field.get("type") if isinstance(field, dict) else None
    if kind not in ("text", "file"):
        raise UsageError(f'{where}: {key}.type: a field is of type "text" or "file"; {_EXAMPLE}')
    if kind == "text":
        text = convert(field, _Text, where, key).value
        return Part(name=name, content=_encoded(str(text), f"{where}: {key}.value"))
    file = convert(field, _File, where, key)
    filename = file.options.filepath or os.path.basename(file.options.filename or file.path)
    return Part(
        name=name,
        content=_content(file.path, f"{where}: {key}.path: '{clean(file.path)}'"),
        filename=filename,
        content_type=file.options.content_type or _type_of(filename),
    )


def _type_of(filename: str) -> str:
    guessed, coding = mimetypes.guess_type(filename)
    return _UNKNOWN_TYPE if guessed is None or coding is not None else guessed


def _head(part: Part, where: str) -> bytes:
    """The headers of a part, and the empty line behind them."""
    key = clean(part.name)
    lines = [f'Content-Disposition: form-data; name="{_quoted(part.name, where, key)}"']
    if part.filename is not None:
        lines[0] += f'; filename="{_quoted(part.filename, where, f"{key}: the name of the file")}"'
    if part.content_type is not None:
        if not part.content_type.isascii() or not part.content_type.isprintable():
            raise UsageError(f"{where}: {key}: the type of the file is no line of ASCII; e.g. image/png")
        lines.append(f"Content-Type: {part.content_type}")
    return _encoded("\r\n".join((*lines, "", "")), f"{where}: {key}")


def _quoted(name: str, where: str, key: str) -> str:
    if "\0" in name:
        raise UsageError(f"{where}: {key} holds a NUL, which no form can carry")
    return name.translate(_ESCAPES)


def _encoded(text: str, where: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{where}: holds half a character, a lone surrogate") from None


def _content(path: str, where: str, example: str = "") -> bytes | FilePiece:
    """A file that can be read again as a piece, anything else as its bytes. `where` names the file."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            # /dev/stdin and the like mean another file in another process.
            lasting = os.path.realpath(path)
            # What the kernel makes up (/proc) has no size before it is read.
            if stat.S_ISREG(status.st_mode) and status.st_size and _leads_to(lasting, status):
                return FilePiece(lasting, status.st_size)
            return _read_once(file, where)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name of a file"
        raise UsageError(f"{where} cannot be read: {told}{example}") from None


def _leads_to(path: str, status: os.stat_result) -> bool:
    """Whether another process finds this file under this name."""
    try:
        path.encode()
        return os.path.samestat(os.stat(path), status)
    except (OSError, UnicodeEncodeError):
        return False


def _read_once(file: BinaryIO, where: str) -> bytes:
    data = file.read(MOST_PIPE_BYTES + 1)
    if len(data) > MOST_PIPE_BYTES:
        raise UsageError(
            f"{where} is larger than a body may be that is no file to stream, {MOST_PIPE_BYTES} bytes; save it to one"
        )
    return data


def _settled(contents: Iterable[bytes | FilePiece]) -> tuple[bytes | FilePiece, ...]:
    """The same, all of it as bytes where that is not too much to hold."""
    contents = tuple(contents)
    if len(Streamed(contents)) > HELD_BYTES:
        return contents
    return tuple(content if isinstance(content, bytes) else _held(content) for content in contents)


def _held(piece: FilePiece) -> bytes:
    with _opened(piece) as file:
        return file.read(piece.size_bytes)


def _occurs_in_file(mark: bytes, piece: FilePiece) -> bool:
    seen = b""
    with _opened(piece) as file:
        while read := file.read(_READ_BYTES):
            seen = seen[1 - len(mark) :] + read
            if mark in seen:
                return True
    return False


@contextmanager
def _opened(piece: FilePiece) -> Iterator[BinaryIO]:
    """A block that reads a file of a body. UsageError where it cannot be read."""
    try:
        with open(piece.path, "rb") as file:
            yield file
    except OSError as error:
        raise UsageError(f"'{clean(piece.path)}' cannot be read: {error.strerror}") from None


def _joined(pieces: Iterable[bytes | FilePiece]) -> Body:
    """A body of these: bytes that stand side by side are one piece."""
    joined: list[bytes | FilePiece] = []
    side: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            side.append(piece)
            continue
        joined += (b"".join(side), piece) if side else (piece,)
        side = []
    if not joined:
        return b"".join(side)
    return Streamed((*joined, b"".join(side)) if side else tuple(joined))
