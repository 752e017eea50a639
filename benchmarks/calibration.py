"""Whether `cannon compare` is right: many comparisons of what is known, and how often its intervals held the truth.

    python benchmarks/calibration.py [--part aa injected width capacity time] [--count aa=200] [--into FILE]

`aa`: a server and itself; counts the intervals that exclude zero. `injected`: a server that holds every request 0.2, 1
or 5 ms longer, at half load; counts the intervals that hold what it added by its own record (`told_server.c`).
`width`: how wide the interval of a p50 is, at a server that takes 1 ms. `capacity`: the change through HAProxy, and the
same by hand, with wrk at both ports by turns. `time`: by the clock.

The servers have one core, cannon the other. Every comparison is kept as a line of JSON as soon as it has ended: what
was cut short goes on where it was, with the same file, and the same commit. On a machine with others on it, --quiet 5
counts only comparisons during which they took 5 % of it or less. `chrt -f 5 python ...`, as root, goes before them
instead; but where both cores are full the kernel then stops everything for 50 ms a second, so p90 and p99 of high
rates are those of stalls. Prints Markdown. Needs nginx and a C compiler, `capacity` HAProxy and wrk too. Exit code 1
where a goal was missed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from calibration_tables import TABLES
from clients import CLIENTS, Fault
from machine import described
from neighbours import Spent, others, until_quiet
from outcomes import Ledger, Outcome
from script import positive, say, two_cores
from targets import CASES
from trials import DELAYS_US, SERVERS, AgainstItself, Bench, Capacity, Injected, Make, Time, Trial, Width

__all__ = ["PARTS", "Part", "repeat"]

_IN_A_ROW: Final = 5
"""So many comparisons without figures, one after the other, end a trial: the next would have none either."""


@dataclass(frozen=True)
class Part:
    """What belongs together: its trials, and how often each is repeated unless the user says otherwise."""

    trials: Callable[[argparse.Namespace], Sequence[Trial]]
    count: int


PARTS: Final[Mapping[str, Part]] = {
    "aa": Part(lambda given: [AgainstItself(server) for server in given.server], 200),
    "injected": Part(lambda given: [Injected(us, DELAYS_US[us]) for us in given.delay], 40),
    "width": Part(lambda given: [Width()], 5),
    "capacity": Part(lambda given: [Capacity(case) for case in given.case], 3),
    "time": Part(lambda given: [Time()], 1),
}


def repeat(
    trial: Trial, count: int, bench: Bench, ledger: Ledger, quiet: float = 1.0
) -> tuple[list[Outcome], int]:
    """So many outcomes of a trial: those of this commit that were kept, and what is missing; and how many more were set
    aside, because others took more than the share `quiet` of the machine meanwhile.
    """
    kept = [
        outcome
        for outcome in ledger.read()
        if (outcome.part, outcome.setting, outcome.commit) == (trial.part, trial.setting, bench.commit)
    ]
    counted = [outcome for outcome in kept if outcome.others <= quiet]
    if len(counted) < count:
        with trial.begin(bench) as make:
            while len(counted) < count:
                if quiet < 1:
                    until_quiet(quiet)
                outcome = _made(trial, len(kept) + 1, bench, make)
                ledger.keep(outcome)
                kept.append(outcome)
                if outcome.others <= quiet:
                    counted.append(outcome)
                say(f"{trial.part}: {trial.setting}: {len(counted)} of {count}, {told(outcome)}")
                last = counted[-_IN_A_ROW:]
                if len(last) == _IN_A_ROW and all(one.fault for one in last):
                    raise Fault(f"{trial.setting}: {_IN_A_ROW} comparisons without figures: {last[-1].fault}")
    return counted[:count], len(kept) - len(counted)


def _made(trial: Trial, number: int, bench: Bench, make: Make) -> Outcome:
    """One outcome, with figures or with the reason why it has none."""
    before = Spent.now()
    try:
        outcome = make(number)
    except Fault as fault:
        outcome = Outcome(
            part=trial.part, setting=trial.setting, number=number, commit=bench.commit, fault=str(fault)
        )
    return msgspec.structs.replace(outcome, others=others(before, Spent.now()))


def told(outcome: Outcome) -> str:
    """An outcome for a watcher."""
    company = f"others took {outcome.others:.1%}"
    if outcome.fault:
        return f"{company}, FAILED: {outcome.fault}"
    rows = (
        f"{row.metric} {row.added.estimate:+.4g} [{row.added.low:+.4g}, {row.added.high:+.4g}]"
        for row in outcome.rows
        if row.metric in ("rps", "p50", "p90", "p99")
    )
    own = " ".join(f"{name} {value:.4f}" for name, value in outcome.own_ms.items())
    recorded = f"; by its own record {own}" if own else ""
    return f"{outcome.wall_s:.1f} s, {company}, {outcome.verdict}: {', '.join(rows)}{recorded}"


def priority() -> str:
    """Whether this process and what it starts stand back behind others."""
    ordinary = os.sched_getscheduler(0) == os.SCHED_OTHER
    return f"nice {os.getpriority(os.PRIO_PROCESS, 0)}" if ordinary else "real-time priority"


def _count(text: str) -> tuple[str, int]:
    part, _, number = text.partition("=")
    if part not in PARTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no PART=NUMBER; a part is one of {', '.join(PARTS)}")
    return part, positive(number)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    into = Path(tempfile.gettempdir()) / "cannon-calibration.ndjson"
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--count", type=_count, nargs="+", default=[], metavar="PART=NUMBER")
    parser.add_argument("--server", choices=SERVERS, nargs="+", default=["nginx"], help="of aa")
    parser.add_argument(
        "--delay", type=int, choices=DELAYS_US, nargs="+", default=list(DELAYS_US), help="of injected, in µs"
    )
    parser.add_argument("--case", choices=CASES, nargs="+", default=["plain"], help="of capacity")
    parser.add_argument("--into", type=Path, default=into, metavar="FILE", help=f"outcomes [{into}]")
    parser.add_argument(
        "--quiet",
        type=positive,
        default=100,
        metavar="PERCENT",
        help="begin, and count, only while others take no more of the machine, e.g. 5",
    )
    parser.add_argument("--cannon", metavar="PATH", help="the program, if it is not that of this Python")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    counts = {name: part.count for name, part in PARTS.items()} | dict(given.count)
    program = CLIENTS["cannon"].program
    if given.cannon:
        program = (shutil.which(given.cannon) or sys.exit(f"there is no {given.cannon}"),)
    missed = False
    try:
        with tempfile.TemporaryDirectory(prefix="cannon-calibration-") as folder:
            bench = Bench(Path(folder), two_cores(), program)
            print(f"`{shlex.join(['python', *sys.argv])}`\n", flush=True)
            print(f"{described({'cannon': program})}, {priority()}.", flush=True)
            for name in given.part:
                trials, ledger = PARTS[name].trials(given), Ledger(given.into)
                found = [repeat(trial, counts[name], bench, ledger, given.quiet / 100) for trial in trials]
                text, reached = TABLES[name]([outcomes for outcomes, _ in found])
                print(f"\n{text}", flush=True)
                if aside := sum(more for _, more in found):
                    print(
                        f"\nSet aside, whatever they found: {aside}, while others took more of the machine."
                    )
                missed = missed or not reached
    except Fault as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
