"""Pairs of runs, and what they say: medians of each side, ratios pair by pair, as a row of Markdown.

Law: a ratio is taken inside a pair, because machines drift, and is quoted with its range.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from markdown import cell, line, titled
from runs import Run

__all__ = ["Pair", "Ratio", "failed_row", "heading", "row"]


@dataclass(frozen=True)
class Pair:
    """Two runs one after the other: of the client that is looked at, and of a peer."""

    ours: Run
    theirs: Run


@dataclass(frozen=True)
class Ratio:
    """Median and range of ratios."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Self:
        """Ratios of the first to the second of each pair. There is at least one."""
        ratios = [first / second for first, second in pairs]
        return cls(statistics.median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def heading(subject: str) -> str:
    """The two lines above the rows."""
    titles = (
        *("scheme", "case", "conns", "-p", "peer"),
        *(f"{subject} req/s", "peer req/s", "req/s ratio (range)"),
        *(f"{subject} CPU µs", "peer CPU µs", "CPU ratio (range)"),
    )
    return titled(titles)


def row(key: Sequence[str], pairs: Sequence[Pair]) -> str:
    """A row: what was compared, then rates, then CPU per request."""
    rates = [(pair.ours.per_s, pair.theirs.per_s) for pair in pairs]
    costs = [(pair.ours.cpu_us, pair.theirs.cpu_us) for pair in pairs]
    return line(
        (
            *key,
            *(f"{statistics.median(side):,.0f}" for side in zip(*rates, strict=True)),
            str(Ratio.of(rates)),
            *(f"{statistics.median(side):.2f}" for side in zip(*costs, strict=True)),
            str(Ratio.of(costs)),
        )
    )


def failed_row(key: Sequence[str], reason: str) -> str:
    """A row without figures: why there are none."""
    return line((*key, cell(reason), *("" for _ in range(5))))
