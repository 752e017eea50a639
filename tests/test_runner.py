"""A run is a preflight, a warm-up, the firing and the sum; whoever watches hears of it and reaches nothing."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Self

import msgspec
import pytest

from cannon.errors import Fault, InvalidRun
from cannon.pace import Pace
from cannon.plan import Limits, Plan, Stop, Warmup
from cannon.profile import Constant
from cannon.progress import Phase, Progress, SoFar
from cannon.result import Result
from cannon.runner import Interrupt, run
from cannon.series import SeriesRow
from cannon.shard import Shard
from cannon.tally import Row, Tally
from cannon.target import Target
from tests.schemas import assert_valid
from tests.servers.ports import reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

SECOND_NS = 1_000_000_000


def _plan(url: str, **settings: object) -> Plan:
    plan = Plan(targets=(Target.parse(url),), connections=3, stop=Stop(duration_ns=SECOND_NS // 4))
    return msgspec.structs.replace(plan, **settings)


def test_what_the_server_counted_is_sent_and_outside(rude: Rude) -> None:
    result = run(_plan(rude.url("/ok"), warmup=Warmup(Stop(amount=30)), workers=2))
    assert (result.outside.preflight, result.outside.warmup) == (1, 30)
    assert result.requests.in_flight == 0
    assert rude.requests == result.requests.sent + 31
    assert [worker.state for worker in result.workers] == ["ended", "ended"]
    assert sum(worker.sent for worker in result.workers) == result.requests.sent
    assert_valid(result.to_json())


def test_the_window_is_measured_and_the_series_adds_up(rude: Rude) -> None:
    heard: list[SeriesRow] = []
    result = run(_plan(rude.url("/ok"), sample_ns=SECOND_NS // 10), rows=heard.append)
    assert 0.25 <= result.duration_s < 5
    assert heard == result.series
    assert sum(row.window_s for row in result.series) == pytest.approx(result.duration_s)
    assert result.series[-1].t_s == pytest.approx(result.duration_s, abs=1e-5)
    assert result.requests.per_s == pytest.approx(sum(row.requests for row in heard) / result.duration_s)


def test_progress_is_told_phase_by_phase(rude: Rude) -> None:
    heard: list[Progress] = []
    run(_plan(rude.url("/ok"), warmup=Warmup(Stop(amount=3)), stop=Stop(amount=5)), watch=heard.append)
    assert list(dict.fromkeys(progress.phase for progress in heard)) == [
        Phase.PREFLIGHT,
        Phase.WARMUP,
        Phase.FIRE,
    ]
    assert (heard[-1].amount, heard[-1].completed, heard[-1].duration_s) == (5, 5, None)


def test_an_interrupt_ends_the_run_early_with_all_that_was_measured(rude: Rude) -> None:
    with closing(Interrupt()) as interrupt:
        fired = threading.Event()

        def watch(progress: Progress) -> None:
            if progress.completed and not fired.is_set():
                fired.set()
                interrupt.stop("SIGINT")

        plan = _plan(rude.url("/ok"), stop=Stop(duration_ns=60 * SECOND_NS), sample_ns=SECOND_NS // 20)
        result = run(plan, watch=watch, interrupt=interrupt)
    assert (result.interrupted, result.exit_code) == ("SIGINT", 130)
    assert result.duration_s < 10
    assert result.requests.completed > 0
    assert rude.requests == result.requests.sent + 1


def test_an_interrupt_before_the_firing_leaves_a_result_without_figures(rude: Rude) -> None:
    with closing(Interrupt()) as interrupt:
        interrupt.stop("SIGTERM")
        result = run(_plan(rude.url("/ok")), interrupt=interrupt)
    assert (result.requests.sent, result.latency_ms.p50, result.exit_code) == (0, None, 143)
    assert_valid(result.to_json())


def test_an_interrupt_during_the_preflight_leaves_a_result_too(rude: Rude) -> None:
    with closing(Interrupt()) as interrupt:

        def watch(progress: Progress) -> None:
            if progress.phase is Phase.PREFLIGHT:
                interrupt.stop("SIGINT")

        result = run(_plan(rude.url("/stall"), timeout_ns=SECOND_NS // 5), watch=watch, interrupt=interrupt)
    assert (result.requests.sent, result.exit_code) == (0, 130)


class Fleet:
    """Two workers that tell of one error every tick, until somebody stops them: how often is in `stops`."""

    stops = 0
    lost: Mapping[int, str] = {}
    pids = (1, 2)
    began_ns = None

    def __init__(self, shards: tuple[Shard, ...]) -> None:
        self.tick_ns = shards[0].plan.tick_ns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing was started."""

    def fire(self, control: int) -> Iterator[tuple[int, Tally | None]]:
        """Each of them in turn, no more than a hundred times."""
        for turn in range(100):
            yield turn % 2, Tally(sent=1, errors={Fault.RESET: 1}, row=Row(window_ns=self.tick_ns, failed=1))
            if select.select([control], [], [], 0)[0]:
                Fleet.stops = len(os.read(control, 16))
                break
        yield 0, None
        yield 1, None


def test_the_fleet_is_stopped_at_once_when_its_errors_are_enough_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cannon.runner.Processes", Fleet)
    result = run(_plan("http://127.0.0.1:1/", preflight=False, workers=2, limits=Limits(bailout=5)))
    assert (result.requests.failed, Fleet.stops) == (5, 2)
    assert result.validity.reasons[0] == "the run ended after 5 errors (-B 5)"
    assert (result.interrupted, result.exit_code) == (None, 3)


def _ending(monkeypatch: pytest.MonkeyPatch, *, after: int, **settings: object) -> tuple[Result, list[SoFar]]:
    """A run of the fleet that is enough once it has told so often, and what was asked."""
    monkeypatch.setattr("cannon.runner.Processes", Fleet)
    asked: list[SoFar] = []

    def is_enough(so_far: SoFar) -> bool:
        asked.append(so_far)
        return len(asked) == after

    with closing(Interrupt()) as interrupt:
        interrupt.is_enough = is_enough
        plan = _plan("http://127.0.0.1:1/", preflight=False, workers=2, **settings)
        return run(plan, interrupt=interrupt), asked


def test_a_run_that_is_enough_ends_as_at_the_end_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    result, asked = _ending(monkeypatch, after=3)
    assert Fleet.stops == 1, "once: what is in flight is read"
    assert [sum(tally.failed for tally in so_far.sums) for so_far in asked] == [1, 2, 3]
    assert (result.requests.failed, result.interrupted) == (3, None)


def test_a_warm_up_is_not_asked_whether_it_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    warmup = Warmup(Stop(amount=30), connections=2)
    result, asked = _ending(monkeypatch, after=1, warmup=warmup)
    assert [so_far.plan.warmup for so_far in asked] == [warmup], "the warm-up's own plan has none"
    assert result.outside.warmup == 100


def test_a_run_that_is_ended_otherwise_is_not_asked_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    _, asked = _ending(monkeypatch, after=0, limits=Limits(bailout=2))
    assert len(asked) == 1


def test_somebody_who_interrupted_is_not_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cannon.runner.Processes", Fleet)
    with closing(Interrupt()) as interrupt:
        interrupt.is_enough = lambda so_far: True
        plan = _plan("http://127.0.0.1:1/", preflight=False, workers=2)
        # Told before the first of them has begun.
        result = run(plan, watch=lambda progress: _once(interrupt), interrupt=interrupt)
    assert (Fleet.stops, result.interrupted) == (1, "SIGINT"), "a second word would have ended the drain"


def _once(interrupt: Interrupt) -> None:
    if interrupt.reason is None:
        interrupt.stop("SIGINT")


def test_an_amount_that_is_enough_before_it_was_sent_is_no_flaw(rude: Rude) -> None:
    with closing(Interrupt()) as interrupt:
        interrupt.is_enough = lambda so_far: so_far.sums[0].completed > 0
        plan = _plan(
            rude.url("/slow/20"),
            connections=1,
            stop=Stop(amount=10_000),
            pace=Pace(Constant(500.0)),
            sample_ns=SECOND_NS // 20,
        )
        result = run(plan, interrupt=interrupt)
    assert result.requests.never_sent > 0
    assert (result.requests.in_flight, result.interrupted) == (0, None)
    assert not any("never sent" in reason for reason in result.validity.reasons)


def test_errors_of_several_workers_end_the_run_together(rude: Rude) -> None:
    plan = _plan(
        rude.url("/status/500"),
        expect_body=b"another",
        workers=2,
        connections=2,
        stop=Stop(duration_ns=60 * SECOND_NS),
        limits=Limits(bailout=2_000),
    )
    result = run(plan)
    assert result.duration_s < 10
    assert result.requests.mismatched >= 2_000
    assert (result.validity.verdict, result.exit_code, result.interrupted) == ("invalid", 3, None)
    assert result.validity.reasons[0].startswith("the run ended after 2,000 errors (-B 2000)")
    assert [worker.state for worker in result.workers] == ["ended", "ended"]


def test_each_url_has_its_share(rude: Rude) -> None:
    targets = (Target.parse(rude.url("/ok")), Target.parse(rude.url("/status/404")))
    result = run(_plan(rude.url("/ok"), targets=targets, connections=4, workers=2, stop=Stop(amount=40)))
    assert [(each.name, each.status) for each in result.targets] == [
        ("/ok", {"200": 20}),
        ("/status/404", {"404": 20}),
    ]
    assert sum(each.latency_ms.count for each in result.targets) == result.latency_ms.count


def test_a_log_on_a_full_disk_is_told_and_costs_no_figure(rude: Rude) -> None:
    result = run(_plan(rude.url("/ok"), stop=Stop(amount=9), log="/dev/full"))
    assert result.requests.completed == 9
    assert result.validity.reasons == ["the log of latencies could not be written whole"]


def test_cpu_is_told_of_the_run_alone(rude: Rude) -> None:
    result = run(_plan(rude.url("/ok"), stop=Stop(amount=50)))
    assert result.client.busy is not None
    assert 0 < result.client.busy <= 1
    assert result.client.cpu_s > 0


def test_nothing_to_fire_at_is_an_error_before_anything_is_fired() -> None:
    with reserved_port() as port, pytest.raises(InvalidRun, match="Connection refused"):
        run(_plan(f"http://127.0.0.1:{port}/"))


def test_a_server_error_is_a_note(rude: Rude) -> None:
    notes: list[str] = []
    result = run(_plan(rude.url("/status/500"), stop=Stop(amount=3)), note=notes.append)
    assert any("status 500" in note for note in notes)
    assert (result.validity.verdict, result.exit_code) == ("invalid", 3)
    assert result.validity.reasons == ["no request succeeded"]
