"""A run that can no longer pass is ended, fired: soon, cleanly, with every report and exit code 4.

The server takes twenty milliseconds, so that cannon is never the limit, until it resets what there is and is down for a
moment.
"""

from __future__ import annotations

import signal
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from cannon.result import Result
from tests.firing import result_of, run_cli, start_cli
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

LIMIT_S = 20.0
FAILED = 4
LOOKING = ("--no-preflight", "-L", "50", "--abort-on-fail")
"""Told twenty times a second; from then on."""


def failing(server: Rude, *words: str) -> subprocess.CompletedProcess[str]:
    """A run whose server fails when it has answered a while."""
    with start_cli("-j", *LOOKING, "250ms", *words, server.url("/slow/20")) as process:
        try:
            server.wait_for(lambda seen: seen.requests >= 9, LIMIT_S)
            server.restart(0.05)
            out, err = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def ended_early(result: Result) -> bool:
    """Whether it was ended long before its time, and by nobody."""
    return result.duration_s < 30 and result.interrupted is None


def test_a_server_that_fails_from_some_moment_on_ends_the_run_with_every_report(
    rude: Rude, tmp_path: Path
) -> None:
    paths = [tmp_path / f"r{suffix}" for suffix in (".json", ".xml", ".csv", ".md", ".hgrm")]
    outputs = [word for path in paths for word in ("-o", str(path))]
    gates = ("--gate", "errors < 3", "--gate", "p99 < 10s")
    process = failing(rude, "-d", "60", "-c", "4", *gates, *outputs)
    result = result_of(process)
    errors, p99 = result.gates
    assert (process.returncode, errors.verdict) == (FAILED, "fail"), process.stderr
    assert errors.reason.startswith("stopped after ")
    assert ": errors had come to " in errors.reason
    assert p99.verdict == "inconclusive", "there were too few yet"
    assert ended_early(result)
    assert result.validity.verdict != "invalid"
    # What was under way was read, and counted.
    requests = result.requests
    assert requests.in_flight == 0
    assert requests.sent == requests.completed + requests.failed
    assert 0 <= requests.sent - rude.requests <= 4, (
        "a request may stand unread on each connection that is reset"
    )
    assert paths[0].read_text() == process.stdout
    failure = ET.parse(paths[1]).find(".//failure")  # noqa: S314 - cannon's own
    assert failure is not None
    assert "stopped after" in (failure.text or "")
    assert all(path.stat().st_size for path in paths)


def test_an_amount_of_two_workers_is_ended_by_what_they_have_seen_together_and_is_valid(rude: Rude) -> None:
    """Each resets eight connections, and both together are more than a thousandth of what there would have been."""
    words = ("-a", "10000", "-c", "16", "-w", "2", "-R", "2000")
    process = failing(rude, *words, "--gate", "errors < 0.1%")
    result = result_of(process)
    (gate,) = result.gates
    assert (process.returncode, gate.verdict) == (FAILED, "fail"), process.stderr
    assert ": errors could not come below 0." in gate.reason
    assert gate.reason.endswith(" more had gone as well as can be")
    assert [worker.state for worker in result.workers] == ["ended", "ended"]
    assert all(worker.sent for worker in result.workers)
    assert ended_early(result)
    requests = result.requests
    assert requests.due == requests.sent + requests.never_sent < 10_000
    assert requests.never_sent > 0
    assert not any("never sent" in reason for reason in result.validity.reasons)
    assert 0 <= requests.sent - rude.requests <= 16


def test_a_run_in_which_nothing_succeeded_is_not_valid_however_it_was_ended(rude: Rude) -> None:
    words = ("-j", *LOOKING, "150ms", "-d", "60", "-c", "2", "-t", "50ms", "--gate", "timeouts < 2")
    process = run_cli(*words, rude.url("/stall"))
    result = result_of(process)
    assert (process.returncode, result.validity.reasons) == (3, ["no request succeeded"])
    assert ended_early(result)
    assert result.gates[0].reason.startswith("stopped after ")


def test_a_run_that_may_pass_goes_on_to_its_end(rude: Rude) -> None:
    words = ("-j", *LOOKING, "50ms", "-d", "0.3", "-c", "4", "-R", "100", "--gate", "errors == 0")
    result = result_of(run_cli(*words, rude.url("/slow/20")))
    assert [gate.verdict for gate in result.gates] == ["pass"]
    assert result.duration_s >= 0.3
    assert result.requests.due == 30


def test_each_run_of_those_for_ever_is_ended_on_its_own(rude: Rude) -> None:
    words = ("-f", *LOOKING, "100ms", "-d", "60", "-c", "2", "-t", "50ms", "--gate", "timeouts == 0")
    with start_cli(*words, rude.url("/slow/20"), rude.url("/stall")) as process:
        try:
            assert process.stderr is not None
            begun = 0
            while begun < 3 and (line := process.stderr.readline()):
                begun += line.startswith("Running 60s test")
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    assert process.returncode == 130
    assert begun == 3
    assert out.count("timeouts had come to ") >= 2
