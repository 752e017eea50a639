"""What a comparison found: a row for each metric and side beyond the base, from the rounds alone.

Law: pure. The round is the sample, never the request: a row is made of one difference a round. Estimate and interval
are those of signed_rank.py, on B - A for what was added and on ln(B / A) for the change in percent. No number stands
where the slots cannot support it, and a wide interval is never called "no difference".
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Change", "Noise", "Row", "Verdict"]


class Verdict(StrEnum):
    """Of a change in percent, against the margin. UNCERTAIN: there is one, and it may be smaller or larger than the
    margin. INCONCLUSIVE: there may be none.
    """

    HIGHER = "higher"
    LOWER = "lower"
    EQUIVALENT = "equivalent"
    UNCERTAIN = "uncertain"
    INCONCLUSIVE = "inconclusive"


class Change(msgspec.Struct, frozen=True):
    """An estimate and its interval. `low`, `high`: None where there are too few rounds for one."""

    estimate: float
    low: float | None
    high: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"of": "pass"}):
    """One metric of one side, set against the base.

    `of`: the pass. `metric`: "rps", "p50", "p90", "p99", "p99_9", "mean", "cpu" (cannon's own) or "cpu@NAME", "bytes",
    "errors". `unit`: "/s", "ms", "us", "B", "%". `base_value`, `side_value`: the medians over the rounds; None, like
    `added` and `change_pct`, where the slots cannot support the metric, and `reason` says what it takes. `rounds`: how
    many it is made of; `level`: the true level of the intervals, 0.951; None without. `at_least`: of which sides the
    value is a lower bound, since cannon was the limit; the row is inconclusive then. `reason`: in words, what the
    verdict does not say.
    """

    of: str
    metric: str
    side: str
    base: str
    unit: str
    base_value: float | None
    side_value: float | None
    added: Change | None
    change_pct: Change | None
    rounds: int
    level: float | None
    at_least: list[str]
    verdict: Verdict
    reason: str


class Noise(msgspec.Struct, frozen=True, kw_only=True, rename={"of": "pass"}):
    """The smallest change of a metric that this comparison could have seen, in percent: half of its interval."""

    of: str
    metric: str
    side: str
    resolvable_pct: float
