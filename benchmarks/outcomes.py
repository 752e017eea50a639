"""What became of each comparison of a calibration, and the file that keeps it: a line of JSON for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from cannon.comparison import Comparison
from cannon.rounds import Pass
from cannon.signed_rank import estimate
from cannon.verdict import Change
from clients import Fault
from kept_lines import Lines
from told import FIGURES, Visit

__all__ = ["Found", "Ledger", "Outcome", "Sample", "found_in", "own_added_ms", "samples_of"]


class Found(msgspec.Struct, frozen=True):
    """A row of a comparison that has an interval: of which pass and metric, and what it says. `change_pct`: None where
    none was told, against next to nothing.
    """

    of: str
    metric: str
    added: Change
    change_pct: Change | None


class Sample(msgspec.Struct, frozen=True):
    """One slot as the client told it, FIGURES in ms, and as the server's own record has it, where there is one."""

    side: str
    client_ms: dict[str, float | None]
    visit: Visit | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison. `part`, `setting`: what it was one of many of; `commit`: of which cannon.

    `fault`: why it has no figures, "" where it has. `others`: the share of the machine that others took meanwhile.
    `wall_s`: from the start of the command to its end. `own_ms`: what the second side added by the server's own record,
    by metric. `rounds`: of the latency pass, a sample for each side. `by_hand`: changes of capacity in percent that
    another client found, pair by pair.
    """

    part: str
    setting: str
    number: int
    commit: str
    fault: str = ""
    others: float = 0.0
    wall_s: float = 0.0
    measured_s: float = 0.0
    lead_in_s: float = 0.0
    rate_per_s: float | None = None
    verdict: str = ""
    reasons: list[str] = []
    rows: list[Found] = []
    own_ms: dict[str, float] = {}
    rounds: list[list[Sample]] = []
    by_hand: list[float] = []

    def row(self, of: str, metric: str) -> Found | None:
        """The row of this name; None where it has no interval."""
        return next((row for row in self.rows if (row.of, row.metric) == (of, metric)), None)


def found_in(comparison: Comparison) -> list[Found]:
    """The rows that have an interval."""
    return [
        Found(row.of, row.metric, row.added, row.change_pct)
        for row in comparison.rows
        if row.added is not None and row.added.low is not None
    ]


def samples_of(comparison: Comparison, visits: Sequence[Visit] | None = None) -> list[list[Sample]]:
    """The slots of the latency pass, and beside each what the server recorded of it: the first side at its first port,
    the second at the other. Fault where it recorded something else, or a round was dropped.
    """
    places = {side.name: place for place, side in enumerate(comparison.sides)}
    rounds = [one for one in comparison.rounds if one.of is Pass.LATENCY]
    slots = [(name, one.slots[name]) for one in rounds for name in one.order]
    recorded: list[Visit | None] = [None] * len(slots)
    if visits is not None:
        # What came before the rounds, the one that is thrown away among it, is at the begin.
        last = visits[len(visits) - len(slots) :]
        asked = [(places[name], slot.sent + slot.outside) for name, slot in slots]
        if asked != [(visit.place, visit.count) for visit in last] or comparison.dropped:
            raise Fault("the server has another record of the slots than cannon")
        recorded = list(last)
    samples = [
        Sample(name, {figure: getattr(slot, f"{figure}_ms") for figure in FIGURES}, visit)
        for (name, slot), visit in zip(slots, recorded, strict=True)
    ]
    of_a_round = [samples[first : first + len(places)] for first in range(0, len(samples), len(places))]
    return [sorted(found, key=lambda sample: places[sample.side]) for found in of_a_round]


def own_added_ms(rounds: list[list[Sample]]) -> dict[str, float]:
    """What the second side added by the server's own record: as a row of a comparison, of its round differences."""
    added: dict[str, float] = {}
    for figure in FIGURES:
        differences = [
            second.visit.service_ms[figure] - first.visit.service_ms[figure]
            for first, second in rounds
            if first.visit is not None and second.visit is not None
        ]
        if differences:
            added[figure] = estimate(differences)
    return added


class Ledger(Lines[Outcome]):
    """The file of outcomes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, Outcome)
