"""The events of a scenario: services stopped and started again while a run goes on.

Law: an event happens at its time of the measured window, which begins when the run says so; when it began and when it
was done is told as it was. What cannot be done any more is told, and ends nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Self

from cannon.errors import CannonError
from cannon.progress import Phase, Progress, State
from cannon.rig import Rig
from cannon.scenario import Action, Event
from cannon.scenario_report import EventReport

__all__ = ["Events"]


class Events:
    """Of one run of `duration_s` s; a context manager, whose `reports` are whole once it is left."""

    def __init__(self, events: Sequence[Event], rig: Rig, duration_s: float) -> None:
        self._events = sorted(events, key=lambda event: event.at_s(duration_s))
        self._rig = rig
        self._duration_s = duration_s
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._began_s = 0.0
        self.reports: list[EventReport] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def watch(self, progress: Progress) -> None:
        """Begin with the first that says that the window has begun."""
        if self._thread is None and progress.phase is Phase.FIRE and progress.state is State.RUNNING:
            self._began_s = time.monotonic() - progress.elapsed_s
            self._thread = threading.Thread(target=self._happen, name="events")
            self._thread.start()

    def _happen(self) -> None:
        for event in self._events:
            at_s = event.at_s(self._duration_s)
            if self._over.wait(max(0.0, at_s - self._elapsed_s())):
                return
            self._do(event)

    def _do(self, event: Event) -> None:
        began_s, note = self._elapsed_s(), None
        try:
            if event.action is Action.STOP:
                self._rig.stop(event.service)
            else:
                self._rig.start(event.service)
        except CannonError as error:
            note = error.message
        self.reports.append(
            EventReport(
                t_s=began_s,
                done_s=self._elapsed_s(),
                action=event.action.value,
                service=event.service,
                note=note,
            )
        )

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s
