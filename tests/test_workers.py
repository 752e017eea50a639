"""Several workers, fired as a user fires, and what becomes of a run whose processes are stopped or killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cannon.result import Result
from tests.firing import result_of, run_cli, start_cli
from tests.servers.real import Nginx
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

UNDER_WAY = 20
LIMIT_S = 20.0


class Run:
    """`python -m cannon -j -w 2` under way; its workers have been asked for."""

    def __init__(self, process: subprocess.Popen[str], server: Rude) -> None:
        self.process = process
        self.server = server
        self.told = ""
        self.more(UNDER_WAY)
        self.workers = [child.pid for child in psutil.Process(process.pid).children()]
        assert len(self.workers) == 2

    def more(self, requests: int) -> None:
        """Wait until the server has had so many more requests."""
        wanted = self.server.requests + requests
        self.server.wait_for(lambda seen: seen.requests >= wanted)

    def result(self) -> Result:
        """What was found, at its end."""
        out, self.told = self.process.communicate(timeout=LIMIT_S)
        assert out.startswith("{"), f"exit {self.process.returncode}, no result: {self.told}"
        return Result.from_json(out.encode())


@contextmanager
def under_way(server: Rude, duration: str, *options: str) -> Iterator[Run]:
    """A run of two workers that has sent something."""
    words = ["-j", "-w", "2", "-c", "4", "-L", "100", "-d", duration, "--drain", "500ms", *options]
    with start_cli(*words, server.url("/ok")) as process:
        try:
            yield Run(process, server)
        finally:
            process.kill()


def balanced(result: Result) -> bool:
    requests = result.requests
    return requests.sent == requests.completed + requests.failed + requests.in_flight


def test_connections_and_amounts_are_divided_and_none_is_lost_in_the_division() -> None:
    with Nginx() as nginx:
        process = run_cli("-j", "-w", "3", "-c", "7", "-a", "100", nginx.url())
        result = result_of(process)
        assert nginx.statuses() == {200: 100 + result.outside.preflight}
    assert process.returncode == 0
    assert (result.requests.completed, result.connects.made) == (100, 7)
    assert [worker.sent for worker in result.workers] == [34, 33, 33]
    assert [worker.state for worker in result.workers] == ["ended"] * 3


def test_rows_of_several_workers_add_up_to_the_run() -> None:
    with Nginx() as nginx:
        result = result_of(run_cli("-j", "-w", "2", "-c", "4", "-d", "500ms", "-L", "100", nginx.url()))
        assert nginx.count() == result.requests.sent + result.outside.preflight
    assert 0.5 <= result.duration_s < 5
    assert sum(row.window_s for row in result.series) == pytest.approx(result.duration_s, abs=0.3)
    assert result.requests.per_s == pytest.approx(
        sum(row.requests for row in result.series) / result.duration_s
    )


def test_more_workers_than_connections_is_one_line_and_nothing_is_sent(rude: Rude) -> None:
    process = run_cli("-w", "3", "-c", "2", rude.url("/ok"))
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "cannon: -w 3 workers need a connection each; give -c 3 or more\n"
    assert rude.requests == 0


def test_a_killed_worker_costs_what_it_had_not_told_and_is_named(rude: Rude, tmp_path: Path) -> None:
    report = tmp_path / "result.json"
    with under_way(rude, "1200ms", "-o", str(report)) as run:
        victim = run.workers[1]
        os.kill(victim, signal.SIGKILL)
        result = run.result()
    assert run.process.returncode == 3
    assert [worker.state for worker in result.workers] == ["ended", "lost"]
    assert result.validity.verdict == "invalid"
    assert "cannon: worker 1 was lost\n" in run.told, "at once, and in short"
    named = f"worker 1 (pid {victim}) was lost, killed by SIGKILL"
    assert any(reason.startswith(named) for reason in result.validity.reasons)
    assert result.duration_s >= 1.2, "the other goes on"
    assert 0 < result.requests.sent + result.outside.preflight <= rude.requests
    assert balanced(result)
    assert Result.from_json(report.read_bytes()) == result


def test_a_run_whose_workers_are_all_killed_ends_and_is_reported(rude: Rude) -> None:
    with under_way(rude, "60") as run:
        for pid in run.workers:
            os.kill(pid, signal.SIGKILL)
        result = run.result()
    assert run.process.returncode == 3
    assert [worker.state for worker in result.workers] == ["lost", "lost"]
    assert result.requests.sent + result.outside.preflight <= rude.requests
    assert balanced(result)


def test_workers_end_with_a_parent_that_is_killed(rude: Rude) -> None:
    with under_way(rude, "60") as run:
        watched = [os.pidfd_open(pid) for pid in run.workers]
        began_s = time.monotonic()
        run.process.kill()
        for descriptor in watched:
            ready, _, _ = select.select([descriptor], [], [], LIMIT_S)
            os.close(descriptor)
            assert ready
        took_s = time.monotonic() - began_s
    # 5 ms on an idle machine.
    assert took_s < 1


def test_a_parent_that_is_stopped_like_a_job_holds_up_no_worker(rude: Rude) -> None:
    with under_way(rude, "1200ms") as run:
        run.process.send_signal(signal.SIGSTOP)
        run.more(UNDER_WAY)
        run.process.send_signal(signal.SIGCONT)
        result = run.result()
    assert run.process.returncode == 0
    assert rude.requests == result.requests.sent + result.outside.preflight
    assert result.requests.in_flight == 0


def test_a_worker_that_was_stopped_for_a_while_adds_up_and_its_gap_is_told(rude: Rude) -> None:
    with under_way(rude, "2500ms") as run:
        os.kill(run.workers[0], signal.SIGSTOP)
        time.sleep(0.5)  # how long it is stopped; nothing is waited for
        os.kill(run.workers[0], signal.SIGCONT)
        result = run.result()
    assert rude.requests == result.requests.sent + result.outside.preflight
    assert [worker.state for worker in result.workers] == ["ended", "ended"]
    assert balanced(result)
    assert result.client.longest_pause_ms > 350
    assert sum(row.window_s for row in result.series) == pytest.approx(result.duration_s, abs=0.3)
