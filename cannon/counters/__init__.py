"""The numbers that a proxy keeps of itself, read while it runs.

Law: a kind of proxy is one line of KINDS. What comes back is bounded in time and size, cleaned, and told as the proxy
tells it: under its own names, with the unit added, nothing worked out. What cannot be read is InvalidRun with one line
that says why, never a row of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cannon.counters import haproxy, nginx
from cannon.counters.row import Counters, Figure, Nature
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["DESCRIBED", "KINDS", "NATURES", "Counters", "Figure", "Nature", "Reader", "read"]

Reader = Callable[[str, float], list[Counters]]
"""Takes where the numbers are told, and for how many seconds to wait."""

KINDS: Mapping[str, Reader] = {haproxy.KIND: haproxy.read, nginx.KIND: nginx.read}
"""Who reads a kind of proxy: HAProxy at the path of its stats socket, nginx at the URL of its stub_status."""

_FIGURES = (*haproxy.FIGURES, *nginx.FIGURES)

DESCRIBED: Mapping[str, str] = {figure.name: figure.words for figure in _FIGURES}
"""What a line on the console says behind a number: `123` "ms mean wait in the queue, last 1,024 requests"."""

NATURES: Mapping[str, Nature] = {figure.name: figure.nature for figure in _FIGURES}
"""Whether a figure grows, goes up and down, is a mean or a maximum."""


def read(kind: str, at: str, limit_s: float = 2.0) -> list[Counters]:
    """What a proxy says of itself now, a row for each of its parts.

    InvalidRun, with why, where it cannot be read; UsageError for a kind that KINDS does not have.
    """
    reader = KINDS.get(kind)
    if reader is None:
        raise UsageError(
            f"'{clean(kind, 60)}' is no kind of proxy that can be read; they are {', '.join(KINDS)}"
        )
    return reader(at, limit_s)
