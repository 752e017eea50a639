"""A server that stops for a while cannot hide the wait: under a rate, response times are those of the schedule.

Requests are due all the time. Of a stall of length S that takes half of the run, whoever was due u after its begin
waits S - u: so half of all response times lie evenly between 0 and S, and p75, p90 and p99 are 0.5 S, 0.8 S and 0.98 S.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from cannon.pace import Pace
from cannon.profile import Constant
from cannon.tally import Tally
from tests.firing import conserved, fire_at
from tests.servers.real import Nginx

STALL_S = 0.8
RATE_PER_S = 250.0


@pytest.fixture
def nginx() -> Iterator[Nginx]:
    """A server whose processes can be stopped, all at once."""
    with Nginx() as server:
        yield server


class _Stall(threading.Thread):
    """Stops a group of processes after `after_s` for STALL_S; `length_ns` is how long it was."""

    def __init__(self, pid: int, after_s: float) -> None:
        super().__init__(daemon=True)
        self.length_ns = 0
        self._pid = pid
        self._after_s = after_s

    def run(self) -> None:
        time.sleep(self._after_s)
        began_ns = time.monotonic_ns()
        os.killpg(self._pid, signal.SIGSTOP)
        time.sleep(STALL_S)
        self.length_ns = time.monotonic_ns() - began_ns
        os.killpg(self._pid, signal.SIGCONT)


def _fired_through_a_stall(nginx: Nginx, pace: Pace | None) -> tuple[Tally, int]:
    stall = _Stall(nginx.process_id, STALL_S / 2)
    stall.start()
    try:
        tally = fire_at(nginx.url("/"), duration_s=2 * STALL_S, connections=4, pace=pace)
    finally:
        stall.join()
    assert conserved(tally) and stall.length_ns
    return tally, stall.length_ns


def test_response_times_of_a_stall_are_those_of_the_schedule(nginx: Nginx) -> None:
    tally, length_ns = _fired_through_a_stall(nginx, Pace(Constant(RATE_PER_S)))
    assert tally.sent + tally.never_sent == round(2 * STALL_S * RATE_PER_S)
    found = tally.response.percentiles_ns((75, 90, 99))
    for found_ns, share in zip(found, (0.5, 0.8, 0.98), strict=True):
        assert found_ns is not None
        # Of the stall: five hundredths for a machine that is busy with other tests.
        assert found_ns / length_ns == pytest.approx(share, abs=0.05)


def test_service_times_of_the_same_show_one_slow_request_on_each_connection(nginx: Nginx) -> None:
    tally, length_ns = _fired_through_a_stall(nginx, Pace(Constant(RATE_PER_S)))
    slow = sum(count for unit, count in tally.service.counts.items() if unit << 6 > length_ns * 0.5)
    assert 1 <= slow <= 4


def test_the_closed_loop_asks_a_stalled_server_less_often(nginx: Nginx) -> None:
    tally, length_ns = _fired_through_a_stall(nginx, None)
    p99_ns = tally.service.percentile_ns(99)
    assert p99_ns is not None and p99_ns < length_ns * 0.1
    assert not tally.response.counts
