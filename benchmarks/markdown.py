"""Rows of Markdown, and a figure of several runs as a cell: its median, and its range in brackets."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

__all__ = ["cell", "line", "spread", "titled"]


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def titled(titles: Sequence[str]) -> str:
    """The two lines above the rows."""
    return f"{line(titles)}\n{line('---' for _ in titles)}"


def cell(text: str) -> str:
    """Any text, so that it stays in its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def spread(values: Sequence[float], form: str) -> str:
    """The median, and the range where there are several; nothing where there are none. `form` is a format's."""
    if not values:
        return ""
    told = format(statistics.median(values), form)
    return f"{told} ({min(values):{form}} to {max(values):{form}})" if len(values) > 1 else told
