"""The verdict on a run: can its figures be trusted.

Law: invalid is a run without figures, or whose figures do not add up, or that ended before its time: nobody may build
on it. Suspect is one in which something makes the server look worse than it is (doubts.py). Both tell every reason.
"""

from __future__ import annotations

import msgspec

from cannon.doubts import doubts
from cannon.errors import Fault
from cannon.evidence import Evidence
from cannon.plan import Plan
from cannon.tally import Tally

__all__ = ["Validity", "bailing", "judge"]


class Validity(msgspec.Struct, frozen=True):
    """`verdict`: "valid", "suspect" (the client was the limit) or "invalid"; with the reasons in words."""

    verdict: str
    reasons: list[str]


def bailing(tally: Tally) -> int:
    """What -B counts: errors, but for those of requests that stood behind another's, mismatches, and failed dials."""
    return tally.failed - tally.errors.get(Fault.ABORTED, 0) + tally.mismatched + tally.connects_failed


def judge(plan: Plan, tally: Tally, evidence: Evidence, *, problems: list[str], ended: bool) -> Validity:
    """The verdict on a run. `problems` are reasons, known to the caller, why it is invalid; `ended`: somebody ended it
    before its time.
    """
    invalid = [*problems, *_flaws(plan, tally, ended=ended)]
    if invalid:
        return Validity("invalid", invalid)
    found = [str(doubt) for doubt in doubts(evidence)]
    return Validity("suspect" if found else "valid", found)


def _flaws(plan: Plan, tally: Tally, *, ended: bool) -> list[str]:
    """What is wrong with the counts."""
    found: list[str] = []
    if tally.bailed_out:
        found.append(_bailout(plan, tally))
    if not tally.succeeded:
        found.append("no request succeeded")
    if _gave_up(plan, tally, ended=ended):
        found.append(f"{tally.never_sent:,} requests were never sent: nothing could be reached any more")
    if tally.sent != tally.completed + tally.failed + tally.in_flight:
        found.append(
            f"cannon lost count: {tally.sent:,} sent, but {tally.completed:,} completed, {tally.failed:,} failed"
            f" and {tally.in_flight:,} in flight"
        )
    return found


def _bailout(plan: Plan, tally: Tally) -> str:
    errors = bailing(tally)
    limit = min(errors, plan.limits.bailout or errors)
    came = f"; {errors - limit:,} more came until it had stopped" if errors > limit else ""
    return f"the run ended after {limit:,} error{'' if limit == 1 else 's'} (-B {limit}){came}"


def _gave_up(plan: Plan, tally: Tally, *, ended: bool) -> bool:
    """Whether an amount was not sent because its server had gone for good. Requests that were due and not sent are no
    flaw of a run that ended in time, or that somebody ended.
    """
    if not tally.never_sent or tally.bailed_out:
        return False
    return plan.pace is None or (plan.stop.amount is not None and not ended)
