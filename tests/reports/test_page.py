"""A page as it comes out of memory."""

from __future__ import annotations

import pytest

from cannon.reports.page import Cell, Page
from cannon.reports.terminal import Terminal


def drawn(terminal: Terminal, *cells: Cell) -> str:
    page = Page(terminal)
    page.line(*cells)
    return page.text()


def test_markup_and_emoji_names_are_only_text() -> None:
    assert drawn(Terminal(), Cell("[bold]:smile: 'x' 12[/bold]")) == "[bold]:smile: 'x' 12[/bold]\n"


def test_a_style_is_drawn_where_the_terminal_takes_it() -> None:
    assert (
        drawn(Terminal(ansi=True), Cell("wrong", "bold red"), Cell(" here"))
        == "\x1b[1;31mwrong\x1b[0m here\n"
    )
    assert drawn(Terminal(), Cell("wrong", "bold red"), Cell(" here")) == "wrong here\n"


def test_a_long_line_folds_between_words() -> None:
    lines = drawn(Terminal(columns=80), Cell("word " * 40)).splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("before", range(60, 80))
def test_an_option_and_its_value_stay_in_one_line(before: int) -> None:
    text = f"{'x' * before} leave a core with -w 1, or (a file: --cert FILE)"
    page = drawn(Terminal(columns=80), Cell(text))
    assert "-w 1," in page
    assert "--cert FILE)" in page
    assert page.split() == text.split()
    assert page.isascii()


def test_a_table_aligns_figures_to_the_right_and_folds_text() -> None:
    page = Page(Terminal())
    page.table(["Kind", "Count", "Example"], [[Cell("reset"), Cell("12"), Cell("x" * 90)]], (0, 5, 0))
    assert page.text() == (
        "Kind         Count  Example\n"
        + "─" * 80
        + "\nreset           12  "
        + "x" * 60
        + "\n"
        + " " * 20
        + "x" * 30
        + "\n\n"
    )


@pytest.mark.parametrize("name", ["FORCE_COLOR", "NO_COLOR", "COLUMNS"])
def test_the_environment_changes_nothing_that_was_settled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "40")
    assert drawn(Terminal(), Cell("x" * 60, "bold")) == "x" * 60 + "\n"
    assert drawn(Terminal(ansi=True), Cell("x", "red")) == "\x1b[31mx\x1b[0m\n"


def test_without_unicode_the_unit_is_written_in_ascii() -> None:
    assert drawn(Terminal(unicode=False), Cell("5 µs")) == "5 us\n"
