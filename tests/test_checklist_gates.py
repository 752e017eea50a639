"""Gates from end to end, as a job of a CI system has them: processes, their exit codes and what they say.

The server answers after 2 ms in one mood and after 20 in the other, so that five runs by turns are five baselines a
tenfold apart, and rounds by turns are an interval that wide. What is claimed of them holds at any speed of the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from cannon.comparison import Comparison
from cannon.reports import files
from cannon.result import Result
from tests.comparing import LIMIT_S, of_the_machine
from tests.firing import run_cli

DELAYS_S = (0.002, 0.020)
LOAD = ("-a", "48", "-c", "8", "--no-preflight")
"""The median of fewer than 40 is none."""

PASSED, INVALID, FAILED, OPEN = 0, 3, 4, 5
AUTOCANNON = Path(__file__).parent / "data" / "autocannon" / "plain.json"
"""What `autocannon -j -d 1 -c 2` printed of a server of Node's."""

Process = subprocess.CompletedProcess[str]


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    moods: Path

    def do_GET(self) -> None:
        time.sleep(DELAYS_S[int(self.moods.read_text())])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody listens."""


class Moody:
    """A server in one of two moods, which stands in a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "mood"
        self.turn(0)
        handler = type("_Mine", (_Answer,), {"moods": self.path})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def turn(self, mood: int) -> None:
        """From now on it is in this one."""
        new = self.path.with_suffix(".new")
        new.write_text(str(mood))
        new.rename(self.path)

    @property
    def errand(self) -> str:
        """A command that turns it by the number of a round."""
        return f"""sh -c 'echo $((CANNON_ROUND % 2)) > "{self.path}.new" && mv "{self.path}.new" "{self.path}"'"""

    @contextmanager
    def listening(self) -> Iterator[Moody]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class Job(NamedTuple):
    """A folder with five baselines, a result and a comparison, and what was said when they were made."""

    folder: Path
    baselines: tuple[str, ...]
    passed: Process
    failed: Process
    open: Process
    lost: Process
    compared: Process

    def check(self, path: str, *words: str) -> Process:
        """`cannon check` of one of its files."""
        return run_cli("check", str(self.folder / path), *words)

    @property
    def against(self) -> list[str]:
        """The words for its baselines."""
        return [word for path in self.baselines for word in ("--baseline", path)]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("job")
    (folder / "compared").mkdir()
    with (
        Moody(folder).listening() as server,
        Moody(folder / "compared").listening() as other,
        ThreadPoolExecutor() as pool,
    ):
        compared = pool.submit(_compared, folder, other)
        baselines = []
        for number in range(5):
            server.turn(number % 2)
            baselines.append(str(folder / f"{number}.json"))
            assert run_cli(*LOAD, "-o", baselines[-1], server.url).returncode == PASSED
        server.turn(0)
        against = [word for path in baselines for word in ("--baseline", path)]
        made = [
            run_cli(*LOAD, *against, "--inconclusive", "fail", "--gate", gate, *outputs, server.url)
            for gate, outputs in (
                ("p50 < base + 1000%", ("-o", str(folder / "result.json"))),
                ("p50 < base - 99.99%", ("-o", str(folder / "result.xml"), "-o", str(folder / "result.md"))),
                ("p50 < base", ()),
                ("p50 < base - 99.99%", ("-o", "/dev/full")),
            )
        ]
        passed, failed, undecided, lost = made
        yield Job(folder, tuple(baselines), passed, failed, undecided, lost, compared.result())


def _compared(folder: Path, server: Moody) -> Process:
    """Two sides that are the same, in rounds by turns."""
    load = ("-c", "2", "-d", "0.6", "--rounds", "6", "-R", "60", "--before-slot", server.errand)
    gate = ("--inconclusive", "fail", "--gate", "mean < 8ms", "-o", str(folder / "comparison.json"))
    sides = (f"before={server.url}", f"after={server.url}")
    return run_cli("compare", *load, *gate, *sides, timeout=LIMIT_S)


def verdicts(process: Process) -> list[str]:
    """Those of the result that was printed with -j."""
    return [gate["verdict"] for gate in json.loads(process.stdout)["gates"]]


def test_a_run_whose_gates_hold_is_exit_code_0(job: Job) -> None:
    assert job.passed.returncode == PASSED, job.passed.stderr
    assert "p50 < base + 1000%" in job.passed.stdout


def test_a_run_with_a_gate_that_failed_is_exit_code_4_and_says_why(job: Job) -> None:
    assert job.failed.returncode == FAILED, job.failed.stderr
    assert "p50 < base - 99.99%" in job.failed.stdout
    assert "p50 was " in job.failed.stdout


def test_a_run_with_an_open_gate_is_exit_code_5_if_that_was_asked(job: Job) -> None:
    assert job.open.returncode == OPEN, job.open.stderr
    assert "inconclusive" in job.open.stdout


def test_five_baselines_make_an_interval(job: Job) -> None:
    (gate,) = Result.from_json((job.folder / "result.json").read_bytes()).gates
    assert gate.low is not None
    assert gate.high is not None
    assert gate.low < (gate.value or 0.0) < gate.high
    assert "tell nothing of chance" not in job.passed.stderr


def test_a_report_that_is_lost_is_exit_code_3_whatever_the_gates_say(job: Job) -> None:
    assert job.lost.returncode == INVALID
    assert "cannon: cannot write /dev/full: No space left on device\n" in job.lost.stderr
    assert '"expression": "p50 < base - 99.99%"' in job.lost.stdout


def test_every_report_of_a_gate_that_failed_names_it(job: Job) -> None:
    assert "p50 &lt; base - 99.99%" in (job.folder / "result.xml").read_text()
    assert "99.99" in (job.folder / "result.md").read_text()


def test_a_comparison_with_an_open_gate_is_exit_code_5_if_that_was_asked(job: Job) -> None:
    comparison = Comparison.from_json((job.folder / "comparison.json").read_bytes())
    if comparison.validity.verdict == "invalid":
        assert of_the_machine(comparison.validity.reasons), comparison.validity.reasons
        assert job.compared.returncode == INVALID
    else:
        assert job.compared.returncode == OPEN, job.compared.stderr
    (gate,) = comparison.gates
    assert gate.verdict == "inconclusive"
    assert gate.low is not None
    assert gate.high is not None
    assert gate.low < 8 < gate.high


@pytest.mark.parametrize(
    ("gate", "code"),
    [("mean < before + 1000%", PASSED), ("mean@before > 1s", FAILED), ("mean < 8ms", OPEN)],
)
def test_a_comparison_is_judged_again_by_other_gates(job: Job, gate: str, code: int) -> None:
    comparison = Comparison.from_json((job.folder / "comparison.json").read_bytes())
    checked = job.check("comparison.json", "-j", "--inconclusive", "fail", "--gate", gate)
    assert checked.returncode == (INVALID if comparison.validity.verdict == "invalid" else code)
    assert verdicts(checked) == [{PASSED: "pass", FAILED: "fail", OPEN: "inconclusive"}[code]]


def test_a_result_is_judged_again_as_its_run_was(job: Job) -> None:
    checked = job.check("result.json", "-j", *job.against, "--gate", "p50 < base + 1000%")
    assert checked.returncode == PASSED, checked.stderr
    before = Result.from_json((job.folder / "result.json").read_bytes())
    assert Result.from_json(checked.stdout.encode()) == before


def test_a_baseline_of_another_set_up_is_exit_code_3(job: Job) -> None:
    own = Result.from_json((job.folder / "result.json").read_bytes())
    path = job.folder / "elsewhere.json"
    path.write_bytes(own.to_json().replace(own.host.cpu.encode(), b"Another CPU"))
    checked = job.check("result.json", "--gate", "p50 < base", "--baseline", str(path))
    assert checked.returncode == INVALID
    assert "is of another set-up: CPU Another CPU, here " in checked.stderr
    assert checked.stdout == ""


def test_what_autocannon_printed_is_judged(job: Job) -> None:
    checked = run_cli("check", str(AUTOCANNON), "--gate", "p99 < 10s", "--gate", "errors == 0")
    assert checked.returncode == PASSED, checked.stderr
    assert run_cli("check", str(AUTOCANNON), "--gate", "rps > 1000000/s").returncode == FAILED


def test_what_autocannon_printed_is_a_baseline(job: Job) -> None:
    words = ("--baseline", str(AUTOCANNON), "--baseline-mismatch", "warn")
    checked = job.check("result.json", *words, "--gate", "p50 < base + 10s")
    assert checked.returncode == PASSED, checked.stdout
    assert "is of another set-up: " in checked.stderr


def test_the_gates_of_a_project_hold_where_it_is(
    job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = ", ".join(f'"{os.path.relpath(path, tmp_path)}"' for path in job.baselines)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.cannon]\ngates = ["p50 < base"]\nbaselines = [{names}]\ninconclusive = "fail"\n'
    )
    monkeypatch.chdir(tmp_path)
    checked = job.check("result.json")
    assert checked.returncode == OPEN, checked.stdout
    assert checked.stderr == "cannon: gates of pyproject.toml: p50 < base\n"


def test_what_was_saved_is_shown_and_added_up(job: Job) -> None:
    shown = run_cli("report", str(job.folder / "result.json"))
    assert shown.returncode == PASSED, shown.stderr
    assert "48 requests" in shown.stdout
    path = job.folder / "sum.json"
    done = run_cli("merge", *job.baselines, "-o", str(path))
    assert done.returncode == PASSED, done.stderr
    assert Result.from_json(path.read_bytes()).requests.completed == 5 * 48


def test_the_formats_that_a_job_asks_for_are_there() -> None:
    assert {".json", ".md", ".csv", ".xml", ".hgrm", ".autocannon.json"} <= set(files.RENDERERS)
