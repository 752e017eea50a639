"""Programs are found where shells and root find them, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cannon import programs
from cannon.programs import path_of


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program in a folder of its own."""
    path = tmp_path / "served"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_program_on_the_path_is_found(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"/nowhere:{program.parent}")
    assert path_of("served") == str(program)


def test_those_meant_for_root_are_found_by_anybody(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(programs, "_SBIN", (str(program.parent),))
    assert path_of("served") == str(program)


def test_the_path_goes_before_them(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "served").write_bytes(program.read_bytes())
    (other / "served").chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(programs, "_SBIN", (str(other),))
    assert path_of("served") == str(program)


def test_without_a_path_the_usual_one_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert path_of("sh") is not None


def test_a_path_is_that_program_and_is_not_searched_for(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert path_of(str(program)) == str(program)
    assert path_of("./served") is None


@pytest.mark.parametrize("name", ["", "no-such-program", "a\0b", "x" * 5000])
def test_what_is_no_program_is_not_found(name: str) -> None:
    assert path_of(name) is None


def test_a_file_that_cannot_be_run_is_none(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program.chmod(0o644)
    monkeypatch.setenv("PATH", str(program.parent))
    assert path_of("served") is None
