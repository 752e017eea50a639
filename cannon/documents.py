"""JSON that a user hands in: read with a bound, checked, and refused in one line that names the place.

Law: nothing is taken silently. A key that stands twice, a number that JSON does not have, a field that nobody knows:
each is an error with the file and the dotted key, e.g. `log.entries[3].request.url`.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import msgspec

from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["Step", "convert", "key_of", "parse_document", "read_document", "read_text"]

_Shape = TypeVar("_Shape")

_AT = re.compile(r" - at `(key in )?\$(.*)`\Z", re.DOTALL)
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_FIELD_FAULTS = {"missing required": "is missing", "contains unknown": "is not known"}

_ODD = dict.fromkeys(("NaN", "Infinity", "-Infinity"), "no number of JSON")

_MOST_STEPS = 12
_LONGEST_NAME = 60

Step = tuple["Step | None", str | int]
"""A key or a position, behind the steps that lead there: no text is made of them but for the one that is told."""


def read_document(path: str, where: str, most_bytes: int) -> object:
    """The JSON of a file. `where` opens every message, e.g. "--har: 'x.har'"."""
    return parse_document(read_text(path, where, most_bytes), where)


def read_text(path: str, where: str, most_bytes: int) -> str:
    """The text of a file of JSON, no longer than this. UsageError where it cannot be had, or is not UTF-8."""
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
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is no JSON: byte {error.start} is not UTF-8") from None


def parse_document(text: str, where: str, most_values: int | None = None) -> object:
    """The JSON of a text: dicts, lists and what is in them. UsageError where it is none, or too deep. `most_values`:
    of more than about so many none is made, since the shortest takes thirty times its room in memory.
    """
    if most_values is not None and sum(map(text.count, ",[{")) > most_values:
        raise UsageError(f"{where} holds more than {most_values:,} values, and that is more than it may")
    doubled: list[tuple[dict[str, object], str]] = []
    odd: list[tuple[float, str]] = []

    def collected(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs) and not doubled:
            times = Counter(name for name, _ in pairs)
            doubled.append((found, next(name for name, count in times.items() if count > 1)))
        return found

    def number(written: str) -> float:
        value = float(written)
        if not odd and not math.isfinite(value):
            odd.append((value, written))
        return value

    document = _parsed(text, where, collected, number)
    if doubled:
        found, name = doubled[0]
        raise UsageError(f"{where}: {_joined(_place_of(document, found), clean(name))} stands there twice")
    if odd:
        raise _odd_number(document, *odd[0], where)
    return document


def _parsed(
    text: str, where: str, table: Callable[[list[tuple[str, object]]], object], number: Callable[[str], float]
) -> object:
    """The JSON of a text, of which these make tables and numbers. UsageError where it is none."""
    try:
        document: object = json.loads(
            text, object_pairs_hook=table, parse_float=number, parse_constant=number
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{where} is no JSON: {clean(error.msg)} ({place})") from None
    except RecursionError:
        raise UsageError(f"{where} is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"{where} is no JSON that can be read: {clean(str(error))}") from None
    return document


def _odd_number(document: object, value: float, written: str, where: str) -> UsageError:
    key = _place_of(document, value)
    told = f"{clean(written, _LONGEST_NAME)} is {_ODD.get(written, 'beyond all numbers')}"
    return UsageError(f"{where}: {key}: {told}" if key else f"{where}: {told}")


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


def _place_of(document: object, sought: object) -> str:
    """The dotted key of a value, found by identity; of what was lost to a key that stands twice, nothing."""
    waiting: list[tuple[Step | None, object]] = [(None, document)]
    while waiting:
        step, value = waiting.pop()
        if value is sought:
            return key_of(step)
        if isinstance(value, dict):
            waiting.extend(((step, name), child) for name, child in value.items())
        elif isinstance(value, list):
            waiting.extend(((step, position), child) for position, child in enumerate(value))
    return ""


def key_of(step: Step | None) -> str:
    """`log.entries[3].request`; of a long way the end, which is cut at its beginning."""
    steps: list[str | int] = []
    while step is not None and len(steps) < _MOST_STEPS:
        steps.append(step[1])
        step = step[0]
    key = "" if step is None else "..."
    for name in reversed(steps):
        key = f"{key}[{name}]" if isinstance(name, int) else _joined(key, clean(name, _LONGEST_NAME))
    return key


def _joined(key: str, name: str) -> str:
    name = name.removeprefix(".")
    return f"{key}.{name}" if key and name and not name.startswith("[") else key + name
