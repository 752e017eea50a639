"""JSON that a user hands in: read with a bound, checked, and refused in one line that names the place.

Law: nothing is taken silently. A key that stands twice, a number that JSON does not have, a field that nobody knows:
each is an error with the file and the dotted key, e.g. `log.entries[3].request.url`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import NoReturn, TypeVar

import msgspec

from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["convert", "parse_document", "read_document"]

_Shape = TypeVar("_Shape")

_AT = re.compile(r" - at `(key in )?\$(.*)`\Z", re.DOTALL)
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_FIELD_FAULTS = {"missing required": "is missing", "contains unknown": "is not known"}


def read_document(path: str, where: str, most_bytes: int) -> object:
    """The JSON of a file. `where` opens every message, e.g. "--har: 'x.har'"."""
    try:
        with open(path, "rb") as file:
            data = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name of a file"
        raise UsageError(f"{where} cannot be read: {told}") from None
    if len(data) > most_bytes:
        raise UsageError(f"{where} is larger than it may be, {most_bytes // 1024**2} MiB")
    try:
        # RFC 8259, 8.1: who writes JSON adds no byte order mark, who reads it may ignore one.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is no JSON: byte {error.start} is not UTF-8") from None
    return parse_document(text, where)


def parse_document(text: str, where: str) -> object:
    """The JSON of a text: dicts, lists and what is in them. UsageError where it is none, or too deep."""
    doubled: list[tuple[dict[str, object], str]] = []

    def collected(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs) and not doubled:
            times = Counter(name for name, _ in pairs)
            doubled.append((found, next(name for name, count in times.items() if count > 1)))
        return found

    try:
        document: object = json.loads(text, object_pairs_hook=collected, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{where} is no JSON: {clean(error.msg)} ({place})") from None
    except RecursionError:
        raise UsageError(f"{where} is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"{where} is no JSON that can be read: {clean(str(error))}") from None
    if doubled:
        found, name = doubled[0]
        raise UsageError(f"{where}: {_joined(_place_of(document, found), clean(name))} stands there twice")
    return document


def convert(document: object, shape: type[_Shape], where: str, key: str = "") -> _Shape:
    """The document as values of a type. `key`: the dotted place of `document` in its file."""
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        message = str(error)
    at = _AT.search(message)
    if at is not None:
        message, key = message[: at.start()], _joined(key, at[2])
    if field := _FIELD.fullmatch(message):
        raise UsageError(f"{where}: {clean(_joined(key, field[2]))} {_FIELD_FAULTS[field[1]]}") from None
    told = clean((message[:1].lower() + message[1:]).replace("`", ""))
    raise UsageError(f"{where}: {clean(key)}: {told}" if key else f"{where}: {told}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _place_of(document: object, sought: object) -> str:
    """The dotted key of a value, found by identity."""
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        key, value = waiting.pop()
        if value is sought:
            return key
        if isinstance(value, dict):
            waiting.extend((_joined(key, clean(name)), child) for name, child in value.items())
        elif isinstance(value, list):
            waiting.extend((f"{key}[{position}]", child) for position, child in enumerate(value))
    return ""


def _joined(key: str, name: str) -> str:
    name = name.removeprefix(".")
    return f"{key}.{name}" if key and name and not name.startswith("[") else key + name
