"""What is wrong with a file in TOML, in one line that begins with the dotted key: `service[0].name: ...`.

Law: pure. tomllib tells a place by line and column, msgspec by a path of its own; a reader looks for the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cannon.text import clean

if TYPE_CHECKING:
    import msgspec

__all__ = ["of_syntax", "of_type"]

_TWICE = re.compile(
    r"Cannot (?:overwrite a value|declare .* twice|mutate immutable .*) \(at (?:line (\d+),.*|end of document)\)"
)
_DUPLICATE = re.compile(r"Duplicate inline table key '(.*)' \(at (?:line (\d+),.*|end of document)\)")
_HEADER = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=.*")
_LONGEST = 200
"""Characters of a line that are looked at."""


def of_syntax(error: tomllib.TOMLDecodeError, text: str) -> str:
    """What tomllib found in this text."""
    told = str(error)
    twice = _TWICE.fullmatch(told)
    if twice is not None:
        return f"{_key_before(text, twice[1])}: the key is given twice"
    duplicate = _DUPLICATE.fullmatch(told)
    if duplicate is not None:
        return f"{_key_before(text, duplicate[2])}: the key '{clean(duplicate[1], 60)}' is given twice"
    return f"it is no TOML: {clean(told)}"


def of_type(
    error: msgspec.ValidationError, known: Mapping[str, Sequence[str]], where: str = "in a scenario"
) -> str:
    """What msgspec found. `known`: by a key, the words that it takes; `where`: a key that is not known is none."""
    told, _, place = str(error).partition(" - at `")
    key = place.rstrip("`").removeprefix("$").removeprefix(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", told)
    if unknown:
        return f"there is no key '{clean('.'.join(filter(None, (key, unknown[1]))))}' {where}"
    missing = re.fullmatch(r"Object missing required field `(.*)`", told)
    if missing:
        return f"the key '{'.'.join(filter(None, (key, missing[1])))}' is missing"
    words = known.get(re.sub(r"\[[^\[]*\]$", "", key))
    if words is not None and told.startswith("Invalid enum value "):
        told = f"{told.removeprefix('Invalid enum value ')} is none of {', '.join(words)}"
    told = told.replace("`", "").replace("Expected", "expected")
    return f"{clean(key)}: {clean(told)}" if key else clean(told)


def _key_before(text: str, line: str | None) -> str:
    """The dotted key that stands on this line, counted from 1, or last before it; on the last, where none is told."""
    lines = text.splitlines()
    lines = lines if line is None else lines[: int(line)]
    for number in range(len(lines) - 1, -1, -1):
        header = _HEADER.fullmatch(lines[number][:_LONGEST])
        key = _KEY.fullmatch(lines[number][:_LONGEST])
        if header is not None or key is not None:
            table = _table_at(lines[: number + 1])
            return clean(".".join(filter(None, (table, "" if key is None else key[1]))))
    return "it"


def _table_at(lines: Sequence[str]) -> str:
    """The table that the last of these lines belongs to, one of an array with its number; empty: none."""
    headers = [found for line in lines if (found := _HEADER.fullmatch(line[:_LONGEST])) is not None]
    if not headers:
        return ""
    brackets, name = headers[-1].groups()
    if brackets == "[":
        return name
    return f"{name}[{sum(header.groups() == (brackets, name) for header in headers) - 1}]"
