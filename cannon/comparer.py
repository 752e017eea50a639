"""One comparison, from its plan to what it found: do the sides answer, and the same; how much goes through each; how
long each takes at a common rate.

Law: numbers come after equivalence, and from whole rounds alone. A slot that fails drops its round; a side that has
gone ends the comparison, and so does an interrupt: what was measured by then is told. Nothing here prints.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from cannon.appraisal import appraised
from cannon.capacity import common_rate
from cannon.comparison import CommonRate, Comparison
from cannon.compression import compression_of
from cannon.equivalence import Equivalence, Probe, compared, may_be_the_time, over_rounds
from cannon.errors import InvalidRun
from cannon.gunner import Cut, Gunner, SlotFailed, ignore
from cannon.handshakes import Handshakes
from cannon.pace import Pace
from cannon.plan import Plan
from cannon.power import rounds_for
from cannon.preflight import preflight, resolved
from cannon.probe import probe
from cannon.profile import Constant
from cannon.rounds import ComparisonPlan, Mode, Pass, Side, orders
from cannon.rows import half_width, headlines, rows_of
from cannon.runner import Interrupt, Run, now, run, this_cannon
from cannon.slots import Dropped, Round, Slot
from cannon.standing import Stage, Standing

__all__ = ["Compare", "compare"]

_THROWN_AWAY_NS = 1_000_000_000
"""A slot of the round that is thrown away is as long as any other, but no longer than this."""

_FAILURES = 3
"""So many rounds dropped one after the other end a comparison: more would be dropped."""

_PROBES = 2
"""Of each side: what varies between them is not compared."""

_NEXT_SECOND_S = 1.1
"""Pages that show the time differ from one second to the next, on either side."""

_STAGES = {Pass.CAPACITY: Stage.CAPACITY, Pass.LATENCY: Stage.LATENCY}
_SLOT_COST_NS = 250_000_000
"""What a slot takes beside its lead-in and its window, until it is known."""


Ask = Callable[[Plan, int | None], tuple[Probe, ...]]
"""What a side answers to each request of its plan; the control ends the waiting."""


class Compare(Protocol):
    """How sides are compared: `compare`, or what a test puts in its place."""

    def __call__(
        self,
        plan: ComparisonPlan,
        *,
        command: str,
        watch: Callable[[Standing], None],
        note: Callable[[str], None],
        interrupt: Interrupt | None,
        fire: Run,
    ) -> Comparison:
        """Compare, and tell what was found."""


def _greeted(plan: Plan, control: int | None) -> int:
    """How many requests it took to see that a side answers."""
    # A comparison has no way to do without it.
    return preflight(plan, control, last_resort="").sent if plan.preflight else 0


def compare(
    plan: ComparisonPlan,
    *,
    command: str = "",
    watch: Callable[[Standing], None] = ignore,
    note: Callable[[str], None] = ignore,
    interrupt: Interrupt | None = None,
    fire: Run = run,
    greet: Callable[[Plan, int | None], int] = _greeted,
    ask: Ask = probe,
) -> Comparison:
    """Compare the sides of a plan and return what was found.

    `watch` hears of progress at every slot, `note` of what is worth a line. `fire`, `greet` and `ask` are what is done
    to servers: a run, a look whether anything answers, the probe. Raises InvalidRun where a side does not answer,
    UsageError where its request cannot be built.
    """
    if interrupt is not None:
        return _Comparing(plan, command, watch, note, interrupt, fire, greet, ask).compare()
    own = Interrupt()
    try:
        return _Comparing(plan, command, watch, note, own, fire, greet, ask).compare()
    finally:
        own.close()


class _Ended(Exception):
    """The comparison cannot go on: why, in words."""


class _Comparing:
    """A comparison under way."""

    def __init__(
        self,
        plan: ComparisonPlan,
        command: str,
        watch: Callable[[Standing], None],
        note: Callable[[str], None],
        interrupt: Interrupt,
        fire: Run,
        greet: Callable[[Plan, int | None], int],
        ask: Ask,
    ) -> None:
        self._plan = plan = msgspec.structs.replace(plan, sides=tuple(map(_resolved, plan.sides)))
        self._command = command
        self._watch = watch
        self._note = note
        self._interrupt = interrupt
        self._ask = ask
        self._gunner = Gunner(plan, fire=fire, greet=greet, command=command, note=note, interrupt=interrupt)
        self._handshakes = Handshakes(plan, self._gunner)
        self._rounds: list[Round] = []
        self._dropped: list[Dropped] = []
        self._rate: CommonRate | None = None
        self._slots_left = 0
        self._slots_fired = 0
        self._spent_ns = 0
        self._problems: list[str] = []

    def compare(self) -> Comparison:
        plan, started = self._plan, now()
        probes: dict[str, list[tuple[Probe, ...]]] = {}
        equivalence = Equivalence(same=True, differences=[], allowed=[], varies=[])
        try:
            probes = self._probes()
            equivalence = compared(plan, probes)
            if equivalence.same:
                self._fire_all()
        except Cut:
            pass
        except _Ended as ended:
            self._problems.append(str(ended))
        if self._rounds:
            equivalence = over_rounds(plan, self._rounds, equivalence)
        rows = rows_of(plan, self._rounds)
        compression = None
        if plan.mode is Mode.COMPRESSION and self._rounds:
            answers = {name: asked[0][0] for name, asked in probes.items() if asked and asked[0]}
            compression = compression_of(plan, answers, self._rounds, rows)
        return appraised(
            plan,
            cannon=this_cannon(plan.sides[0].plan, self._command),
            started=started,
            finished=now(),
            rate=self._rate,
            rounds=self._rounds,
            dropped=self._dropped,
            rows=rows,
            equivalence=equivalence,
            compression=compression,
            handshakes=self._handshakes.found(),
            outside=self._gunner.sent,
            problems=self._problems,
            remarks=self._handshakes.told,
            interrupted=self._interrupt.reason,
        )

    def _probes(self) -> dict[str, list[tuple[Probe, ...]]]:
        """What each side answers, asked twice. Nothing is compared where one does not answer: InvalidRun."""
        for side in self._plan.sides:
            self._tell(Stage.PROBE, side=side.name)
            self._gunner.greet(side)
        probes = {side.name: [self._asked(side) for _ in range(_PROBES)] for side in self._plan.sides}
        if may_be_the_time(self._plan, probes):
            select.select((self._interrupt.fileno(),), (), (), _NEXT_SECOND_S)
            for side in self._plan.sides:
                probes[side.name].append(self._asked(side))
        return probes

    def _asked(self, side: Side) -> tuple[Probe, ...]:
        if self._interrupt.reason is not None:
            raise Cut
        try:
            asked = self._ask(side.plan, self._interrupt.fileno())
        except InvalidRun as failure:
            raise InvalidRun(f"side '{side.name}': {failure.message}") from None
        self._gunner.sent[side.name] += len(asked)
        return asked

    def _fire_all(self) -> None:
        plan = self._plan
        self._slots_left = len(plan.passes) * (plan.rounds + 1) * len(plan.sides)
        if plan.capacity:
            self._fire_pass(Pass.CAPACITY)
        try:
            self._rate = common_rate(plan, self._rounds)
        except InvalidRun as failure:
            raise _Ended(failure.message) from None
        self._fire_pass(Pass.LATENCY)
        if self._handshakes.wanted:
            self._tell(Stage.HANDSHAKES)
            self._handshakes.measure()

    def _fire_pass(self, of: Pass) -> None:
        """The round that is thrown away, the rounds, and those that a precision asks for beyond them."""
        plan = self._plan
        self._fire_round(of, 0, orders(plan.names, 1, plan.order, plan.seed, f"{of}/first")[0])
        self._fire_rounds(of, 1, orders(plan.names, plan.rounds, plan.order, plan.seed, of))
        more = self._rounds_missing(of)
        if more:
            wanted_pct = 100 * (plan.precision or 0.0)
            self._note(f"{of}: {more} more rounds for intervals of \N{PLUS-MINUS SIGN}{wanted_pct:.3g} %")
            self._slots_left += more * len(plan.sides)
            drawn = orders(plan.names, more, plan.order, plan.seed, of, after=plan.rounds)
            self._fire_rounds(of, plan.rounds + 1, drawn)

    def _rounds_missing(self, of: Pass) -> int:
        """How many rounds it takes beyond the first to reach the precision that was asked, as far as allowed: seen
        from how wide the intervals are, never from where they lie.
        """
        plan = self._plan
        if plan.precision is None:
            return 0
        missing = 0
        for row in headlines(plan, self._rounds, of):
            half = half_width(row.change_pct)
            if half is not None:
                wanted = rounds_for(half, plan.precision, row.rounds, plan.most_rounds)
                missing = max(missing, wanted - row.rounds)
        # Rounds that were dropped count among those that are allowed: they took as long.
        return min(missing, plan.most_rounds - plan.rounds)

    def _fire_rounds(self, of: Pass, first: int, drawn: Sequence[Sequence[str]]) -> None:
        for number, order in enumerate(drawn, start=first):
            self._fire_round(of, number, order)

    def _fire_round(self, of: Pass, number: int, order: Sequence[str]) -> None:
        """One slot of each side. Number 0 is thrown away; one in which a slot fails is dropped."""
        sides = {side.name: side for side in self._plan.sides}
        slots: dict[str, Slot] = {}
        try:
            for name in order:
                self._tell(_STAGES[of], number=number, side=name)
                slots[name] = self._fire_slot(sides[name], of, number)
        except SlotFailed as failed:
            self._slots_left -= len(order) - len(slots) - 1
            self._dropped.append(Dropped(of=of, number=number, side=failed.side, reason=failed.reason))
            self._discard(slots)
            self._look_after(sides[failed.side], of, number)
        except Cut:
            self._discard(slots)
            raise
        else:
            if number:
                self._rounds.append(Round(of=of, number=number, order=list(order), slots=slots))
            else:
                self._discard(slots)

    def _discard(self, slots: Mapping[str, Slot]) -> None:
        for name, slot in slots.items():
            self._gunner.discard(name, slot)

    def _fire_slot(self, side: Side, of: Pass, number: int) -> Slot:
        plan = self._plan
        began_ns = time.monotonic_ns()
        duration_ns = plan.slot_ns if number else min(plan.slot_ns, _THROWN_AWAY_NS)
        pace = None
        if of is Pass.LATENCY and self._rate is not None:
            # Both sides of a round have the same arrivals, and no two rounds.
            pace = Pace(Constant(self._rate.per_s), plan.arrivals, plan.seed + number)
        try:
            return self._gunner.slot(
                side, of, number, duration_ns=duration_ns, lead_in_ns=plan.slot_lead_in_ns, pace=pace
            )
        finally:
            self._slots_left -= 1
            self._slots_fired += 1
            self._spent_ns += time.monotonic_ns() - began_ns - duration_ns - plan.slot_lead_in_ns

    def _look_after(self, side: Side, of: Pass, number: int) -> None:
        """After a slot that failed: end where the side has gone, or fails every time."""
        where = f"in round {number} of the {of} pass"
        try:
            self._gunner.greet(side)
        except InvalidRun as failure:
            raise _Ended(f"{failure.message} ({where})") from None
        last = self._dropped[-_FAILURES:]
        in_a_row = [dropped.number for dropped in last] == list(range(number - _FAILURES + 1, number + 1))
        if len(last) == _FAILURES and in_a_row and all(dropped.of is of for dropped in last):
            raise _Ended(f"{_FAILURES} rounds were dropped one after the other ({where}): {last[-1].reason}")

    def _tell(self, stage: Stage, *, number: int = 0, side: str = "") -> None:
        plan = self._plan
        of = next((of for of, told in _STAGES.items() if told is stage), None)
        each_ns = self._spent_ns / self._slots_fired if self._slots_fired else _SLOT_COST_NS
        left_ns = self._slots_left * (plan.slot_ns + plan.slot_lead_in_ns + max(0.0, each_ns))
        self._watch(
            Standing(
                stage=stage,
                number=number,
                rounds=plan.rounds,
                side=side,
                left_s=left_ns / 1e9 if of is not None else None,
                rows=() if of is None else headlines(plan, self._rounds, of),
            )
        )


def _resolved(side: Side) -> Side:
    """The side with all its addresses. InvalidRun, with its name, where one is not to be found."""
    try:
        return Side(side.name, resolved(side.plan))
    except InvalidRun as failure:
        raise InvalidRun(f"side '{side.name}': {failure.message}") from None
