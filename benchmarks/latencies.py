"""How each client is made to tell its latencies at a rate, and how they are read off what it tells.

Law: what is read is the client's own figure, of the time from sending a request to having its response, in its own
resolution; nothing is corrected here. A run with an error has no figures, as in `clients.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clients import CLIENTS, Fault, Load
from quantiles import Quantiles

__all__ = ["GAUGES", "Gauge", "Latencies"]


@dataclass(frozen=True)
class Latencies:
    """What a client says of a run: whole responses, and the quantiles of their latency."""

    requests: int
    quantiles: Quantiles


@dataclass(frozen=True)
class Gauge:
    """One way of having a client tell latencies.

    `client` is its name in CLIENTS. `command` takes a load and how many requests a second are wanted, None: as many
    as can be; `read` what it said on stdout, and the load. `resolution` is that of what it tells.
    """

    client: str
    command: Callable[[Load, float | None], list[str]]
    read: Callable[[str, Load], Latencies]
    resolution: str
    files: Mapping[str, str] = field(default_factory=dict)


def _cannon(timestamps: str) -> Callable[[Load, float | None], list[str]]:
    def command(load: Load, per_s: float | None) -> list[str]:
        rate = [] if per_s is None else ["-R", f"{per_s:.0f}"]
        return ["--timestamps", timestamps, *rate, *CLIENTS["cannon"].command(load)]

    return command


def _read_cannon(output: str, load: Load) -> Latencies:
    requests = CLIENTS["cannon"].read(output).requests
    service = json.loads(output)["service_ms"]
    return Latencies(requests, Quantiles(*(_ns(service[key], 1e6) for key in ("p50", "p99", "p99_9"))))


_WRK_LUA = """\
local pause_ms = 0

function init(words)
   pause_ms = tonumber(words[1])
end

function delay()
   return pause_ms
end

function done(summary, latency, requests)
   local told = { summary.requests }
   for _, percent in ipairs({ 50, 99, 99.9 }) do
      told[#told + 1] = latency:percentile(percent)
   end
   print("latencies " .. table.concat(told, " "))
end
"""


def _wrk(load: Load, per_s: float | None) -> list[str]:
    # It has no rate. To half its load, each connection waits as long as a request takes, in whole milliseconds.
    pause_ms = 0 if per_s is None else max(1, round(load.connections / per_s * 1000 / 2))
    plain = CLIENTS["wrk"].command(load)
    return ["-s", str(load.folder / "latencies.lua"), *plain, "--", str(pause_ms)]


def _read_wrk(output: str, load: Load) -> Latencies:
    CLIENTS["wrk"].read(output)
    told = re.search(r"^latencies (\d+) (\S+) (\S+) (\S+)$", output, re.MULTILINE)
    if told is None:
        raise Fault("it told no latencies")
    return Latencies(int(told[1]), Quantiles(*(_ns(float(told[place]), 1e3) for place in (2, 3, 4))))


def _hey(load: Load, per_s: float | None) -> list[str]:
    rate = [] if per_s is None else ["-q", f"{per_s / load.connections:.3f}"]
    return ["-o", "csv", *rate, *CLIENTS["hey"].command(load)]


def _read_hey(output: str, load: Load) -> Latencies:
    heading, *rows = (line.split(",") for line in output.splitlines() if line.strip())
    duration, status = heading.index("response-time"), heading.index("status-code")
    return _sample([_ns(float(row[duration]), 1e9) for row in rows], [row[status] for row in rows])


def _h2load(load: Load, per_s: float | None) -> list[str]:
    rate = [] if per_s is None else [f"--rps={per_s / load.connections:.3f}"]
    return [f"--log-file={load.folder / 'h2load.log'}", *rate, *CLIENTS["h2load"].command(load)]


def _read_h2load(output: str, load: Load) -> Latencies:
    CLIENTS["h2load"].read(output)
    rows = [line.split("\t") for line in (load.folder / "h2load.log").read_text().splitlines()]
    return _sample([_ns(float(row[2]), 1e3) for row in rows], [row[1] for row in rows])


def _autocannon(load: Load, per_s: float | None) -> list[str]:
    # Without -C it invents samples under a rate; what it measured is what is looked at here.
    rate = [] if per_s is None else ["-R", f"{per_s:.0f}", "-C"]
    return [*rate, *CLIENTS["autocannon"].command(load)]


def _read_autocannon(output: str, load: Load) -> Latencies:
    requests = CLIENTS["autocannon"].read(output).requests
    latency = json.loads(output)["latency"]
    return Latencies(requests, Quantiles(*(_ns(latency[key], 1e6) for key in ("p50", "p99", "p99_9"))))


def _sample(durations_ns: list[int], statuses: list[str]) -> Latencies:
    """Those of a client that tells every one."""
    if not durations_ns:
        raise Fault("it told no latencies")
    if others := set(statuses) - {"200"}:
        raise Fault(f"not 200: {', '.join(sorted(others))}")
    return Latencies(len(durations_ns), Quantiles.of(durations_ns))


def _ns(value: float, unit_ns: float) -> int:
    return round(value * unit_ns)


GAUGES: Mapping[str, Gauge] = {
    "cannon, kernel": Gauge("cannon", _cannon("kernel"), _read_cannon, "64 ns to 0.1 %"),
    "cannon, loop": Gauge("cannon", _cannon("loop"), _read_cannon, "64 ns to 0.1 %"),
    "wrk": Gauge("wrk", _wrk, _read_wrk, "1 µs", {"latencies.lua": _WRK_LUA}),
    "hey": Gauge("hey", _hey, _read_hey, "100 µs"),
    "h2load": Gauge("h2load", _h2load, _read_h2load, "1 µs"),
    "autocannon": Gauge("autocannon", _autocannon, _read_autocannon, "1 ms"),
}
