"""Whether a gate against five baselines is right: many real runs of what is known, and how often it failed them.

    python benchmarks/gate_calibration.py [--equal 200] [--slower 40] [--delay 10000] [--into FILE]

One server holds every request for a time that is known (`told_server.c`), on one core; cannon is on the other, at a
steady rate far below what either can take. Runs follow one another, as those of a CI job do: each is `cannon --gate
'p99 < base + 10%'` with the five runs before it as baselines, whatever those came to. Now and then one is fired at
another port of that server, which holds 30 % longer; it is judged in the same way, and is no baseline. So what is false
is known: any failure at the first port, and anything but a failure at the other.

Successive checks share four of their five baselines, so they are not independent. Yet each is a run against five
earlier ones, and fails as often as if it stood alone; only the spread of the number of failures is another, and it is
simulated in `tests/test_gate_calibration.py`.

Every check is kept as a line of JSON as soon as it has ended: what was cut short goes on where it was, with the same
file, setting and commit, after five new baselines. --quiet 5 sets aside runs during which others took more than 5 % of
the machine, whatever they came to; they are no baselines either. With the defaults it takes some ten minutes. Prints
Markdown. Needs a C compiler. Exit code 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from calibration import priority
from clients import CLIENTS, Fault
from gate_checks import Check, Kind, table
from gate_series import Load, Series, beginning
from kept_lines import Lines
from machine import described
from neighbours import Spent, others, until_quiet
from script import positive, say, two_cores

__all__ = ["COUNTS", "next_kind", "repeat", "told"]

COUNTS: Final[Mapping[Kind, int]] = {Kind.EQUAL: 200, Kind.SLOWER: 40}

_IN_A_ROW: Final = 5
"""So many runs without a verdict, one after the other, end it: the next would have none either."""


def repeat(
    series: Series, counts: Mapping[Kind, int], ledger: Lines[Check], quiet: float = 1.0
) -> tuple[list[Check], int]:
    """So many checks of each kind, and those that found no verdict: what was kept of this setting and commit, and what
    is missing. And how many more were set aside, because others took more than the share `quiet` of the machine.
    """
    kept = [
        check
        for check in ledger.read()
        if (check.setting, check.commit) == (series.load.setting, series.commit)
    ]
    counted = [check for check in kept if check.others <= quiet]
    aside = len(kept) - len(counted)
    number = max((check.number for check in kept), default=0)
    in_vain = 0
    while (kind := next_kind(counted, counts)) is not None:
        if quiet < 1:
            until_quiet(quiet)
        number += 1
        judges = series.judges
        check = _made(series, kind if judges else Kind.EQUAL, number)
        if judges:
            ledger.keep(check)
        say(told(check))
        in_vain = in_vain + 1 if check.fault else 0
        if in_vain == _IN_A_ROW:
            raise Fault(f"{_IN_A_ROW} runs without a verdict: {check.fault}")
        if check.others > quiet:
            aside += judges
            continue
        if judges:
            counted.append(check)
        if check.kind is Kind.EQUAL and not check.fault:
            series.baselines.append(series.path(number))
    return counted, aside


def next_kind(checks: Sequence[Check], counts: Mapping[Kind, int]) -> Kind | None:
    """Of which kind the next one is, so that both keep step; None where there are enough."""
    done = Counter(check.kind for check in checks if not check.fault)
    missing = [kind for kind in counts if done[kind] < counts[kind]]
    return min(missing, key=lambda kind: done[kind] / counts[kind], default=None)


def _made(series: Series, kind: Kind, number: int) -> Check:
    """A run, with its verdicts or with the reason why it has none."""
    before = Spent.now()
    try:
        check = series.fired(kind, number)
    except Fault as fault:
        check = Check(
            kind=kind, setting=series.load.setting, number=number, commit=series.commit, fault=str(fault)
        )
    return msgspec.structs.replace(check, others=others(before, Spent.now()))


def told(check: Check) -> str:
    """A check for a watcher."""
    place = f"{check.number}, at {check.kind.value}: {check.wall_s:.1f} s, others took {check.others:.1%}"
    if check.fault:
        return f"{place}, FAILED: {check.fault}"
    own = f"{place}, p99 {_ms(check.value_ms)} ms, by the server's own record {_ms(check.own_ms)} ms"
    if not check.verdicts:
        return f"{own}, a baseline"
    verdicts = "; ".join(f"{gate}: {verdict.value}" for gate, verdict in check.verdicts.items())
    return f"{own}, [{_ms(check.low_ms)}, {_ms(check.high_ms)}] beside {_ms(check.bound_ms)}; {verdicts}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    into = Path(tempfile.gettempdir()) / "cannon-gate-calibration.ndjson"
    usual = Load()
    parser.add_argument("--equal", type=positive, default=COUNTS[Kind.EQUAL], metavar="NUMBER")
    parser.add_argument("--slower", type=positive, default=COUNTS[Kind.SLOWER], metavar="NUMBER")
    parser.add_argument("--delay", type=positive, default=usual.delay_us, metavar="US")
    parser.add_argument("--into", type=Path, default=into, metavar="FILE", help=f"checks [{into}]")
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
    program = CLIENTS["cannon"].program
    if given.cannon:
        program = (shutil.which(given.cannon) or sys.exit(f"there is no {given.cannon}"),)
    load = Load(given.delay)
    counts = {Kind.EQUAL: given.equal, Kind.SLOWER: given.slower}
    try:
        with tempfile.TemporaryDirectory(prefix="cannon-gate-calibration-") as folder:
            print(f"`{shlex.join(['python', *sys.argv])}`\n", flush=True)
            print(f"{described({'cannon': program})}, {priority()}.", flush=True)
            print(f"{load.setting}.", flush=True)
            with beginning(load, Path(folder), two_cores(), program) as series:
                checks, aside = repeat(series, counts, Lines(given.into, Check), given.quiet / 100)
            text, reached = table(checks)
            print(f"\n{text}", flush=True)
            if aside:
                print(f"\nSet aside, whatever they found: {aside}, while others took more of the machine.")
    except Fault as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()
