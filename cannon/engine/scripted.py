"""No sockets: latencies come from a script, time is a number, and every run is exact and instant.

For tests of everything above the engine. Connections draw the scripted latencies in turn: the request at
position k of the whole run takes script_ns[k mod length], whatever the number of shards, and every response is
200 with 100 bytes on the wire, 10 of them body.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import msgspec

from cannon.shard import Shard
from cannon.tally import Histogram, Row, Tally

__all__ = ["fire_scripted"]

WIRE_BYTES = 100
BODY_BYTES = 10
REQUEST_BYTES = 50


def fire_scripted(shard: Shard) -> Iterator[Tally]:
    """Fire a shard against its plan's script; the same Tallies, in sum, for any division of the load.

    With an amount, request k takes its own scripted latency, on whichever connection is free. With a duration,
    each connection of the run (not of the shard) walks through the script from its own place.
    """
    plan = shard.plan
    script_ns = plan.script_ns or (1_000_000,)
    end_ns = plan.stop.duration_ns if plan.stop.amount is None else None
    positions = iter(range(shard.index, shard.index + (shard.amount or 0) * shard.count, shard.count))
    numbers = [shard.index + place * shard.count for place in range(shard.connections)]
    free = [(0, number, 0) for number in numbers]
    ended: list[tuple[int, int, int]] = []
    sent = 0
    last_ns = 0
    while free:
        now_ns, number, turn = heapq.heappop(free)
        if end_ns is not None and now_ns >= end_ns:
            continue
        if end_ns is None:
            position = next(positions, None)
            if position is None:
                continue
        else:
            position = number + turn
        duration_ns = script_ns[position % len(script_ns)]
        sent += 1
        ended.append((now_ns + duration_ns, now_ns, duration_ns))
        last_ns = max(last_ns, now_ns + duration_ns)
        heapq.heappush(free, (now_ns + duration_ns, number, turn + 1))
    yield from _ticks(shard, ended, sent, end_ns if end_ns is not None else last_ns)


def _ticks(shard: Shard, ended: list[tuple[int, int, int]], sent: int, window_end_ns: int) -> Iterator[Tally]:
    plan = shard.plan
    drained_ns = window_end_ns + plan.drain_limit_ns
    began_ns = 0
    first = Tally(
        attempted=shard.connections, made=shard.connections, sent=sent, sent_bytes=sent * REQUEST_BYTES
    )
    while began_ns < window_end_ns:
        until_ns = min(began_ns + plan.tick_ns, window_end_ns)
        here = [duration_ns for at_ns, _, duration_ns in ended if began_ns < at_ns <= until_ns]
        tally = _tally(here)
        row = Row(until_ns - began_ns, len(here), len(here), 0, len(here) * WIRE_BYTES)
        yield first + msgspec.structs.replace(tally, row=row)
        first = Tally()
        began_ns = until_ns
    late = [duration_ns for at_ns, _, duration_ns in ended if window_end_ns < at_ns <= drained_ns]
    lost = [sent_ns for at_ns, sent_ns, _ in ended if at_ns > drained_ns]
    yield first + msgspec.structs.replace(
        _tally(late),
        in_flight=len(lost),
        oldest_in_flight_ns=max((drained_ns - sent_ns for sent_ns in lost), default=0),
    )


def _tally(durations_ns: list[int]) -> Tally:
    count = len(durations_ns)
    durations = Histogram.of(*durations_ns)
    return Tally(
        succeeded=count,
        status={200: count} if count else {},
        received_bytes=count * WIRE_BYTES,
        received_body_bytes=count * BODY_BYTES,
        whole=durations,
    )
