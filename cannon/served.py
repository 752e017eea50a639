"""Served: how the requests of a side ended at the common rate, which one side may queue and another refuse.

Law: pure, from slots alone. Goodput is what ended inside a window, so that what a drain brings in afterwards is none of
it; shares are of all that was to be sent, by how each ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cannon.errors import Fault
from cannon.signed_rank import interval
from cannon.slots import Slot
from cannon.verdict import Change

__all__ = ["goodput", "refused"]

_CUT, _UNREACHED, _NO_HTTP = "cut off", "without a connection", "answered with no HTTP"
_ENDS: Mapping[str, str] = {
    Fault.TIMEOUT: "timed out",
    Fault.RESET: _CUT,
    Fault.EMPTY_REPLY: _CUT,
    Fault.STALE: _CUT,
    Fault.TRUNCATED: _CUT,
    Fault.ABORTED: _CUT,
    Fault.REFUSED: _UNREACHED,
    Fault.TLS: _UNREACHED,
    Fault.PROXY: _UNREACHED,
    Fault.DNS: _UNREACHED,
    Fault.LOCAL: _UNREACHED,
    Fault.MALFORMED: _NO_HTTP,
    Fault.HEAD_TOO_LARGE: _NO_HTTP,
}
"""How a request ended that got no answer."""


def goodput(slots: Sequence[Slot], expected: Sequence[int]) -> Change | None:
    """Answers of 2xx a second, over these rounds; None where a slot does not tell. `expected`: by --expect-status."""
    found = [value for slot in slots if (value := _good_per_s(slot, expected)) is not None]
    if not found or len(found) < len(slots):
        return None
    over = interval(found)
    return Change(over.estimate, over.low, over.high)


def refused(slots: Sequence[Slot]) -> tuple[list[tuple[str, int]], int]:
    """How requests ended that got no 2xx, in words, with the number of each, the most first; and how many there were,
    those with a 2xx among them.
    """
    ends: Counter[str] = Counter()
    good = 0
    for slot in slots:
        for status, count in slot.status.items():
            if _is_good(status):
                good += count
            else:
                ends[f"answered {status}"] += count
        for fault, count in slot.errors.items():
            ends[_ENDS.get(fault, "failed")] += count
        ends["unanswered at the end"] += slot.in_flight
        ends["never sent"] += slot.never_sent
    return [(how, count) for how, count in ends.most_common() if count > 0], good + ends.total()


def _good_per_s(slot: Slot, expected: Sequence[int]) -> float | None:
    """Of the successes that ended in the window, the share of those with a 2xx."""
    if slot.rps is None:
        return None
    good = successes = 0
    for status, count in slot.status.items():
        # Without an expectation, redirections are successes too.
        if status in map(str, expected) if expected else status[:1] in ("2", "3"):
            successes += count
            good += count if _is_good(status) else 0
    return slot.rps * good / successes if successes else 0.0


def _is_good(status: str) -> bool:
    return status.startswith("2")
