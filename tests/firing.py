"""Firing as a caller of the engine does, in this process, and as a user does, by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cannon
from cannon.engine import fire
from cannon.plan import Plan, Stop
from cannon.preflight import resolve
from cannon.result import Result
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from tests.servers.rude import Rude

__all__ = ["conserved", "counted", "fire_at", "plan_at", "result_of", "run_cli", "start_cli"]

_ROOT = Path(cannon.__file__).resolve().parents[1]
"""Of the cannon that is tested, which need not be the one that stands beside the tests."""
_SECOND_NS = 1_000_000_000


def plan_at(
    *urls: str,
    duration_s: float = 0.2,
    amount: int | None = None,
    connections: int = 1,
    timeout_s: float = 5.0,
    drain_s: float = 2.0,
    **settings: Any,
) -> Plan:
    """A plan whose names are resolved. `settings` are others of a Plan."""
    return Plan(
        targets=tuple(resolve(Target.parse(url)) for url in urls),
        stop=Stop(duration_ns=round(duration_s * _SECOND_NS), amount=amount),
        connections=connections,
        timeout_ns=round(timeout_s * _SECOND_NS),
        drain_ns=round(drain_s * _SECOND_NS),
        preflight=False,
        **settings,
    )


def fire_at(*urls: str, control: int | None = None, workers: int = 1, **settings: Any) -> Tally:
    """Fire at URLs in this process, the shards one after the other, and return the sum of what was told. `settings` are
    those of `plan_at`.
    """
    plan = plan_at(*urls, workers=workers, **settings)
    return sum((tally for shard in split(plan, workers) for tally in fire(shard, control)), Tally())


def conserved(tally: Tally) -> bool:
    """Whether every request that was sent has ended in exactly one count, and every dial too."""
    requests = tally.completed + tally.failed + tally.in_flight
    dials = tally.made + tally.connects_failed + tally.connecting
    return tally.sent == requests and tally.attempted == dials


def counted(server: Rude, tally: Tally) -> bool:
    """Whether the run holds together, and the server was asked what was sent: no more, and no less."""
    server.wait_for(lambda seen: seen.requests >= tally.sent)
    return conserved(tally) and server.requests == tally.sent


def run_cli(*arguments: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    """Run `python -m cannon` with these arguments; its output is captured, its end awaited."""
    return subprocess.run(
        _command(arguments),
        env=_environment(arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def start_cli(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """The same, begun and not awaited. `environment`: what is added to it."""
    return subprocess.Popen(
        _command(arguments),
        env={**_environment(arguments), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "cannon", *arguments]


def _environment(arguments: Sequence[str]) -> dict[str, str]:
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"}
    if not {"compare", "scenario"}.isdisjoint(arguments):
        # It starts a worker for each slot, and to measure the coverage of them all takes longer than they do.
        environment = {
            name: value for name, value in environment.items() if not name.startswith("COVERAGE_PROCESS")
        }
    return environment


def result_of(process: subprocess.CompletedProcess[str]) -> Result:
    """The Result that a run with `-j` printed; AssertionError, with what it said instead, without one."""
    assert process.stdout.startswith("{"), f"exit {process.returncode}, no result: {process.stderr[-2000:]}"
    return Result.from_json(process.stdout.encode())
