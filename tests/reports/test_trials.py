"""What a search shows: a table of its trials, and one sentence."""

from __future__ import annotations

import pytest

from cannon.gate_grammar import parse
from cannon.gates import Verdict
from cannon.reports.terminal import Terminal
from cannon.reports.trials import answer, line, render
from cannon.search import Finding, Outcome, Trial

GATE = parse("p99 < 50ms")
TRIALS = [
    Trial(100, 100.04, 1.2345, Verdict.PASS, ""),
    Trial(12_800, 11_520.3, None, Verdict.FAIL, "10 % of what was due was never sent"),
    Trial(6_400, 6_400, 61.2, Verdict.INCONCLUSIVE, "p99 was 61.2 ms, and cannon was it"),
    Trial(3_200, 3_200, 51.2, Verdict.FAIL, "p99 was 51.2 ms"),
    Trial(0.5, None, None, Verdict.FAIL, "no request succeeded"),
]
AT_LEAST = Finding(Outcome.AT_LEAST, 100, "at 6,400/s p99 was 61.2 ms, and cannon was the limit")

PICTURE = """\
Trial    Asked/s     Sent/s        p99  Verdict         Why
────────────────────────────────────────────────────────────────────────────────
    1        100        100    1.23 ms  holds
    2     12,800     11,520          -  fails           10 % of what was due was
                                                        never sent
    3      6,400      6,400    61.2 ms  cannon's limit  p99 was 61.2 ms, and
                                                        cannon was it
    4      3,200      3,200    51.2 ms  fails
    5        0.5          -          -  fails           no request succeeded

p99 < 50ms holds at 100/s at least: at 6,400/s p99 was 61.2 ms, and cannon was
the limit
"""


def test_the_table_has_a_row_for_each_trial_in_their_order() -> None:
    assert render(TRIALS, AT_LEAST, GATE, Terminal()) == PICTURE


def test_without_colour_or_unicode_it_says_the_same() -> None:
    plain = render(TRIALS, AT_LEAST, GATE, Terminal(unicode=False))
    assert plain.isascii()
    coloured = render(TRIALS, AT_LEAST, GATE, Terminal(ansi=True))
    assert "\x1b[" in coloured


def test_a_search_without_a_trial_has_no_table() -> None:
    text = render([], Finding(Outcome.NONE, None, "interrupted by SIGINT"), GATE, Terminal())
    assert text == "no rate was found at which p99 < 50ms holds: interrupted by SIGINT\n"


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (TRIALS[0], "trial 7: 100/s asked, 100/s sent, p99 1.23 ms: holds"),
        (
            TRIALS[1],
            "trial 7: 12,800/s asked, 11,520/s sent: fails (10 % of what was due was never sent)",
        ),
        (
            TRIALS[2],
            "trial 7: 6,400/s asked, 6,400/s sent, p99 61.2 ms: cannon's limit (p99 was 61.2 ms, and cannon was it)",
        ),
        (TRIALS[3], "trial 7: 3,200/s asked, 3,200/s sent, p99 51.2 ms: fails"),
        (TRIALS[4], "trial 7: 0.5/s asked: fails (no request succeeded)"),
    ],
)
def test_a_line_tells_what_was_measured_and_nothing_else(trial: Trial, expected: str) -> None:
    assert line(7, trial, GATE) == expected


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (
            Finding(Outcome.FOUND, 12_345.6, "at 12,900/s p99 was 61 ms"),
            "12,346/s is the highest rate at which p99 < 50ms holds: at 12,900/s p99 was 61 ms",
        ),
        (
            Finding(Outcome.AT_LEAST, 408.5, "interrupted by SIGINT"),
            "p99 < 50ms holds at 408.5/s at least: interrupted by SIGINT",
        ),
        (
            Finding(Outcome.NONE, None, "at 204/s p99 was 61 ms"),
            "no rate was found at which p99 < 50ms holds: at 204/s p99 was 61 ms",
        ),
    ],
)
def test_the_answer_is_one_sentence(finding: Finding, expected: str) -> None:
    assert answer(finding, GATE) == expected


def test_what_a_reason_holds_moves_no_terminal() -> None:
    trial = Trial(100, 100, None, Verdict.FAIL, "it said \x1b[31m\r\n[/red]")
    finding = Finding(Outcome.NONE, None, f"at 100/s {trial.reason}")
    for text in (line(1, trial, GATE), render([trial], finding, GATE, Terminal())):
        assert "\x1b" not in text
        assert "\r" not in text
        assert "\\x1b[31m\\r\\n[/red]" in text
