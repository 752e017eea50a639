"""The clients that are compared: how each is called, and how its own figures are read off its output.

Law: a reader gives figures only of a run without a single error; anything else is a Fault that says what went wrong.
Options are each client's own defaults, but for what the load says and for what keeps connections alive.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["CLIENTS", "Client", "Fault", "Load", "Report"]


class Fault(Exception):
    """A run whose figures do not count. Says why in one line."""


@dataclass(frozen=True)
class Load:
    """What one run is to do.

    `folder` takes the files a client wants, `ca` is whom to trust where the URL is https, `pipelining` how many
    requests a connection has in flight. One more dimension of load is one more field here, and one more word in the
    command of each client that can do it.
    """

    url: str
    seconds: int
    connections: int
    folder: Path
    ca: Path | None = None
    pipelining: int = 1


@dataclass(frozen=True)
class Report:
    """What a client says of a run: whole responses, and its own figure of responses per second."""

    requests: int
    per_s: float


@dataclass(frozen=True)
class Client:
    """A program: its command for a load, without the program itself, and the reader of its stdout.

    `off_clock` is how many requests it sends outside its figures, `files` what is written into the load's folder
    before it runs. `version` is the option that shows its version, and what to look for in that; None where it tells
    none, or one that never changes. `pipelines`: whether it can have several requests in flight on a connection.
    """

    command: Callable[[Load], list[str]]
    read: Callable[[str], Report]
    install: str
    version: tuple[str, str] | None
    off_clock: int = 0
    program: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    pipelines: bool = False

    def found(self, name: str) -> tuple[str, ...] | None:
        """Return the words that start it, None where it is not installed."""
        if self.program:
            return self.program
        path = shutil.which(name)
        return (path,) if path else None


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if found is None:
        raise Fault(
            f"nothing like {pattern} in its output: {' '.join(output.split())[-300:] or 'it is empty'}"
        )
    return float(found[1])


def _count(pattern: str, output: str) -> int:
    return int(_number(pattern, output))


def _report(requests: int, per_s: float, wrong: Mapping[str, object]) -> Report:
    """Figures, unless one of those that tell of errors is something other than 0 or nothing."""
    told = ", ".join(f"{name}: {value}" for name, value in wrong.items() if value)
    if told:
        raise Fault(told)
    if not requests:
        raise Fault("it counted no response at all")
    return Report(requests, per_s)


def _cannon(load: Load) -> list[str]:
    trust = ["--ca", str(load.ca)] if load.ca else []
    return [
        *("-d", str(load.seconds), "-c", str(load.connections), *_pipelined("-p", load)),
        *("-j", *trust, load.url),
    ]


def _pipelined(option: str, load: Load) -> list[str]:
    """The option that asks for pipelining; nothing where none is wanted."""
    return [option, str(load.pipelining)] if load.pipelining > 1 else []


def _read_cannon(output: str) -> Report:
    result = json.loads(output)
    requests = result["requests"]
    wrong = {
        "errors": result["errors"],
        "failed dials": result["connects"]["failed"],
        "not 200": requests["completed"] - result["status"].get("200", 0),
        "verdict": "; ".join(result["validity"]["reasons"]) if requests["succeeded"] == 0 else "",
    }
    return _report(requests["completed"], requests["per_s"], wrong)


def _wrk(load: Load) -> list[str]:
    command = ["-t", "1", "-d", str(load.seconds), "-c", str(load.connections), load.url]
    if load.pipelining == 1:
        return command
    # It has no option for that: a script hands it several requests as one, and it counts the responses.
    return ["-s", str(load.folder / "pipelining.lua"), *command, "--", str(load.pipelining)]


_PIPELINING_LUA = """\
local requests

function init(words)
   requests = string.rep(wrk.format(), tonumber(words[1]))
end

function request()
   return requests
end
"""


def _read_wrk(output: str) -> Report:
    # What it calls a timeout is no error here: a whole response, which it counts, that took more than two seconds.
    wrong = {
        name: sum(map(int, re.findall(rf"{name} (\d+)", output))) for name in ("connect", "read", "write")
    }
    wrong["not 2xx or 3xx"] = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", output)))
    return _report(_count(r"(\d+) requests in ", output), _number(r"Requests/sec:\s+([\d.]+)", output), wrong)


def _ab(load: Load) -> list[str]:
    # -t alone ends after 50,000 requests. -n after it lifts that, and takes 32 bytes each.
    enough = str(200_000 * load.seconds)
    return ["-q", "-k", "-t", str(load.seconds), "-n", enough, "-c", str(load.connections), load.url]


def _read_ab(output: str) -> Report:
    requests = _count(r"Complete requests:\s+(\d+)", output)
    wrong = {
        "failed": _count(r"Failed requests:\s+(\d+)", output),
        "errors": "; ".join(re.findall(r"(?:Non-2xx responses|Write errors):\s+\d+", output)),
        "responses that closed their connection (HTTP/1.0)": requests
        - _count(r"Keep-Alive requests:\s+(\d+)", output),
    }
    return _report(requests, _number(r"Requests per second:\s+([\d.]+)", output), wrong)


def _h2load(load: Load) -> list[str]:
    return [
        *("--h1", "-D", str(load.seconds), "-c", str(load.connections), *_pipelined("-m", load)),
        load.url,
    ]


def _read_h2load(output: str) -> Report:
    requests = _count(r"(\d+) done,", output)
    wrong = {name: _count(rf"(\d+) {name}", output) for name in ("failed", "errored", "timeout")}
    wrong["not 2xx"] = requests - _count(r"status codes: (\d+) 2xx", output)
    return _report(requests, _number(r"finished in [^,]+, ([\d.]+) req/s", output), wrong)


def _hey(load: Load) -> list[str]:
    return ["-z", f"{load.seconds}s", "-c", str(load.connections), load.url]


def _read_hey(output: str) -> Report:
    per_s = _number(r"Requests/sec:\s+([\d.]+)", output)
    statuses = {found[1]: int(found[2]) for found in re.finditer(r"\[(\d+)\]\s+(\d+) responses", output)}
    requests = sum(statuses.values())
    wrong = {
        "errors": " ".join(output.partition("Error distribution:")[2].split()),
        "not 200": requests - statuses.get("200", 0),
    }
    if requests >= 1_000_000:  # it keeps the statuses of that many, and counts the others only in its rate
        requests = round(per_s * _number(r"Total:\s+([\d.]+) secs", output))
    return _report(requests, per_s, wrong)


def _autocannon(load: Load) -> list[str]:
    return [
        *("-d", str(load.seconds), "-c", str(load.connections), *_pipelined("-p", load)),
        *("-j", load.url),
    ]


def _read_autocannon(output: str) -> Report:
    result = json.loads(output)
    wrong = {name: result[name] for name in ("errors", "timeouts", "mismatches", "resets", "non2xx")}
    return _report(result["requests"]["total"], result["requests"]["average"], wrong)


def _siege(load: Load) -> list[str]:
    seconds, connections = f"{load.seconds}S", str(load.connections)
    return [f"--rc={load.folder / 'siegerc'}", "-b", "-t", seconds, "-c", connections, load.url]


def _read_siege(output: str) -> Report:
    result = json.loads(output[output.find("{") :])
    requests = int(result["transactions"])
    wrong = {
        "failed transactions": result["failed_transactions"],
        "transactions without success": requests - int(result["successful_transactions"]),
    }
    return _report(requests, result["transaction_rate"], wrong)


_SIEGERC = """\
connection = keep-alive
limit = 100000
json_output = true
quiet = true
verbose = false
logging = false
"""

CLIENTS = {
    "cannon": Client(
        command=_cannon,
        read=_read_cannon,
        install="pip install -e .",
        version=("--version", r"cannon (\S+)"),
        off_clock=1,  # the preflight
        program=(sys.executable, "-P", "-m", "cannon"),
        pipelines=True,
    ),
    "wrk": Client(
        command=_wrk,
        read=_read_wrk,
        install="apt-get install wrk",
        version=("-v", r"wrk (\S+)"),
        files={"pipelining.lua": _PIPELINING_LUA},
        pipelines=True,
    ),
    "ab": Client(
        command=_ab,
        read=_read_ab,
        install="apt-get install apache2-utils",
        version=None,
    ),
    "h2load": Client(
        command=_h2load,
        read=_read_h2load,
        install="apt-get install nghttp2-client",
        version=("--version", r"nghttp2/(\S+)"),
        pipelines=True,
    ),
    "hey": Client(
        command=_hey,
        read=_read_hey,
        install="apt-get install hey",
        version=None,
    ),
    "autocannon": Client(
        command=_autocannon,
        read=_read_autocannon,
        install="npm install -g autocannon, or --autocannon PATH",
        version=("--version", r"autocannon v?(\S+)"),
        pipelines=True,
    ),
    "siege": Client(
        command=_siege,
        read=_read_siege,
        install="apt-get install siege",
        version=("--version", r"SIEGE (\S+)"),
        files={"siegerc": _SIEGERC},
    ),
}
