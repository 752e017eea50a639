"""Law 10: memory does not grow with the number of requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from cannon.fleets.processes import Processes
from cannon.plan import Plan, Stop
from cannon.preflight import resolved
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from tests.servers.real import Nginx

MEBIBYTE = 1 << 20


def _resident_bytes(pid: int) -> int:
    """What a process holds in memory, by proc(5)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the worker has gone")


@pytest.mark.timeout(150)
@pytest.mark.parametrize("duration_s", [3, pytest.param(60, marks=pytest.mark.soak)])
def test_a_worker_at_full_speed_stays_small_and_does_not_grow(duration_s: int) -> None:
    total = Tally()
    resident_bytes: list[int] = []
    with Nginx() as nginx:
        plan = Plan(targets=(Target.parse(nginx.url()),), stop=Stop(duration_ns=duration_s * 1_000_000_000))
        with Processes(split(resolved(plan), 1)) as workers:
            for _, tally in workers.fire():
                total += tally or Tally()
                # A Tally comes once a second; the one of the drain is told when the worker may be gone.
                if tally is not None and tally.row.window_ns and len(resident_bytes) < duration_s - 1:
                    resident_bytes.append(_resident_bytes(workers.pids[0]))
    assert total.completed > 1_000 * duration_s
    assert max(resident_bytes) <= 50 * MEBIBYTE
    assert resident_bytes[-1] - resident_bytes[0] < MEBIBYTE
