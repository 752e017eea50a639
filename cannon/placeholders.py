"""Placeholders, `{port.front}`, in the words and files of a scenario: found, checked and filled.

Law: data alone. A placeholder is a name in braces without a space, so that the braces of configurations stay what they
are; each has one value, and one that nothing fills is refused with where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cannon.errors import UsageError

__all__ = ["filled", "names_in"]

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)\}")


def names_in(text: str) -> Iterator[str]:
    """The names of the placeholders in a text, as they stand."""
    for found in _PLACEHOLDER.finditer(text):
        yield found[1]


def filled(text: str, values: Mapping[str, str], where: str) -> str:
    """The text with its placeholders filled. UsageError, which begins with `where`, for one that nothing fills."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            known = ", ".join(f"{{{each}}}" for each in sorted(values))
            raise UsageError(f"{where}: nothing fills the placeholder {{{name}}}; there are {known}")
        return values[name]

    return _PLACEHOLDER.sub(value, text)
