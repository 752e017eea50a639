"""The snippets of docs/gates.md, run as a CI system runs their steps: in a sample repository whose branch answers as
quickly as before, or more slowly, or now this way and now that. Each job ends with the right exit code, and tells a
reviewer why.

GitHub's steps fire for real. GitLab's and Jenkins' have the same script, servers and gates, and judge anew what was
measured then.
"""

from __future__ import annotations

import math
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev
from typing import Self
from xml.etree import ElementTree as ET

import pytest
import yaml

import cannon
from cannon.cli import COMMANDS
from cannon.cli.arguments import arrange
from cannon.cli.fire import fire
from cannon.cli.options import grammar_of
from cannon.comparison import Comparison
from cannon.gate_grammar import Known, parse
from cannon.prediction import reach
from cannon.project import read
from cannon.result import GateVerdict
from tests.servers.ports import reserve

PAGE = (Path(__file__).parents[1] / "docs" / "gates.md").read_text(encoding="utf-8")
ROOT = Path(cannon.__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(found[1], found[2]) for found in BLOCK.finditer(PAGE)]


def block(language: str, begin: str) -> str:
    """The one block of a language that begins so."""
    (found,) = [text for of, text in BLOCKS if of == language and text.startswith(begin)]
    return found


SCRIPT = block("sh", "#!/bin/sh")
GITHUB = yaml.safe_load(block("yaml", "name: performance"))
GITLAB = yaml.safe_load(block("yaml", "performance:"))
JENKINS = block("groovy", "pipeline")

GATE = "p50 < main + 300%"


def shortened(script: str, rounds: int, ports: Sequence[int]) -> str:
    """The script with slots of 0.2 s, in which any machine can tell a median of 10 ms from one of 100."""
    before, after = map(str, ports)
    for long, short in (
        ("-d 40 --rounds 10", f"-d {0.2 * rounds:g} --rounds {rounds}"),
        ("-c 10 -R 500", "-c 60 -R 400"),
        ("p90 < main + 10%", GATE),
        ("4001", before),
        ("4002", after),
    ):
        assert long in script
        script = script.replace(long, short)
    return script


SERVER = """
import asyncio, os

DELAYS_S = {delays_s}
visits, present = 0, 0

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        global visits, present
        visits += not present
        present += 1
        self.transport = transport

    def connection_lost(self, error):
        global present
        present -= 1

    def data_received(self, data):
        delay_s = DELAYS_S[visits % len(DELAYS_S)]
        for _ in range(data.count(b"\\r\\n\\r\\n")):
            asyncio.get_running_loop().call_later(delay_s, self.answer)

    def answer(self):
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")

async def main():
    loop = asyncio.get_running_loop()
    await (await loop.create_server(Answering, "127.0.0.1", int(os.environ["PORT"]))).serve_forever()

asyncio.run(main())
"""
"""A server that takes its time, which it may change from one who comes (all connections closed before) to the next."""


@dataclass(frozen=True)
class Case:
    """A branch, and what is to become of its job: exit codes without and with `--inconclusive fail`."""

    delays_s: tuple[float, ...]
    rounds: int
    verdict: str
    code: int
    strict_code: int


CASES = {
    "as quick as before": Case((0.01,), 2, "pass", 0, 0),
    "slower": Case((0.1,), 2, "fail", 4, 4),
    "now quicker, now slower": Case((0.005, 0.1), 6, "inconclusive", 0, 5),
}


WORDS: Mapping[str, tuple[str, ...]] = {
    "pass": ("pass",),
    "fail": ("fail",),
    "inconclusive": ("inconclusive", "open"),
}
"""How a page may say it."""


class Machine:
    """What a job finds on its machine: its own copy of the repository, and the programs that are installed."""

    def __init__(self, folder: Path, case: Case, replayed: Path | None = None) -> None:
        self.folder = folder / "work"
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        self.installed = folder / "installed"
        self._holders = [reserve(), reserve()]
        self.ports = [holder.getsockname()[1] for holder in self._holders]
        self._repository(folder / "origin", case)
        called = [sys.executable, "-m", "cannon"]
        if replayed is not None:
            called = [sys.executable, str(_replaying(folder / "replay.py", replayed))]
        self._program("cannon", f'exec {shlex.join(called)} "$@"')
        self._program("pip", f'echo "$@" >> {shlex.quote(str(self.installed))}')
        pip = shlex.quote(str(self.programs / "pip"))
        self._program(
            "python3",
            # What Jenkins' steps make is a place for pip.
            f'[ "$1 $2" != "-m venv" ] || {{ mkdir -p "$3/bin"; ln -s {pip} "$3/bin/pip"; exit; }}',
            f'exec {sys.executable} "$@"',
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for holder in self._holders:
            holder.close()

    def check_ports(self) -> None:
        """OSError where a server was left on one."""
        for holder in self._holders:
            holder.listen()

    def run(self, script: str, shell: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """A step; what it leaves running is ended with it."""
        output = self.folder.parent / "output"
        paths = os.pathsep.join([str(self.programs), os.environ["PATH"]])
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GITHUB_", "COVERAGE_PROCESS", "GIT_"))
        }
        environment = {**inherited, "PATH": paths, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}
        # Not a pipe: whoever stays behind would hold it open.
        with output.open("w+", encoding="utf-8") as told:
            process = subprocess.Popen(
                [*shell, script],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
            )
            try:
                code = process.wait(60)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            told.seek(0)
            return subprocess.CompletedProcess(script, code, told.read(), "")

    def _repository(self, origin: Path, case: Case) -> None:
        origin.mkdir()
        (origin / "performance.sh").write_text(shortened(SCRIPT, case.rounds, self.ports))
        (origin / "server.py").write_text(SERVER.replace("{delays_s}", "(0.01,)"))
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.invalid")
        for words in (
            ("init", "--quiet", "--initial-branch", "main", "."),
            ("add", "."),
            (*who, "commit", "--quiet", "--message", "the version before"),
            ("clone", "--quiet", "--branch", "main", f"file://{origin}", str(self.folder)),
        ):
            done = subprocess.run(
                ["git", *words],  # noqa: S607 - as a job has it
                cwd=origin,
                env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        (self.folder / "server.py").write_text(SERVER.replace("{delays_s}", repr(case.delays_s)))

    def _program(self, name: str, *lines: str) -> None:
        path = self.programs / name
        path.write_text("\n".join(("#!/bin/sh", *lines, "")))
        path.chmod(0o755)


def _replaying(path: Path, measured: Path) -> Path:
    """A cannon that has measured already."""
    path.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from cannon.cli import main\n"
        "from cannon.comparison import Comparison\n"
        f"found = Comparison.from_json(Path({str(measured)!r}).read_bytes())\n"
        "sys.exit(main(weigh=lambda plan, **others: found))\n"
    )
    return path


@dataclass(frozen=True)
class Job:
    """How a job ended, what stands in its log, and its files by name."""

    code: int
    log: str
    files: Mapping[str, bytes]
    installed: str


def _job(machine: Machine, code: int, log: str) -> Job:
    files = {path.name: path.read_bytes() for path in machine.folder.glob("performance.*")}
    installed = machine.installed.read_text()
    machine.check_ports()
    assert not (machine.folder / "before").exists()
    return Job(code, log, files, installed)


def on_github(machine: Machine) -> tuple[Job, str]:
    """The job, and the page of its summary."""
    (steps,) = [job["steps"] for job in GITHUB["jobs"].values()]
    summary = machine.folder.parent / "summary.md"
    summary.touch()
    code, log = 0, ""
    for step in steps:
        assert ("run" in step) != ("uses" in step)
        if "run" in step and not code:
            done = machine.run(
                step["run"],
                ("bash", "-e", "-c"),
                GITHUB_ACTIONS="true",
                GITHUB_STEP_SUMMARY=str(summary),
                GITHUB_BASE_REF="main",
            )
            code, log = done.returncode, log + done.stdout
    (artifact,) = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert artifact == "performance.*"
    return _job(machine, code, log), summary.read_text()


def on_gitlab(machine: Machine) -> Job:
    job = GITLAB["performance"]
    done = machine.run(
        "\n".join(job["script"]),
        ("bash", "-eo", "pipefail", "-c"),
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
    )
    return _job(machine, done.returncode, done.stdout)


def on_jenkins(machine: Machine) -> Job:
    code, log = 0, ""
    steps = re.findall(r"\bsh(?:\(\s*script:)? '([^'\n]*)'", JENKINS)
    assert len(steps) == JENKINS.count("sh '") + JENKINS.count("script: '") == 3
    for step in steps:
        assert code == 0, log
        done = machine.run(step, ("sh", "-xe", "-c"), CHANGE_TARGET="main")
        code, log = done.returncode, log + done.stdout
    return _job(machine, code, log)


def gates_of(job: Job) -> list[GateVerdict]:
    """What became of each gate, by the file."""
    return Comparison.from_json(job.files["performance.json"]).gates


def test_each_job_ends_as_it_should_and_tells_a_reviewer_why(tmp_path: Path) -> None:
    # All at once: they wait for servers, most of the time.
    with ThreadPoolExecutor() as all_of_them:
        held = [all_of_them.submit(hold, case, tmp_path / name) for name, case in CASES.items()]
        for each in held:
            each.result()


def hold(case: Case, folder: Path) -> None:
    """A branch on each CI system."""
    with Machine(folder / "github", case) as machine:
        job, summary = on_github(machine)
    assert job.code == case.code, job.log
    assert {gate.expression: gate.verdict for gate in gates_of(job)} == {
        GATE: case.verdict,
        "errors < 0.1%": "pass",
    }
    told_on_github(job, summary, case)
    measured = folder / "measured.json"
    measured.write_bytes(job.files["performance.json"])
    for system, run in (("gitlab", on_gitlab), ("jenkins", on_jenkins)):
        with Machine(folder / system, case, measured) as machine:
            job = run(machine)
        assert job.code == case.strict_code, job.log
        assert not any(line.startswith("::") for line in job.log.splitlines())
        told_in_files(job, case)


def told_on_github(job: Job, summary: str, case: Case) -> None:
    """An annotation for whatever is not well, the page of the job, and the files."""
    kinds = {"fail": ["error"], "inconclusive": ["warning"], "pass": []}
    annotations = [line for line in job.log.splitlines() if line.startswith("::")]
    assert [line.split()[0].strip(":") for line in annotations] == kinds[case.verdict], job.log
    assert all("p50" in line and "main" in line for line in annotations)
    assert summary == job.files["performance.md"].decode()
    told_in_files(job, case)


def told_in_files(job: Job, case: Case) -> None:
    """The gate stands in the log, in the page for a comment and in the list of tests, with its verdict."""
    assert job.installed.split() == ["install", "cannon-load"]
    assert {*job.files} == {"performance.sh", "performance.json", "performance.md", "performance.xml"}
    (line,) = [line for line in job.log.splitlines() if GATE in line and not line.startswith("::")]
    assert line.lower().startswith(WORDS[case.verdict])
    (row,) = [line for line in job.files["performance.md"].decode().splitlines() if f"`{GATE}` |" in line]
    assert row.rpartition(GATE)[2].lower().startswith(tuple(f"` | {word}" for word in WORDS[case.verdict]))
    root = ET.fromstring(job.files["performance.xml"])  # noqa: S314 - our own
    (gate,) = [each for each in root.iter("testcase") if each.get("name") == GATE]
    assert [each.tag for each in gate] == {"fail": ["failure"], "inconclusive": ["skipped"], "pass": []}[
        case.verdict
    ]
    for each in gate:
        assert "p50" in (each.get("message") or "")


def test_who_runs_the_snippets_is_told_what_an_open_gate_does() -> None:
    assert GITLAB["performance"]["allow_failure"] == {"exit_codes": 5}
    assert GITLAB["performance"]["artifacts"]["reports"] == {"junit": "performance.xml"}
    assert "if (code == 5) {\n" in JENKINS and "unstable(" in JENKINS
    assert "junit allowEmptyResults: true, testResults: 'performance.xml'" in JENKINS


LINES = [
    line
    for language, text in BLOCKS
    if language == "sh"
    for line in text.replace("\\\n", " ").splitlines()
    if line.strip().startswith("cannon ")
]


@pytest.mark.parametrize("line", LINES)
def test_every_command_on_the_page_is_one_that_cannon_takes(line: str) -> None:
    words = [word for word in shlex.split(line)[1:] if word != "$@"]
    arguments = arrange(words, grammar_of({"": fire, **COMMANDS}, default=""))
    command = fire if arguments.command is None else COMMANDS[arguments.command]
    given = command.make_context(command.name, list(arguments.words)).params
    known = Known(("main", "branch"), (), baseline=True)
    for gate in given.get("gates", ()):
        assert parse(gate, known).expression


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = re.split(r"\n#+ ", PAGE.partition(f" {heading}\n")[2])[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


EXPRESSIONS = [row[0].strip("`") for row in rows("The grammar")]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_gate_of_the_grammar_is_one(expression: str) -> None:
    assert parse(expression, Known(("main", "branch"), ("haproxy",), baseline=True)).expression == expression


def test_every_metric_and_every_operator_has_an_example() -> None:
    grammar = block_of_grammar()
    metrics = re.findall(r'"(\w+)"', next(line for line in grammar if line.startswith("metric")))
    operators = re.findall(r'"([<>=]+)"', next(line for line in grammar if line.startswith("operator")))
    assert len(metrics) == 10 and len(operators) == 5
    told = " ".join(EXPRESSIONS)
    assert all(metric in told for metric in metrics)
    assert {*operators} - {">="} <= {*told.split()}


def block_of_grammar() -> list[str]:
    """Its lines on the page."""
    return PAGE.partition("\n## The grammar\n\n```\n")[2].partition("\n```")[0].splitlines()


@pytest.mark.parametrize("row", rows("Five baselines"), ids=lambda row: str(row[0]))
def test_how_far_the_next_run_strays_is_what_is_computed(row: list[str]) -> None:
    spread, *told = [float(cell.split()[0]) for cell in row]
    for count, percent in zip((5, 10, 20), told, strict=True):
        logs = [place * spread / 100 / stdev(range(count)) for place in range(count)]
        assert round(100 * math.expm1(reach(logs)), 1) == percent


def test_the_gates_of_a_project_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(block("toml", "[tool.cannon]"))
    found = read(pytest.fail, str(path))
    assert found is not None and len(found.baselines) == 5
    assert all(parse(gate, Known(baseline=True)) for gate in found.gates)
