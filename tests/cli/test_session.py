from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cannon.cli.session import Session, print_bytes, print_text, say
from cannon.errors import InvalidRun
from tests.cli.fakes import FakeRun


@contextmanager
def stdout_to(descriptor: int, monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> Iterator[None]:
    """A block whose stdout is this descriptor."""
    with open(descriptor, "w", encoding=encoding) as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        yield


def test_a_line_is_marked_cleaned_and_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    say("at http://u:canary@h/ \x1b[31m\nred")
    assert capsys.readouterr() == ("", "cannon: at http://***@h/ \\x1b[31m\\nred\n")


@pytest.mark.parametrize("stream", [None, "closed"])
def test_a_line_that_nobody_can_hear_is_no_error(stream: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "w", encoding="utf-8") as closed:
        pass
    monkeypatch.setattr(sys, "stderr", None if stream is None else closed)
    say("hello")


def test_bytes_come_out_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    with stdout_to(os.open(path, os.O_CREAT | os.O_WRONLY), monkeypatch):
        print_text("first\n")
        print_bytes(b"\xff\r\n")
    assert path.read_bytes() == b"first\n\xff\r\n"


def test_what_an_encoding_lacks_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    with stdout_to(os.open(path, os.O_CREAT | os.O_WRONLY), monkeypatch, encoding="ascii"):
        print_text("5 µs\n")
    assert path.read_bytes() == b"5 \\xb5s\n"


def test_a_reader_who_left_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with stdout_to(writing, monkeypatch):
        print_text("x" * 100_000)
        print_text("and once more")


def test_a_full_disk_is_a_report_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        stdout_to(os.open("/dev/full", os.O_WRONLY), monkeypatch),
        pytest.raises(InvalidRun, match="cannot write the results to stdout: No space left on device"),
    ):
        print_text("hello")


def test_a_closed_stdout_is_a_report_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(InvalidRun, match="stdout is closed"):
        print_text("hello")


def test_a_session_fires_what_it_was_given_or_the_real_thing() -> None:
    from cannon.runner import run

    fake = FakeRun()
    assert Session("cannon", fake).run is fake
    assert Session("cannon").run is run
