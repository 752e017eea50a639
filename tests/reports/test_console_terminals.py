"""What holds for the console of every result, on any terminal, whatever a server has said."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.errors import Fault
from cannon.reports.console import render
from cannon.reports.terminal import Terminal
from cannon.result import Result, Validity
from cannon.tally import Histogram, Row
from tests.reports.samples import FAILING_TABLES, HOSTILE_TEXT, PAGE, RESULTS
from tests.results import a_failing_tally, a_plan, a_result

HOSTILE = (
    FAILING_TABLES
    + """\
Error             Count  First example
────────────────────────────────────────────────────────────────────────────────
connect: refused     13  127.0.0.1:4000 refused the connection
timeout               6  no response within 10 s
reset                 2  [/red] \\x1b[31mred\\x1b[0m\\x1b]0;title\\x07\\r\\nsecond
                         line \\u202eidib

963 2xx responses, 27 non 2xx responses
3 responses did not match what was expected
1 response came that no request had asked for
sent 1,000 = 990 completed + 8 failed + 2 in flight (the oldest for 2.34 s)
connects 25 = 12 made + 13 failed
1,000 requests in 10.00 s, 176 kB read
"""
)

every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)


def test_text_of_a_hostile_server() -> None:
    assert render(RESULTS["hostile"], PAGE) == HOSTILE


@every_result
def test_without_colour_there_is_no_escape_sequence(result: Result) -> None:
    text = render(result, PAGE, latency=True, status_codes=True)
    assert [character for character in text if unicodedata.category(character).startswith("C")] == [
        "\n"
    ] * text.count("\n")


@every_result
def test_colour_says_nothing_that_words_do_not(result: Result) -> None:
    coloured = render(result, Terminal(ansi=True), latency=True, status_codes=True)
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).split("\n"))
    assert plain == render(result, PAGE, latency=True, status_codes=True)


@every_result
def test_colours_are_those_that_dark_and_light_terminals_show(result: Result) -> None:
    coloured = render(result, Terminal(ansi=True), latency=True, status_codes=True)
    codes = {code for found in re.findall(r"\x1b\[([0-9;]*)m", coloured) for code in found.split(";")}
    assert codes <= {"0", "1", "2", "31", "32", "36"}


@every_result
def test_an_ascii_terminal_gets_ascii(result: Result) -> None:
    assert render(result, Terminal(unicode=False), latency=True).isascii()


@every_result
def test_a_narrow_terminal_never_costs_a_figure(result: Result) -> None:
    assert render(result, Terminal(columns=20)) == render(result, PAGE)


def test_a_saved_result_is_not_trusted_either() -> None:
    result = a_result(
        status={HOSTILE_TEXT: 1},
        errors={HOSTILE_TEXT: 1},
        error_examples={HOSTILE_TEXT: HOSTILE_TEXT},
        interrupted=HOSTILE_TEXT,
        validity=Validity(HOSTILE_TEXT, [HOSTILE_TEXT]),
        plan=a_plan(title=HOSTILE_TEXT),
    )
    connects = msgspec.structs.replace(result.connects, negotiated={HOSTILE_TEXT: 1})
    text = render(msgspec.structs.replace(result, connects=connects), PAGE)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("[/red]") == 8


@given(
    durations_ns=st.lists(st.integers(min_value=0, max_value=10**12), max_size=40),
    statuses=st.dictionaries(st.integers(min_value=200, max_value=999), st.integers(1, 10**9), max_size=4),
    window_ns=st.integers(min_value=0, max_value=10**13),
    requests=st.integers(min_value=0, max_value=10**10),
    received_bytes=st.integers(min_value=0, max_value=10**15),
    message=st.text(max_size=300),
)
@settings(max_examples=15, deadline=None)
def test_every_result_fits_80_columns_and_shows_figures_or_nothing(
    durations_ns: list[int],
    statuses: dict[int, int],
    window_ns: int,
    requests: int,
    received_bytes: int,
    message: str,
) -> None:
    row = Row(window_ns=window_ns, requests=requests, received_bytes=received_bytes)
    tally = a_failing_tally({Fault.RESET: message})
    changes: dict[str, Any] = {"status": statuses, "row": row, "whole": Histogram.of(*durations_ns)}
    tally = msgspec.structs.replace(tally, **changes)
    text = render(a_result(tally=tally, duration_ns=window_ns), PAGE, latency=True)
    assert max(map(columns_of, text.splitlines())) <= 80
    figures = text.split("Error ")[0]
    assert not re.search(r"nan|inf|None|(?<![\d.])0 ms", figures)


def columns_of(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@every_result
def test_every_kind_of_result_fits_80_columns(result: Result) -> None:
    lines = render(result, PAGE, latency=True, status_codes=True).splitlines()
    assert max(map(columns_of, lines)) <= 80
