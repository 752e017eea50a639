"""The plan of a comparison: its sides, its passes, in which order the sides of each round are fired, and at what rate.

Law: pure, and drawn from a seed that is told. A round fires every side once, each for one slot. Shuffled: every side
stands in every place equally often, give or take one, and chance decides in which rounds, so that the sign of a
difference that is none is a coin's, whatever the machine does meanwhile. A pass that goes on after its rounds goes on
with the same balance.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from cannon.errors import UsageError
from cannon.pace import Arrivals
from cannon.plan import Plan

__all__ = ["BASE", "LEAST_SLOT_NS", "Allowed", "ComparisonPlan", "Mode", "Order", "Pass", "Side", "orders"]

_Item = TypeVar("_Item")

BASE = "base"
"""The name that no side may have: gates call a baseline so."""

LEAST_SLOT_NS = 100_000_000
"""In less than this a percentile is that of a handful of requests."""

_LEAD_IN_SHARE = 5
_LONGEST_LEAD_IN_NS = 1_000_000_000
_MOST_ROUNDS = 1000
_DEFAULT_DURATION_NS = 10_000_000_000


class Pass(StrEnum):
    """What a slot measures: how much goes through in a closed loop, or how long it takes at a rate."""

    CAPACITY = "capacity"
    LATENCY = "latency"


class Order(StrEnum):
    """Of the sides in a round: drawn, or forward and backward by turns."""

    SHUFFLED = "shuffled"
    ABBA = "abba"


class Mode(StrEnum):
    """What the comparison is of: sides that were named, codings, a forward proxy, or a target and itself."""

    NAMED = "named"
    COMPRESSION = "compression"
    PROXY = "proxy"
    AA = "aa"


class Allowed(StrEnum):
    """What sides may differ in and be compared all the same."""

    TLS = "tls"
    ENCODING = "encoding"
    STATUS = "status"
    BODY = "body"
    REUSE = "reuse"


class Side(msgspec.Struct, frozen=True):
    """One of what is compared. `plan`: what each of its slots fires, but for how long and how fast."""

    name: str
    plan: Plan


class ComparisonPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of a comparison. The first side is the base.

    `duration_ns`: measured for each side in each pass, divided among `rounds`. `lead_in_ns`: fired before each slot on
    its own connections, and in no figure. `rate_per_s`: of the latency pass; None: half of what the slowest side can
    take. `margin`: the change that matters, 0.05 is 5 %. `precision`: the half-width that intervals shall have; rounds
    are added once, up to `most_rounds`. `before_slot`: the words of a command. `processes`: names, and the ids of the
    processes whose CPU is measured with that of their descendants. `allowed`: by the user, beyond what is under test.
    """

    sides: tuple[Side, ...]
    mode: Mode = Mode.NAMED
    rounds: int = 10
    order: Order = Order.SHUFFLED
    seed: int = 0
    duration_ns: int = _DEFAULT_DURATION_NS
    lead_in_ns: int | None = None
    capacity: bool = True
    rate_per_s: float | None = None
    arrivals: Arrivals = Arrivals.EVEN
    margin: float = 0.05
    precision: float | None = None
    most_rounds: int = 40
    before_slot: tuple[str, ...] = ()
    processes: tuple[tuple[str, int], ...] = ()
    allowed: frozenset[Allowed] = frozenset()

    def __post_init__(self) -> None:
        names = self.names
        least_ns = LEAST_SLOT_NS * self.rounds
        for wrong, message in (
            (
                len(self.sides) < 2,
                "a comparison needs two sides, e.g. cannon compare direct=http://h:4000/ proxied=http://h:4001/",
            ),
            (len(set(names)) < len(names), "two sides have the same name; give each its own"),
            (not 1 <= self.rounds <= _MOST_ROUNDS, f"--rounds must be 1 to {_MOST_ROUNDS}, e.g. --rounds 10"),
            (
                self.duration_ns < least_ns,
                f"{self.rounds} rounds take -d {least_ns / 1e9:g} or more; give that, or fewer --rounds",
            ),
            (not 0 < self.margin < 1, "--margin must be between 0 % and 100 %, e.g. --margin 5%"),
            (
                self.precision is not None and not 0 < self.precision < 1,
                "--precision must be between 0 % and 100 %, e.g. --precision 3%",
            ),
            (
                self.precision is not None and self.most_rounds < self.rounds,
                f"--max-rounds must not be less than --rounds; e.g. --max-rounds {4 * self.rounds}",
            ),
            (
                self.rate_per_s is None and not self.capacity,
                "--rate auto is half of the capacity that --no-capacity leaves out; give a rate, e.g. --rate 500",
            ),
        ):
            if wrong:
                raise UsageError(message)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the sides, the base first."""
        return tuple(side.name for side in self.sides)

    @property
    def passes(self) -> tuple[Pass, ...]:
        """Those that are made, in order."""
        return (Pass.CAPACITY, Pass.LATENCY) if self.capacity else (Pass.LATENCY,)

    @property
    def slot_ns(self) -> int:
        """How long one slot is measured."""
        return self.duration_ns // self.rounds

    @property
    def slot_lead_in_ns(self) -> int:
        """How long one slot is fired before it is measured: what was asked, else a fifth of it, a second at most."""
        if self.lead_in_ns is not None:
            return self.lead_in_ns
        return min(self.slot_ns // _LEAD_IN_SHARE, _LONGEST_LEAD_IN_NS)


def orders(
    names: Sequence[str], count: int, order: Order, seed: int, part: str = "", after: int = 0
) -> tuple[tuple[str, ...], ...]:
    """The order of the sides in each of `count` rounds; the same for the same seed and `part` of the comparison.
    `after`: how many rounds of it came before these, so that all of them together are as fair.

    Shuffled rounds are those of Latin squares, drawn and then mixed: after `count` rounds every side has stood in every
    place equally often, give or take one. Two sides: as many rounds begin with the one as with the other.
    """
    if order is Order.ABBA:
        forward, backward = tuple(names), tuple(reversed(names))
        return tuple(backward if number % 2 else forward for number in range(after, after + count))
    # Not random.shuffle: of `random` alone Python promises the same numbers in every version.
    draw = random.Random(f"{seed}/{part}").random
    rounds: list[tuple[str, ...]] = []
    while len(rounds) < after + count:
        first = _mixed(names, draw)
        square = [(*first[turn:], *first[:turn]) for turn in range(len(first))]
        rounds += _mixed(square, draw)
    return tuple(_mixed(rounds[after : after + count], draw))


def _mixed(items: Sequence[_Item], draw: Callable[[], float]) -> list[_Item]:
    """The same in an order that was drawn (Fisher and Yates)."""
    mixed = list(items)
    for last in range(len(mixed) - 1, 0, -1):
        place = int(draw() * (last + 1))
        mixed[last], mixed[place] = mixed[place], mixed[last]
    return mixed
