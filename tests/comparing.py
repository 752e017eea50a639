"""Comparing as a user does, by the command line, and what is told of a side, to be held against its server's count.

Slots of a tenth of a second say nothing of a server's speed. What is claimed of them is counted and never timed, and
what they are worth is left to chance: `sound` is a comparison at any speed of the machine.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from cannon.comparison import Comparison, SideReport
from cannon.rounds import Pass
from cannon.slots import Slot
from tests.firing import run_cli, start_cli

__all__ = [
    "LIMIT_S",
    "UnderWay",
    "comparison_of",
    "of_the_machine",
    "orders_of",
    "run_compare",
    "side_of",
    "slots_of",
    "sound",
    "told",
    "under_way",
]

LIMIT_S = 90.0
"""Whoever waits for longer waits in vain."""

_MARK = "CANNON_TESTS_MARK"
_OF_THE_MACHINE = ("could not keep up with the rate", "cannon was the limit")


def run_compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`cannon compare -j` with these arguments."""
    return run_cli("compare", "-j", *arguments, timeout=LIMIT_S)


def comparison_of(process: subprocess.CompletedProcess[str]) -> Comparison:
    """The comparison that it printed; AssertionError, with what it said instead, without one."""
    assert process.stdout.startswith("{"), f"exit {process.returncode}, none: {process.stderr[-2000:]}"
    return Comparison.from_json(process.stdout.encode())


def sound(process: subprocess.CompletedProcess[str]) -> Comparison:
    """The comparison of a process that ended with exit code 0; or with 3 if the machine had no time for its rate, and
    for no other reason.
    """
    comparison = comparison_of(process)
    is_invalid = comparison.validity.verdict == "invalid"
    assert process.returncode == (3 if is_invalid else 0), process.stderr
    assert not is_invalid or of_the_machine(comparison.validity.reasons), comparison.validity.reasons
    return comparison


def of_the_machine(reasons: Sequence[str]) -> bool:
    """Whether none of the reasons is more than that the machine had no time."""
    return all(any(known in reason for known in _OF_THE_MACHINE) for reason in reasons)


def side_of(comparison: Comparison, name: str) -> SideReport:
    """One of its sides."""
    (found,) = [side for side in comparison.sides if side.name == name]
    return found


def slots_of(comparison: Comparison, name: str, of: Pass | None = None) -> list[Slot]:
    """The slots of a side, in one pass or in all."""
    return [found.slots[name] for found in comparison.rounds if of in (None, found.of)]


def orders_of(comparison: Comparison, of: Pass) -> list[list[str]]:
    """In which order the sides came in each round of a pass."""
    return [found.order for found in comparison.rounds if found.of is of]


def told(comparison: Comparison, name: str) -> int:
    """How many requests were sent to a side by its own account: in slots, before them, and in none."""
    slots = slots_of(comparison, name)
    return sum(slot.sent + slot.outside for slot in slots) + side_of(comparison, name).outside


class UnderWay:
    """A comparison that was begun. `processes`: all that belong to it and still run, children of children too."""

    def __init__(self, process: subprocess.Popen[str], mark: str) -> None:
        self.process = process
        self._mark = mark

    def ended(self) -> subprocess.CompletedProcess[str]:
        """What it said and how it ended, once it has."""
        out, err = self.process.communicate(timeout=LIMIT_S)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)

    @property
    def processes(self) -> list[int]:
        """By their ids: whoever was given its environment."""
        found = []
        for each in psutil.process_iter():
            try:
                if each.environ().get(_MARK) == self._mark:
                    found.append(each.pid)
            except psutil.Error:
                continue  # of another user, or gone meanwhile
        return found


@contextmanager
def under_way(*arguments: str) -> Iterator[UnderWay]:
    """`cannon compare -j` with these arguments, begun; it is killed if it still runs at the end."""
    mark = uuid.uuid4().hex
    with start_cli("compare", "-j", *arguments, environment={_MARK: mark}) as process:
        try:
            yield UnderWay(process, mark)
        finally:
            process.kill()
