"""Law 4: where a shard is fired changes nothing; and nothing of a fleet is left behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from cannon.fleets.inline import fire_inline
from cannon.fleets.processes import Processes
from cannon.plan import Engine, Plan, Stop, Target
from cannon.runner import Interrupt
from cannon.shard import split
from cannon.tally import Tally

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
        assert workers.lost == set()
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
        assert workers.lost == {0}
    assert told[0] < told[1]


def test_a_stop_ends_every_worker_long_before_the_plan_does() -> None:
    long = msgspec.structs.replace(
        PLAN, engine=Engine.NATIVE, stop=Stop(duration_ns=60_000_000_000), targets=(_nowhere(),)
    )
    with closing(Interrupt()) as interrupt, Processes(split(long, 2)) as workers:
        interrupt.stop("SIGINT")
        total = sum((tally for _, tally in workers.fire(interrupt.fileno()) if tally is not None), Tally())
    assert total.row.window_ns < 2 * 5_000_000_000
    assert workers.lost == set()


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
    assert workers.lost == {0}


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
    assert workers.lost == set()


def test_leaving_early_leaves_no_process_behind() -> None:
    long = msgspec.structs.replace(
        PLAN, engine=Engine.NATIVE, stop=Stop(duration_ns=60_000_000_000), targets=(_nowhere(),)
    )
    with Processes(split(long, 2)) as workers:
        pids = workers.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def _nowhere() -> Target:
    """A target that refuses: nobody listens on port 1 of the loopback interface."""
    from cannon.preflight import resolve

    return resolve(Target.parse("http://127.0.0.1:1/"))
