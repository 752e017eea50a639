"""What a scenario adds to what was measured: the CPU of its services, their numbers, events, its finding."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from cannon import counters
from cannon.comparison import Comparison
from cannon.comparison import schema as comparison_schema
from cannon.counters import Counters
from cannon.errors import InvalidRun
from cannon.filling import values_of
from cannon.plan import Plan
from cannon.progress import Phase, Progress, State
from cannon.result import Result
from cannon.rig import Rig
from cannon.rounds import ComparisonPlan
from cannon.scenario import Scenario
from cannon.scenario_file import read
from cannon.scenario_report import ScenarioReport, SpreadReport
from cannon.staged import Staged
from tests.comparisons import a_comparison, a_comparison_plan
from tests.results import a_plan, a_result
from tests.schemas import assert_valid
from tests.staging import a_service, a_table, written

HAPROXY = a_service("haproxy", counters={"kind": "haproxy", "at": "{dir}/haproxy.sock"})


@dataclass
class Services:
    """In place of a rig: services that have used 2 s of CPU more at each look, and of whom some are gone."""

    gone: dict[str, str] = field(default_factory=dict)
    configurations: dict[str, str] = field(default_factory=dict)
    processes: tuple[tuple[str, int], ...] = (("web", 11), ("haproxy", 12))
    looks: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def cpu_s(self) -> dict[str, float]:
        self.looks += 1
        return {"web": 2.0 * self.looks, "haproxy": 2.0 * self.looks}

    def lost(self) -> dict[str, str]:
        return self.gone

    def stop(self, name: str) -> None:
        self.stopped.set()


@dataclass
class Scene:
    """A scenario whose services are made up; what was noted, and asked of whom."""

    folder: Path
    services: Services = field(default_factory=Services)
    notes: list[str] = field(default_factory=list)
    plans: list[Any] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def scenario(self, **changes: Any) -> Scenario:
        table = a_table(**({"service": [a_service(), HAPROXY]} | changes))
        found = read(written(self.folder, table, "tried.toml"))
        return found.filled(values_of(found, self.folder, {"web": 4001, "haproxy": 4002}))

    def staged(self, **changes: Any) -> Staged:
        return Staged(self.scenario(**changes), cast("Rig", self.services), self.notes.append)

    def compared(self, found: Comparison | None = None, **changes: Any) -> Comparison:
        finding = {"finding": "At {rate}: {haproxy.p50.added}."}

        def compare(plan: ComparisonPlan, **how: Any) -> Comparison:
            self.plans.append(plan)
            self.during()
            return found or a_comparison()

        staged = self.staged(**(finding | changes))
        return cast("Comparison", cast("Any", staged.compare(cast("Any", compare)))(a_comparison_plan()))

    def ran(self, result: Result | None = None, **changes: Any) -> Result:
        def run(plan: Plan, *, watch: Callable[[Progress], None], **how: Any) -> Result:
            self.plans.append(plan)
            watch(Progress(phase=Phase.FIRE, state=State.RUNNING, elapsed_s=9.0))
            self.during()
            return result or a_result()

        staged = self.staged(**({"kind": "run"} | changes))
        heard: list[Progress] = []
        found = cast("Any", staged.run(cast("Any", run)))(a_plan(), watch=heard.append)
        assert len(heard) == 1
        return cast("Result", found)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """One in which each proxy tells of two parts, and answers come from one process."""
    monkeypatch.setattr(
        counters,
        "read",
        lambda kind, at: [Counters(kind, of, {"stot": 7.0}) for of in ("front", Path(at).name)],
    )
    monkeypatch.setattr(
        "cannon.staged.spread_of",
        lambda name, plan, key: SpreadReport(side=name, key=key, asked=2, counts={"11": 2}),
    )
    return Scene(tmp_path)


def report_of(measured: Comparison | Result) -> ScenarioReport:
    assert measured.scenario is not None
    return measured.scenario


def test_the_cpu_of_every_service_is_measured_beside_that_of_the_users_processes(scene: Scene) -> None:
    scene.compared()
    (plan,) = scene.plans
    assert plan.processes == (("web", 11), ("haproxy", 12))
    staged = scene.staged()
    theirs = a_comparison_plan(processes=(("mine", 1),))
    seen: list[ComparisonPlan] = []

    def compare(plan: ComparisonPlan, **how: Any) -> Comparison:
        seen.append(plan)
        return a_comparison()

    cast("Any", staged.compare(cast("Any", compare)))(theirs)
    assert seen[0].processes == (("mine", 1), ("web", 11), ("haproxy", 12))


def test_a_comparison_is_told_with_its_scenario_and_nothing_of_it_is_changed(scene: Scene) -> None:
    found = scene.compared(spread="pid")
    assert msgspec.structs.replace(found, scenario=None) == a_comparison()
    report = report_of(found)
    assert (report.name, report.question) == ("tried", "What does it cost?")
    assert report.finding.startswith("At 3,700/s: 0.")
    assert "{" not in report.finding
    assert [(service.name, service.cpu_s, service.lost) for service in report.services] == [
        ("web", 2.0, None),
        ("haproxy", 2.0, None),
    ]
    assert [(row.service, row.kind, row.of, row.figures) for row in report.counters] == [
        ("haproxy", "haproxy", "front", {"stot": 7.0}),
        ("haproxy", "haproxy", "haproxy.sock", {"stot": 7.0}),
    ]
    assert [(spread.side, spread.key) for spread in report.spread] == [("direct", "pid"), ("haproxy", "pid")]
    assert_valid(found.to_json(), comparison_schema)


def test_a_run_is_told_with_its_scenario_too(scene: Scene) -> None:
    found = scene.ran(spread="pid")
    assert msgspec.structs.replace(found, scenario=None) == a_result()
    report = report_of(found)
    assert report.finding == "1,000/s and 400 µs."
    assert [spread.side for spread in report.spread] == [""]
    assert_valid(found.to_json())


def test_what_was_started_is_told_as_it_was_without_secrets(scene: Scene) -> None:
    scene.services.configurations = {"web": "auth http://u:canary@h/\nlisten 4001"}
    service = a_service(command=["server", "--password", "canary", "{port.web}"], page="http://h/{port.web}")
    (report, _) = report_of(scene.compared(service=[service, HAPROXY])).services
    assert report.command == "server --password '***' 4001"
    assert report.configuration == "auth http://***@h/\nlisten 4001"
    assert report.page == "http://h/4001"


def test_without_spread_nobody_is_asked(scene: Scene) -> None:
    assert report_of(scene.compared()).spread == []


def test_of_a_service_that_was_lost_there_is_no_cpu_and_of_none_a_number(scene: Scene) -> None:
    def die() -> None:
        scene.services.gone["web"] = "was killed by SIGKILL"

    scene.during = die
    report = report_of(scene.compared(spread="pid"))
    assert [(service.cpu_s, service.lost) for service in report.services] == [
        (None, "was killed by SIGKILL"),
        (2.0, None),
    ]
    assert (report.counters, report.spread) == ([], [])


def test_whoever_interrupts_waits_for_no_numbers(scene: Scene) -> None:
    report = report_of(scene.compared(a_comparison(interrupted="SIGINT"), spread="pid"))
    assert (report.counters, report.spread) == ([], [])
    report = report_of(scene.ran(a_result(interrupted="SIGTERM"), spread="pid"))
    assert (report.counters, report.spread) == ([], [])


def test_numbers_that_cannot_be_read_are_noted_and_cost_nothing_else(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(kind: str, at: str) -> list[Counters]:
        raise InvalidRun(f"{at} does not answer")

    monkeypatch.setattr(counters, "read", refused)
    report = report_of(scene.compared())
    assert report.counters == []
    assert scene.notes == [f"service 'haproxy': {scene.folder}/haproxy.sock does not answer"]


def test_events_happen_while_it_is_fired_and_are_told(scene: Scene) -> None:
    def wait() -> None:
        assert scene.services.stopped.wait(20)

    scene.during = wait
    (event,) = report_of(scene.ran(event=[{"at": "50%", "stop": "web"}])).events
    assert (event.action, event.service, event.note) == ("stop", "web", None)
    assert event.t_s >= 9.0, "the window of ten seconds was that old when it was first told of"
