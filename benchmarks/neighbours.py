"""What others take of the machine while something is measured here: their CPU, and what the host took (steal).

Law: what is set aside for it is set aside whatever it found.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from clients import Fault

__all__ = ["Spent", "others", "until_quiet"]

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_LOOK_S: Final = 0.5
_LOOKS: Final = 4
_LIMIT_S: Final = 3600.0


@dataclass(frozen=True)
class Spent:
    """CPU in s since some moment: of all processes, stolen by the host, of this process with its children, and how
    much there was, on all cores.
    """

    all_s: float
    stolen_s: float
    own_s: float
    there_s: float

    @classmethod
    def now(cls) -> Self:
        """Read it off the system. Children that have ended count from when they were waited for."""
        user, nice, system, idle, waiting, interrupts, soft, stolen, *_ = (
            int(word) / _TICKS_PER_S for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        )
        used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        own_s = sum(one.ru_utime + one.ru_stime for one in used) + sum(map(_cpu_s, _children()))
        all_s = user + nice + system + interrupts + soft
        return cls(all_s, stolen, own_s, all_s + stolen + idle + waiting)


def others(before: Spent, after: Spent) -> float:
    """The share of the machine that neither was idle nor was ours between two moments; 0 if they are the same."""
    there_s = after.there_s - before.there_s
    taken_s = after.all_s - before.all_s - (after.own_s - before.own_s) + after.stolen_s - before.stolen_s
    return max(0.0, taken_s / there_s) if there_s > 0 else 0.0


def until_quiet(share: float) -> None:
    """Wait until others take no more than a share of the machine for two seconds. Fault after an hour."""
    until_s = time.monotonic() + _LIMIT_S
    quiet = 0
    while quiet < _LOOKS:
        before = Spent.now()
        time.sleep(_LOOK_S)
        quiet = quiet + 1 if others(before, Spent.now()) <= share else 0
        if time.monotonic() > until_s:
            raise Fault(f"others took more than {share:.0%} of the machine for {_LIMIT_S:.0f} s")


def _children() -> list[int]:
    threads = Path("/proc/self/task").iterdir()
    return [int(word) for thread in threads for word in (thread / "children").read_text().split()]


def _cpu_s(process_id: int) -> float:
    try:
        words = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / _TICKS_PER_S
