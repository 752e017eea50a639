"""Shards fired in this process, one after the other: for the preflight and for tests."""

from __future__ import annotations

from collections.abc import Iterator

from cannon.engine import fire
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["fire_inline"]


def fire_inline(shards: tuple[Shard, ...], control: int | None = None) -> Iterator[tuple[int, Tally]]:
    """Yields (index of the shard, what it counted), shard after shard."""
    for shard in shards:
        for tally in fire(shard, control):
            yield shard.index, tally
