"""Gates in words: what became of each, with its value and its bound.

Law: figures stand in the unit of the verdict, as everywhere; expressions and reasons are foreign text, cleaned here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cannon.metrics import Unit, shown, span
from cannon.result import GateVerdict
from cannon.text import clean

__all__ = ["GateLine", "figures", "lines"]

_STYLES: Mapping[str, str] = {"pass": "green", "fail": "bold red", "inconclusive": "yellow"}
_UNITS = frozenset(unit.value for unit in Unit)
_LONGEST = 600


class GateLine(msgspec.Struct, frozen=True):
    """What is shown of a gate. `style`: how the verdict is drawn."""

    verdict: str
    style: str
    expression: str
    figures: str
    reason: str


def lines(gates: Sequence[GateVerdict]) -> list[GateLine]:
    """One for each gate, in their order."""
    return [
        GateLine(
            clean(gate.verdict, _LONGEST),
            _STYLES.get(gate.verdict, ""),
            clean(gate.expression, _LONGEST),
            figures(gate),
            clean(gate.reason, _LONGEST),
        )
        for gate in gates
    ]


def figures(gate: GateVerdict) -> str:
    """`5.1 ms [4.9, 5.3], bound 2 ms`; empty where nothing was measured."""
    if gate.value is None or gate.unit not in _UNITS:
        return ""
    unit = Unit(gate.unit)
    known = gate.low is not None and gate.high is not None
    value = span(gate.value, gate.low or 0.0, gate.high or 0.0, unit) if known else shown(gate.value, unit)
    return value if gate.bound is None else f"{value}, bound {shown(gate.bound, unit)}"
