"""What a stream can show, asked of real pipes and pseudo-terminals."""

from __future__ import annotations

import io
import os
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest

from cannon.reports.terminal import Terminal, columns, put

COLOURFUL = {"TERM": "xterm-256color"}


@pytest.fixture
def tty() -> Iterator[TextIO]:
    leader, follower = os.openpty()
    with open(follower, "w", encoding="utf-8") as stream:
        yield stream
    os.close(leader)


def test_a_terminal_takes_escape_sequences(tty: TextIO) -> None:
    assert Terminal.of(tty, COLOURFUL).ansi


@pytest.mark.parametrize(
    "environment", [{"TERM": "dumb"}, {}, {"TERM": ""}, COLOURFUL | {"NO_COLOR": "1"}], ids=str
)
def test_a_terminal_that_must_not_be_coloured_takes_none(tty: TextIO, environment: dict[str, str]) -> None:
    assert not Terminal.of(tty, environment).ansi


def test_an_empty_no_color_forbids_nothing(tty: TextIO) -> None:
    assert Terminal.of(tty, COLOURFUL | {"NO_COLOR": ""}).ansi


def test_a_stream_that_is_no_terminal_takes_no_escape_sequences_and_has_the_usual_width() -> None:
    assert Terminal.of(io.StringIO(), COLOURFUL) == Terminal(ansi=False, unicode=True, columns=80)


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not Terminal.of(stream, COLOURFUL).ansi


def test_the_width_is_that_of_the_terminal(tty: TextIO) -> None:
    termios.tcsetwinsize(tty.fileno(), (24, 101))
    assert columns(tty) == 101


def test_a_terminal_that_knows_no_width_has_the_usual_one(tty: TextIO) -> None:
    assert Terminal.of(tty, COLOURFUL).columns == 80


@pytest.mark.parametrize(("columns", "page"), [(40, 80), (80, 80), (100, 100), (300, 120)])
def test_a_page_is_never_too_narrow_for_the_tables_nor_too_wide_to_read(columns: int, page: int) -> None:
    assert Terminal(columns=columns).page_columns == page


@pytest.mark.parametrize(
    ("encoding", "unicode"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp437", False)]
)
def test_an_encoding_without_the_drawn_characters_is_told(encoding: str, unicode: bool) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert Terminal.of(stream, {}).unicode is unicode


def test_what_an_encoding_lacks_becomes_an_escape() -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding="ascii")
    put("5 µs – caf\u00e9\n", stream)
    assert data.getvalue() == b"5 \\xb5s \\u2013 caf\\xe9\n"
