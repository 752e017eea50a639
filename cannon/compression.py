"""What a coding saves, and on which links that is worth its time.

Law: pure. Bytes are those that slots counted on the wire, and time is the change of the mean at the common rate: what
a link saves it saves on every response, so the cost is set against it as a sum too, tail and all, which no percentile
is. The ends of the time's interval give those of the break-even speed, the larger time the lower speed. It leaves round
trips and slow start out, and nothing is decoded on the clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from cannon.comparison import Compression, Worth
from cannon.equivalence import Probe
from cannon.rounds import ComparisonPlan, Pass
from cannon.rows import Change, Row
from cannon.slots import Round

__all__ = ["compression_of"]

_BITS = 8
_BITS_PER_MS_OF_MBIT_S = 1000.0
_METRIC = "mean"


def compression_of(
    plan: ComparisonPlan, probes: Mapping[str, Probe], rounds: Sequence[Round], rows: Sequence[Row]
) -> Compression:
    """What the sides beyond the base save against it, by name. Sides that were never asked are left out."""
    base = plan.names[0]
    wire = {name: size for name in plan.names if (size := _wire_bytes(name, probes, rounds)) is not None}
    speeds: dict[str, Change | None] = {}
    worth: dict[str, Worth] = {}
    for name in plan.names[1:]:
        saved = wire[base] - wire[name] if {base, name} <= wire.keys() else None
        worth[name], speeds[name] = _break_even(saved, _added_ms(name, rows))
    return Compression(
        wire_bytes=wire,
        decoded_bytes={name: probes[name].body_bytes for name in plan.names if name in probes},
        ratio={
            name: wire[base] / wire[name] for name in plan.names[1:] if base in wire and wire.get(name, 0) > 0
        },
        break_even_mbit_s=speeds,
        worth=worth,
    )


def _wire_bytes(name: str, probes: Mapping[str, Probe], rounds: Sequence[Round]) -> float | None:
    """The bytes of one body on the wire: exact where every response has as many, else typical of the slots."""
    counted = [
        slot.body_bytes_per_response
        for each in rounds
        if (slot := each.slots.get(name)) is not None and slot.body_bytes_per_response is not None
    ]
    if counted:
        # Not the mean: what was in flight at an end has part of its bytes here, and is no response.
        return median(counted)
    return float(probes[name].wire_bytes) if name in probes else None


def _added_ms(name: str, rows: Sequence[Row]) -> Change | None:
    for row in rows:
        if (row.of, row.metric, row.side) == (Pass.LATENCY.value, _METRIC, name):
            return row.added
    return None


def _break_even(saved_bytes: float | None, added_ms: Change | None) -> tuple[Worth, Change | None]:
    """What these bytes are worth at this time, and the speed at which they are worth nothing."""
    if saved_bytes is not None and saved_bytes <= 0:
        return Worth.LARGER, None
    if saved_bytes is None or added_ms is None or (added_ms.low is None and added_ms.estimate <= 0):
        return Worth.UNKNOWN, None
    if added_ms.low is None or added_ms.high is None:
        return Worth.BREAK_EVEN, Change(_mbit_s(saved_bytes, added_ms.estimate), None, None)
    if added_ms.high <= 0:
        return Worth.FREE, None
    slowest = _mbit_s(saved_bytes, added_ms.high)
    if added_ms.low <= 0:
        return Worth.AT_LEAST, Change(slowest, slowest, None)
    estimate, fastest = (_mbit_s(saved_bytes, time_ms) for time_ms in (added_ms.estimate, added_ms.low))
    return Worth.BREAK_EVEN, Change(estimate, slowest, fastest)


def _mbit_s(saved_bytes: float, added_ms: float) -> float:
    return _BITS * saved_bytes / (added_ms * _BITS_PER_MS_OF_MBIT_S)
