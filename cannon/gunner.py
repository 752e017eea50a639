"""Fires the slots of a comparison, one at a time: the errand before it, the run, the CPU of the processes beside it.

Law: every slot is a run of its own, on fresh connections from fresh processes, like any other run. Whatever was sent is
counted, of slots that failed too. A slot either has figures or a reason; what an interrupt cut short has neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from cannon.consumption import Consumption
from cannon.errand import run_errand
from cannon.errors import InvalidRun
from cannon.pace import Pace
from cannon.plan import Plan, Stop
from cannon.result import Result
from cannon.rounds import ComparisonPlan, Pass, Side
from cannon.runner import Interrupt, Run
from cannon.slots import Slot

__all__ = ["Cut", "Gunner", "SlotFailed", "ignore"]

_BACK_WITHIN_S = 10.0
"""What a side is granted to answer again after the errand, which may have started it anew."""

_AGAIN_S = 0.1


class SlotFailed(Exception):
    """A slot of this side has no figures; the reason is in words."""

    def __init__(self, side: str, reason: str) -> None:
        super().__init__(f"{side}: {reason}")
        self.side = side
        self.reason = reason


class Cut(Exception):
    """Somebody interrupted the comparison."""


def ignore(told: object) -> None:
    """Nobody listens."""


class Gunner:
    """Of one comparison. `sent`: requests by side that are in no slot it returned."""

    def __init__(
        self,
        plan: ComparisonPlan,
        *,
        fire: Run,
        greet: Callable[[Plan, int | None], int],
        command: str,
        note: Callable[[str], None],
        interrupt: Interrupt,
    ) -> None:
        self._plan = plan
        self._fire = fire
        self._greet = greet
        self._command = command
        self._note = note
        self._interrupt = interrupt
        self._noted: set[str] = set()
        self._consumption = Consumption(plan.processes, note)
        self.sent: dict[str, int] = dict.fromkeys(plan.names, 0)

    def greet(self, side: Side) -> None:
        """Look whether a side answers. InvalidRun, with its name, where it does not; Cut: somebody has interrupted."""
        if self._interrupt.reason is not None:
            raise Cut
        try:
            self.sent[side.name] += self._greet(side.plan, self._interrupt.fileno())
        except InvalidRun as failure:
            self.sent[side.name] += failure.sent
            if self._interrupt.reason is not None:
                raise Cut from None
            raise InvalidRun(f"side '{side.name}': {failure.message}") from None

    def run(self, plan: Plan) -> Result:
        """Fire a plan. InvalidRun where there is nothing to fire at; Cut: somebody interrupted before it began."""
        if self._interrupt.reason is not None:
            raise Cut
        result = self._fire(
            plan,
            command=self._command,
            watch=ignore,
            rows=ignore,
            note=self._note_once,
            interrupt=self._interrupt,
        )
        self._interrupt.rearm()
        return result

    def slot(
        self, side: Side, of: Pass, number: int, *, duration_ns: int, lead_in_ns: int, pace: Pace | None
    ) -> Slot:
        """One slot, measured. SlotFailed where it has no figures, Cut where somebody interrupted it."""
        plan = msgspec.structs.replace(
            side.plan,
            stop=Stop(duration_ns=duration_ns),
            lead_in_ns=lead_in_ns,
            pace=pace,
            preflight=False,
            warmup=None,
        )
        try:
            self._run_errand(side, of, number)
            before = self._consumption.read()
            result = self.run(plan)
        except InvalidRun as failure:
            if self._interrupt.reason is not None:
                raise Cut from None
            raise SlotFailed(side.name, failure.message) from None
        spent_ns = self._consumption.read().since(before)
        sent = result.requests.sent + result.outside.preflight + result.outside.warmup
        self.sent[side.name] += sent
        failed = self._failed(side, plan, result)
        if self._interrupt.reason is not None:
            raise Cut
        if failed:
            raise SlotFailed(side.name, failed)
        self.sent[side.name] -= sent
        cpu_us = {name: spent / 1e3 / sent for name, spent in spent_ns.items()} if sent else {}
        return Slot.of(result, side.plan.connections, cpu_us)

    def _failed(self, side: Side, plan: Plan, result: Result) -> str:
        """Why a run is no slot; empty if it is one."""
        if result.validity.verdict == "invalid":
            return f"{'; '.join(result.validity.reasons)}{_unexpected(result, plan)}"
        if result.connects.failed and self._interrupt.reason is None:
            # It may have gone in the midst, after answers enough.
            try:
                self.greet(side)
            except InvalidRun as failure:
                return failure.message
        return ""

    def discard(self, name: str, slot: Slot) -> None:
        """A slot of this side that was measured and is not told: of a round that is none."""
        self.sent[name] += slot.sent + slot.outside

    def _run_errand(self, side: Side, of: Pass, number: int) -> None:
        """The command before a slot, if there is one; then the side is waited for."""
        if not self._plan.before_slot:
            return
        if self._interrupt.reason is not None:
            raise Cut
        run_errand(self._plan.before_slot, side.name, of.value, number, self._interrupt.fileno())
        until_s = time.monotonic() + _BACK_WITHIN_S
        while True:
            try:
                self.greet(side)
            except InvalidRun:
                if time.monotonic() >= until_s:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return

    def _note_once(self, text: str) -> None:
        """What every slot would say again."""
        if text not in self._noted:
            self._noted.add(text)
            self._note(text)


def _unexpected(result: Result, plan: Plan) -> str:
    """What helps where every response had a status that is no success."""
    statuses = sorted(int(status) for status in result.status)
    if not statuses or any(map(plan.succeeds, statuses)):
        return ""
    came = " or ".join(map(str, statuses))
    return f" (every response had status {came}; --expect-status says what counts as success)"
