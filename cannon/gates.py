"""Gates: what a run or a comparison has to hold.

A gate sets one metric of one side against a bound: a value that is written out, or the same metric of another side or
of a baseline, with or without an allowance. gate_grammar.py reads it, judging.py judges it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from cannon.metrics import SHARES, Literal, Metric, Unit, shown

__all__ = ["BASE", "Allowance", "Gate", "Operator", "Reference", "Verdict"]

BASE = "base"
"""What stands for the baseline where the name of a side might."""

_LEAST_BEYOND = 20
"""How many samples must lie beyond a percentile before its value says something of the server, not of chance."""

_LATE_PERCENTILE = 99.0


class Verdict(StrEnum):
    """What becomes of a gate."""

    PASS = "pass"  # noqa: S105 - no secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Operator(StrEnum):
    """How a value is set beside its bound."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    EQUAL = "=="

    def holds(self, value: float, bound: float) -> bool:
        """Whether it is so."""
        return _COMPARE[self](value, bound)

    @property
    def wants_less(self) -> bool:
        """Whether a smaller value can only help."""
        return self in (Operator.BELOW, Operator.AT_MOST)

    @property
    def wants_more(self) -> bool:
        """Whether a larger value can only help."""
        return self in (Operator.ABOVE, Operator.AT_LEAST)


class Allowance(msgspec.Struct, frozen=True):
    """By how much a value may differ from what it is set against: `amount`, signed. `is_relative`: in percent of that;
    else in the unit of the gate.
    """

    amount: float
    is_relative: bool


class Reference(msgspec.Struct, frozen=True, tag=True):
    """A bound that is the same metric elsewhere: of the side of this name, or of the baseline."""

    name: str
    allowance: Allowance

    def bound(self, value: float) -> float:
        """The bound where it is this value that is referred to."""
        if self.allowance.is_relative:
            return value * (1 + self.allowance.amount / 100)
        return value + self.allowance.amount

    def told(self, value: float, unit: Unit) -> str:
        """What the bound is made of, where it is this value that is referred to: `direct 10 ms + 10%`."""
        amount = self.allowance.amount
        told = f"{self.name} {shown(value, unit)}"
        if not amount:
            return told
        size = f"{abs(amount):.6g}%" if self.allowance.is_relative else shown(abs(amount), unit)
        return f"{told} {'-' if amount < 0 else '+'} {size}"


class Gate(msgspec.Struct, frozen=True):
    """One line that has to hold.

    `percentile`: 0 < p < 100, of that metric alone. `side`: as written; None: the only target, or a comparison's last
    side. `process`: whose CPU, where that was written. `unit`: of the value and of the bound.
    """

    expression: str
    metric: Metric
    percentile: float | None
    side: str | None
    process: str | None
    operator: Operator
    bound: Literal | Reference
    unit: Unit

    @property
    def name(self) -> str:
        """The metric, as it was written: `p99.9`, `cpu@haproxy`."""
        metric = self.metric.value if self.percentile is None else f"p{self.percentile:.12g}"
        of = self.process or self.side
        return metric if of is None else f"{metric}@{of}"

    @property
    def least_samples(self) -> int:
        """How many latencies it takes to judge this."""
        percentile = _LATE_PERCENTILE if self.metric is Metric.LATE else self.percentile
        if percentile is None:
            return 1
        # Rounded: in floats 99.9 leaves a hair less than 0.1, and would take a sample more.
        beyond = float(f"{min(percentile, 100 - percentile):.9g}")
        return math.ceil(_LEAST_BEYOND * 100 / beyond)

    @property
    def is_ratio(self) -> bool:
        """Whether it counts by what factor a value differs from another, and not by how much. Shares and counts may
        well be 0, and differ by how much.
        """
        if not isinstance(self.bound, Reference):
            return False
        allowance = self.bound.allowance
        return allowance.is_relative or (not allowance.amount and self.metric not in SHARES)

    def told(self, value: float) -> str:
        """`p99 was 61.2 ms`."""
        return f"{self.name} was {shown(value, self.unit)}"


_COMPARE: Mapping[Operator, Callable[[float, float], bool]] = {
    Operator.BELOW: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.ABOVE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.EQUAL: operator.eq,
}
