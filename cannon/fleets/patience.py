"""How long a fleet waits for workers that say nothing, before it takes them for hung and kills them.

Law: only silence counts, and only where a worker owes a word: in its start-up, or once the run should be over. A
worker that is held up in mid-run may go on, and counts; one that never comes back costs the others seconds, not
their results. Times are seconds of the monotonic clock.
"""

from __future__ import annotations

from cannon.plan import Plan

__all__ = ["END_WITHIN_S", "Patience"]

END_WITHIN_S = 2.0
"""What a worker is granted that was told to end at once."""

_START_WITHIN_S = 15.0
"""Without a word from any worker while one is not ready. Each takes 0.3 s of CPU to begin, and many share a core."""

_SILENT_S = 5.0
"""Without a word from any worker when all should have ended. A busy machine holds a worker up for a second, not for
five; and whoever waits for a hung one waits that long for a report that is otherwise complete."""

_HELD_UP_S = 1.0
"""Who wakes up so much too late was stopped itself, and the workers perhaps with it."""


class Patience:
    """Of one run of this plan. `until_s`: when it ends, unless somebody says something before."""

    def __init__(self, plan: Plan, now_s: float) -> None:
        self._plan = plan
        self._since_s = now_s
        self._sending_until_s: float | None = None
        self._at_once = False

    def heard(self, now_s: float) -> None:
        """A worker said something."""
        if not self._at_once:
            self._since_s = now_s

    def began(self, now_s: float) -> None:
        """The workers fire. A run of an amount has no end of its own, but a Tally comes every tick."""
        stop = self._plan.stop
        self._since_s = now_s
        self._sending_until_s = (
            now_s
            + (self._plan.tick_ns if stop.amount is not None else self._plan.lead_in_ns + stop.duration_ns)
            / 1e9
        )

    def stopped(self, now_s: float, *, at_once: bool) -> None:
        """The workers were told to send no more; or to end at once, which they are granted no second time."""
        if not self._at_once:
            self._since_s = now_s
        self._at_once = self._at_once or at_once
        if self._sending_until_s is not None:
            self._sending_until_s = min(self._sending_until_s, now_s)

    @property
    def until_s(self) -> float:
        """When a worker that has still said nothing counts as hung."""
        if self._at_once:
            return self._since_s + END_WITHIN_S
        if self._sending_until_s is None:
            return self._since_s + _START_WITHIN_S
        owed_s = (self._plan.tick_ns + self._plan.drain_limit_ns) / 1e9
        return max(self._since_s, self._sending_until_s) + owed_s + _SILENT_S

    def is_over(self, now_s: float) -> bool:
        """Whether the time is over; it begins anew after each answer of True, and where nobody was awake."""
        late_s = now_s - self.until_s
        if late_s >= 0:
            self._since_s = now_s
        return 0 <= late_s < _HELD_UP_S
