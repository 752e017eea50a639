"""Row: what a proxy says of one of its parts, and what each of its figures is.

Law: a figure is told as the proxy tells it, under the proxy's own name with its unit added; what the proxy leaves empty
is left out, and is not zero.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Counters", "Figure", "Nature"]


class Nature(StrEnum):
    """How a figure moves, and so what can be made of two readings of it."""

    COUNT = "count"
    """It grows from the proxy's start on: two readings have a difference."""
    LEVEL = "level"
    """As it is at the moment of reading."""
    MEAN = "mean"
    """Of the last requests, those before the run too."""
    PEAK = "peak"
    """The largest since the proxy's start."""


class Figure(msgspec.Struct, frozen=True):
    """One figure of a kind of proxy. `words`: what a line on the console says behind its number, the unit first."""

    name: str
    words: str
    nature: Nature


class Counters(msgspec.Struct, frozen=True):
    """One row. `kind`: of proxy; `of`: which of its parts, cleaned; a reading has no two rows of the same part."""

    kind: str
    of: str
    figures: dict[str, float]
