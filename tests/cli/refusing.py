"""A command line that is refused: what it must leave undone, and how it must say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannon.cli import main
from tests.cli.fakes import FakeCompare, FakeRun

if TYPE_CHECKING:
    import pytest

__all__ = ["refused"]


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of these words: one line, nothing sent, exit code 2."""
    run, weigh = FakeRun(), FakeCompare()
    code = main(words, run=run, weigh=weigh)
    out, err = capsys.readouterr()
    assert (code, out, run.plans, weigh.plans) == (2, "", [], []), err
    assert err.startswith("cannon: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    assert "canary" not in err
    return err
