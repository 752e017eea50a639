from __future__ import annotations

from cannon.gates import Verdict
from gate_checks import GATE, STRICT, Check, Kind, table


def _check(kind: Kind = Kind.EQUAL, verdict: Verdict = Verdict.PASS, strict: Verdict | None = None) -> Check:
    return Check(
        kind=kind,
        setting="here",
        number=1,
        commit="abc",
        verdicts={GATE: verdict, STRICT: strict or verdict},
        value_ms=10.0,
        own_ms=9.5,
    )


def _cells(text: str) -> list[list[str]]:
    """Of all lines below the heading."""
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines()]
    assert len({len(row) for row in rows}) == 1, text
    return rows[2:]


EQUAL = [_check()] * 200
SLOWER = [_check(Kind.SLOWER, Verdict.FAIL)] * 40


def test_verdicts_are_counted_by_gate_and_server() -> None:
    open_ones = [_check(verdict=Verdict.INCONCLUSIVE, strict=Verdict.FAIL)] * 5
    text, reached = table([*EQUAL[5:], *open_ones, *SLOWER])
    equal, strict, slower, strictly_slower = _cells(text)
    assert equal[:7] == [f"`{GATE}`", Kind.EQUAL.value, "200", "195", "5", "0", "fail <= 18"]
    assert strict[:7] == [f"`{STRICT}`", Kind.EQUAL.value, "200", "195", "0", "5", "fail <= 18"]
    assert slower[:7] == [f"`{GATE}`", Kind.SLOWER.value, "40", "0", "0", "40", "fail >= 32"]
    assert strictly_slower[6] == ""
    assert equal[7:] == ["10.000 (10.000 to 10.000)", "9.500 (9.500 to 9.500)", "0.0 %"]
    assert reached


def test_more_false_failures_than_chance_has_miss_the_goal() -> None:
    failed = [_check(verdict=Verdict.FAIL)]
    assert table([*EQUAL[18:], *failed * 18, *SLOWER])[1]
    assert not table([*EQUAL[19:], *failed * 19, *SLOWER])[1]


def test_so_they_do_without_an_allowance() -> None:
    failed = [_check(strict=Verdict.FAIL)]
    assert not table([*EQUAL[19:], *failed * 19, *SLOWER])[1]


def test_a_slower_server_that_is_not_found_often_enough_misses_the_goal() -> None:
    open_one = [_check(Kind.SLOWER, Verdict.INCONCLUSIVE)]
    assert table([*EQUAL, *SLOWER[8:], *open_one * 8])[1]
    assert not table([*EQUAL, *SLOWER[9:], *open_one * 9])[1]


def test_without_checks_no_goal_is_reached() -> None:
    assert not table(SLOWER)[1]
    assert not table(EQUAL)[1]


def test_runs_without_a_verdict_are_counted_with_their_reason() -> None:
    fault = Check(kind=Kind.SLOWER, setting="here", number=2, commit="abc", fault="out of | luck")
    text, reached = table([*EQUAL, *SLOWER, fault])
    assert "1 without a verdict, the last: out of \\| luck" in text
    assert reached
