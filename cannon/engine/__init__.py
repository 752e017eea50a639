"""Fires one Shard: a frozen value in, Tallies out, one a tick; their sum is what the shard did.

The same call serves in this process, in a worker process and on another machine. `python -m cannon.engine` is
the worker.
"""

from __future__ import annotations

from collections.abc import Iterator

from cannon.plan import Engine
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["fire"]


def fire(shard: Shard, control: int | None = None) -> Iterator[Tally]:
    """Fire a shard with the engine its plan names.

    `control` is a descriptor that is watched: a byte on it ends the sending within 50 ms (what is in flight is
    drained), its end ends the run. The targets' addresses must have been resolved.
    """
    if shard.plan.engine is Engine.SCRIPTED:
        from cannon.engine.scripted import fire_scripted

        return fire_scripted(shard)
    if shard.plan.engine is Engine.HTTPX:
        from cannon.engine.clients import fire_with_httpx

        return fire_with_httpx(shard, control)
    from cannon.engine.native import fire_natively

    return fire_natively(shard, control)
