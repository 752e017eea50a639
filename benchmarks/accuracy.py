"""How far what a client tells of latency is from what was on the wire: cannon and its peers beside a packet capture.

    python benchmarks/accuracy.py [--tool wrk ...] [--server 1ms] [--connections 1 10 100] [--load half] [--rounds 5]

The server (`delay_server.c`) answers each request an exact time after it came, spinning on one core; the client has
another. The truth is tcpdump's capture of loopback: from the last byte of a request to the last byte of its response,
in stamps of the kernel. At `half` load a client is asked for half the rate that it reached with as many connections
in a closed loop just before, and wrk, which has no rate, pauses as long as a request took; `full` is the closed loop.
Prints Markdown: the error is the client's figure less that of the capture, in µs. Needs root for tcpdump, a C
compiler, and two cores as quiet as can be. Exit code 1 where cannon itself had no figures.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from capture import capturing, read_exchanges, tcpdump_version
from clients import CLIENTS, Fault, Load
from delays import PROFILES, build, serving
from latencies import GAUGES, Gauge, Latencies
from machine import described
from markdown import cell, line, spread, titled
from pcap import Exchange
from peers import installed
from quantiles import Quantiles
from runs import finish
from script import positive, say, two_cores

CLOSED_SECONDS = 2
SPARE_S = 60
MISSED_SHARE = 0.001


class Loading(StrEnum):
    """How much is asked of a client, set against what it reaches in a closed loop."""

    HALF = "half"
    FULL = "full"


@dataclass(frozen=True)
class Trial:
    """What one row is of."""

    server: str
    connections: int
    loading: Loading
    gauge: str

    def __str__(self) -> str:
        return f"{self.server}, {self.connections} connections, {self.loading.value} load, {self.gauge}"


@dataclass(frozen=True)
class Reading:
    """One run: the rate that was on the wire, the quantiles there, and those that the client told."""

    per_s: float
    wire: Quantiles
    told: Quantiles

    @property
    def error(self) -> Quantiles:
        return self.told - self.wire


class Bench:
    """Where trials take place: the programs, a core for the server and one for the client."""

    def __init__(
        self, folder: Path, programs: dict[str, tuple[str, ...]], cores: tuple[int, int], seconds: int
    ) -> None:
        self._folder = folder
        self._server = build(folder)
        self._programs = programs
        self._server_core, self._client_core = cores
        self._seconds = seconds

    def read(self, trial: Trial) -> Reading:
        """Run a trial once. Fault where the client saw an error, or counted what the wire does not show."""
        gauge = GAUGES[trial.gauge]
        per_s = None
        if trial.loading is Loading.HALF:
            latencies, _ = self._fire(trial, gauge, None, CLOSED_SECONDS)
            per_s = max(1.0, latencies.requests / CLOSED_SECONDS / 2)
        latencies, exchanges = self._fire(trial, gauge, per_s, self._seconds)
        seen = exchanges[CLIENTS[gauge.client].off_clock :]
        if doubt := _doubt(latencies.requests, len(seen), trial.connections):
            raise Fault(doubt)
        return Reading(
            per_s=len(seen) / self._seconds,
            wire=Quantiles.of([exchange.duration_ns for exchange in seen]),
            told=latencies.quantiles,
        )

    def _fire(
        self, trial: Trial, gauge: Gauge, per_s: float | None, seconds: int
    ) -> tuple[Latencies, list[Exchange]]:
        """What the client told, and the exchanges that were captured meanwhile."""
        with (
            # Each run has a folder of its own, because some clients add to a file that is there.
            tempfile.TemporaryDirectory(dir=self._folder) as folder,
            serving(
                self._server, PROFILES[trial.server], core=self._server_core, seconds=seconds + SPARE_S
            ) as server,
        ):
            path = Path(folder)
            load = Load(server.url, seconds, trial.connections, path)
            command = [*self._programs[gauge.client], *gauge.command(load, per_s)]
            with capturing(server.port, path / "packets.pcap"):
                ended = finish(command, self._client_core, seconds, path, gauge.files)
            try:
                latencies = gauge.read(ended.said, load)
            except (ValueError, KeyError, TypeError, IndexError, OSError) as error:
                raise Fault(f"its output cannot be read ({error!r})") from error
            return latencies, read_exchanges(path / "packets.pcap", server.port, server.response_bytes)


def _doubt(told: int, seen: int, connections: int) -> str:
    """What is wrong where a client and the capture speak of different requests; "" where nothing is.

    What ends after the window is on the wire and in no figure: up to one response for each connection.
    """
    least, most = seen - connections - MISSED_SHARE * seen, seen
    return "" if least <= told <= most else f"it told of {told:,} requests, and {seen:,} were on the wire"


TITLES = (
    *("server", "conns", "client", "req/s"),
    *("wire p50", "p99", "p99.9 µs"),
    *("error p50", "p99", "p99.9 µs"),
)


def row(trial: Trial, readings: Sequence[Reading]) -> str:
    """A row: medians of the runs; of errors their range as well, where there are several runs."""
    wire = zip(*(reading.wire for reading in readings), strict=True)
    errors = zip(*(reading.error for reading in readings), strict=True)
    return line(
        (
            *_key(trial),
            f"{statistics.median(reading.per_s for reading in readings):,.0f}",
            *(f"{statistics.median(side) / 1e3:,.0f}" for side in wire),
            *(spread([error_ns / 1e3 for error_ns in side], "+,.0f") for side in errors),
        )
    )


def failed_row(trial: Trial, reason: str) -> str:
    """A row without figures: why there are none."""
    return line((*_key(trial), cell(reason), *("" for _ in range(len(TITLES) - 4))))


def _key(trial: Trial) -> tuple[str, ...]:
    return (PROFILES[trial.server].told, f"{trial.connections:,}", trial.gauge)


def compare(trials: list[Trial], bench: Bench, rounds: int) -> bool:
    """Print the table, a row as soon as it is known. Whether cannon had figures for each of its rows."""
    whole = True
    print(titled(TITLES), flush=True)
    for trial in trials:
        readings = []
        try:
            for _ in range(rounds):
                readings.append(bench.read(trial))
                error = ", ".join(f"{one / 1e3:+,.1f}" for one in readings[-1].error)
                say(f"{trial}: {readings[-1].per_s:,.0f}/s, off by {error} µs")
            print(row(trial, readings), flush=True)
        except Fault as fault:
            say(f"FAILED: {trial}: {fault}")
            print(failed_row(trial, str(fault)), flush=True)
            whole = whole and GAUGES[trial.gauge].client != "cannon"
    return whole


def preface(given: argparse.Namespace, programs: dict[str, tuple[str, ...]], cores: tuple[int, int]) -> str:
    """What a reader of the table has to know."""
    load = Load("URL", given.seconds, 10, Path("FOLDER"))
    calls = (
        f"`{shlex.join([gauge.client, *gauge.command(load, 1000)])}`"
        for gauge in (GAUGES[tool] for tool in given.tool)
        if gauge.client in programs
    )
    method = (
        f"The server, which spins, on core {cores[0]}, the client on core {cores[1]}. {given.seconds} s a run,"
        f" {given.rounds} to a row: medians, and in brackets the range."
    )
    lines = [
        f"`{shlex.join(['python', *sys.argv])}`",
        f"{described(programs)}, tcpdump {tcpdump_version()}.",
        f"{method} Called, at 1,000/s over 10 connections, as {', '.join(calls)}.",
    ]
    return "\n\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    servers = [name for name in PROFILES if name != "none"]
    parser.add_argument("--tool", choices=GAUGES, nargs="+", default=list(GAUGES))
    parser.add_argument("--server", choices=servers, nargs="+", default=servers)
    parser.add_argument("--connections", type=positive, nargs="+", default=[1, 10, 100], metavar="N")
    parser.add_argument("--load", choices=list(Loading), type=Loading, nargs="+", default=[Loading.HALF])
    parser.add_argument("--seconds", type=positive, default=10, help="how long each run sends")
    parser.add_argument("--rounds", type=positive, default=3, help="runs to a row")
    parser.add_argument("--autocannon", metavar="PATH", help="where autocannon is, if not on the PATH")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    cores = two_cores()
    clients = dict.fromkeys(GAUGES[tool].client for tool in given.tool)
    programs = {name: side.program for name, side in installed(list(clients), given.autocannon).items()}
    trials = [
        Trial(server, connections, loading, tool)
        for loading in given.load
        for server in given.server
        for connections in given.connections
        for tool in given.tool
        if GAUGES[tool].client in programs
    ]
    minutes = len(trials) * given.rounds * (given.seconds + CLOSED_SECONDS + 3) / 60
    say(f"{len(trials)} rows, about {minutes:.0f} minutes or somewhat more")
    try:
        with tempfile.TemporaryDirectory(prefix="cannon-accuracy-") as folder:
            print(preface(given, programs, cores), end="\n\n", flush=True)
            whole = compare(trials, Bench(Path(folder), programs, cores, given.seconds), given.rounds)
    except Fault as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
