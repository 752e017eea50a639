"""A document that anybody may have written, made safe to keep: its texts cleaned, its numbers within bounds.

Law: texts of a file are cleaned, cut, and rid of secrets in URLs here, when they are read, keys as well as values, so
that whatever shows them later, in a terminal, a page or a table, gets what cannon itself might have written. A
histogram stays as it is, for it is checked apart and never shown; the lines of a configuration stay lines, and a
command line, which was redacted word by word, is not redacted once more. What cannon wrote comes out as it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache

import msgspec

from cannon.documents import Step, key_of
from cannon.errors import UsageError
from cannon.text import clean, redact_text

__all__ = ["LONGEST_TEXT", "cleaned", "refuse_negative"]

LONGEST_TEXT = 4000
"""Characters of one text: what a command line may have in cannon's own files, and nothing else comes near."""

_MOST = 2**64
"""Beyond every count and every time, and well within what figures can be made of."""

_DEEPEST = 16
_LONGEST_NUMBER = 40
_MOST_LINES = 10_000
_REDACTED_CHARACTERS = 4 * LONGEST_TEXT
"""More are not looked at, since they are cut."""

_BREAKS = re.compile(r"([\n\t])")


def cleaned(value: object, where: str, step: Step | None = None, depth: int = 0) -> object:
    """The same document. UsageError, with the dotted key, for a number beyond all bounds, for keys that are the same
    once they are cleaned, and for one that is nested more deeply than any file of results.
    """
    if isinstance(value, str):
        return _text(value, step)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not -_MOST <= value <= _MOST:
            told = clean(str(value), _LONGEST_NUMBER)
            raise UsageError(f"{where}: {key_of(step)}: {told} is more than a number may be")
        return value
    if depth > _DEEPEST:
        raise UsageError(f"{where}: {key_of(step)}: that is nested too deeply")
    if isinstance(value, list):
        return [cleaned(child, where, (step, number), depth + 1) for number, child in enumerate(value)]
    return _table(value, where, step, depth) if isinstance(value, dict) else None


def refuse_negative(value: object, where: str, key: str = "", signed: Collection[str] = ()) -> None:
    """UsageError, with the dotted key, for a number below zero in any field of a Struct but those named so."""
    if isinstance(value, int | float):
        if value < 0:
            raise UsageError(f"{where}: {key} is {value:.12g}, and that is less than nothing")
    elif isinstance(value, msgspec.Struct):
        for name, shown in _fields(type(value)):
            if name not in signed:
                refuse_negative(getattr(value, name), where, f"{key}.{shown}" if key else shown, signed)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            refuse_negative(child, where, f"{key}[{position}]", signed)
    elif isinstance(value, dict):
        for name, child in value.items():
            refuse_negative(child, where, f"{key}.{name}", signed)


@cache
def _fields(shape: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Of each field its name, and that in the file."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(shape))


def _table(value: Mapping[str, object], where: str, step: Step | None, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, child in value.items():
        shown = clean(name, LONGEST_TEXT)
        own = step, shown
        if shown in found:
            raise UsageError(f"{where}: {key_of(own)} stands there twice, once it is made visible")
        found[shown] = cleaned(child, where, own, depth + 1)
    return found


def _text(text: str, step: Step | None) -> str:
    names = _names(step)
    if _is_histogram(names) and text.isascii() and text.isprintable():
        return text
    if names[0] == "configuration" and names[2] == "services":
        pieces = _BREAKS.split(text, _MOST_LINES)
        return "".join(piece if piece in ("\n", "\t") else clean(piece, LONGEST_TEXT) for piece in pieces)
    if names[0] != "command" and ("@" in text or "=" in text):
        text = redact_text(text[:_REDACTED_CHARACTERS])
    return clean(text, LONGEST_TEXT)


def _is_histogram(names: tuple[str, str, str]) -> bool:
    """Whether this is one of a distribution, or of a slot: elsewhere it is a text like others."""
    return names[0] == "histogram" and (names[1].endswith("_ms") or names[2] == "slots")


def _names(step: Step | None) -> tuple[str, str, str]:
    """The last three steps, the last first."""
    found = ["", "", ""]
    for place in range(len(found)):
        if step is None:
            break
        step, name = step
        found[place] = str(name)
    return found[0], found[1], found[2]
