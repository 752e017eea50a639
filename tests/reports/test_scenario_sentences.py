from __future__ import annotations

from cannon.counters import DESCRIBED
from cannon.reports import scenario_sentences as sentences
from cannon.result import GateVerdict
from cannon.scenario_report import EventReport, SpreadReport
from tests.reports.samples import HOSTILE_TEXT
from tests.scenario_reports import a_scenario_report, a_service_report

REPORT = a_scenario_report()


def a_verdict(verdict: str, reason: str = "") -> GateVerdict:
    return GateVerdict("errors == 0", verdict, 0.0, 0.0, None, None, "", reason)


def test_the_cpu_of_each_service_is_told() -> None:
    assert sentences.consumption(REPORT) == "CPU while they were fired at: origin 4.12 s, haproxy 4.12 s"


def test_cpu_that_was_not_measured_is_not_told() -> None:
    assert sentences.consumption(a_scenario_report(services=[a_service_report(cpu_s=None)])) is None


def test_a_service_that_ended_by_itself_is_told() -> None:
    report = a_scenario_report(
        services=[a_service_report(lost="was killed by SIGKILL"), a_service_report("b")]
    )
    assert sentences.services(report) == ["Service haproxy was killed by SIGKILL before the end"]


def test_an_event_is_told_with_its_times() -> None:
    assert sentences.events(REPORT) == ["At 2.50 s: stop origin, done at 2.62 s"]


def test_an_event_that_could_not_be_is_told_with_the_reason() -> None:
    event = EventReport(t_s=1.0, done_s=1.0, action="start", service="web", note="it did not listen")
    assert sentences.events(a_scenario_report(events=[event])) == [
        "At 1.00 s: start web, done at 1.00 s: it did not listen"
    ]


def test_of_a_proxy_the_parts_are_told_that_did_something() -> None:
    assert sentences.counters(REPORT) == [
        f"haproxy of back: 12,345 {DESCRIBED['stot']}; 12.5 {DESCRIBED['qtime_ms']}"
    ]


def test_who_answered_is_told_the_busiest_first() -> None:
    assert sentences.spread(REPORT) == ["haproxy: 200 answers by pid: 101 of 18, 99 of 17"]


def test_of_many_that_answered_the_rest_is_counted() -> None:
    many = SpreadReport(side="", key="pid", asked=100, counts={f"{number:02}": 10 for number in range(10)})
    told = sentences.spread(a_scenario_report(spread=[many]))
    assert told[0].startswith("100 answers by pid: 10 of 00,") and told[0].endswith(" and 2 more")


def test_text_from_outside_is_made_safe() -> None:
    report = a_scenario_report(
        question=HOSTILE_TEXT,
        finding=HOSTILE_TEXT,
        services=[a_service_report(HOSTILE_TEXT, lost=HOSTILE_TEXT)],
        spread=[SpreadReport(side=HOSTILE_TEXT, key=HOSTILE_TEXT, asked=1, counts={HOSTILE_TEXT: 1})],
    )
    told = [
        sentences.question(report),
        sentences.finding(report),
        *sentences.services(report),
        *sentences.spread(report),
        sentences.consumption(report) or "",
    ]
    assert all(line.isprintable() for line in told)
