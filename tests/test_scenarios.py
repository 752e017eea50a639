"""Each scenario that comes with cannon, really run, in a form that is too short to say anything of its servers.

What is judged is that everything is there: services started and ended, numbers of all of them, a file that the schema
allows, a finding without a gap. The full form, `-m soak`, takes minutes each, and must find what it was made for.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cannon.catalogue import shipped
from cannon.comparison import Comparison
from cannon.comparison import schema as comparison_schema
from cannon.result import Result
from cannon.result import schema as result_schema
from cannon.scenario import Kind, Scenario
from cannon.scenario_file import read
from cannon.scenario_report import NO_KEY, ScenarioReport
from tests.comparing import of_the_machine
from tests.schemas import assert_valid
from tests.staging import begun

ALL = {name: read(path) for name, path in shipped().items()}

_LIMIT_S = 100.0
_FULL_LIMIT_S = 1000.0
_BOTH_PASSES = "haproxy-reverse-proxy"
"""The one whose capacity is measured in the short form too: that pass takes as long again for each."""


def short_form(scenario: Scenario) -> list[str]:
    """The words that make it last for seconds."""
    if scenario.kind is Kind.RUN:
        # A service takes up to a second to come back, and the next event waits for it.
        return ["-d", "5"] if scenario.events else ["-d", "0.5"]
    words = ["--rounds", "1", "-d", "0.3"]
    if scenario.name == _BOTH_PASSES or "overallRate" in scenario.load:
        return words
    return [*words, "--rate", "100", "--no-capacity"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """One with a short name, for sockets stand in it, that servers which run as another user may look into."""
    with tempfile.TemporaryDirectory(prefix="cannon-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def run(folder: Path, name: str, *words: str) -> tuple[subprocess.CompletedProcess[str], Comparison | Result]:
    """Run one, of which nothing must be left."""
    report = folder / "found.json"
    with begun(folder, "run", name, *words, "-o", str(report)) as scenario:
        process = scenario.ended(_LIMIT_S if words else _FULL_LIMIT_S)
        assert scenario.processes == [], process.stderr
        assert scenario.left == [], process.stderr
    assert "Traceback" not in process.stderr
    data = report.read_bytes()
    if ALL[name].kind is Kind.RUN:
        assert_valid(data, result_schema)
        return process, Result.from_json(data)
    assert_valid(data, comparison_schema)
    return process, Comparison.from_json(data)


def report_of(name: str, found: Comparison | Result) -> ScenarioReport:
    """What it says of the scenario; AssertionError where anything is missing that was asked for."""
    scenario, report = ALL[name], found.scenario
    assert report is not None
    assert (report.name, report.question) == (name, scenario.question)
    assert [service.name for service in report.services] == [service.name for service in scenario.services]
    for service, plan in zip(report.services, scenario.services, strict=True):
        assert service.lost is None
        assert service.cpu_s is not None and service.cpu_s > 0
        assert (service.configuration is None) == (plan.configuration is None)
        assert "{port." not in f"{service.command} {service.configuration} {service.page}"
    with_counters = [service.name for service in scenario.services if service.counters is not None]
    assert {row.service for row in report.counters} == {*with_counters}
    assert len(report.spread) == (len(scenario.sides) if scenario.spread is not None else 0)
    for spread in report.spread:
        assert sum(spread.counts.values()) == spread.asked
        assert NO_KEY not in spread.counts
    assert [(event.service, event.note) for event in report.events] == [
        (event.service, None) for event in scenario.events
    ]
    assert len(report.finding) > 40
    assert "{" not in report.finding
    return report


@pytest.mark.parametrize("name", ALL)
def test_a_scenario_runs_and_leaves_nothing_but_its_report(name: str, folder: Path) -> None:
    process, found = run(folder, name, *short_form(ALL[name]))
    report = report_of(name, found)
    told = " ".join(process.stdout.split())
    assert " ".join(report.question.split()) in told
    assert " ".join(report.finding.split()) in told
    if isinstance(found, Comparison):
        assert [side.name for side in found.sides]
        assert len(found.rounds) == (2 if name == _BOTH_PASSES else 1)
        assert found.equivalence.same, found.equivalence.differences
    if process.returncode == 3:
        # A busy machine is no fault of the scenario.
        assert of_the_machine(found.validity.reasons), process.stderr
    else:
        assert process.returncode == 0, process.stderr


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ALL)
def test_in_its_full_form_it_finds_what_it_was_made_for(name: str, folder: Path) -> None:
    process, found = run(folder, name)
    assert process.returncode == 0, process.stderr
    assert "not measured" not in report_of(name, found).finding
