"""The part of a plan that one worker fires. This is the only place where load is divided.

The law: for any number of shards, their connections, amounts and due times add up to the plan's, exactly.
Request k of the run belongs to shard k mod count, so a remainder is spread and never dropped.
"""

from __future__ import annotations

import msgspec

from cannon.plan import Plan

__all__ = ["Shard", "split"]


class Shard(msgspec.Struct, frozen=True):
    """Shard `index` of `count`: how many connections it opens, and how many requests it sends at most.

    Its connection j is connection index + j * count of the run.
    """

    plan: Plan
    index: int
    count: int
    connections: int
    amount: int | None

    def to_bytes(self) -> bytes:
        """One message, as `from_bytes` reads it in the worker."""
        return _ENCODER.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Shard:
        """The Shard that `to_bytes` wrote."""
        return _DECODER.decode(data)


def split(plan: Plan, count: int) -> tuple[Shard, ...]:
    """The plan in `count` shards."""
    amount = plan.most_requests
    return tuple(
        Shard(
            plan=plan,
            index=index,
            count=count,
            connections=_share(plan.connections, index, count),
            amount=None if amount is None else _share(amount, index, count),
        )
        for index in range(count)
    )


def _share(total: int, index: int, count: int) -> int:
    """How many of the positions 0 .. total - 1 are `index` modulo `count`."""
    return (total - index + count - 1) // count


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Shard)
