"""What is odd about the command line of a comparison, and yet no error: a line each, said before it begins.

Law: that of notes.py, which has those of every run. What is odd about all sides is said once; an option that is looked
at on some side is not odd.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.cli.options.compare import CompareOptions
    from cannon.cli.planning import Planned
    from cannon.cli.side_settings import Settings
    from cannon.rounds import ComparisonPlan

__all__ = ["INTERVAL_ROUNDS", "notes_of"]

INTERVAL_ROUNDS = 6
"""With fewer, no interval of 95 % exists (signed_rank.py)."""


def notes_of(
    plan: ComparisonPlan,
    options: Options,
    given: CompareOptions,
    sides: Mapping[str, Planned],
    found: Mapping[str, Settings],
) -> tuple[str, ...]:
    """The notes. `sides`: how each was planned; `found`: what some say for themselves."""
    return (*_of_the_rounds(plan, options, given), *_of_the_sides(sides, found))


def _of_the_rounds(plan: ComparisonPlan, options: Options, given: CompareOptions) -> Iterator[str]:
    """What is odd about the comparison, and yet no error."""
    from cannon.pace import Arrivals
    from cannon.rounds import Order

    if plan.rounds < INTERVAL_ROUNDS:
        yield (
            f"--rounds {plan.rounds}: an interval takes {INTERVAL_ROUNDS} rounds, so there will be none;"
            f" give --rounds {INTERVAL_ROUNDS} or more"
        )
    if given.most_rounds is not None and plan.precision is None:
        yield "--max-rounds is not looked at: rounds are added for --precision alone; e.g. --precision 3%"
    if options.seed is not None and plan.order is Order.ABBA and plan.arrivals is Arrivals.EVEN:
        yield "--seed is not looked at: --order abba and even arrivals leave nothing to chance"


def _of_the_sides(sides: Mapping[str, Planned], found: Mapping[str, Settings]) -> Iterator[str]:
    """What is odd about every side, once, and about one that has settings of its own. An option that is looked at on
    some side is not odd.
    """
    common = [
        note
        for note in next(iter(sides.values())).notes
        if all(note in each.notes for each in sides.values())
    ]
    yield from common
    for name in found:
        yield from (f"side '{name}': {note}" for note in sides[name].notes if note not in common)
