"""`cannon compare` and signals: the first ends it with what it has, the second at once, and nothing is left running.

What is signalled is a comparison of which a server has seen so many requests; nobody waits for a clock.
"""

from __future__ import annotations

import signal
from pathlib import Path

from cannon.comparison import schema
from cannon.rounds import Pass
from tests.comparing import LIMIT_S, comparison_of, orders_of, told, under_way
from tests.schemas import assert_valid
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

SLOTS = ("-c", "2", "-R", "100")
"""Of a tenth of a second each, if there are as many rounds as tenths: 12 requests, two of them before it begins."""

A_ROUND = 2 * 12
BEFORE = 2 * 3 + A_ROUND
"""Each side is greeted once and probed twice, and a round is thrown away."""


def test_a_first_signal_keeps_the_whole_rounds_and_nothing_of_the_one_it_cut(
    rude: Rude, tmp_path: Path
) -> None:
    report = tmp_path / "comparison.json"
    words = ("-d", "4", "--rounds", "40", "-o", str(report))
    with under_way(*SLOTS, *words, f"a={rude.url('/ok/a')}", f"b={rude.url('/ok/b')}") as comparing:
        rude.wait_for(lambda seen: seen.requests >= BEFORE + A_ROUND + 4, LIMIT_S)
        comparing.process.send_signal(signal.SIGINT)
        process = comparing.ended()
        assert comparing.processes == []
    comparison = comparison_of(process)
    assert (process.returncode, comparison.interrupted) == (130, "SIGINT")
    rounds = comparison.rounds
    assert [each.number for each in rounds] == [*range(1, len(rounds) + 1)]
    assert 1 <= len(rounds) < 40
    assert all(sorted(each.slots) == ["a", "b"] for each in rounds)
    (row,) = [row for row in comparison.rows if row.metric == "mean"]
    assert row.rounds == len(rounds)
    assert (row.level is None) == (len(rounds) < 6), "none before the sixth"
    assert rude.per_path == {"/ok/a": told(comparison, "a"), "/ok/b": told(comparison, "b")}
    assert_valid(report.read_bytes(), schema)
    assert report.read_text() == process.stdout


def test_from_six_whole_rounds_on_an_interrupted_comparison_has_intervals(rude: Rude) -> None:
    words = ("-d", "4", "--rounds", "40")
    with under_way(*SLOTS, *words, f"a={rude.url()}", f"b={rude.url()}") as comparing:
        # As many as seven rounds send, and one more: what a busy machine does not send of them is less than a round.
        rude.wait_for(lambda seen: seen.requests > BEFORE + 7 * A_ROUND, LIMIT_S)
        comparing.process.send_signal(signal.SIGTERM)
        process = comparing.ended()
        assert comparing.processes == []
    comparison = comparison_of(process)
    assert (process.returncode, comparison.interrupted) == (143, "SIGTERM")
    assert 6 <= len(orders_of(comparison, Pass.LATENCY)) < 40
    (row,) = [row for row in comparison.rows if row.metric == "mean"]
    assert row.rounds == len(comparison.rounds)
    assert row.level is not None and row.level >= 0.95
    assert row.added is not None and row.added.low is not None and row.added.high is not None


def test_a_second_signal_ends_it_at_once_though_answers_are_still_waited_for(
    rude: Rude, tmp_path: Path
) -> None:
    report = tmp_path / "comparison.json"
    words = ("-d", "1", "--drain", "5m", "-t", "5m", "-o", str(report))
    with under_way(
        *SLOTS, *words, f"a={rude.url('/sick/7/9999')}", f"b={rude.url('/sick/7/9999')}"
    ) as comparing:
        # Both sides were asked, on six connections; the slot that is thrown away is never answered.
        rude.wait_for(lambda seen: seen.requests > 6, LIMIT_S)
        comparing.process.send_signal(signal.SIGINT)
        # Another one, for two of a kind may be delivered as one.
        comparing.process.send_signal(signal.SIGTERM)
        process = comparing.ended()
        assert comparing.processes == []
    comparison = comparison_of(process)
    assert (process.returncode, comparison.interrupted) == (130, "SIGINT")
    assert (comparison.rounds, comparison.rows) == ([], [])
    assert report.read_text() == process.stdout
