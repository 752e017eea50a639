"""What is made of a change in percent: five words, and the reason where they do not say all.

Law: pure. An interval is set against nothing at all and against the margin, the change that matters. What may be none
is never called none: the reason tells how many rounds would find the change that matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import fmean

import msgspec

from cannon.power import LEAST_ROUNDS, rounds_for, rounds_needed

__all__ = ["Change", "Verdict", "judged"]

_MOST_ROUNDS = 10**9
_DIGITS = 2


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

    @property
    def direction(self) -> str:
        """Where the whole interval lies: "higher" or "lower"; "" where it may be none, or there is no interval."""
        if self.low is None or self.high is None:
            return ""
        return "higher" if self.low > 0 else "lower" if self.high < 0 else ""


def judged(change_pct: Change, logs: Sequence[float], margin: float, asked: int) -> tuple[Verdict, str]:
    """The verdict on a change, and the reason: what the verdict does not say.

    `logs`: ln(B / A) of each round, of which the change was made; `margin`: 0.05 is 5 %; `asked`: rounds.
    """
    low, high, margin_pct = change_pct.low, change_pct.high, 100 * margin
    if low is None or high is None:
        return Verdict.INCONCLUSIVE, _too_few(len(logs), asked)
    if low > margin_pct:
        return Verdict.HIGHER, ""
    if high < -margin_pct:
        return Verdict.LOWER, ""
    if -margin_pct <= low and high <= margin_pct:
        return Verdict.EQUIVALENT, ""
    if change_pct.direction:
        return Verdict.UNCERTAIN, f"{change_pct.direction}, size uncertain"
    needed = _needed(change_pct.estimate, (high - low) / 2, logs, margin)
    return Verdict.INCONCLUSIVE, f"cannot tell: would need about {needed:,} rounds"


def _too_few(rounds: int, asked: int) -> str:
    """Why there is no interval."""
    if asked < LEAST_ROUNDS:
        had = "1 round" if rounds == 1 else f"{rounds} rounds"
        return f"{had}, and an interval takes {LEAST_ROUNDS} at least (--rounds {LEAST_ROUNDS})"
    return f"{rounds} of {asked} rounds, and an interval takes {LEAST_ROUNDS} at least"


def _needed(estimate_pct: float, half_width_pct: float, logs: Sequence[float], margin: float) -> int:
    """How many rounds would tell: two digits of it, which is what a plan is good for."""
    middle = fmean(logs)
    sd = math.sqrt(math.fsum((value - middle) ** 2 for value in logs) / (len(logs) - 1))
    rounds = rounds_needed(sd, margin)
    if rounds <= len(logs):
        # Enough to find such a change as a rule, and not this time. An interval about this estimate would tell if it
        # were so narrow as to leave out either no change at all, or the margin.
        middle_pct = abs(estimate_pct)
        wanted_pct = max(middle_pct, 100 * margin - middle_pct)
        rounds = max(len(logs) + 1, rounds_for(half_width_pct, wanted_pct, len(logs), _MOST_ROUNDS))
    step: int = 10 ** max(0, len(str(rounds)) - _DIGITS)
    return math.ceil(rounds / step) * step
