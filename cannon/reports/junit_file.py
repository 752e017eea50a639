"""What became of the gates as JUnit XML, which CI systems show as tests.

Law: a gate is a test case of the class `cannon.gate`: one that failed has a `failure`, one that is open is `skipped`,
and the message stands in the attribute and in the text, because readers look at one or the other. A run that is not
valid, or was interrupted, has an `error`; without gates the one test case is whether it is valid. Names are told apart,
since of two that are the same a reader keeps one. Text is visible characters alone, so XML 1.0 can hold it.

Source: junit-10.xsd of Jenkins' xUnit plugin (what a suite must have, in what order, and properties in a suite alone);
GitLab's page on unit test reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cannon.reports.gate_sentences import figures
from cannon.result import GateVerdict, Result
from cannon.settings import PlanSettings
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.comparison import Comparison

__all__ = ["render"]

_SUITE = "cannon"
_GATES = "cannon.gate"
_RUNS = "cannon.run"
_VALIDITY = "validity"
_LONGEST = 4000
_URLS_SHOWN = 20


class _Case(NamedTuple):
    """A test case. `outcome`: the element that tells what became of it, "" where all is well, of this `type`."""

    group: str
    name: str
    outcome: str = ""
    type: str = ""
    message: str = ""
    text: str = ""


_OUTCOMES = {"fail": "failure", "inconclusive": "skipped"}


def render(measured: Result | Comparison) -> bytes:
    """The file."""
    cases = [*map(_gate, measured.gates), *_validity(measured)]
    counts = {
        "tests": str(len(cases)),
        "failures": str(_count(cases, "failure")),
        "errors": str(_count(cases, "error")),
    }
    time_s = f"{_seconds(measured):.3f}"
    suites = Element("testsuites", {"name": _SUITE, **counts, "time": time_s})
    suite = SubElement(
        suites,
        "testsuite",
        {
            "name": _SUITE,
            **counts,
            "skipped": str(_count(cases, "skipped")),
            "time": time_s,
            "timestamp": _shown(measured.started),
            "hostname": _shown(measured.host.hostname),
        },
    )
    properties = SubElement(suite, "properties")
    for name, value in _properties(measured):
        SubElement(properties, "property", {"name": name, "value": _shown(value)})
    _add(suite, cases, time_s)
    if measured.validity.verdict == "suspect":
        _told(SubElement(suite, "system-out"), [f"suspect: {each}" for each in measured.validity.reasons])
    indent(suites)
    return b"".join(
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\n',
            tostring(suites, encoding="utf-8", xml_declaration=False),
            b"\n",
        )
    )


def _add(suite: Element, cases: Sequence[_Case], time_s: str) -> None:
    """All were judged by one run, so its time is that of the first: readers add them up."""
    taken: set[tuple[str, str]] = set()
    for number, case in enumerate(cases):
        name, again = _shown(case.name), 1
        while (case.group, name) in taken:
            again += 1
            name = f"{_shown(case.name)} ({again})"
        taken.add((case.group, name))
        found = SubElement(
            suite,
            "testcase",
            {"classname": case.group, "name": name, "time": "0" if number else time_s},
        )
        if case.outcome:
            told = {"type": case.type, "message": _shown(case.message)}
            _told(SubElement(found, case.outcome, told), [case.message, case.text])


def _told(element: Element, lines: Sequence[str]) -> None:
    element.text = "\n".join(_shown(line) for line in lines if line)


def _gate(gate: GateVerdict) -> _Case:
    outcome = _OUTCOMES.get(gate.verdict, "")
    if not outcome:
        return _Case(_GATES, gate.expression)
    reason = gate.reason.strip()
    message = f"{gate.verdict}: {reason}" if outcome == "skipped" else reason or gate.verdict
    return _Case(_GATES, gate.expression, outcome, "gate", message, figures(gate))


def _validity(measured: Result | Comparison) -> Iterator[_Case]:
    """Whether anything can be built on it: told where it is not so, or where nothing else is."""
    validity = measured.validity
    if validity.verdict == "invalid":
        message = f"not valid: {'; '.join(validity.reasons) or 'nothing is known of it'}"
        yield _Case(_RUNS, _VALIDITY, "error", "invalid", message)
    elif measured.interrupted is not None:
        yield _Case(_RUNS, _VALIDITY, "error", "interrupted", f"interrupted by {measured.interrupted}")
    elif not measured.gates:
        yield _Case(_RUNS, _VALIDITY)


def _count(cases: Sequence[_Case], outcome: str) -> int:
    return sum(case.outcome == outcome for case in cases)


def _seconds(measured: Result | Comparison) -> float:
    """From its beginning to its end, as its file tells them."""
    try:
        began, ended = map(datetime.fromisoformat, (measured.started, measured.finished))
        return max(0.0, (ended - began).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _properties(measured: Result | Comparison) -> Iterator[tuple[str, str]]:
    """What was measured, where, by what."""
    cannon, host = measured.cannon, measured.host
    yield "cannon.version", cannon.version
    yield "cannon.command", cannon.command
    yield "cannon.validity", measured.validity.verdict
    yield "host.cpu", host.cpu
    yield "host.cores", str(host.cores)
    yield "host.kernel", host.kernel
    yield "host.hostname", host.hostname
    yield from _plan(measured.plan)
    if isinstance(measured, Result):
        for url in measured.plan.urls[:_URLS_SHOWN]:
            yield "plan.url", url
        return
    for side in measured.sides:
        yield f"side.{_shown(side.name)}", side.url
    yield "plan.rounds", str(measured.rounds_asked)
    yield "plan.seed", str(measured.seed)


def _plan(plan: PlanSettings) -> Iterator[tuple[str, str]]:
    yield "plan.method", plan.method
    yield "plan.connections", str(plan.connections)
    yield "plan.pipelining", str(plan.pipelining)
    yield "plan.workers", str(plan.workers)
    if plan.rate is not None:
        yield "plan.rate_per_s", f"{plan.rate:.12g}"
    if plan.duration_s is not None:
        yield "plan.duration_s", f"{plan.duration_s:.12g}"
    if plan.amount is not None:
        yield "plan.amount", str(plan.amount)
    if plan.tls is not None and not plan.tls.verify:
        yield "plan.tls", "not verified"
    if plan.title:
        yield "plan.title", plan.title


def _shown(text: str) -> str:
    return clean(text, _LONGEST)
