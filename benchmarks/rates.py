"""Whether cannon keeps to a rate, and tells what a stall costs: beside an idle timer, nginx, and a closed form.

    python benchmarks/rates.py [--part arrivals achieved stall] [--rounds 5] [--seconds 10]

`arrivals`: requests as they came to a server on another core, by their stamps in a capture of loopback: the
coefficient of variation of the times between them, and cannon's own figure of how late it was; beside them the same
of an idle timer (`idle_timer.py`), which ran on cannon's core just before. `achieved`: responses a second of nginx to
the rate that was asked for, by one worker. `stall`: nginx stands still (SIGSTOP) for S, half of the time T that
requests are due; of what is due then, the last waits nothing and the first S, so the q-th quantile of response time is
S - (1 - q) T. Prints Markdown: medians and ranges of the runs. `arrivals` needs root for tcpdump, and a C compiler.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accuracy import SPARE_S
from capture import capturing, read_exchanges
from clients import CLIENTS, Fault, Load
from delays import PROFILES, build, serving
from machine import described
from markdown import line, spread, titled
from quantiles import variation
from runs import finish
from script import positive, say, two_cores
from targets import Target, nginx

ARRIVING = {1_000: 10, 20_000: 40}
"""Rates per second, and over how many connections."""

ACHIEVED_PER_S, ACHIEVED_CONNECTIONS = 20_000, 40
STALLED_PER_S, STALLED_CONNECTIONS = 1_000, 10
STALLED_PERCENTS = (75, 90, 99)
SETTLED_REQUESTS = 50
"""nginx has had so many when the run has surely begun."""


@dataclass(frozen=True)
class Figure:
    """A row: what was measured in each run, beside the same of an idle timer where there is one, and the goal."""

    name: str
    goal: str
    measured: tuple[float, ...]
    idle: tuple[float, ...] = ()
    digits: int = 3

    @property
    def above(self) -> tuple[float, ...]:
        """How far each run is above the idle timer's that ran just before it."""
        return (
            tuple(ours - its for ours, its in zip(self.measured, self.idle, strict=True)) if self.idle else ()
        )

    @property
    def cells(self) -> tuple[str, ...]:
        sides = (self.measured, self.idle, self.above)
        return (self.name, *(spread(side, f",.{self.digits}f") for side in sides), self.goal)


TITLES = ("figure", "cannon", "idle timer", "above it", "goal")


def stalled(percent: float, stall_s: float, window_s: float) -> float:
    """The quantile of response time in s, of requests that are due evenly, in whose midst nothing is answered for a
    while.
    """
    return stall_s - (1 - percent / 100) * window_s


class Bench:
    """Where runs take place: a core for the server, one for cannon and the idle timer, and how long a run is."""

    def __init__(self, folder: Path, cores: tuple[int, int], seconds: int, rounds: int) -> None:
        self._folder = folder
        self._server_core, self._core = cores
        self._seconds = seconds
        self._rounds = rounds

    def arrivals(self) -> Iterator[Figure]:
        """How even the requests of a rate come, and how late cannon is. Two figures for each rate."""
        server = build(self._folder)
        for per_s, connections in ARRIVING.items():
            ours, idle = [], []
            for _ in range(self._rounds):
                with serving(
                    server, PROFILES["none"], core=self._server_core, seconds=2 * self._seconds + SPARE_S
                ) as running:
                    idle.append(self._idle(per_s))
                    path = self._folder / "packets.pcap"
                    with capturing(running.port, path):
                        result = self._cannon(running.url, per_s, connections, self._seconds)
                    found = read_exchanges(path, running.port, running.response_bytes)
                moments_ns = [exchange.asked_ns for exchange in found[CLIENTS["cannon"].off_clock :]]
                late_us = result["late_ms"]["p99"] * 1e3
                ours.append({"variation": variation(moments_ns), "late_p99_us": late_us})
                say(f"-R {per_s}: cannon {ours[-1]}, idle timer {idle[-1]}")
            for key, told, goal, digits in (
                ("variation", "coefficient of variation between arrivals", "< 0.1 above", 3),
                ("late_p99_us", "p99 of late, µs", "< 200 above", 0),
            ):
                yield Figure(
                    name=f"`-R {per_s} -c {connections}`: {told}",
                    goal=goal,
                    measured=tuple(run[key] for run in ours),
                    idle=tuple(run[key] for run in idle),
                    digits=digits,
                )

    def achieved(self) -> Iterator[Figure]:
        """What came of a high rate, by one worker."""
        with nginx(core=self._server_core, schemes=["http"], connections=1_000) as target:
            shares = []
            for _ in range(self._rounds):
                url = target.url("http", "plain")
                result = self._cannon(url, ACHIEVED_PER_S, ACHIEVED_CONNECTIONS, self._seconds)
                shares.append(result["requests"]["per_s"] / ACHIEVED_PER_S)
                say(f"-R {ACHIEVED_PER_S}: {shares[-1]:.5f} achieved")
        name = f"`-R {ACHIEVED_PER_S} -c {ACHIEVED_CONNECTIONS} -w 1`: achieved / asked"
        yield Figure(name, ">= 0.999", tuple(shares), digits=4)

    def stall(self) -> Iterator[Figure]:
        """Quantiles of response time to those of the closed form, while nginx stands still for half of a run."""
        with nginx(core=self._server_core, schemes=["http"], connections=1_000) as target:
            runs = [self._stall_once(target) for _ in range(self._rounds)]
        for percent in STALLED_PERCENTS:
            share = stalled(percent, 0.5, 1) / 0.5
            name = f"`-R {STALLED_PER_S} -c {STALLED_CONNECTIONS}`, a stall of S: p{percent} / {share:.2f} S"
            yield Figure(name, "0.98 to 1.02", tuple(run[percent] for run in runs))

    def _stall_once(self, target: Target) -> dict[int, float]:
        stall_s = self._seconds / 2
        before = target.rest().requests
        with ThreadPoolExecutor(1) as aside:
            url = target.url("http", "plain")
            firing = aside.submit(self._cannon, url, STALLED_PER_S, STALLED_CONNECTIONS, self._seconds)
            while target.look().requests - before < SETTLED_REQUESTS and not firing.done():
                time.sleep(0.02)
            time.sleep(self._seconds / 4)
            stood_s = target.stand_still(stall_s)
            result = firing.result()
        ratios = {
            percent: result["latency_ms"][f"p{percent}"]
            / 1e3
            / stalled(percent, stood_s, result["duration_s"])
            for percent in STALLED_PERCENTS
        }
        say(f"stall of {stood_s:.3f} s in {result['duration_s']:.3f} s: {ratios}")
        return ratios

    def _cannon(self, url: str, per_s: int, connections: int, seconds: int) -> Mapping[str, Any]:
        """The result of a run without errors."""
        cannon = CLIENTS["cannon"]
        load = Load(url, seconds, connections, self._folder)
        command = [*cannon.program, "-R", str(per_s), *cannon.command(load)]
        said = finish(command, self._core, seconds, self._folder, {}).said
        cannon.read(said)
        result: Mapping[str, Any] = json.loads(said)
        return result

    def _idle(self, per_s: int) -> Mapping[str, float]:
        program = Path(__file__).with_name("idle_timer.py")
        command = [sys.executable, str(program), str(per_s), str(self._seconds)]
        told: Mapping[str, float] = json.loads(
            finish(command, self._core, self._seconds, self._folder, {}).said
        )
        return told


PARTS = {"arrivals": Bench.arrivals, "achieved": Bench.achieved, "stall": Bench.stall}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--rounds", type=positive, default=5, help="runs to a figure")
    parser.add_argument("--seconds", type=positive, default=10, help="how long each run sends")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    cores = two_cores()
    try:
        with tempfile.TemporaryDirectory(prefix="cannon-rates-") as folder:
            print(f"`{shlex.join(['python', *sys.argv])}`\n")
            print(f"{described({'cannon': CLIENTS['cannon'].program})}.\n")
            print(
                f"The server on core {cores[0]}, cannon and the idle timer on core {cores[1]}. {given.seconds} s a run,"
                f" {given.rounds} to a figure: medians, and in brackets the range.\n"
            )
            print(titled(TITLES), flush=True)
            bench = Bench(Path(folder), cores, given.seconds, given.rounds)
            for part in given.part:
                for figure in PARTS[part](bench):
                    print(line(figure.cells), flush=True)
    except Fault as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
