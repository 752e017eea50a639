"""Events happen in their order and at their time, once the window has begun; what cannot be done is told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from cannon.errors import InvalidRun
from cannon.events import Events
from cannon.progress import Phase, Progress, State
from cannon.rig import Rig
from cannon.scenario import Event

LIMIT_S = 20.0
WINDOW_S = 100.0


@dataclass
class Services:
    """In place of a rig: what it was told, and which of that it cannot do."""

    cannot: Sequence[str] = ()
    done: list[str] = field(default_factory=list)
    enough: int = 1
    reached: threading.Event = field(default_factory=threading.Event)

    def stop(self, name: str) -> None:
        self._do(f"stop {name}")

    def start(self, name: str) -> None:
        self._do(f"start {name}")

    def _do(self, what: str) -> None:
        self.done.append(what)
        if len(self.done) == self.enough:
            self.reached.set()
        if what in self.cannot:
            raise InvalidRun(f"{what}: it cannot be done")


def events_of(services: Services, *events: Event) -> Events:
    services.enough = len(events)
    return Events(events, cast("Rig", services), WINDOW_S)


def at(elapsed_s: float, phase: Phase = Phase.FIRE, state: State = State.RUNNING) -> Progress:
    return Progress(phase=phase, state=state, elapsed_s=elapsed_s)


def test_they_happen_in_the_order_of_their_times() -> None:
    services = Services()
    given = (Event(at="10%", start="web"), Event(at="1s", stop="web"), Event(at="30s", stop="web"))
    with events_of(services, *given) as events:
        events.watch(at(50.0))
        assert services.reached.wait(LIMIT_S)
    assert services.done == ["stop web", "start web", "stop web"]
    assert [(report.action, report.service) for report in events.reports] == [
        ("stop", "web"),
        ("start", "web"),
        ("stop", "web"),
    ]


def test_two_at_the_same_time_happen_as_they_stand() -> None:
    services = Services()
    with events_of(services, Event(at="1s", stop="b"), Event(at="1%", stop="a")) as events:
        events.watch(at(2.0))
        assert services.reached.wait(LIMIT_S)
    assert services.done == ["stop b", "stop a"]


def test_they_are_told_at_the_time_of_the_window_they_came_at() -> None:
    services = Services()
    with events_of(services, Event(at="2s", stop="web")) as events:
        events.watch(at(40.0))
        assert services.reached.wait(LIMIT_S)
    (report,) = events.reports
    assert 40.0 <= report.t_s <= report.done_s < 40.0 + LIMIT_S
    assert report.note is None


def test_none_happens_before_its_time() -> None:
    services = Services()
    with events_of(services, Event(at="0.05s", stop="web")) as events:
        events.watch(at(0.0))
        assert services.reached.wait(LIMIT_S)
    assert events.reports[0].t_s >= 0.05


@pytest.mark.parametrize(
    "progress",
    [
        at(50.0, Phase.PREFLIGHT),
        at(50.0, Phase.WARMUP),
        at(50.0, Phase.FIRE, State.STARTING),
        at(50.0, Phase.FIRE, State.CONNECTING),
    ],
)
def test_none_happens_before_the_window_has_begun(progress: Progress) -> None:
    services = Services()
    with events_of(services, Event(at="0s", stop="web")) as events:
        events.watch(progress)
    assert (services.done, events.reports) == ([], [])


def test_a_window_begins_once() -> None:
    services = Services()
    with events_of(services, Event(at="0s", stop="web")) as events:
        events.watch(at(1.0))
        assert services.reached.wait(LIMIT_S)
        events.watch(at(2.0))
    assert services.done == ["stop web"]


def test_what_cannot_be_done_is_told_and_the_next_happens() -> None:
    services = Services(cannot=["stop web"])
    with events_of(services, Event(at="1s", stop="web"), Event(at="2s", start="web")) as events:
        events.watch(at(3.0))
        assert services.reached.wait(LIMIT_S)
    assert [report.note for report in events.reports] == ["stop web: it cannot be done", None]


def test_what_is_still_to_come_when_the_run_is_over_does_not_happen_and_is_not_waited_for() -> None:
    services = Services()
    with events_of(services, Event(at="0s", stop="web"), Event(at="99%", start="web")) as events:
        services.enough = 1
        events.watch(at(1.0))
        assert services.reached.wait(LIMIT_S)
    assert services.done == ["stop web"]
    assert len(events.reports) == 1


def test_without_events_nothing_happens() -> None:
    services = Services()
    with events_of(services) as events:
        events.watch(at(1.0))
    assert (services.done, events.reports) == ([], [])
