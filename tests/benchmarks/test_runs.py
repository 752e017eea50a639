from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import runs
from clients import CLIENTS, Client, Fault, Load
from runs import Run, doubts, measure
from targets import Target, nginx

RUN = Run(requests=1_000, per_s=500.0, cpu_s=0.02, seen=1_000, accepted=10)


def test_a_run_costs_the_cpu_of_its_tree_for_each_request() -> None:
    assert RUN.cpu_us == pytest.approx(20)


def _load(connections: int, pipelining: int = 1) -> Load:
    return Load("http://127.0.0.1/", 1, connections, Path(), pipelining=pipelining)


@pytest.mark.parametrize("seen", [1_000, 1_010, 1_011])
def test_requests_in_flight_at_the_end_and_a_preflight_are_no_doubt(seen: int) -> None:
    assert doubts(replace(RUN, seen=seen), _load(10), off_clock=1) == []
    assert doubts(replace(RUN, seen=seen, accepted=2), _load(2, pipelining=5), off_clock=1) == []


@pytest.mark.parametrize("seen", [999, 1_012])
def test_a_client_that_counts_otherwise_than_nginx_is_named(seen: int) -> None:
    for load in (_load(10), _load(2, pipelining=5)):
        (doubt,) = doubts(replace(RUN, seen=seen, accepted=2), load, off_clock=1)
        assert f"nginx {seen:,}" in doubt


def test_a_client_that_opens_more_connections_than_asked_is_named() -> None:
    assert doubts(replace(RUN, accepted=11), _load(10), off_clock=0) == []
    assert doubts(replace(RUN, accepted=12), _load(10), off_clock=0) == ["opened 12 connections"]


CORE = min(os.sched_getaffinity(0))

# Asks twice, says that it asked once, and takes a tenth of a second of CPU in a child that it waits for.
CLIENT = """
import subprocess, sys, urllib.request
for _ in range(2):
    urllib.request.urlopen(sys.argv[1]).read()
subprocess.run([sys.executable, "-Sc", "import time\\nwhile time.process_time() < 0.1: pass"], check=True)
print("1 requests in 1s\\nRequests/sec: 1.5")
"""


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with nginx(core=CORE, schemes=["http"], connections=64) as running:
        yield running


def _measure(target: Target, program: str, option: str, code: str) -> Run:
    """Run a program that stands in for wrk."""
    load = Load(target.url("http", "plain"), seconds=1, connections=1, folder=target.folder)
    client: Client = replace(CLIENTS["wrk"], command=lambda load: [option, code, load.url])
    return measure(client, (program,), load, target, CORE)


def test_a_run_is_what_the_client_says_what_its_tree_cost_and_what_nginx_saw(target: Target) -> None:
    run = _measure(target, sys.executable, "-c", CLIENT)
    assert (run.requests, run.per_s) == (1, 1.5)
    assert (run.seen, run.accepted) == (2, 2)
    assert run.cpu_s > 0.1


def test_a_client_that_ends_with_an_error_says_which(target: Target) -> None:
    with pytest.raises(Fault, match="exit code 3: no such thing"):
        _measure(target, "sh", "-c", "echo more; echo no such thing >&2; exit 3")


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_whose_output_cannot_be_read_says_so(target: Target, name: str) -> None:
    load = Load(target.url("http", "plain"), seconds=1, connections=1, folder=target.folder)
    client = replace(CLIENTS[name], command=lambda load: ["-c", "echo half a line"])
    with pytest.raises(Fault, match="half a line"):
        measure(client, ("sh",), load, target, CORE)


def test_a_client_that_hangs_is_ended(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SPARE_S", -1.0)
    with pytest.raises(Fault, match="did not end"):
        _measure(target, "sh", "-c", "sleep 60 & wait")
