"""A worker that fails says so in one line, and by its exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cannon.engine import __main__ as worker
from cannon.engine.messages import write_message
from cannon.errors import InvalidRun
from cannon.plan import Engine, Plan
from cannon.shard import split
from cannon.target import Target

PLAN = Plan(
    targets=(Target.parse("http://host/"),), engine=Engine.SCRIPTED, connections=4, script_ns=(1_000_000,)
)

Tell = Callable[[Exception, Path], tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _keeps_interrupts() -> Iterator[None]:
    """A worker leaves SIGINT ignored: it is a process of its own."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Tell:
    """Exit code, stdout and stderr of the worker of shard 1 whose engine raises an error; the folder for its files."""

    def tell(error: Exception, folder: Path) -> tuple[int, str, str]:
        def fire(shard: object, control: int) -> object:
            raise error

        # Undone at once: pytest itself makes files when a test ends.
        with monkeypatch.context() as patched:
            patched.setattr("tempfile.tempdir", str(folder))
            patched.setattr(worker, "fire", fire)
            patched.setattr(worker, "read_message", lambda descriptor: split(PLAN, 2)[1].to_bytes())
            code = worker.main()
        return (code, *capfd.readouterr())

    return tell


def test_a_defect_of_a_worker_is_one_line_that_names_it_and_where_its_traceback_is(
    told: Tell, tmp_path: Path
) -> None:
    code, out, err = told(ValueError("wrong\nat http://u:canary@h/"), tmp_path)
    (file,) = tmp_path.iterdir()
    assert (code, out) == (1, "")
    assert err == (
        "cannon: worker 1: internal error, please report it: ValueError: wrong\\nat http://***@h/;"
        f" the traceback is in {file}\n"
    )
    assert file.read_text().startswith("Traceback ")
    assert "canary" not in file.read_text()


def test_a_defect_that_finds_no_file_is_one_line_all_the_same(told: Tell, tmp_path: Path) -> None:
    code, _, err = told(ValueError("wrong"), tmp_path / "missing")
    assert code == 1
    assert err == "cannon: worker 1: internal error, please report it: ValueError: wrong\n"


def test_what_cannon_itself_refuses_in_a_worker_is_no_defect(told: Tell, tmp_path: Path) -> None:
    assert told(InvalidRun("no file is left"), tmp_path) == (3, "", "cannon: worker 1: no file is left\n")
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_cannot_read_its_shard_ends_with_an_exit_code_and_no_traceback(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "cannon.engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(worker.__file__).parents[2])},
    )
    assert process.stdin is not None
    write_message(process.stdin.fileno(), b"no shard")
    out, err = process.communicate(timeout=30)
    (file,) = tmp_path.iterdir()
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("cannon: a worker: internal error, please report it: ")
    assert err.endswith(f"; the traceback is in {file}\n")
