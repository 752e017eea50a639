"""Results and comparisons with verdicts, for the tests of what tells of them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from cannon.result import GateVerdict, Result
from cannon.validity import Validity
from tests.hostile import TEXTS
from tests.results import a_result

__all__ = ["FAILED", "OPEN", "PASSED", "a_gate", "doubted", "foreign", "gated"]


def a_gate(expression: str = "p99 < 2ms", verdict: str = "fail", **changes: Any) -> GateVerdict:
    """A verdict on a p99 of 5.1 ms."""
    found: dict[str, Any] = {
        "value": 5.1,
        "bound": 2.0,
        "low": None,
        "high": None,
        "unit": "ms",
        "reason": "" if verdict == "pass" else "p99 was 5.1 ms",
    }
    return GateVerdict(expression=expression, verdict=verdict, **(found | changes))


PASSED = a_gate("errors == 0", "pass", value=0.0, bound=0.0, unit="")
FAILED = a_gate()
OPEN = a_gate("p90 < base + 5%", "inconclusive", low=4.9, high=5.3, reason="p90 was 5.1 ms; 5 baselines")


def gated(*gates: GateVerdict, **changes: Any) -> Result:
    """The usual run, judged so."""
    return msgspec.structs.replace(a_result(), gates=list(gates), **changes)


def doubted(verdict: str, *reasons: str) -> Validity:
    """What cannon thinks of its own figures."""
    return Validity(verdict, list(reasons))


foreign = st.one_of(st.text(max_size=60), st.sampled_from([*TEXTS.values()]))
"""Text that came from anywhere."""
