"""The program can be interrupted at any moment, and says nothing of it."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import cannon
from cannon.__main__ import main

INTERRUPTED_LOADING = """
import signal, sys
from importlib.abc import MetaPathFinder

class Interrupting(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "cannon.cli":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv = ["cannon", "--version"]
from cannon.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("before", "code", "said"),
    # Whatever the tests themselves were started with.
    [("default_int_handler", 130, ""), ("SIG_IGN", 0, "cannon ")],
)
def test_an_interrupt_while_the_program_loads_ends_it_quietly_unless_it_is_ignored(
    before: str, code: int, said: str
) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import signal; signal.signal(signal.SIGINT, signal.{before})\n{INTERRUPTED_LOADING}",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout[:7], done.stderr) == (code, said, "")


def test_an_interrupt_that_nothing_else_took_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("cannon.cli.main", interrupted)
    assert main() == 130


def test_what_handles_interrupts_stands_again_once_the_program_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    met = []

    def run() -> int:
        met.append(signal.getsignal(signal.SIGINT))
        return 0

    cli: ModuleType = importlib.import_module("cannon.cli")
    monkeypatch.setattr(cli, "main", run)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main() == 0
    finally:
        signal.signal(signal.SIGINT, before)
    assert met == [signal.default_int_handler]


def test_next_to_nothing_is_loaded_before_an_interrupt_ends_the_program_quietly() -> None:
    code = (
        "import sys; before = set(sys.modules); import cannon.__main__;"
        "print({'typing', 're', 'enum', 'signal', 'click'} & (set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={"PYTHONPATH": str(Path(cannon.__file__).parents[1])},
    )
    assert done.stdout.strip() == "set()"
