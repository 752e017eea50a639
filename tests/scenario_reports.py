"""Reports of scenarios, made up, for the tests of what shows them."""

from __future__ import annotations

from typing import Any

import msgspec

from cannon.scenario_report import CounterRow, EventReport, ScenarioReport, ServiceReport, SpreadReport

__all__ = ["a_scenario_report", "a_service_report"]


def a_service_report(name: str = "haproxy", **changes: Any) -> ServiceReport:
    """One service that ran to the end."""
    report = ServiceReport(
        name=name,
        command=f"{name} -db -f /tmp/x/{name}.cfg",
        configuration="frontend front\n    bind 127.0.0.1:4001",
        page="http://127.0.0.1:4002/",
        cpu_s=4.125,
        lost=None,
    )
    return msgspec.structs.replace(report, **changes)


def a_scenario_report(**changes: Any) -> ScenarioReport:
    """One with everything in it."""
    report = ScenarioReport(
        name="haproxy-queue",
        question="What does the queue cost?",
        finding="HAProxy adds 0.15 ms more at p50 [0.10, 0.20].",
        services=[a_service_report("origin", configuration=None, page=None), a_service_report()],
        events=[EventReport(t_s=2.5, done_s=2.62, action="stop", service="origin", note=None)],
        counters=[
            CounterRow(
                service="haproxy", kind="haproxy", of="back", figures={"stot": 12345.0, "qtime_ms": 12.5}
            ),
            CounterRow(service="haproxy", kind="haproxy", of="stats", figures={"stot": 0.0}),
        ],
        spread=[SpreadReport(side="haproxy", key="pid", asked=200, counts={"17": 99, "18": 101})],
    )
    return msgspec.structs.replace(report, **changes)
