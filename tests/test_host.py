"""The machine: a fingerprint, and what it took from a run; None where it does not say."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon import host
from cannon.host import CpuTimes


def test_the_fingerprint_is_the_same_twice_and_says_everything() -> None:
    found = host.this_host()
    assert found == host.this_host()
    assert found.cpu
    assert found.cores >= 1
    assert " " in found.kernel
    assert found.hostname


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor\t: 0\nmodel name\t: Xeon: 2\nprocessor\t: 1\nmodel name\t: Other\n", "Xeon: 2"),
        ("processor : 0\nBogoMIPS : 48.00\n", None),
        ("model name\t:\n", None),
        ("", None),
    ],
)
def test_the_cpu_is_the_first_model_named(cpuinfo: str, expected: str | None) -> None:
    assert host._cpu_model(cpuinfo) == expected


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        (CpuTimes(200.0, 5.0), CpuTimes(100.0, 0.0), 0.05),
        (CpuTimes(200.0, 0.0), CpuTimes(100.0, 0.0), 0.0),
        (CpuTimes(100.0, 0.0), CpuTimes(100.0, 0.0), None),
        (CpuTimes(200.0, None), CpuTimes(100.0, None), None),
        (CpuTimes(200.0, 1.0), CpuTimes(100.0, 2.0), 0.0),
    ],
)
def test_steal_is_a_share_of_the_time_between_two_readings(
    now: CpuTimes, earlier: CpuTimes, expected: float | None
) -> None:
    assert now.steal_since(earlier) == expected


def test_the_machine_has_used_its_cpus_since_it_started() -> None:
    assert host.cpu_times().total_s > 0


@pytest.mark.parametrize(
    ("schedstat", "expected_ns"),
    [
        ("9855793 1234 2\n", 1234),
        ("0 0 0\n", 0),
        ("", None),
        ("1 2\n", None),
        ("1 -2 3\n", None),
        ("a b c\n", None),
    ],
)
def test_the_run_delay_is_the_second_field(schedstat: str, expected_ns: int | None) -> None:
    assert host._run_delay_ns(schedstat) == expected_ns


def test_the_run_delay_never_goes_back() -> None:
    first, second = host.run_delay_ns(), host.run_delay_ns()
    assert first is not None
    assert second is not None
    assert 0 <= first <= second


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert host._text_of(tmp_path / "schedstat") == ""


def test_cpu_time_grows_with_work() -> None:
    began_ns = host.cpu_ns()
    until_ns = time.monotonic_ns() + 5_000_000_000
    while host.cpu_ns() == began_ns and time.monotonic_ns() < until_ns:
        sum(range(1000))
    assert host.cpu_ns() > began_ns


@pytest.mark.parametrize(
    ("needed", "soft", "hard", "expected"),
    [
        (100, 1024, 4096, None),
        (1024, 1024, 4096, None),
        (1025, 1024, 4096, 1025),
        (4096, 1024, 4096, 4096),
        (10**6, None, None, None),
        (10**6, 1024, None, 10**6),
    ],
)
def test_the_limit_is_raised_to_what_is_needed_and_no_further(
    needed: int, soft: int | None, hard: int | None, expected: int | None
) -> None:
    assert host._soft_limit(needed, soft, hard) == expected


@given(st.integers(1, 10**7), st.integers(1, 10**6))
def test_the_limit_is_never_raised_beyond_the_hard_one(over: int, hard: int) -> None:
    assert host._soft_limit(hard + over, 0, hard) == hard
    assert host._soft_limit(hard + over, hard, hard) is None


def test_a_limit_is_told_as_it_stands() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert host.descriptor_ceiling() == (None if hard == resource.RLIM_INFINITY else hard)


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("192.0.2.1", False),
        ("2001:db8::1", False),
        ("256.0.0.1", False),
    ],
)
def test_an_address_of_this_machine_is_told_from_anothers(ip: str, *, expected: bool) -> None:
    # 192.0.2.0/24 and 2001:db8::/32 are for documentation (RFC 5737, RFC 3849): no machine has them.
    assert host.is_local(ip) is expected


def test_the_limit_of_a_process_really_rises() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 256))\n"
        "from cannon.host import raise_descriptor_limit; raise_descriptor_limit(200)\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=20
    )
    assert ran.stdout == "(200, 256)\n"


def test_where_a_process_listens_is_told_by_its_descendants() -> None:
    script = (
        "import socket; held = []\n"
        "for ip in ('127.0.0.1', '::1', '::ffff:127.0.0.2'):\n"
        "    held.append(socket.socket(socket.AF_INET6 if ':' in ip else socket.AF_INET))\n"
        "    held[-1].bind((ip, 0)); held[-1].listen()\n"
        "bound = socket.socket(); bound.bind(('127.0.0.1', 0))\n"
        "print(*(each.getsockname()[1] for each in held), flush=True); input()"
    )
    with subprocess.Popen(
        ["/bin/sh", "-c", '"$@"; true', "sh", sys.executable, "-S", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as shell:
        assert shell.stdout is not None
        ports = [int(port) for port in shell.stdout.readline().split()]
        found = host.listening(os.getpid())
        shell.communicate(b"\n")
    assert {("127.0.0.1", ports[0]), ("::1", ports[1]), ("127.0.0.2", ports[2])} <= found
    assert host.listening(shell.pid) == frozenset()
