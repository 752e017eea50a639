"""A scenario's comparison or run while its services run: what is fired, and what the scenario adds to what was found.

Law: nothing here fires or compares: what does is handed in, and called as any other comparison or run is. The numbers
of proxies and the spread are read after everything was measured, and before a service is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cannon import counters
from cannon.comparer import Compare
from cannon.comparison import Comparison
from cannon.errors import InvalidRun
from cannon.events import Events
from cannon.finding import finding_of
from cannon.plan import Plan
from cannon.progress import Progress
from cannon.result import Result
from cannon.rig import Rig
from cannon.rounds import ComparisonPlan
from cannon.runner import Run
from cannon.scenario import Scenario
from cannon.scenario_report import CounterRow, EventReport, ScenarioReport, ServiceReport, SpreadReport
from cannon.spread import spread_of
from cannon.text import clean, redact_command, redact_text

__all__ = ["Staged"]


class Staged:
    """The measuring of a scenario, filled, whose services are those of the rig. `note` hears of what went amiss."""

    def __init__(self, scenario: Scenario, rig: Rig, note: Callable[[str], None]) -> None:
        self._scenario = scenario
        self._rig = rig
        self._note = note

    def compare(self, compare: Compare) -> Compare:
        """The same, with the CPU of the services, and the scenario told in what it finds."""

        def compared(plan: ComparisonPlan, **how: Any) -> Comparison:  # noqa: ANN401 - handed on
            plan = msgspec.structs.replace(plan, processes=(*plan.processes, *self._rig.processes))
            before_s = self._rig.cpu_s()
            comparison = compare(plan, **how)
            report = self._report(comparison, before_s, [], {side.name: side.plan for side in plan.sides})
            return msgspec.structs.replace(comparison, scenario=report)

        return compared

    def run(self, run: Run) -> Run:
        """The same, with events, and the scenario told in what it finds."""

        def ran(plan: Plan, *, watch: Callable[[Progress], None], **how: Any) -> Result:  # noqa: ANN401 - handed on
            duration_s = plan.stop.duration_ns / 1e9
            before_s = self._rig.cpu_s()
            with Events(self._scenario.events, self._rig, duration_s) as events:

                def watched(progress: Progress) -> None:
                    events.watch(progress)
                    watch(progress)

                result = run(plan, watch=watched, **how)
            report = self._report(result, before_s, events.reports, {"": plan})
            return msgspec.structs.replace(result, scenario=report)

        return ran

    def _report(
        self,
        measured: Comparison | Result,
        before_s: Mapping[str, float],
        events: list[EventReport],
        plans: Mapping[str, Plan],
    ) -> ScenarioReport:
        rig, scenario = self._rig, self._scenario
        after_s, lost = rig.cpu_s(), rig.lost()
        whole = measured.interrupted is None and not lost
        report = ScenarioReport(
            name=scenario.name,
            question=scenario.question,
            finding="",
            services=[
                ServiceReport(
                    name=service.name,
                    command=redact_command(service.command),
                    configuration=redact_text(rig.configurations[service.name])
                    if service.name in rig.configurations
                    else None,
                    page=service.page,
                    cpu_s=None if service.name in lost else after_s[service.name] - before_s[service.name],
                    lost=lost.get(service.name),
                )
                for service in scenario.services
            ],
            events=events,
            counters=self._counters() if whole else [],
            spread=self._spread(plans) if whole else [],
        )
        finding = clean(finding_of(scenario.finding, measured, report), 2000)
        return msgspec.structs.replace(report, finding=finding)

    def _counters(self) -> list[CounterRow]:
        rows: list[CounterRow] = []
        for service in self._scenario.services:
            if service.counters is None:
                continue
            try:
                found = counters.read(service.counters.kind, service.counters.at)
            except InvalidRun as failure:
                self._note(f"service '{service.name}': {failure.message}")
                continue
            rows += [
                CounterRow(service=service.name, kind=each.kind, of=each.of, figures=each.figures)
                for each in found
            ]
        return rows

    def _spread(self, plans: Mapping[str, Plan]) -> list[SpreadReport]:
        key = self._scenario.spread
        return [] if key is None else [spread_of(name, plan, key) for name, plan in plans.items()]
