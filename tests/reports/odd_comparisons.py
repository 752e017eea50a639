"""Comparisons with something about them that a page must cope with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cannon.comparison import Comparison, Worth
from cannon.equivalence import Equivalence
from cannon.rounds import Pass
from cannon.rows import Change, Row, Verdict
from cannon.validity import Validity
from tests.comparisons import (
    BASE,
    SIDE,
    a_comparison,
    a_compression,
    a_compression_comparison,
    a_dropped,
    a_row,
    a_side_report,
    a_tls_comparison,
    some_noise,
    some_rounds,
    some_rows,
)
from tests.reports.samples import HOSTILE_TEXT

__all__ = [
    "COMPARISONS",
    "LONG_NAME",
    "different",
    "hostile",
    "limited",
    "rounds",
    "three_sides",
    "without_intervals",
]

LONG_NAME = "a_proxy_whose_name_is_longer_than_any_column"


def without_intervals(rows: list[Row]) -> list[Row]:
    """As they are below six rounds."""

    def bare(change: Change | None) -> Change | None:
        return None if change is None else Change(change.estimate, None, None)

    return [
        msgspec.structs.replace(
            row,
            added=bare(row.added),
            change_pct=bare(row.change_pct),
            level=None,
            verdict=Verdict.INCONCLUSIVE,
            reason=row.reason or "3 rounds, and an interval takes 6 at least (--rounds 6)",
        )
        for row in rows
    ]


def rounds(capacity: int, latency: int) -> list[Any]:
    return [*some_rounds(Pass.CAPACITY, capacity), *some_rounds(Pass.LATENCY, latency)]


def different() -> Comparison:
    """Sides that were seen to differ before anything was fired."""
    found = ["haproxy answers 301, direct 200 (--allow status)", "haproxy: gzip was asked for, and br came"]
    return a_comparison(
        rounds=[],
        rows=[],
        noise=[],
        rate=None,
        equivalence=Equivalence(same=False, differences=found, allowed=[], varies=[]),
        validity=Validity("invalid", ["the sides do not answer the same", *found]),
    )


def limited() -> Comparison:
    """Both capacities were cannon's own limit, and large."""
    row = a_row(
        "rps",
        (1_234_567.0, 1_134_567.0),
        (-100_000.0, -125_600.0, -99_900.0),
        (-8.1, -9.9, -8.0),
        Verdict.INCONCLUSIVE,
        at_least=[BASE, SIDE],
        reason="cannon was the limit for direct and haproxy; try -w 2",
    )
    return a_comparison(rows=[row, *some_rows()[1:]])


def three_sides() -> Comparison:
    names = (BASE, SIDE, "nginx")
    return a_comparison(
        sides=[a_side_report(name) for name in names],
        rows=[*some_rows(), *some_rows("nginx")],
        noise=[*some_noise(), *some_noise("nginx")],
    )


def hostile() -> Comparison:
    rows = [
        msgspec.structs.replace(
            row, side=HOSTILE_TEXT, base=HOSTILE_TEXT, unit=HOSTILE_TEXT, metric=HOSTILE_TEXT
        )
        for row in some_rows()
    ]
    return a_comparison(
        sides=[a_side_report(HOSTILE_TEXT, url=HOSTILE_TEXT), a_side_report(HOSTILE_TEXT)],
        rows=rows,
        order=HOSTILE_TEXT,
        dropped=[a_dropped(side=HOSTILE_TEXT, reason=HOSTILE_TEXT)],
        warnings=[HOSTILE_TEXT],
        validity=Validity(HOSTILE_TEXT, [HOSTILE_TEXT]),
        interrupted="SIGINT",
        equivalence=Equivalence(
            same=False, differences=[HOSTILE_TEXT], allowed=[HOSTILE_TEXT], varies=[HOSTILE_TEXT]
        ),
        compression=a_compression(worth={HOSTILE_TEXT: Worth.FREE}),
    )


COMPARISONS: Mapping[str, Comparison] = {
    "usual": a_comparison(),
    "compression": a_compression_comparison(),
    "TLS": a_tls_comparison(),
    "few rounds": a_comparison(
        rounds_asked=3, rounds=rounds(3, 3), rows=without_intervals(some_rows()), noise=[]
    ),
    "different": different(),
    "limited": limited(),
    "three sides": three_sides(),
    "a long name": a_comparison(
        sides=[a_side_report(BASE), a_side_report(LONG_NAME)],
        rows=some_rows(LONG_NAME),
        noise=some_noise(LONG_NAME),
    ),
    "hostile": hostile(),
}
