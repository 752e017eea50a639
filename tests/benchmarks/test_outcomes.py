from __future__ import annotations

from pathlib import Path

import pytest

from cannon.rounds import Pass
from cannon.verdict import Change
from clients import Fault
from outcomes import Found, Ledger, Outcome, found_in, own_added_ms, samples_of
from tests.comparisons import BASE, SIDE, a_comparison, a_dropped, a_round, a_row, a_slot, no_row
from told import Visit

NOTHING = (0.0, 0.0, 0.0, 0.0)


def _visit(place: int, count: int, middle_ms: float = 1.0) -> Visit:
    middle_ns = middle_ms * 1e6
    return Visit(
        place, count, (middle_ns, 2 * middle_ns, 3 * middle_ns, middle_ns), NOTHING, NOTHING, NOTHING
    )


def _outcome(number: int = 1, **changes: object) -> Outcome:
    return Outcome(**({"part": "aa", "setting": "nginx", "number": number, "commit": "abc"} | changes))  # type: ignore[arg-type]  # passed through


def test_rows_with_an_interval_are_kept_under_their_pass_and_metric() -> None:
    found = found_in(a_comparison())
    assert ("capacity", "rps") in [(row.of, row.metric) for row in found]
    assert ("latency", "p50") in [(row.of, row.metric) for row in found]
    assert all(row.added.low is not None for row in found)


def test_a_row_that_tells_no_change_in_percent_is_kept() -> None:
    (row,) = found_in(a_comparison(rows=[a_row(change_pct=None)]))
    assert row.change_pct is None


def test_rows_without_an_interval_or_without_figures_are_not_kept() -> None:
    names = [row.metric for row in found_in(a_comparison())]
    assert "bytes" not in names and "errors" not in names and "p99_9" not in names
    assert found_in(a_comparison(rows=[no_row("p50", "too few")])) == []


def test_a_slot_is_set_beside_the_visit_that_the_server_recorded_of_it() -> None:
    rounds = [
        a_round(Pass.LATENCY, 1, {BASE: a_slot(sent=95, outside=5), SIDE: a_slot(sent=100, outside=5)}),
        a_round(
            Pass.LATENCY,
            2,
            {BASE: a_slot(sent=97, outside=5), SIDE: a_slot(sent=98, outside=5)},
            order=[SIDE, BASE],
        ),
    ]
    visits = [
        # A look at each, and the round that is thrown away.
        *(_visit(0, 1), _visit(1, 1), _visit(0, 100, 9.0), _visit(1, 105, 9.0)),
        *(_visit(0, 100, 1.0), _visit(1, 105, 3.0), _visit(1, 103, 4.0), _visit(0, 102, 2.0)),
    ]
    found = samples_of(a_comparison(rounds=rounds), visits)
    assert [[sample.side for sample in samples] for samples in found] == [[BASE, SIDE], [BASE, SIDE]]
    told = [[sample.visit and sample.visit.service_ms["p50"] for sample in samples] for samples in found]
    assert told == [[1.0, 3.0], [2.0, 4.0]]


def test_what_a_client_told_of_a_slot_is_kept_beside_it() -> None:
    rounds = [a_round(Pass.LATENCY, 1, {BASE: a_slot(0.5), SIDE: a_slot(0.7)})]
    (samples,) = samples_of(a_comparison(rounds=rounds))
    assert [sample.client_ms["p50"] for sample in samples] == [0.5, 0.7]
    assert [sample.visit for sample in samples] == [None, None]


def test_slots_of_the_capacity_pass_are_not_set_beside_anything() -> None:
    assert samples_of(a_comparison(rounds=[a_round(Pass.CAPACITY, 1)]), []) == []


def test_a_server_that_counted_something_else_than_cannon_is_a_fault() -> None:
    rounds = [a_round(Pass.LATENCY, 1, {BASE: a_slot(sent=95, outside=5), SIDE: a_slot(sent=95, outside=5)})]
    for visits in ([_visit(0, 100), _visit(1, 99)], [_visit(1, 100), _visit(0, 100)], [_visit(1, 100)]):
        with pytest.raises(Fault, match="another record"):
            samples_of(a_comparison(rounds=rounds), visits)


def test_a_comparison_that_dropped_a_round_is_not_set_beside_a_record() -> None:
    counts = {BASE: a_slot(sent=100, outside=0), SIDE: a_slot(sent=100, outside=0)}
    comparison = a_comparison(rounds=[a_round(Pass.LATENCY, 1, counts)], dropped=[a_dropped()])
    with pytest.raises(Fault):
        samples_of(comparison, [_visit(0, 100), _visit(1, 100)])


def test_what_was_added_by_the_servers_record_is_the_estimate_of_its_round_differences() -> None:
    counts = {BASE: a_slot(sent=100, outside=0), SIDE: a_slot(sent=100, outside=0)}
    rounds = [a_round(Pass.LATENCY, number, counts) for number in (1, 2, 3)]
    visits = []
    for base_ms, side_ms in ((1.0, 2.0), (2.0, 3.1), (1.5, 2.7)):
        visits += [_visit(0, 100, base_ms), _visit(1, 100, side_ms)]
    added = own_added_ms(samples_of(a_comparison(rounds=rounds), visits))
    assert added["p50"] == pytest.approx(1.1) and added["p90"] == pytest.approx(2.2)
    assert own_added_ms(samples_of(a_comparison(rounds=rounds))) == {}


def test_a_row_is_found_by_its_name() -> None:
    row = Found("latency", "p50", Change(1, 0, 2), Change(10, 0, 20))
    assert _outcome(rows=[row]).row("latency", "p50") == row
    assert _outcome(rows=[row]).row("capacity", "p50") is None


def test_outcomes_are_kept_line_by_line_and_read_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "outcomes")
    assert ledger.read() == []
    visits = [_visit(0, 1), _visit(1, 1)]
    rounds = [a_round(Pass.LATENCY, 1, {BASE: a_slot(sent=1, outside=0), SIDE: a_slot(sent=1, outside=0)})]
    kept = [
        _outcome(1, rows=found_in(a_comparison())),
        _outcome(2, fault="out of\nluck"),
        _outcome(3, rounds=samples_of(a_comparison(rounds=rounds), visits), own_ms={"p50": 1.0}),
    ]
    for outcome in kept:
        ledger.keep(outcome)
    assert ledger.read() == kept
    assert len((tmp_path / "outcomes").read_bytes().splitlines()) == 3


def test_a_line_that_was_cut_is_lost_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "outcomes"
    ledger = Ledger(path)
    ledger.keep(_outcome(1))
    ledger.keep(_outcome(2))
    path.write_bytes(path.read_bytes()[:-10])
    assert ledger.read() == [_outcome(1)]
    ledger.keep(_outcome(3))
    assert ledger.read() == [_outcome(1), _outcome(3)]
