"""What `cannon compare` makes of servers that fail meanwhile: a failed slot costs its round and no other, a side that
has gone ends it, and the rounds that are whole are kept. Each figure is held against the server's own count.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from shlex import quote

from cannon.comparison import Comparison
from tests.comparing import LIMIT_S, comparison_of, run_compare, sound, told, under_way
from tests.firing import run_cli
from tests.servers.real import Node
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

SLOTS = ("-R", "100", "--drain", "100ms")
"""Of a tenth of a second each, if there are as many rounds as tenths: 12 requests, two of them before it begins."""

ASKED = 3
"""Each side is greeted once and probed twice, each on a connection of its own."""

A_SLOT = 12


def test_a_slot_without_an_answer_costs_its_round_and_no_other(rude: Rude) -> None:
    # Two connections a slot: after three and the two of the round that is thrown away, those of the second round.
    with Rude() as sick:
        process = run_compare(
            *SLOTS,
            "-c",
            "2",
            "-d",
            "0.3",
            "--rounds",
            "3",
            f"well={rude.url()}",
            f"sick={sick.url('/sick/8/9')}",
        )
        comparison = sound(process)
        assert sick.requests == told(comparison, "sick")
    assert rude.requests == told(comparison, "well")
    (dropped,) = comparison.dropped
    assert (dropped.number, dropped.side, dropped.reason) == (2, "sick", "no request succeeded")
    assert [each.number for each in comparison.rounds] == [1, 3]
    assert {row.rounds for row in comparison.rows} == {2}
    why = "1 of 3 rounds of the latency pass were dropped, for 'sick' (no request succeeded)"
    if comparison.validity.verdict == "suspect":
        assert why in comparison.validity.reasons


def test_a_side_that_answers_no_more_ends_it_with_its_name_and_all_it_was_asked_is_told(rude: Rude) -> None:
    with Rude() as sick:
        sides = (f"well={rude.url()}", f"sick={sick.url('/sick/8/9999')}")
        process = run_compare(*SLOTS, "-c", "2", "-t", "0.3", "-d", "0.3", "--rounds", "3", *sides)
        comparison = comparison_of(process)
        assert sick.requests == told(comparison, "sick")
    assert rude.requests == told(comparison, "well")
    assert process.returncode == 3
    assert [each.number for each in comparison.rounds] == [1]
    reason = comparison.validity.reasons[0]
    assert reason.startswith(f"side 'sick': no response from {sick.url('/sick/8/9999')}: ")
    assert reason.endswith("(in round 2 of the latency pass)")


def test_a_side_that_is_killed_ends_it_with_its_name_and_the_rounds_so_far_are_kept(
    rude: Rude, tmp_path: Path
) -> None:
    report = tmp_path / "comparison.json"
    with Node() as node:
        sides = (f"stays={rude.url()}", f"dies={node.url()}")
        with under_way(
            *SLOTS, "-c", "2", "-d", "4", "--rounds", "40", "-o", str(report), *sides
        ) as comparing:
            # In its third round, or at the end of its second.
            rude.wait_for(lambda seen: seen.requests >= ASKED + 3 * A_SLOT, LIMIT_S)
            os.kill(node.process_id, signal.SIGKILL)
            process = comparing.ended()
            assert comparing.processes == []
    comparison = comparison_of(process)
    assert (process.returncode, comparison.interrupted) == (3, None)
    reason = comparison.validity.reasons[0]
    assert reason.startswith(f"side 'dies': cannot connect to {node.url()}: Connection refused")
    last = comparison.dropped[-1]
    assert reason.endswith(f"(in round {last.number} of the latency pass)")
    assert f"cannon: invalid: {reason}" in process.stderr.splitlines()
    assert last.side == "dies"
    kept = [each.number for each in comparison.rounds]
    assert kept == [*range(1, last.number)] and len(kept) >= 1
    assert rude.requests == told(comparison, "stays")
    assert Comparison.from_json(report.read_bytes()) == comparison


def test_a_report_that_cannot_be_written_any_more_costs_neither_the_figures_nor_the_exit_code(
    rude: Rude, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    process = run_cli(
        "compare",
        *("-c", "1", "-d", "0.1", "--rounds", "1", "-R", "50"),
        *("-o", str(folder / "comparison.json"), "--before-slot", f"rm -rf {quote(str(folder))}"),
        f"a={rude.url()}",
        f"b={rude.url()}",
    )
    assert process.returncode == 3
    assert f"cannon: cannot write {folder}/comparison.json" in process.stderr
    page, brace, rest = process.stdout.partition("{\n")
    assert "a  http" in page and brace
    assert [each.number for each in Comparison.from_json((brace + rest).encode()).rounds] == [1]
