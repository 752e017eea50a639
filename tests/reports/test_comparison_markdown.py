from __future__ import annotations

import msgspec
import pytest

from cannon.comparison import Comparison
from cannon.reports.comparison_markdown import render
from tests.comparisons import a_comparison, a_compression_comparison, a_histogram, a_tls_comparison
from tests.reports.odd_comparisons import COMPARISONS
from tests.reports.test_markdown import READER, tags_of, text_of
from tests.scenario_reports import a_scenario_report

KNOWN = {
    *("h1", "h2", "p", "ul", "li", "code", "pre", "strong"),
    *("details", "summary"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)
def test_whatever_it_holds_it_is_markdown_without_html(comparison: Comparison) -> None:
    assert tags_of(render(comparison)) <= KNOWN


def test_the_answer_of_a_scenario_stands_first() -> None:
    lines = render(a_comparison(scenario=a_scenario_report())).splitlines()
    assert lines[:5:2] == [
        "# haproxy-queue",
        "**What does the queue cost?**",
        "HAProxy adds 0.15 ms more at p50 \\[0.10, 0.20\\].",
    ]


def test_each_row_that_was_measured_stands_in_the_table() -> None:
    comparison = a_comparison()
    drawn = READER.render(render(comparison))
    measured = [row for row in comparison.rows if row.base_value is not None and row.side_value is not None]
    assert drawn.count("<tr>") == len(measured) + 1


def test_bodies_and_connections_have_tables_of_their_own() -> None:
    assert "## Bodies" in render(a_compression_comparison())
    assert "## Connections" in render(a_tls_comparison())


def test_it_says_where_it_comes_from() -> None:
    comparison = a_comparison(scenario=a_scenario_report())
    told = text_of(render(comparison, ["at the commit abc"]))
    assert comparison.cannon.command in told and comparison.host.cpu in told and "at the commit abc" in told


def test_the_services_stand_with_their_configurations() -> None:
    told = text_of(render(a_comparison(scenario=a_scenario_report())))
    assert "haproxy -db -f /tmp/x/haproxy.cfg" in told and "bind 127.0.0.1:4001" in told


def test_the_sides_are_drawn_on_one_scale() -> None:
    """The slower one stands further to the right, both between the same ends."""
    comparison = a_comparison()
    base, slower = (side.name for side in comparison.sides)
    replace = msgspec.structs.replace
    rounds = [
        replace(
            each,
            slots={
                name: replace(slot, histogram=a_histogram(0.8 if name == base else 1.6))
                for name, slot in each.slots.items()
            },
        )
        for each in comparison.rounds
    ]
    fence = render(replace(comparison, rounds=rounds)).split("```")[1].strip("\n").splitlines()
    assert [line.split()[0] for line in fence[::2]] == [base, slower]
    assert fence[1].index("^p50") < fence[3].index("^p50")
    assert len({tuple(line.split()[1:3]) for line in fence[::2]}) == 1


def test_how_it_was_measured_is_folded() -> None:
    told = render(a_comparison())
    assert told.index("| verdict |") < told.index("<details><summary>How it was measured</summary>")
