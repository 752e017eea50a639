"""The result as JSON: what `-o FILE.json` holds and `-j` prints, by the schema `cannon/result/1`."""

from __future__ import annotations

from cannon.result import Result

__all__ = ["render"]


def render(result: Result) -> bytes:
    """One JSON document, UTF-8, indented, ending in a newline."""
    return result.to_json()
