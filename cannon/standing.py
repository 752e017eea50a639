"""How far a comparison is: what the one who watches is told, and nothing that measures ever reads.

Law: a Standing is a frozen value; whoever fires makes it, whoever draws takes it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cannon.rows import Row

__all__ = ["Stage", "Standing"]


class Stage(StrEnum):
    """What the comparison is doing; they come in this order, and some may be left out."""

    PROBE = "probe"
    CAPACITY = "capacity"
    LATENCY = "latency"
    HANDSHAKES = "handshakes"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a comparison stands. `number` of `rounds`: the one that is fired; 0 is the one that is thrown away.

    `side`: the one that is fired now. `left_s`: about how long the whole will still take; it is told at the begin of
    every slot. `rows`: what is known of this stage so far, one for each side beyond the base: of rps in the capacity
    pass, of p50 in the latency pass; empty before the first round, and without intervals before the sixth.
    """

    stage: Stage
    number: int = 0
    rounds: int = 0
    side: str = ""
    left_s: float | None = None
    rows: tuple[Row, ...] = ()
