"""Law 4: where a shard is fired changes nothing; and nothing of a fleet is left behind."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from cannon.errors import InvalidRun
from cannon.fleets import patience
from cannon.fleets.inline import fire_inline
from cannon.fleets.processes import Processes
from cannon.plan import Engine, Plan, Stop
from cannon.runner import Interrupt
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target

PLAN = Plan(
    targets=(Target.parse("http://host/"),),
    engine=Engine.SCRIPTED,
    connections=7,
    stop=Stop(duration_ns=3_300_000_000),
    script_ns=(7_000_000, 90_000_000, 1_250_000_000),
)


def _by_shard(told: list[tuple[int, Tally | None]]) -> dict[int, list[Tally]]:
    shards: dict[int, list[Tally]] = {}
    for index, tally in told:
        if tally is not None:
            shards.setdefault(index, []).append(tally)
    return shards


@pytest.mark.parametrize("count", [1, 2])
def test_worker_processes_tell_what_this_process_tells(count: int) -> None:
    shards = split(PLAN, count)
    with Processes(shards) as workers:
        told = list(workers.fire())
        assert workers.lost == {}
    assert _by_shard(told) == _by_shard(list(fire_inline(shards)))


def test_each_worker_says_that_it_has_ended() -> None:
    with Processes(split(PLAN, 2)) as workers:
        ended = [index for index, tally in workers.fire() if tally is None]
    assert sorted(ended) == [0, 1]


def test_a_killed_worker_is_named_and_the_other_goes_on() -> None:
    slow = msgspec.structs.replace(
        PLAN, engine=Engine.NATIVE, stop=Stop(duration_ns=1_500_000_000), targets=(_nowhere(),)
    )
    with Processes(split(slow, 2)) as workers:
        told: dict[int, int] = {0: 0, 1: 0}
        for index, tally in workers.fire():
            if tally is not None and index == 0 and told[0] == 0:
                os.kill(workers.pids[0], signal.SIGKILL)
            if tally is not None:
                told[index] += 1
        assert workers.lost == {0: "killed by SIGKILL"}
    assert told[0] < told[1]


def test_a_stop_ends_every_worker_long_before_the_plan_does() -> None:
    long = msgspec.structs.replace(
        PLAN, engine=Engine.NATIVE, stop=Stop(duration_ns=60_000_000_000), targets=(_nowhere(),)
    )
    total = Tally()
    with closing(Interrupt()) as interrupt, Processes(split(long, 2)) as workers:
        for _, tally in workers.fire(interrupt.fileno()):
            if total == Tally():
                interrupt.stop("SIGINT")
            total += tally or Tally()
    assert 0 < total.row.window_ns < 2 * 5_000_000_000
    assert workers.lost == {}


def test_a_worker_that_is_stopped_like_a_job_is_killed_and_lost_after_the_second_stop() -> None:
    long = msgspec.structs.replace(
        PLAN, engine=Engine.NATIVE, stop=Stop(duration_ns=60_000_000_000), targets=(_nowhere(),)
    )
    with closing(Interrupt()) as interrupt, Processes(split(long, 2)) as workers:
        os.kill(workers.pids[0], signal.SIGSTOP)
        interrupt.stop("SIGINT")
        interrupt.stop("SIGINT")
        began_s = time.monotonic()
        ended = [index for index, tally in workers.fire(interrupt.fileno()) if tally is None]
        assert time.monotonic() - began_s < 10
    assert sorted(ended) == [0, 1]
    assert workers.lost == {0: "hung, and was killed"}


def test_a_stop_before_the_start_fires_nothing() -> None:
    with closing(Interrupt()) as interrupt, Processes(split(_firing(), 2)) as workers:
        interrupt.stop("SIGINT")
        told = list(workers.fire(interrupt.fileno()))
    assert sorted(told) == [(0, None), (1, None)]
    assert (workers.lost, workers.began_ns) == ({}, None)


def test_workers_begin_together_however_long_each_took_to_start() -> None:
    told_s = {0: 0.0, 1: 0.0}
    began_s = {0: math.inf, 1: math.inf}
    with Processes(split(_firing(duration_s=0.2, sample_s=0.05), 2)) as workers:
        os.kill(workers.pids[0], signal.SIGSTOP)
        late = threading.Timer(0.5, os.kill, (workers.pids[0], signal.SIGCONT))
        late.start()
        for index, tally in workers.fire():
            if tally is not None and tally.row.window_ns:
                told_s[index] += tally.row.window_ns / 1e9
                # What is heard late says too late a time.
                began_s[index] = min(began_s[index], time.monotonic() - told_s[index])
        late.join()
    assert abs(began_s[0] - began_s[1]) < 0.25
    assert workers.lost == {}


def test_a_worker_that_dies_before_it_is_ready_keeps_nobody_from_beginning() -> None:
    with Processes(split(_firing(duration_s=0.1), 2)) as workers:
        os.kill(workers.pids[0], signal.SIGKILL)
        told = _by_shard(list(workers.fire()))
    assert workers.lost == {0: "killed by SIGKILL"}
    assert sum(told[1], Tally()).row.window_ns >= 100_000_000
    assert 0 not in told


def test_a_worker_that_never_becomes_ready_is_killed_and_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_START_WITHIN_S", 0.2)
    with Processes(split(_firing(), 1)) as workers:
        os.kill(workers.pids[0], signal.SIGSTOP)
        assert list(workers.fire()) == [(0, None)]
    assert workers.lost == {0: "hung, and was killed"}


def test_a_worker_that_never_goes_on_costs_the_others_a_moment_and_no_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "_SILENT_S", 0.5)
    told: dict[int, Tally] = {0: Tally(), 1: Tally()}
    with Processes(split(_firing(duration_s=0.6, sample_s=0.1, drain_s=0), 2)) as workers:
        for index, tally in workers.fire():
            if index == 0 and told[0] == Tally():
                os.kill(workers.pids[0], signal.SIGSTOP)
            told[index] += tally or Tally()
    assert workers.lost == {0: "hung, and was killed"}
    assert told[1].row.window_ns >= 600_000_000


def test_a_run_of_an_amount_does_not_wait_for_ever_for_a_worker_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "_SILENT_S", 0.3)
    plan = msgspec.structs.replace(_firing(sample_s=0.1, drain_s=0), stop=Stop(amount=100))
    with Processes(split(plan, 1)) as workers:
        for _, tally in workers.fire():
            if tally is not None:
                os.kill(workers.pids[0], signal.SIGSTOP)
    assert workers.lost == {0: "hung, and was killed"}


def test_a_worker_that_cannot_be_started_is_one_line_and_leaves_no_other_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with (
        pytest.raises(InvalidRun, match="worker 0 cannot be started: No such file"),
        Processes(split(PLAN, 2)),
    ):
        pass


def test_what_lies_in_the_current_folder_is_none_of_a_workers_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "httptools.py").write_text("raise SystemExit('a stranger was imported')")
    monkeypatch.chdir(tmp_path)
    once = msgspec.structs.replace(
        PLAN, engine=Engine.NATIVE, stop=Stop(duration_ns=10_000_000), targets=(_nowhere(),)
    )
    with Processes(split(once, 1)) as workers:
        assert [index for index, tally in workers.fire() if tally is None] == [0]
    assert workers.lost == {}


def test_leaving_early_leaves_no_process_behind() -> None:
    long = msgspec.structs.replace(
        PLAN, engine=Engine.NATIVE, stop=Stop(duration_ns=60_000_000_000), targets=(_nowhere(),)
    )
    with Processes(split(long, 2)) as workers:
        pids = workers.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def _firing(duration_s: float = 60.0, sample_s: float = 1.0, drain_s: float = 2.0) -> Plan:
    """A plan whose dials are refused."""
    return msgspec.structs.replace(
        PLAN,
        engine=Engine.NATIVE,
        stop=Stop(duration_ns=round(duration_s * 1e9)),
        sample_ns=round(sample_s * 1e9),
        drain_ns=round(drain_s * 1e9),
        targets=(_nowhere(),),
    )


def _nowhere() -> Target:
    """A target that refuses: nobody listens on port 1 of the loopback interface."""
    from cannon.preflight import resolve

    return resolve(Target.parse("http://127.0.0.1:1/"))
