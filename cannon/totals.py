"""What is counted over all rounds of two sides and not sampled: bytes of a response, and errors.

Law: pure. A count is set beside a count: an estimate without an interval, and the reason says so. Bytes are counted
whole, so their change is what it is. Errors come in heaps, and a few more are soon twice as many: what is not equal is
told apart only where the rounds, taken one by one, leave no doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cannon.signed_rank import interval
from cannon.slots import Slot
from cannon.verdict import Change, Verdict

__all__ = ["Totals", "bytes_of", "bytes_per_response", "errors_of", "failures", "tried"]

_TOTALS = "totals of all rounds, without an interval"


class Totals(msgspec.Struct, frozen=True):
    """Of both sides, None where nothing was counted. `reason`: in words, what the verdict does not say."""

    base: float | None
    side: float | None
    verdict: Verdict
    reason: str

    @property
    def added(self) -> Change | None:
        """The estimate alone."""
        if self.base is None or self.side is None:
            return None
        return Change(self.side - self.base, None, None)

    @property
    def change_pct(self) -> Change | None:
        """Likewise; None also where there is no ratio."""
        if self.base is None or self.side is None:
            return None
        if self.base == self.side:
            return Change(0.0, None, None)
        return Change(100 * (self.side / self.base - 1), None, None) if self.base else None


def bytes_of(base: Sequence[Slot], side: Sequence[Slot], margin: float) -> Totals:
    """On the wire, of one response. `margin`: the change that matters, 0.05 is 5 %."""
    totals = Totals(bytes_per_response(base), bytes_per_response(side), Verdict.INCONCLUSIVE, "")
    change_pct = totals.change_pct
    if change_pct is None:
        return msgspec.structs.replace(totals, reason="there are no bytes where there are no responses")
    verdict = Verdict.EQUIVALENT
    if abs(change_pct.estimate) > 100 * margin:
        verdict = Verdict.HIGHER if change_pct.estimate > 0 else Verdict.LOWER
    return msgspec.structs.replace(totals, verdict=verdict, reason=_TOTALS)


def errors_of(base: Sequence[Slot], side: Sequence[Slot]) -> Totals:
    """In percent of what was sent or could not even be: what failed, was not as expected, or found no connection."""
    base_pct, side_pct = _error_pct(base), _error_pct(side)
    if base_pct is None or side_pct is None:
        return Totals(base_pct, side_pct, Verdict.INCONCLUSIVE, "there are no errors where nothing was sent")
    if base_pct == side_pct:
        return Totals(base_pct, side_pct, Verdict.EQUIVALENT, _TOTALS)
    rounds = [
        (_error_pct([first]) or 0.0, _error_pct([later]) or 0.0)
        for first, later in zip(base, side, strict=True)
    ]
    found = interval([later - first for first, later in rounds])
    direction = Change(found.estimate, found.low, found.high).direction
    verdict = Verdict.UNCERTAIN if direction else Verdict.INCONCLUSIVE
    counts = f"{failures(side):,} of {tried(side):,} against {failures(base):,} of {tried(base):,}"
    return Totals(base_pct, side_pct, verdict, f"{direction or 'cannot tell'}: {counts}; {_TOTALS}")


def bytes_per_response(slots: Sequence[Slot]) -> float | None:
    """Received for one response, on average; None without any."""
    # Whole again: slots tell by response what was counted in whole bytes.
    received = sum(round((slot.bytes_per_response or 0) * slot.completed) for slot in slots)
    completed = sum(slot.completed for slot in slots)
    return received / completed if completed else None


def _error_pct(slots: Sequence[Slot]) -> float | None:
    whole = tried(slots)
    return 100 * failures(slots) / whole if whole else None


def failures(slots: Sequence[Slot]) -> int:
    """Requests and dials that failed, and responses that were not as expected."""
    return sum(sum(slot.errors.values()) + slot.mismatched + slot.connects_failed for slot in slots)


def tried(slots: Sequence[Slot]) -> int:
    """Requests that were sent, and those that found no connection."""
    return sum(slot.sent + slot.connects_failed for slot in slots)
