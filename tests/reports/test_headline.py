from __future__ import annotations

import pytest

from cannon.reports.headline import headline
from cannon.validity import Validity
from tests.reports.gated import a_gate

VALID, INVALID = Validity("valid", []), Validity("invalid", ["no request succeeded"])


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ([], "Valid, no gates"),
        (["pass"], "Passed: the gate"),
        (["pass", "pass"], "Passed: all 2 gates"),
        (["pass", "fail"], "Failed: 1 of 2 gates"),
        (["inconclusive", "pass"], "Open: 1 of 2 gates, none failed"),
        (["inconclusive", "fail", "fail"], "Failed: 2 of 3 gates, 1 open"),
    ],
)
def test_gates_are_summed_up(verdicts: list[str], told: str) -> None:
    assert headline([a_gate(verdict=each) for each in verdicts], VALID) == told


def test_what_decides_the_exit_code_comes_first() -> None:
    gates = [a_gate(verdict="fail"), a_gate(verdict="pass")]
    assert headline(gates, INVALID) == "Not valid: 1 of 2 gates failed"
    assert headline([], INVALID) == "Not valid"
    assert headline(gates, INVALID, "SIGINT") == "Interrupted by SIGINT: 1 of 2 gates failed"
