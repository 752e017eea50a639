"""Gates are told with their value, their bound and why, and what they say is text."""

from __future__ import annotations

import pytest

from cannon.reports import gate_section
from cannon.reports.gate_sentences import figures
from cannon.reports.page import Page
from cannon.reports.terminal import Terminal
from cannon.result import GateVerdict


def a_gate(verdict: str = "pass", **changes: object) -> GateVerdict:
    given = {"value": 12.4, "bound": 20.0, "low": None, "high": None, "unit": "ms", "reason": ""} | changes
    return GateVerdict(expression="p99 < 20ms", verdict=verdict, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        (a_gate(), "12.4 ms, bound 20.0 ms"),
        (a_gate(low=12.1, high=12.9), "12.4 ms [12.1, 12.9], bound 20.0 ms"),
        (a_gate(unit="", value=3.0, bound=0.0), "3, bound 0"),
        (a_gate(unit="%", value=0.25, bound=0.1), "0.25 %, bound 0.1 %"),
        (a_gate(bound=None), "12.4 ms"),
        (a_gate(value=None), ""),
        (a_gate(unit="furlongs"), ""),
    ],
)
def test_figures_are_in_the_unit_of_the_gate(gate: GateVerdict, told: str) -> None:
    assert figures(gate) == told


def test_a_page_ends_with_them_and_their_reasons() -> None:
    page = Page(Terminal())
    gate_section.draw(page, [a_gate(), a_gate("fail", reason="p99 was \x1b[31m25 ms")])
    first, last, reason = page.text().strip("\n").splitlines()
    assert first == "pass  p99 < 20ms  12.4 ms, bound 20.0 ms"
    assert last == "fail  p99 < 20ms  12.4 ms, bound 20.0 ms"
    assert "\x1b" not in reason and "25 ms" in reason
