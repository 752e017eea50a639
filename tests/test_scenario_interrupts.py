"""Scenarios and signals: whatever ends cannon, and whenever, nothing of its services is left running.

What is signalled is a scenario that has come so far, by the files its services make; nobody waits for a clock.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from cannon.comparison import Comparison
from cannon.result import Result
from tests.staging import SERVER, a_service, a_table, begun, python, until, written

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]

STUCK = 'sleep 60 & setsid sleep 60 & : > "$1"; exec sleep 60'
"""Never listens, and has a child, and one with a session of its own."""

BUSY = (
    SERVER.replace("while True:", "asked = 0\nwhile True:")
    .replace(
        "        try:\n",
        "        asked += 1\n        if asked == 30: open(sys.argv[-1], 'w').close()\n        try:\n",
    )
    .replace("sys.argv[1:]]", "sys.argv[1:-1]]")
)
"""Makes a file once it was asked for the thirtieth time."""


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_services_start_it_ends_them_all(number: signal.Signals, code: int, tmp_path: Path) -> None:
    there, report = tmp_path / "there", tmp_path / "x.json"
    stuck = a_service("stuck", command=["sh", "-c", STUCK, "sh", str(there)])
    path = written(tmp_path, a_table(service=[a_service(), stuck]))
    with begun(tmp_path, "run", str(path), "-o", str(report)) as scenario:
        assert scenario.comes_to(there.exists)
        # cannon, two keepers, the web server, and three that sleep.
        assert until(lambda: len(scenario.processes) == 7)
        scenario.process.send_signal(number)
        process = scenario.ended()
        assert process.returncode == code
        if number is signal.SIGKILL:
            assert until(lambda: scenario.processes == [])
        else:
            assert scenario.processes == []
            assert scenario.left == []
    assert (process.stdout, process.stderr) == ("", "")
    assert not report.exists()


def busy(folder: Path, **changes: Any) -> tuple[Path, Path]:
    """A scenario that goes on for minutes, and what tells that it is fired."""
    there = folder / "there"
    child = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-S', '-c', *sys.argv[1:]]).wait()"
    service = a_service(command=python(child, BUSY, "{port.web}", str(there)))
    return written(folder, a_table(service=[service, a_service("other")], **changes)), there


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_it_is_fired_it_ends_them_all_and_the_report_is_written(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    report = tmp_path / "x.json"
    path, there = busy(tmp_path)
    with begun(tmp_path, "run", str(path), "-R", "200", "-d", "100", "-o", str(report)) as scenario:
        assert scenario.comes_to(there.exists)
        scenario.process.send_signal(number)
        process = scenario.ended()
        assert process.returncode == code, process.stderr
        if number is signal.SIGKILL:
            assert until(lambda: scenario.processes == [])
            return
        assert scenario.processes == []
        assert scenario.left == []
    found = Comparison.from_json(report.read_bytes())
    assert found.interrupted == number.name
    assert found.scenario is not None
    assert [service.lost for service in found.scenario.services] == [None, None]
    assert found.scenario.finding
    assert "{" not in found.scenario.finding


def test_so_it_is_with_a_run_and_its_events(tmp_path: Path) -> None:
    stopped, report = tmp_path / "stopped", tmp_path / "x.json"
    script = 'trap ": > \\"$1\\"; exit" TERM; sleep 60 & wait'
    other = {"name": "other", "command": ["sh", "-c", script, "sh", str(stopped)]}
    table = a_table(
        kind="run",
        service=[a_service(), other],
        event=[{"at": "0s", "stop": "other"}, {"at": "99%", "start": "other"}],
    )
    words = ("-R", "200", "-d", "100", "-L", "100", "-o", str(report))
    with begun(tmp_path, "run", str(written(tmp_path, table)), *words) as scenario:
        assert scenario.comes_to(stopped.exists)
        scenario.process.send_signal(signal.SIGINT)
        process = scenario.ended()
        assert process.returncode == 130, process.stderr
        assert scenario.processes == []
        assert scenario.left == []
    found = Result.from_json(report.read_bytes())
    assert found.interrupted == "SIGINT"
    assert found.requests.sent > 0
    assert found.scenario is not None
    assert [(event.action, event.service, event.note) for event in found.scenario.events] == [
        ("stop", "other", None)
    ]
