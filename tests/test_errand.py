"""The command before a slot is run as it was given, is told what comes, and fails with one line."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from cannon import errand
from cannon.errand import run_errand
from cannon.errors import InvalidRun

_TELL = "import os, sys; open(sys.argv[1], 'w').write(' '.join(os.environ[n] for n in sys.argv[2:]))"


def _run(*words: str) -> None:
    run_errand((sys.executable, "-c", *words), "via", "latency", 3)


def test_it_is_told_which_slot_comes(tmp_path: Path) -> None:
    told = tmp_path / "told"
    _run(_TELL, str(told), "CANNON_SIDE", "CANNON_PASS", "CANNON_ROUND")
    assert told.read_text() == "via latency 3"


def test_no_shell_reads_its_words(tmp_path: Path) -> None:
    _run("import sys; sys.exit(sys.argv[1] != '$HOME; false')", "$HOME; false")


@pytest.mark.parametrize(
    ("code", "reason"),
    [("raise SystemExit(3)", "exit code 3"), ("import os; os.kill(os.getpid(), 9)", "signal 9")],
)
def test_its_failure_is_told_in_one_line(code: str, reason: str) -> None:
    with pytest.raises(InvalidRun, match=f"--before-slot .* {reason}"):
        _run(code)


def test_a_command_that_is_not_there_is_told() -> None:
    with pytest.raises(InvalidRun, match="cannot be run: No such file"):
        run_errand(("/no/such/command",), "via", "latency", 3)


def test_it_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errand, "LIMIT_S", 0.05)
    with pytest.raises(InvalidRun, match=r"longer than 0\.05 s"):
        _run("import sys; sys.stdin = open(0); import signal; signal.pause()")


def test_who_interrupts_does_not_wait_for_it() -> None:
    reading, writing = os.pipe()
    os.write(writing, b".")
    began_s = time.monotonic()
    try:
        with pytest.raises(InvalidRun, match="somebody interrupted"):
            run_errand((sys.executable, "-c", "import signal; signal.pause()"), "via", "latency", 3, reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert time.monotonic() - began_s < errand.LIMIT_S / 2
