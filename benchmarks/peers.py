"""What a request costs the client: cannon beside its peers, in alternating runs at one nginx.

    python benchmarks/peers.py [--scheme http] [--case plain] [--connections 10 100] [--pipelining 10] [--peer wrk ab]

Client on one core, nginx on another. Each row is of pairs of runs, one of cannon and one of the peer, in turns; the
first pair warms caches and is thrown away. Peers that are not installed are named and left out, and so are those that
cannot pipeline where --pipelining asks for more than 1; a row in which a client saw an error has no figures and says
why. Prints Markdown to stdout, progress to stderr. Exit code 1 where cannon itself had no figures for a row. With the
same client on both sides, as in `--subject wrk --peer wrk`, the range of the ratio is what this machine cannot tell
apart.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cannon.errors import UsageError
from cannon.host import raise_descriptor_limit
from clients import CLIENTS, Client, Fault, Load
from machine import described
from pairs import Pair, failed_row, heading, row
from runs import Run, doubts, measure
from script import positive, say, two_cores
from targets import CASES, CERTIFICATE, SCHEMES, Target, nginx

SPARE_DESCRIPTORS = 1_000


@dataclass(frozen=True)
class Side:
    """A client that is installed, and where."""

    name: str
    client: Client
    program: tuple[str, ...]


class SideFault(Exception):
    """A fault, and whose it was."""

    def __init__(self, side: Side, fault: Fault) -> None:
        super().__init__(f"{side.name}: {fault}")
        self.side = side


@dataclass(frozen=True)
class Contest:
    """What one row is of."""

    scheme: str
    case: str
    connections: int
    peer: Side
    pipelining: int = 1

    @property
    def key(self) -> tuple[str, ...]:
        return (self.scheme, self.case, f"{self.connections:,}", str(self.pipelining), self.peer.name)

    def __str__(self) -> str:
        pipelined = f", {self.pipelining} in flight on each" if self.pipelining > 1 else ""
        return f"{self.scheme}, {self.case}, {self.connections:,} connections{pipelined}"


class Field:
    """Where runs take place: the target, the core of the clients, and how long and how often they run."""

    def __init__(self, target: Target, core: int, seconds: int, rounds: int) -> None:
        self._target = target
        self._core = core
        self._seconds = seconds
        self._rounds = rounds
        self._doubts: dict[tuple[str, str], list[str]] = {}

    def pairs(self, contest: Contest, subject: Side) -> Iterator[Pair]:
        """Run both in turns, each first in every other round. SideFault at the first error of either."""
        for number in range(self._rounds + 1):
            if number % 2:
                ours = self._run(contest, subject)
                theirs = self._run(contest, contest.peer)
            else:
                theirs = self._run(contest, contest.peer)
                ours = self._run(contest, subject)
            sides = ((subject, ours), (contest.peer, theirs))
            told = ", ".join(f"{side.name} {run.per_s:,.0f}/s {run.cpu_us:.2f} µs" for side, run in sides)
            say(f"{contest}, {f'pair {number}' if number else 'thrown away'}: {told}")
            if number:
                yield Pair(ours, theirs)

    def _run(self, contest: Contest, side: Side) -> Run:
        load = Load(
            url=self._target.url(contest.scheme, contest.case),
            seconds=self._seconds,
            connections=contest.connections,
            folder=self._target.folder,
            ca=self._target.ca if contest.scheme == "https" else None,
            pipelining=contest.pipelining,
        )
        try:
            run = measure(side.client, side.program, load, self._target, self._core)
        except Fault as fault:
            raise SideFault(side, fault) from fault
        for doubt in doubts(run, load, side.client.off_clock):
            say(f"warning: {contest}: {side.name} {doubt}")
            self._doubts.setdefault((str(contest), side.name), []).append(doubt)
        return run

    def notes(self) -> list[str]:
        """A line for each client and load where counts were not nginx's: the last that was found, and how many."""
        return [
            f"{load}: {name} {found[-1]}{f' (the last of {len(found)} such runs)' if found[1:] else ''}"
            for (load, name), found in self._doubts.items()
        ]


def fight(contests: list[Contest], subject: Side, field: Field) -> bool:
    """Print the table, a row as soon as it is known. Whether the subject had figures for each."""
    whole = True
    print(heading(subject.name), flush=True)
    for contest in contests:
        try:
            print(row(contest.key, list(field.pairs(contest, subject))), flush=True)
        except SideFault as fault:
            say(f"FAILED: {contest}: {fault}")
            print(failed_row(contest.key, str(fault)), flush=True)
            whole = whole and fault.side.name != subject.name
    if notes := field.notes():
        print("\nWhere nginx saw something else than a client tells:\n")
        print("\n".join(f"- {note}" for note in notes))
    return whole


def installed(names: list[str], autocannon: str | None) -> dict[str, Side]:
    """Find those that are there, and name those that are not."""
    sides = {}
    for name in names:
        client = CLIENTS[name]
        program = (autocannon,) if name == "autocannon" and autocannon else client.found(name)
        if program is None:
            say(f"{name} is not installed and is left out: {client.install}")
        else:
            sides[name] = Side(name, client, program)
    return sides


def preface(given: argparse.Namespace, sides: dict[str, Side], cores: tuple[int, int]) -> str:
    """What a reader of the table has to know."""
    subject = given.subject
    method = (
        f"nginx, one worker, on core {cores[0]}, the client on core {cores[1]}. {given.rounds} pairs of runs of"
        f" {given.seconds} s, one of {subject} and one of the peer, in turns, after a pair that is thrown away."
        f" Medians of each side; ratios, {subject} / peer, are taken pair by pair: median and range. CPU: µs per"
        " request of the client's whole process tree, from exec to exit, with default options. req/s: as each client"
        " tells it itself."
    )
    load = Load("URL", given.seconds, given.connections[0], Path(), pipelining=given.pipelining[0])
    calls = (
        f"`{shlex.join([side.name, *side.client.command(load)])}`"
        for side in sides.values()
        if load.pipelining == 1 or side.client.pipelines
    )
    lines = [
        f"`{shlex.join(['python', *sys.argv])}`",
        f"{described({name: side.program for name, side in sides.items()})}.",
        method,
        f"Called as {', '.join(calls)}.",
        f"{'; '.join(f'`{case}`: {CASES[case]}' for case in given.case)}.",
    ]
    if "https" in given.scheme:
        lines.append(
            f"https: {CERTIFICATE}. cannon verifies the certificate (`--ca`), the peers do not verify."
        )
    return "\n\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    peers = [name for name in CLIENTS if name != "cannon"]
    parser.add_argument("--scheme", choices=SCHEMES, nargs="+", default=list(SCHEMES))
    parser.add_argument("--case", choices=CASES, nargs="+", default=list(CASES))
    parser.add_argument("--connections", type=positive, nargs="+", default=[10], metavar="N")
    parser.add_argument("--pipelining", type=positive, nargs="+", default=[1], metavar="N")
    parser.add_argument("--peer", choices=peers, nargs="+", default=peers)
    parser.add_argument(
        "--rounds", type=positive, default=8, help="pairs of runs, besides the one thrown away"
    )
    parser.add_argument("--seconds", type=positive, default=10, help="how long each run sends")
    parser.add_argument("--autocannon", metavar="PATH", help="where autocannon is, if not on the PATH")
    parser.add_argument("--subject", choices=CLIENTS, default="cannon", help="whom the peers are set beside")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    cores = two_cores()
    if shutil.which("taskset") is None:
        sys.exit("taskset is needed: apt-get install util-linux")
    if given.autocannon and not Path(given.autocannon).is_file():
        sys.exit(f"--autocannon: there is no file {given.autocannon}")
    sides = installed(list(dict.fromkeys([given.subject, *given.peer])), given.autocannon)
    contests = [
        Contest(scheme, case, connections, sides[name], pipelining)
        for scheme in given.scheme
        for case in given.case
        for connections in given.connections
        for pipelining in given.pipelining
        for name in given.peer
        if name in sides and (pipelining == 1 or sides[name].client.pipelines)
    ]
    if given.subject not in sides or not contests:
        sys.exit("nothing to compare")
    minutes = len(contests) * (given.rounds + 1) * 2 * given.seconds / 60
    say(f"{len(contests)} rows, about {minutes:.0f} minutes or somewhat more")
    most = max(given.connections)
    try:
        raise_descriptor_limit(most + SPARE_DESCRIPTORS)
        print(preface(given, sides, cores), end="\n\n", flush=True)
        with nginx(core=cores[0], schemes=given.scheme, connections=most + SPARE_DESCRIPTORS) as target:
            whole = fight(
                contests, sides[given.subject], Field(target, cores[1], given.seconds, given.rounds)
            )
    except (Fault, UsageError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
