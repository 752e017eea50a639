"""The finding: each placeholder in words, each verdict in its own, and nothing said that was not measured."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.comparison import CommonRate, Comparison, Worth
from cannon.errors import UsageError
from cannon.finding import check_finding, finding_of
from cannon.outage import outage
from cannon.result import Result
from cannon.rounds import Pass
from cannon.rows import Verdict
from cannon.run_phrases import RUN_PHRASES
from cannon.scenario import Kind
from cannon.scenario_report import (
    NO_KEY,
    CounterRow,
    EventReport,
    ScenarioReport,
    ServiceReport,
    SpreadReport,
)
from cannon.side_phrases import AGAINST_BASE, SIDE_PHRASES
from cannon.slots import Round
from cannon.validity import Validity
from tests.comparisons import (
    BASE,
    SIDE,
    a_change,
    a_comparison,
    a_compression,
    a_compression_comparison,
    a_round,
    a_row,
    a_slot,
    a_tls_comparison,
    no_row,
)
from tests.reports.odd_comparisons import COMPARISONS, different, limited
from tests.reports.samples import HOSTILE_TEXT, RESULTS
from tests.results import (
    a_failing_tally,
    a_paced_plan,
    a_paced_tally,
    a_result,
)
from tests.results import (
    a_row as a_series_row,
)

SERVICES = ("haproxy", "node")
A_RUN = a_result()
A_COMPARISON = a_comparison()


def a_service(name: str, cpu_s: float | None = 0.5) -> ServiceReport:
    return ServiceReport(name=name, command=name, configuration=None, page=None, cpu_s=cpu_s, lost=None)


def a_report(**changes: Any) -> ScenarioReport:
    """Of two services, HAProxy and Node."""
    found: dict[str, Any] = {
        "name": "made-up",
        "question": "What?",
        "finding": "",
        "services": [a_service(name) for name in SERVICES],
        "events": [],
        "counters": [],
        "spread": [],
    }
    return ScenarioReport(**(found | changes))


def told(placeholder: str, measured: Comparison | Result, report: ScenarioReport | None = None) -> str:
    """What one placeholder becomes within a sentence."""
    sentence = finding_of(f"It {{{placeholder}}}", measured, report or a_report())
    return sentence.removeprefix("It ")


def of_rows(*rows: Any, **changes: Any) -> Comparison:
    return a_comparison(rows=list(rows), **changes)


def of_slots(
    *slots: dict[str, Any], of: Pass = Pass.LATENCY, base: dict[str, Any] | None = None
) -> Comparison:
    """A round for each of these slots of the side."""
    found: list[Round] = [
        a_round(of, number, {BASE: a_slot(**(base or {})), SIDE: a_slot(**slot)})
        for number, slot in enumerate(slots, start=1)
    ]
    return a_comparison(rounds=found)


# Sentences.


def test_a_sentence_has_its_placeholders_in_words() -> None:
    sentence = finding_of(
        "HAProxy takes {haproxy.rps.change}; it adds {haproxy.p50.added} at {rate}.",
        a_comparison(),
        a_report(),
    )
    assert sentence == (
        "HAProxy takes 24 % fewer requests per second [23, 26 %]; it adds 0.31 ms more at p50 [0.29, 0.33] at 3,700/s."
    )


def test_a_placeholder_that_begins_a_sentence_begins_it_with_a_capital() -> None:
    empty = of_rows(rounds=[])
    assert finding_of("{haproxy.rps}. {haproxy.p50} and {haproxy.p50}", empty, a_report()) == (
        "Not measured. Not measured and not measured"
    )


def test_a_template_of_several_lines_becomes_one() -> None:
    assert finding_of("One\n   and {rate}.\n", a_comparison(), a_report()) == "One and 3,700/s."


@pytest.mark.parametrize("measured", [different(), a_result(problems=["it was cut short"])])
def test_a_finding_that_nobody_may_build_on_says_so(measured: Comparison | Result) -> None:
    sentence = finding_of("It is so.", measured, a_report())
    assert sentence.startswith(
        f"It is so. But the {'run' if isinstance(measured, Result) else 'comparison'} is invalid: "
    )
    assert measured.validity.reasons[0] in sentence


def test_why_a_comparison_is_invalid_is_told_without_the_advice() -> None:
    invalid = a_comparison(
        validity=Validity("invalid", ["haproxy could not keep up; lower the rate", "more"])
    )
    assert finding_of("It is so.", invalid, a_report()) == (
        "It is so. But the comparison is invalid: haproxy could not keep up."
    )


def test_a_finding_of_a_valid_comparison_has_nothing_behind_it() -> None:
    assert (
        finding_of("It is so.", a_comparison(validity=Validity("suspect", ["noise"])), a_report())
        == "It is so."
    )


# Changes, by their verdict.


@pytest.mark.parametrize(
    ("change_pct", "verdict", "words"),
    [
        ((-28.2, -35.1, -21.4), Verdict.LOWER, "28 % fewer requests per second [21, 35 %]"),
        ((7.2, 5.5, 10.4), Verdict.HIGHER, "7 % more requests per second [6, 10 %]"),
        ((0.4, -1.2, 2.1), Verdict.EQUIVALENT, "as many requests per second (within 5 %)"),
        ((-2.0, -3.1, -1.1), Verdict.EQUIVALENT, "as many requests per second (within 5 %)"),
        ((6.1, 0.4, 12.3), Verdict.UNCERTAIN, "6.1 % more requests per second, size uncertain [0.4, 12.3 %]"),
        (
            (-3.0, -8.2, 2.9),
            Verdict.INCONCLUSIVE,
            "no measurable difference in requests per second [-8.2, +2.9 %]",
        ),
        ((-28.2,), Verdict.INCONCLUSIVE, "about 28 % fewer requests per second (no interval)"),
        ((0.0,), Verdict.INCONCLUSIVE, "about as many requests per second (no interval)"),
    ],
)
def test_a_change_has_the_words_of_its_verdict(
    change_pct: tuple[float, ...], verdict: Verdict, words: str
) -> None:
    row = a_row("rps", (9_810.0, 7_420.0), (-2_390,), change_pct, verdict)
    assert told("haproxy.rps.change", of_rows(row)) == words


@pytest.mark.parametrize(
    ("added", "verdict", "words"),
    [
        ((0.15, 0.1, 0.2), Verdict.HIGHER, "0.15 ms more at p50 [0.10, 0.20]"),
        ((-0.05, -0.08, -0.02), Verdict.LOWER, "0.05 ms less at p50 [0.02, 0.08]"),
        ((0.02, -0.02, 0.03), Verdict.INCONCLUSIVE, "no measurable difference at p50 [-0.02, +0.03 ms]"),
        ((0.02, -0.02, 0.03), Verdict.EQUIVALENT, "no measurable difference at p50 [-0.02, +0.03 ms]"),
        ((0.04, 0.02, 0.06), Verdict.EQUIVALENT, "0.04 ms more at p50 [0.02, 0.06] (within 5 %)"),
        ((0.06, 0.02, 0.12), Verdict.UNCERTAIN, "0.06 ms more at p50, size uncertain [0.02, 0.12]"),
        # The interval of the change in percent may lie otherwise than that of the difference.
        ((0.06, 0.02, 0.12), Verdict.INCONCLUSIVE, "perhaps 0.06 ms more at p50 [0.02, 0.12]"),
        ((0.06, -0.01, 0.12), Verdict.HIGHER, "0.06 ms more at p50 [-0.01, +0.12]"),
        ((0.06,), Verdict.INCONCLUSIVE, "about 0.06 ms more at p50 (no interval)"),
    ],
)
def test_what_was_added_has_the_words_of_its_verdict(
    added: tuple[float, ...], verdict: Verdict, words: str
) -> None:
    row = a_row("p50", (1.21, 1.36), added, (12.0, 8.0, 16.0), verdict)
    assert told("haproxy.p50.added", of_rows(row)) == words


def test_what_was_added_to_the_mean_was_so_on_average() -> None:
    assert told("haproxy.mean.added", a_comparison()) == "0.33 ms more on average [0.30, 0.36]"


def test_a_change_of_a_latency_is_one_of_time() -> None:
    assert told("haproxy.p90.change", a_comparison()) == "36 % more time at p90 [30, 41 %]"


def test_bytes_are_counted_and_need_no_interval() -> None:
    assert told("gzip.bytes.change", a_compression_comparison()) == "80 % fewer bytes per response"
    assert told("haproxy.bytes.change", a_comparison()) == "as many bytes per response"


def test_no_end_of_an_interval_is_shown_as_the_zero_that_it_is_not() -> None:
    row = a_row("rps", (9_810.0, 9_000.0), (-800,), (-8.1, -16.2, -0.04), Verdict.UNCERTAIN)
    assert "[0.04, 16.20 %]" in told("haproxy.rps.change", of_rows(row))


def a_limited_row(at_least: list[str], *change_pct: float) -> Any:
    return a_row("rps", (9_810.0, 7_420.0), (-2_390,), change_pct, Verdict.INCONCLUSIVE, at_least=at_least)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            a_limited_row([BASE], -24.4, -26.1, -22.9),
            "at least 23 % fewer requests per second (cannon was the limit for direct)",
        ),
        (
            a_limited_row([SIDE], 24.4, 22.9, 26.1),
            "at least 23 % more requests per second (cannon was the limit for haproxy)",
        ),
        (
            a_limited_row([SIDE], -24.4, -26.1, -22.9),
            "a change in requests per second that cannot be told (cannon was the limit for haproxy)",
        ),
        (
            a_limited_row([BASE, SIDE], -24.4, -26.1, -22.9),
            "a change in requests per second that cannot be told (cannon was the limit for direct and haproxy)",
        ),
    ],
)
def test_where_cannon_was_the_limit_only_a_bound_is_told(row: Any, words: str) -> None:
    assert told("haproxy.rps.change", of_rows(row)) == words


def test_a_capacity_that_cannon_could_not_reach_is_a_bound() -> None:
    assert told("haproxy.rps", limited()) == "at least 1,134,567/s"


def test_what_the_slots_could_not_support_says_why_without_the_advice() -> None:
    for placeholder in ("haproxy.p99_9", "direct.p99_9", "haproxy.p99_9.added", "haproxy.p99_9.change"):
        assert told(placeholder, a_comparison()) == "not measured (needs 20,000 requests per slot, had 3,700)"


def test_a_change_without_a_ratio_says_why() -> None:
    row = a_row("rps", (0.0, 10.0), (10.0, 9.0, 11.0), None, Verdict.INCONCLUSIVE)
    row = msgspec.structs.replace(row, reason="no change in percent: direct was 0 in 3 of 10 slots")
    assert told("haproxy.rps.change", of_rows(row)) == "no change in percent (direct was 0 in 3 of 10 slots)"


# Values.


@pytest.mark.parametrize(
    ("placeholder", "words"),
    [
        ("rate", "3,700/s"),
        ("direct.rps", "9,810/s"),
        ("haproxy.rps", "7,420/s"),
        ("direct.p50", "810 \N{MICRO SIGN}s"),
        ("haproxy.p99", "4.71 ms"),
        ("haproxy.bytes", "178 B"),
        ("haproxy.errors", "no errors"),
    ],
)
def test_a_value_is_that_of_its_row(placeholder: str, words: str) -> None:
    assert told(placeholder, a_comparison()) == words


def test_a_rate_that_was_never_found_was_not_measured() -> None:
    assert told("rate", different()).startswith("not measured")


def test_errors_are_a_share() -> None:
    row = a_row("errors", (0.0, 0.312), (0.312,), None, Verdict.UNCERTAIN)
    assert told("haproxy.errors", of_rows(row)) == "0.31 % errors"


@pytest.mark.parametrize(
    ("compression", "words"),
    [
        (a_compression(), "bodies 5.0 times smaller"),
        (a_compression(ratio={"gzip": 0.5}), "bodies 2.0 times larger"),
        (a_compression(ratio={"gzip": 1.01}), "bodies of about the same size"),
        (a_compression(ratio={}), "not measured"),
        (None, "responses 5.0 times smaller"),
    ],
)
def test_a_ratio_is_of_bodies_or_of_whole_responses(compression: Any, words: str) -> None:
    assert told("gzip.ratio", a_compression_comparison(compression=compression)) == words


@pytest.mark.parametrize(
    ("worth", "speed", "words"),
    [
        (
            Worth.BREAK_EVEN,
            a_change(320.0, 291.0, 356.0),
            "pays off on links slower than 320 Mbit/s [291, 356]",
        ),
        (Worth.BREAK_EVEN, a_change(320.0), "pays off on links slower than about 320 Mbit/s (no interval)"),
        (Worth.AT_LEAST, a_change(291.0, 291.0), "pays off on links up to 291 Mbit/s at least"),
        (Worth.FREE, None, "pays off on every link"),
        (Worth.LARGER, None, "pays off on no link"),
        (Worth.UNKNOWN, None, "was not measured well enough to say on which links it pays off"),
    ],
)
def test_a_break_even_is_told_for_what_it_is_worth(worth: Worth, speed: Any, words: str) -> None:
    found = a_compression(worth={"gzip": worth}, break_even_mbit_s={"gzip": speed})
    assert told("gzip.break_even", a_compression_comparison(compression=found)) == words


def test_handshakes_are_new_and_resumed() -> None:
    assert told("tls.handshake", a_tls_comparison()) == (
        "2.31 ms [2.24, 2.40] for a new handshake and 620 \N{MICRO SIGN}s [580, 660] for a resumed one"
    )
    assert told("plain.handshake", a_tls_comparison()) == "no handshake"
    assert told("haproxy.handshake", a_comparison()) == "not measured"


# CPU.


def test_the_cpu_of_a_service_is_that_of_its_row() -> None:
    row = a_row("cpu@haproxy", (0.2, 34.0), (33.8, 33.1, 34.9), None, Verdict.HIGHER)
    comparison = of_rows(
        row, a_row("cpu@node", (40.0, 41.0), (1.0, 0.5, 1.5), (2.1, 1.2, 3.0), Verdict.EQUIVALENT)
    )
    assert told("haproxy.cpu.haproxy", comparison) == "34.0 \N{MICRO SIGN}s of CPU per request in haproxy"
    assert told("haproxy.cpu.haproxy.change", comparison) == (
        "33.8 \N{MICRO SIGN}s more CPU per request in haproxy [33.1, 34.9]"
    )
    assert told("haproxy.cpu.node.change", comparison) == "as much CPU per request in node (within 5 %)"
    assert told("direct.cpu.node", comparison) == "40.0 \N{MICRO SIGN}s of CPU per request in node"


def test_of_two_passes_the_cpu_at_the_common_rate_counts() -> None:
    capacity = a_row("cpu@node", (10.0, 20.0), of=Pass.CAPACITY.value)
    assert told("haproxy.cpu.node", of_rows(capacity, a_row("cpu@node", (30.0, 40.0)))).startswith("40.0 ")
    assert told("haproxy.cpu.node", of_rows(capacity)).startswith("20.0 ")


def cpu_slots(count: int, base_us: float, side_us: float) -> Comparison:
    """Rounds of CPU that wobbles alike in both slots."""
    found = []
    for number in range(1, count + 1):
        wobble = 1 + 0.01 * (number % 5)
        slots = {
            BASE: a_slot(cpu_us={"cannon": 41.0, "node": base_us * wobble, "haproxy": 0.0}),
            SIDE: a_slot(cpu_us={"cannon": 90.0, "node": base_us * wobble, "haproxy": side_us * wobble}),
        }
        found.append(a_round(Pass.LATENCY, number, slots))
    return a_comparison(rounds=found, rounds_asked=count)


def test_the_cpu_of_all_services_leaves_cannon_out() -> None:
    assert told("haproxy.cpu", cpu_slots(10, 100.0, 50.0)) == "153 \N{MICRO SIGN}s of CPU per request"


def test_the_change_of_the_cpu_of_all_services_is_made_round_by_round() -> None:
    assert told("haproxy.cpu.change", cpu_slots(10, 100.0, 50.0)) == "50 % more CPU per request [50, 50 %]"
    assert told("haproxy.cpu.change", cpu_slots(10, 100.0, 1.0)) == "as much CPU per request (within 5 %)"
    assert (
        told("haproxy.cpu.change", cpu_slots(3, 100.0, 50.0))
        == "about 50 % more CPU per request (no interval)"
    )


def test_the_cpu_of_all_services_takes_each_of_them_in_every_slot() -> None:
    lacking = of_slots({"cpu_us": {"node": 50.0}}, base={"cpu_us": {"node": 50.0, "haproxy": 1.0}})
    for placeholder in ("haproxy.cpu", "haproxy.cpu.change", "direct.cpu"):
        assert told(placeholder, lacking) == "not measured"


# How requests ended.


def test_goodput_has_an_interval_over_its_rounds() -> None:
    slots = [{"rps": 1_985.0 + each} for each in (-25, -15, -5, 0, 5, 10, 15, 20, 25, -20)]
    assert told("haproxy.goodput", of_slots(*slots)) == "1,985/s [1,972, 2,000]"


def test_goodput_of_a_few_rounds_is_about_right() -> None:
    assert told("haproxy.goodput", of_slots(*[{"rps": 1_985.0}] * 3)) == "about 1,985/s (no interval)"


def test_a_redirection_is_a_success_and_no_goodput() -> None:
    slot = {"rps": 1_000.0, "status": {"200": 750, "302": 250, "503": 500}}
    assert told("haproxy.goodput", of_slots(*[slot] * 6)) == "750/s [750, 750]"


def test_a_status_that_was_expected_is_no_goodput_either() -> None:
    slot = {"rps": 1_000.0, "status": {"200": 250, "503": 750}}
    comparison = of_slots(*[slot] * 6)
    settings = msgspec.structs.replace(comparison.sides[1].settings, expect_status=[200, 503])
    sides = [comparison.sides[0], msgspec.structs.replace(comparison.sides[1], settings=settings)]
    expecting = msgspec.structs.replace(comparison, sides=sides)
    assert told("haproxy.goodput", expecting) == "250/s [250, 250]"


def test_where_no_request_succeeded_goodput_is_nothing() -> None:
    slot = {"rps": 0.0, "status": {"503": 100}}
    assert told("haproxy.goodput", of_slots(*[slot] * 6)) == "0/s [0, 0]"


def test_requests_without_a_2xx_are_told_by_how_they_ended() -> None:
    slot = {
        "status": {"200": 520, "503": 340},
        "errors": {"reset": 50, "empty_reply": 70, "timeout": 3},
        "in_flight": 10,
        "never_sent": 7,
    }
    assert told("haproxy.refused", of_slots(slot, slot)) == (
        "34 % answered 503, 12 % cut off, 1 % unanswered at the end, 0.7 % never sent, 0.3 % timed out"
    )


def test_where_every_request_got_a_2xx_none_was_refused() -> None:
    assert told("haproxy.refused", of_slots({})) == "none"
    assert told("haproxy.refused", of_slots()) == "not measured"


def test_nearly_all_is_not_all() -> None:
    slot = {"status": {"200": 1, "503": 99_999}}
    assert told("haproxy.refused", of_slots(slot)) == "99.999 % answered 503"


# Spread and counters.


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"11": 99, "12": 101}, "101 and 99 of 200 answers"),
        ({"11": 60, "12": 80, "13": 60}, "80, 60 and 60 of 200 answers"),
        ({"11": 200}, "all of 200 answers from one pid"),
        ({"11": 197, NO_KEY: 3}, "197 of 200 answers from one pid (3 without pid)"),
        (
            {"1": 40, "2": 31, "3": 46, "4": 43, "5": 40},
            "between 31 and 46 of 200 answers over 5 values of pid",
        ),
        ({NO_KEY: 200}, "not measured (no answer had pid)"),
        ({}, "not measured (no answer had pid)"),
    ],
)
def test_a_spread_is_told_by_its_counts(counts: dict[str, int], words: str) -> None:
    def report(side: str) -> ScenarioReport:
        return a_report(spread=[SpreadReport(side=side, key="pid", asked=200, counts=counts)])

    assert told("haproxy.spread", a_comparison(), report(SIDE)) == words
    assert told("spread", A_RUN, report("")) == words
    assert told("direct.spread", a_comparison(), report(SIDE)) == "not measured"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("counter.haproxy.web.qtime_ms", "12 ms"),
        ("counter.haproxy.web/1.2.qmax", "1,204"),
        ("counter.haproxy.web.comp_in_bytes", "1.20 MB"),
        ("counter.haproxy.process.idle_pct", "73 %"),
        ("counter.haproxy.web.nothing", "not measured"),
        ("counter.node.web.qtime_ms", "not measured"),
    ],
)
def test_a_counter_is_told_in_the_unit_of_its_name(name: str, words: str) -> None:
    figures = {
        "web": {"qtime_ms": 12.0, "comp_in_bytes": 1.2e6},
        "web/1.2": {"qmax": 1204.0},
        "process": {"idle_pct": 73.0},
    }
    report = a_report(
        counters=[
            CounterRow(service="haproxy", kind="haproxy", of=of, figures=found)
            for of, found in figures.items()
        ]
    )
    assert told(name, a_comparison(), report) == words
    assert told(name, A_RUN, report) == words


# Runs.


@pytest.mark.parametrize(
    ("placeholder", "words"),
    [
        ("rate", "no set rate"),
        ("rps", "1,000/s"),
        ("p50", "400 \N{MICRO SIGN}s"),
        ("p99_9", "not measured (p99.9 takes 20,000 requests, and there were 10,000)"),
        ("mean", "523 \N{MICRO SIGN}s"),
        ("max", "33.4 ms"),
        ("bytes", "178 B"),
        ("errors", "no errors"),
        ("status.200", "10,000 of 10,000 requests (100 %)"),
        ("status.503", "no request"),
        ("cpu.node", "50.0 \N{MICRO SIGN}s of CPU per request in node"),
        ("cpu", "100 \N{MICRO SIGN}s of CPU per request"),
        ("outage.node", "not measured (node was not stopped)"),
        ("recovery.node", "not measured (node was not started)"),
        ("spread", "not measured"),
    ],
)
def test_a_run_is_told_by_its_result(placeholder: str, words: str) -> None:
    assert told(placeholder, A_RUN) == words


def test_a_rate_that_was_asked_for_is_told() -> None:
    assert told("rate", a_result(plan=a_paced_plan(), tally=a_paced_tally())) == "1,000/s"


def test_errors_of_a_run_are_of_requests_and_of_dials() -> None:
    assert told("errors", a_result(tally=a_failing_tally())) == (
        "11 errors in 1,000 requests (1.1 %) and 13 failed dials"
    )
    assert told("status.503", a_result(tally=a_failing_tally())) == "7 of 1,000 requests (0.7 %)"


def test_a_service_whose_cpu_is_not_known_leaves_the_sum_out() -> None:
    report = a_report(services=[a_service("node"), a_service("haproxy", None)])
    assert told("cpu", A_RUN, report) == "not measured"
    assert told("cpu.haproxy", A_RUN, report) == "not measured"
    assert told("cpu.node", A_RUN, report) == "50.0 \N{MICRO SIGN}s of CPU per request in node"


def test_an_outage_is_that_of_the_events_and_rows() -> None:
    stop = EventReport(t_s=3.0, done_s=3.1, action="stop", service="node", note=None)
    rows = [msgspec.structs.replace(a_series_row(100), t_s=float(number)) for number in range(1, 6)]
    result = msgspec.structs.replace(A_RUN, series=rows)
    report = a_report(events=[stop])
    assert told("outage.node", result, report) == outage(rows, [stop], "node") == "no request failed"
    assert told("outage.node.2", result, report) == "not measured (node was not stopped 2 times)"


# What is refused.


def check(template: str, kind: Kind = Kind.COMPARE, sides: Sequence[str] = (BASE, SIDE)) -> None:
    check_finding(template, kind, sides, SERVICES, "x.toml: finding")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "haproxy",
        "haproxy.",
        ".rps",
        "haproxy.rsp",
        "nginx.rps",
        "haproxy.cpu.squid",
        "haproxy.cpu.SERVICE",
        "haproxy.rps.change.more",
        "haproxy.rps.2",
        " rate",
        "rate ",
        "Rate",
        "counter.squid.web.qtime_ms",
        "counter.haproxy.qtime_ms",
        "counter.haproxy..qtime_ms",
        "rps",
        "status.503",
        "outage.node",
        "a\x1b[31m.rps",
    ],
)
def test_a_placeholder_that_stands_for_nothing_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        check(f"It takes {{{name}}}.")
    message = refused.value.message
    assert message.startswith("x.toml: finding: {") and message.isprintable()
    assert "{SIDE.p50.added}" in message and "SIDE is one of direct, haproxy" in message


@pytest.mark.parametrize(
    "name",
    ["haproxy.rps", "outage.squid", "status.N", "status.", "status.x", "outage.SERVICE", "outage.node.0"],
)
def test_a_run_has_placeholders_of_its_own(name: str) -> None:
    with pytest.raises(UsageError, match=r"\{outage\.SERVICE\}.*SERVICE is one of haproxy, node"):
        check(f"{{{name}}}", Kind.RUN)


@pytest.mark.parametrize("name", sorted(AGAINST_BASE))
def test_the_base_has_no_change_against_itself(name: str) -> None:
    with pytest.raises(UsageError, match="direct is the base"):
        check(f"{{direct.{name.replace('SERVICE', 'node')}}}")


@pytest.mark.parametrize("template", ["{", "}", "{rate", "rate}", "{{rate}}", "{ra{rate}te}"])
def test_a_brace_that_stands_alone_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="a brace stands alone"):
        check(template)


def test_the_sides_of_a_service_s_name_are_told_apart_from_words() -> None:
    check_finding("{rps.rps} {rate.p50}", Kind.COMPARE, ["base_side", "rps", "rate"], ["change"], "x")
    # The word stands before the service.
    check_finding("{rps.cpu.change}", Kind.COMPARE, ["base_side", "rps"], ["change"], "x")


def test_the_finding_s_own_account_of_its_placeholders_holds() -> None:
    import cannon.finding

    described = cannon.finding.__doc__ or ""
    before, _, after = described.partition("In a run:")
    for name in SIDE_PHRASES:
        if not name.startswith(("p9", "mean")):
            assert f"{{SIDE.{name}}}" in before, name
    for name in RUN_PHRASES:
        shown = name.replace(".N", ".503" if name == "status.N" else ".2")
        assert name in ("p90", "p99", "p99_9", "mean", "max") or f"{{{shown}}}" in after, name


# Whatever comes.


def _known(sides: Sequence[str], services: Sequence[str]) -> list[str]:
    """Every placeholder of a comparison of these sides."""
    names = ["rate", *(f"counter.{service}.web.qtime_ms" for service in services)]
    for (position, side), name in itertools.product(enumerate(sides), SIDE_PHRASES):
        if position or name not in AGAINST_BASE:
            filled = (
                [name.replace("SERVICE", service) for service in services] if "SERVICE" in name else [name]
            )
            names += [f"{side}.{each}" for each in filled]
    return names


def _run_known(services: Sequence[str]) -> list[str]:
    """Every placeholder of a run."""
    shown = (
        name.replace(".N", ".503") if name == "status.N" else name.replace(".N", ".2") for name in RUN_PHRASES
    )
    filled = (
        [name.replace("SERVICE", service) for service in services] if "SERVICE" in name else [name]
        for name in shown
    )
    return [*itertools.chain(*filled), *(f"counter.{service}.web.qtime_ms" for service in services)]


_UGLY = f"{HOSTILE_TEXT} {{braces}}"
_ROWS = [msgspec.structs.replace(a_series_row(100), t_s=float(number)) for number in range(1, 9)]
_REPORTS = {
    "bare": a_report(),
    "full": a_report(
        events=[
            EventReport(t_s=each.t_s, done_s=each.t_s, action=action, service=service, note=None)
            for service in SERVICES
            for each, action in zip(_ROWS, ("stop", "start", "stop"), strict=False)
        ],
        counters=[CounterRow(service="haproxy", kind="haproxy", of="web", figures={"qtime_ms": 0.5})],
        spread=[SpreadReport(side=side, key=_UGLY, asked=3, counts={_UGLY: 2}) for side in (SIDE, "")],
    ),
    "nothing in it": a_report(services=[]),
}


def holds(sentence: str) -> None:
    """What no sentence may have in it."""
    assert sentence.isprintable()
    for word in ("{", "}", "None", "nan", "inf"):
        assert word not in sentence.replace("info", ""), sentence


@pytest.mark.parametrize("report", _REPORTS.values(), ids=_REPORTS)
@pytest.mark.parametrize("comparison", [*COMPARISONS.values(), a_comparison(rounds=[], rows=[], rate=None)])
def test_no_placeholder_of_a_comparison_ever_raises_or_stays(
    comparison: Comparison, report: ScenarioReport
) -> None:
    for name in _known([side.name for side in comparison.sides], SERVICES):
        holds(finding_of(f"It {{{name}}}.", comparison, report))


@pytest.mark.parametrize("report", _REPORTS.values(), ids=_REPORTS)
@pytest.mark.parametrize("name", RESULTS)
def test_no_placeholder_of_a_run_ever_raises_or_stays(name: str, report: ScenarioReport) -> None:
    for placeholder in _run_known(SERVICES):
        holds(finding_of(f"It {{{placeholder}}}.", RESULTS[name], report))


def test_text_from_outside_cannot_move_a_terminal() -> None:
    row = no_row("p50", _UGLY)
    holds(told("haproxy.p50", of_rows(row)))
    holds(told("haproxy.p50.added", of_rows(row)))
    holds(finding_of("It is.", a_comparison(validity=Validity("invalid", [_UGLY])), a_report()))


_FLOATS = st.floats(-1e9, 1e9)
_CHANGES = (
    st.none()
    | _FLOATS.map(lambda each: (each,))
    | st.tuples(_FLOATS, _FLOATS, _FLOATS).map(lambda ends: (sorted(ends)[1], min(ends), max(ends)))
)
_METRICS = ("rps", "p50", "p90", "p99", "p99_9", "mean", "bytes", "errors", "cpu", "cpu@node", "cpu@haproxy")


@st.composite
def _comparisons(draw: st.DrawFn) -> Comparison:
    """Rows that no rounds could make, with every verdict and any part missing."""
    amounts = st.none() | st.floats(0, 1e9)
    rows = [
        a_row(
            draw(st.sampled_from(_METRICS)),
            draw(st.tuples(amounts, amounts)),
            draw(_CHANGES),
            draw(_CHANGES),
            draw(st.sampled_from(Verdict)),
            at_least=draw(st.sampled_from(([], [BASE], [SIDE], [BASE, SIDE]))),
            reason=draw(st.text(max_size=20)),
        )
        for _ in range(draw(st.integers(0, 6)))
    ]
    return a_comparison(
        rows=rows, rate=draw(st.sampled_from((None, CommonRate(per_s=500.0, asked=None, reason=""))))
    )


@given(_comparisons(), st.lists(st.sampled_from(_known((BASE, SIDE), SERVICES)), max_size=4))
def test_no_template_of_known_placeholders_raises_or_keeps_a_brace(
    comparison: Comparison, names: list[str]
) -> None:
    template = " and ".join(f"{{{name}}}" for name in names)
    check(template)
    sentence = finding_of(template, comparison, a_report())
    assert "{" not in sentence and "}" not in sentence and sentence.isprintable()


@given(st.text(max_size=60))
def test_a_template_is_refused_or_becomes_a_sentence(template: str) -> None:
    try:
        check(template)
    except UsageError as error:
        assert error.message.isprintable()
    else:
        assert finding_of(template, A_COMPARISON, a_report()).isprintable()


def test_the_findings_of_the_scenarios_that_come_along_can_be_told() -> None:
    from cannon.scenario_file import read

    found = sorted((Path(__file__).parents[1] / "scenarios").glob("*.toml"))
    assert found
    for path in found:
        scenario = read(path)
        names = [side.name for side in scenario.sides]
        if all(names) or scenario.kind is Kind.RUN:
            check_finding(
                scenario.finding, scenario.kind, names, [each.name for each in scenario.services], path.name
            )
