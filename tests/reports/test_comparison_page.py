"""The page of a comparison: what stands on it, in which words, and that nothing is cut."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec
import pytest

from cannon.comparison import CommonRate, Comparison, Worth
from cannon.equivalence import Equivalence
from cannon.reports.comparison_page import render
from cannon.reports.terminal import Terminal
from cannon.rounds import Mode, Pass
from cannon.route import Proxy, Route
from cannon.rows import Change, Verdict
from cannon.validity import Validity
from tests.comparisons import (
    BASE,
    SIDE,
    a_change,
    a_comparison,
    a_compression,
    a_compression_comparison,
    a_dropped,
    a_row,
    a_side,
    a_side_report,
    a_slot,
    a_tls_comparison,
    some_noise,
    some_rounds,
    some_rows,
)
from tests.reports.comparison_pictures import BELOW_EACH_OTHER, COMPRESSED, PAGE, SECURED, WIDE
from tests.reports.odd_comparisons import (
    COMPARISONS,
    LONG_NAME,
    different,
    limited,
    rounds,
    three_sides,
    without_intervals,
)


def page(comparison: Comparison, **terminal: Any) -> str:
    return render(comparison, Terminal(**terminal))


def on_one_line(comparison: Comparison) -> str:
    """The page with its lines unfolded, for what is said and not how."""
    return " ".join(page(comparison).split())


every_comparison = pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)


def test_the_page_of_two_sides() -> None:
    assert page(a_comparison()) == PAGE


def test_where_there_is_room_the_verdict_stands_in_its_row() -> None:
    assert WIDE in page(a_comparison(), columns=120)


def test_compression_ends_with_bytes_and_the_links_on_which_it_gains() -> None:
    assert page(a_compression_comparison()).endswith("\n\n" + COMPRESSED)


def test_tls_ends_with_what_a_connection_costs() -> None:
    assert page(a_tls_comparison()).endswith("\n\n" + SECURED)


@every_comparison
@pytest.mark.parametrize("columns", [20, 80, 100, 120, 300])
def test_a_page_is_no_wider_than_the_terminal_and_cuts_nothing(comparison: Comparison, columns: int) -> None:
    text = page(comparison, columns=columns)
    assert max(len(line) for line in text.splitlines()) <= max(80, min(columns, 120))
    assert "…" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@every_comparison
def test_no_two_empty_lines_follow_each_other(comparison: Comparison) -> None:
    assert "\n\n\n" not in page(comparison)


def test_without_a_row_that_is_refused_and_noise_the_notes_follow_the_table() -> None:
    rows = [row for row in without_intervals(some_rows()) if row.base_value is not None]
    assert "\n\n\n" not in page(a_comparison(rows=rows, noise=[]))


@every_comparison
@pytest.mark.parametrize("columns", [80, 120])
def test_an_ascii_terminal_gets_ascii(comparison: Comparison, columns: int) -> None:
    assert page(comparison, unicode=False, columns=columns).isascii()


@every_comparison
def test_without_colour_there_is_no_escape_sequence(comparison: Comparison) -> None:
    text = page(comparison)
    odd = {character for character in text if unicodedata.category(character).startswith("C")}
    assert odd == {"\n"}


@every_comparison
def test_colour_says_nothing_that_words_do_not(comparison: Comparison) -> None:
    coloured = page(comparison, ansi=True)
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).split("\n"))
    assert plain == page(comparison)
    codes = {code for found in re.findall(r"\x1b\[([0-9;]*)m", coloured) for code in found.split(";")}
    assert codes <= {"0", "1", "2", "31", "32"}


def test_figures_that_do_not_fit_side_by_side_stand_below_each_other() -> None:
    assert BELOW_EACH_OTHER in page(limited())
    assert ">= 1,234,567/s" in page(limited(), columns=120)


def test_a_name_that_no_column_takes_stands_above_them() -> None:
    text = page(COMPARISONS["a long name"])
    assert f"\n{LONG_NAME} against direct\n               base     side " in text


def test_each_side_beyond_the_base_has_a_block_of_its_own() -> None:
    text = page(three_sides())
    assert text.index("haproxy against direct\n") < text.index("nginx against direct\n")
    assert text.count("p50       0.81 ms") == 2
    assert "with 12, up to 46 % of" in on_one_line(three_sides())


def test_sides_that_differ_are_told_first_and_without_figures() -> None:
    assert page(different()) == (
        "The sides do not answer the same, so their figures are not to be compared:\n"
        "  haproxy answers 301, direct 200 (--allow status)\n"
        "  haproxy: gzip was asked for, and br came\n"
        "\n"
        "direct   http://127.0.0.1:8000/  (the base)\n"
        "haproxy  http://127.0.0.1:8080/\n"
        "No round was fired\n"
        "\n"
        "invalid: the sides do not answer the same\n"
    )


def test_a_side_that_is_not_simply_dialled_says_its_way() -> None:
    plan = a_side(SIDE).plan
    through = msgspec.structs.replace(plan, route=Route(proxy=Proxy.parse("http://u:secret@127.0.0.1:3128")))
    text = page(a_comparison(sides=[a_side_report(BASE), a_side_report(SIDE, through)]))
    assert "\nhaproxy  http://127.0.0.1:8080/ through http://127.0.0.1:3128" in text
    assert "secret" not in text


def test_what_may_differ_and_what_varies_is_told_below_the_sides() -> None:
    found = Equivalence(
        same=True, differences=[], allowed=["tls: TLSv1.3, plain: none"], varies=["the body of b varies"]
    )
    assert "margin 5 %\nAllowed to differ: tls: TLSv1.3, plain: none\nthe body of b varies\n\n" in page(
        a_comparison(equivalence=found)
    )


def test_below_six_rounds_there_are_no_intervals_and_the_page_says_why() -> None:
    text = on_one_line(COMPARISONS["few rounds"])
    assert "[" not in text
    assert "cannot tell" not in text
    assert (
        "No intervals and no verdicts: of 3 rounds, and 6 are the least that have intervals of 95 % (--rounds 6;"
        in text
    )


def test_rounds_that_are_missing_are_told_by_pass() -> None:
    rows = [row for row in some_rows() if row.of == Pass.CAPACITY]
    found = a_comparison(
        rounds=rounds(10, 4), rows=[*rows, *without_intervals(some_rows()[1:])], interrupted="SIGINT"
    )
    text = on_one_line(found)
    assert "rounds of a 1 s slot for each side: 10 of capacity, 4 of latency (10 asked)" in text
    assert "No intervals and no verdicts for latency: 4 of 10 rounds are whole" in text
    assert text.endswith(
        "interrupted by SIGINT: these figures are of the whole rounds until then, 10 of capacity and 4 of latency"
    )


def test_an_interrupt_before_the_first_round_leaves_no_figures() -> None:
    found = a_comparison(rounds=[], rows=[], noise=[], rate=None, interrupted="SIGTERM")
    assert page(found).endswith("\ninterrupted by SIGTERM: no round was whole by then\n")
    assert "against" not in page(found)
    reason = "no round was whole when it was interrupted"
    invalid = msgspec.structs.replace(found, validity=Validity("invalid", [reason]))
    assert page(invalid).endswith(f"\ninvalid: {reason}\ninterrupted by SIGTERM\n")


def test_an_interrupt_between_the_passes_is_not_called_the_whole() -> None:
    rows = [row for row in some_rows() if row.of == Pass.CAPACITY]
    found = a_comparison(rounds=rounds(10, 0), rows=rows, rate=None, interrupted="SIGINT")
    assert "rounds of a 1 s slot for each side: 10 of capacity (10 asked)" in on_one_line(found)


def test_dropped_rounds_are_counted_by_their_reason() -> None:
    found = a_comparison(
        rounds=rounds(10, 7),
        dropped=[
            a_dropped(number=2),
            a_dropped(number=5),
            a_dropped(number=6, reason="it closed the connection"),
        ],
    )
    text = on_one_line(found)
    assert "latency pass: 2 of 10 rounds were dropped: haproxy: 127.0.0.1:8080 refused the connection" in text
    assert "latency pass: 1 of 10 rounds was dropped: haproxy: it closed the connection" in text


def test_a_round_that_was_to_be_thrown_away_is_counted_with_those_that_were_dropped() -> None:
    found = [a_dropped(number=0), a_dropped(number=1), a_dropped(number=2, side=BASE)]
    text = on_one_line(a_comparison(rounds=rounds(10, 0), dropped=found))
    assert "latency pass: 2 of 3 rounds were dropped: haproxy: " in text
    assert "latency pass: 1 of 3 rounds was dropped: direct: " in text


def test_dropped_rounds_that_make_it_suspect_are_told_once() -> None:
    found = a_comparison(
        rounds=rounds(10, 8),
        dropped=[a_dropped(number=2), a_dropped(number=5)],
        validity=Validity("suspect", ["2 of 10 rounds of the latency pass were dropped, for 'haproxy'"]),
    )
    assert on_one_line(found).count("were dropped") == 1


def test_of_many_reasons_some_are_told_and_the_others_counted() -> None:
    found = [a_dropped(number=number, reason=f"reason {number}") for number in range(1, 6)]
    text = on_one_line(a_comparison(rounds=rounds(10, 5), dropped=found))
    assert text.count("1 of 10 rounds was dropped: haproxy: reason") == 3
    assert "latency pass: 2 rounds dropped for other reasons" in text


def test_warnings_and_doubts_stand_at_the_end() -> None:
    found = a_comparison(
        warnings=["the side that is fired first is slower"],
        validity=Validity("suspect", ["the side that is fired first is slower", "steal took 3 % of the CPU"]),
    )
    assert page(found).endswith(
        "\n\nwarning: the side that is fired first is slower\nsuspect: steal took 3 % of the CPU\n"
    )


def test_bytes_and_errors_have_rows_where_they_tell_something() -> None:
    assert "over all rounds" not in page(a_comparison())
    failing = a_row(
        "errors",
        (0.0, 0.4),
        (0.4,),
        None,
        Verdict.UNCERTAIN,
        reason="higher: 12 of 3,000 against 0 of 3,000; totals of all rounds, without an interval",
    )
    text = page(a_comparison(rows=[*some_rows()[:-1], failing]))
    assert (
        "\nErrors in percent of requests, over all rounds\n"
        "  errors      0.0 %    0.4 %  +0.4 pts\n"
        "            more errors: 12 of 3,000 against 0 of 3,000\n"
    ) in text
    assert "  bytes " not in text
    assert "\nBytes of a response, over all rounds\n  bytes " in page(a_compression_comparison())
    assert "more bytes" not in page(a_compression_comparison())
    assert "fewer bytes" not in page(a_compression_comparison())


def test_bytes_that_differ_by_less_than_is_shown_have_no_row() -> None:
    row = a_row("bytes", (142.0, 142.05), (0.05,), (0.035,), Verdict.EQUIVALENT)
    assert "  bytes " not in page(a_comparison(rows=[*some_rows(), row]))


def test_a_large_rate_and_a_large_noise_have_all_their_digits() -> None:
    noise = [msgspec.structs.replace(some_noise()[0], resolvable_pct=1_006.4)]
    rate = CommonRate(per_s=500_000.0, asked=None, reason="50 % of the capacity of the slowest side")
    text = on_one_line(a_comparison(rate=rate, noise=noise))
    assert "Latency, every side at 500,000 requests/s " in text
    assert "up to about 1,006 % in" in text


def test_a_rate_that_was_asked_for_stands_above_its_rows_alone() -> None:
    rate = CommonRate(per_s=3_700.0, asked=3_700.0, reason="as asked")
    text = page(a_comparison(rate=rate))
    assert "Latency, every side at 3,700 requests/s\n" in text
    assert "as asked" not in text


def test_a_process_that_was_named_has_a_row_at_the_common_rate() -> None:
    named = a_row("cpu@nginx", (12.0, 20.0), (8.0, 7.0, 9.0), (66.0, 58.0, 75.0))
    in_capacity = a_row(
        "cpu@nginx", (1.0, 2.0), (1.0, 0.5, 1.5), (100.0, 50.0, 150.0), of=Pass.CAPACITY.value
    )
    text = page(a_comparison(rows=[*some_rows(), named, in_capacity]))
    assert "  nginx     12.0 µs  20.0 µs" in text
    assert text.count("  nginx  ") == 1


def test_without_a_latency_pass_the_page_is_of_the_capacity_alone() -> None:
    rows = [row for row in some_rows() if row.of == Pass.CAPACITY]
    text = page(a_comparison(rounds=some_rounds(Pass.CAPACITY, 10), rows=rows, rate=None))
    assert "Latenc" not in text
    assert "  capacity  9,810/s" in text


def test_the_noise_of_a_capacity_that_was_not_reached_is_not_told() -> None:
    assert "3.1 % in mean\n" in page(limited())


def test_a_target_against_itself_is_called_so() -> None:
    text = on_one_line(a_comparison(mode=Mode.AA.value))
    assert "The same URL on every side: what differs here is chance" in text


@pytest.mark.parametrize(
    ("worth", "speed", "expected"),
    [
        (
            Worth.AT_LEAST,
            a_change(291.0, 291.0, None),
            "gzip adds nothing measurable to the mean: it pays off on links up to 291 Mbit/s at least",
        ),
        (Worth.FREE, None, "it pays off on every link"),
        (Worth.LARGER, None, "gzip saves no bytes: it pays off on no link"),
        (Worth.UNKNOWN, None, "gzip was not measured well enough to say on which links it pays off"),
        (Worth.BREAK_EVEN, a_change(320.0), "gzip gains time on links slower than 320 Mbit/s, and"),
    ],
)
def test_what_a_coding_is_worth_is_said_in_words(worth: Worth, speed: Change | None, expected: str) -> None:
    found = a_compression(worth={"gzip": worth}, break_even_mbit_s={"gzip": speed})
    assert expected in on_one_line(a_compression_comparison(compression=found))


def test_a_client_that_was_the_limit_is_told() -> None:
    found = some_rounds(Pass.LATENCY, 10)
    slots = {**found[0].slots, BASE: a_slot(busy=0.98, saturated=True, cpu_bound=True)}
    found[0] = msgspec.structs.replace(found[0], slots=slots)
    assert "busy 98 % of a core, requests sent 80.0 µs late (p99), the limit in 1 of 20 slots" in on_one_line(
        a_comparison(rounds=found)
    )


def test_abba_is_no_seed() -> None:
    assert "for each side and pass, abba, margin 5 %" in page(a_comparison(order="abba"))
