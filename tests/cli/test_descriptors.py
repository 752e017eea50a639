"""Descriptors are counted in each process, and a refusal names what would run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon import host
from cannon.cli.descriptors import check_descriptors, needed, refusal
from cannon.cli.options import Options
from cannon.cli.planning import planned
from cannon.errors import UsageError
from cannon.plan import Plan
from cannon.target import Target
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

TARGETS = (Target.parse("http://127.0.0.1:4000/"),)


def said(connections: int, workers: int, allowed: int, cores: int = 2) -> str:
    """What is refused where a process may open so many."""
    return refusal(Plan(targets=TARGETS, connections=connections, workers=workers), allowed, cores)


@pytest.mark.parametrize(
    ("connections", "workers", "expected"),
    [(240, 1, 304), (240, 2, 184), (241, 2, 185), (1, 1, 66), (100, 100, 264)],
)
def test_a_worker_needs_its_share_and_this_process_its_pipes(
    connections: int, workers: int, expected: int
) -> None:
    assert needed(connections, workers) == expected


def test_more_workers_are_advised_where_they_make_it_fit() -> None:
    assert said(400, 1, 300) == (
        "-c 400 takes 464 open files in one process, and this machine allows 300;"
        " give -w 2, or -c 236 or less, or raise the limit in this shell first: ulimit -n 464"
    )
    assert "give -c 236 or less, or raise" in said(40_000, 1, 300)


def test_no_limit_is_advised_that_no_system_gives() -> None:
    assert said(999_999_999, 1, 1_048_576) == (
        "-c 999999999 takes 1,000,000,063 open files in one process, and this machine allows 1,048,576;"
        " give -c 1048512 or less"
    )


def test_workers_with_more_pipes_than_fit_are_refused_by_their_number() -> None:
    assert said(99_999, 99_999, 20_000).startswith("-w 99999 takes 200,062 open files in one process,")
    assert said(99_999, 99_999, 20_000).endswith("; give -w 6")
    assert said(99_999, 99_999, 300).endswith("; give -w 1 with -c 236 or less")
    assert said(99_999, 99_999, 64).endswith("; raise the limit in this shell first: ulimit -n 200062")


@given(st.integers(1, 10**9), st.integers(1, 10**5), st.integers(0, 10**6), st.integers(1, 128))
def test_whatever_is_advised_fits(connections: int, workers: int, allowed: int, cores: int) -> None:
    workers = min(workers, connections)
    if needed(connections, workers) <= allowed:
        return
    text = said(connections, workers, allowed, cores)
    advice = text.partition("; ")[2]
    assert advice
    for way in advice.split(", or "):
        given = {option: int(number) for option, number in re.findall(r"-([cw]) ([0-9]+)", way)}
        if given:
            assert needed(given.get("c", connections), given.get("w", workers)) <= allowed
            assert given.get("w", workers) <= given.get("c", connections) or "w" not in given


def test_a_warm_up_of_more_connections_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "descriptor_ceiling", lambda: 300)
    plan = planned(Options(warmup="[ -c 300 -d 1 ]", connections=1), ["http://127.0.0.1:4000/"]).plan
    with pytest.raises(UsageError, match=r"-W/--warmup: -c 300 takes 364 open files"):
        check_descriptors(plan)


def limited(*words: str) -> subprocess.CompletedProcess[str]:
    """Run in a process that may open 300 files: one of its own, because a hard limit never rises again."""
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))\n"
        f"from cannon.cli import main; sys.exit(main({[*words]!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_run_fits_whose_workers_do(rude: Rude) -> None:
    ran = limited("-j", "-c", "240", "-w", "2", "-a", "240", "--no-preflight", rude.url("/ok"))
    assert ran.returncode == 0, ran.stderr
    assert rude.requests == 240


def test_what_is_refused_is_one_line_without_remarks() -> None:
    ran = limited("-c", "99999", "-w", "99999", "http://127.0.0.1:9/")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "cannon: -w 99999 takes 200,062 open files in one process, and this machine allows 300;"
        " give -w 1 with -c 236 or less\n"
    )
