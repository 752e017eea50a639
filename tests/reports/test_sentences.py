"""The sentences about a result: true, in words, and silent where all is well."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import Fault
from cannon.pace import Arrivals, Pace
from cannon.plan import Limits, Stop
from cannon.profile import Constant, Profile, Ramp, Steps
from cannon.reports import sentences
from cannon.result import Validity
from cannon.tally import Histogram, Row
from cannon.target import Target
from cannon.tls import Tls
from tests.results import (
    a_failing_tally,
    a_paced_plan,
    a_paced_tally,
    a_plan,
    a_result,
    a_tally,
    an_empty_tally,
)

HEALTHY = a_result()
FAILING = a_result(tally=a_failing_tally())


def test_a_healthy_run_has_only_its_sum_to_tell() -> None:
    assert sentences.summary(HEALTHY) == "10,000 requests in 10.00 s, 1.8 MB read"
    told = (
        sentences.conservation,
        sentences.connects,
        sentences.responses,
        sentences.mismatches,
        sentences.excluded,
        sentences.excess,
        sentences.pace,
        sentences.keeping_up,
        sentences.starved,
        sentences.interruption,
    )
    assert [say(HEALTHY) for say in told] == [None] * len(told)
    assert sentences.validity(HEALTHY) == sentences.tls(HEALTHY) == []


def test_many_requests_are_rounded_in_the_sum() -> None:
    result = a_result(tally=a_tally(sent=1_234_567, received_bytes=214_000_000), duration_ns=60_000_000_000)
    assert sentences.summary(result) == "1.2M requests in 60.00 s, 214 MB read"


def test_one_request_is_one() -> None:
    assert sentences.summary(a_result(tally=a_tally([400_000]))) == "1 request in 10.00 s, 178 B read"


def test_every_request_that_was_sent_is_accounted_for() -> None:
    assert (
        sentences.conservation(FAILING)
        == "sent 1,000 = 990 completed + 8 failed + 2 in flight (the oldest for 2.34 s)"
    )


def test_what_was_due_and_not_sent_is_told() -> None:
    assert (
        sentences.conservation(a_result(tally=a_tally(never_sent=5)))
        == "sent 10,000 = 10,000 completed; 5 due but never sent"
    )


SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("profile", "arrivals", "said"),
    [
        (Constant(1_000), Arrivals.EVEN, "1,000/s asked, 999.8/s achieved"),
        (Constant(0.25), Arrivals.POISSON, "0.25/s (poisson) asked, 999.8/s achieved"),
        (Constant(20_000), Arrivals.EVEN, "20,000/s asked, 999.8/s achieved"),
        (
            Ramp(0, 2_000, 10 * SECOND_NS),
            Arrivals.EVEN,
            "0..2,000/s over 10 s asked (1,000/s on average), 999.8/s achieved",
        ),
        (
            Steps((100, 200, 400), 500_000_000),
            Arrivals.EVEN,
            "100, 200, 400/s for 0.5 s each asked (1,000/s on average), 999.8/s achieved",
        ),
        (
            Steps((1, 2, 3, 4, 5), SECOND_NS),
            Arrivals.EVEN,
            "1, 2, ..., 5/s for 1 s each asked (1,000/s on average), 999.8/s achieved",
        ),
    ],
)
def test_under_a_rate_what_was_asked_and_what_came_of_it_is_told(
    profile: Profile, arrivals: Arrivals, said: str
) -> None:
    plan = a_plan(pace=Pace(profile, arrivals))
    tally = a_paced_tally(row=Row(window_ns=10 * SECOND_NS, requests=9_998))
    assert sentences.pace(a_result(plan=plan, tally=tally)) == f"open loop: {said}"


def test_who_could_not_keep_up_is_told() -> None:
    slow = a_result(plan=a_paced_plan(), tally=a_paced_tally(never_sent=2_500))
    assert sentences.pace(slow) == "open loop: 1,000/s asked, 1,000/s achieved, 2,500 never sent"
    assert sentences.keeping_up(slow) == (
        "the target could not keep up: 2,500 of 12,500 requests were never sent; percentiles are lower bounds"
    )
    assert sentences.conservation(slow) is None, "it is told once"
    busy = a_paced_tally(never_sent=2_500, cpu_ns=9_900_000_000)
    assert sentences.keeping_up(a_result(plan=a_paced_plan(), tally=busy)) == (
        "cannon itself could not keep up: 2,500 of 12,500 requests were never sent; this is not the target's limit"
    )


def test_the_few_that_waited_for_a_connection_at_the_end_are_no_target_that_fell_behind() -> None:
    few = a_result(plan=a_paced_plan(), tally=a_paced_tally(never_sent=2))
    assert sentences.keeping_up(few) == (
        "2 requests waited for a free connection when it ended, and were not sent"
    )


def test_a_target_that_answered_nothing_at_all_is_not_said_to_be_slow() -> None:
    tally = msgspec.structs.replace(an_empty_tally(), never_sent=10_000)
    result = a_result(plan=a_paced_plan(), tally=tally)
    assert sentences.keeping_up(result) is None
    assert sentences.pace(result) == "open loop: 1,000/s asked, 0/s achieved, 10,000 never sent"


def test_what_a_latency_is_counted_from_is_told_and_how_late_cannon_was() -> None:
    paced = a_result(plan=a_paced_plan(), tally=a_paced_tally())
    assert sentences.loop(paced)[1].endswith("where cannon itself was late, p99 is 39.9 µs")
    unknown = a_result(plan=a_paced_plan(), tally=a_paced_tally(woke_late=Histogram()))
    assert len(sentences.loop(unknown)) == 1
    assert sentences.loop(HEALTHY) == [
        "closed loop: each connection waits for its answer before it asks again (see -R)"
    ]


def test_errors_that_are_left_out_of_the_latencies_are_told() -> None:
    left_out = a_plan(excludes_errors=True)
    assert sentences.excluded(a_result(plan=left_out)) is None
    assert sentences.excluded(a_result(plan=left_out, tally=a_failing_tally())) == (
        "latencies and bytes a second are of the 960 successes alone (-x)"
    )
    assert sentences.excluded(FAILING) is None


def test_a_run_that_its_errors_ended_says_so() -> None:
    tally = a_tally(sent=10_007, errors={Fault.RESET: 7}, bailed_out=1)
    result = a_result(plan=a_plan(limits=Limits(bailout=5), stop=Stop(amount=90_000)), tally=tally)
    assert sentences.validity(result) == [
        "invalid: the run ended after 5 errors (-B 5); 2 more came until it had stopped"
    ]


def test_dials_that_failed_and_connections_closed_while_idle_are_told() -> None:
    tally = msgspec.structs.replace(a_failing_tally(), attempted=26, connecting=1, closed_idle=4)
    assert (
        sentences.connects(a_result(tally=tally))
        == "connects 26 = 12 made + 13 failed + 1 in progress; 4 closed by the server while idle"
    )


@pytest.mark.parametrize(
    ("fewest", "most", "said"),
    [
        (0, 1_204, "the busiest connection got 1,204 responses, the idlest 0"),
        (0, sentences.MANY_ANSWERED, "the busiest connection got 10 responses, the idlest 0"),
        (0, sentences.MANY_ANSWERED - 1, None),
        (1, 1_204, None),
        (0, 0, None),
        (None, None, None),
        (0, None, None),
    ],
)
def test_a_connection_that_got_nothing_when_others_got_much_is_told(
    fewest: int | None, most: int | None, said: str | None
) -> None:
    assert sentences.starved(a_result(tally=a_tally(fewest_answered=fewest, most_answered=most))) == said


def test_under_a_rate_a_connection_that_was_not_needed_is_not_starved() -> None:
    tally = a_paced_tally(fewest_answered=0, most_answered=1_204)
    assert sentences.starved(a_result(plan=a_paced_plan(), tally=tally)) is None


TLS_1_3 = "TLSv1.3 TLS_AES_256_GCM_SHA384"
RESUMED = Histogram.of(*[800_000] * 9)


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ({"negotiated": {TLS_1_3: 1}}, "TLSv1.3, TLS_AES_256_GCM_SHA384: 1 connection"),
        (
            {"negotiated": {TLS_1_3: 10}, "tls_resumed": RESUMED},
            "TLSv1.3, TLS_AES_256_GCM_SHA384: 10 connections, 9 of them resumed",
        ),
        (
            {"negotiated": {"TLSv1.2 A": 3, "TLSv1.3 B": 7}, "tls_resumed": RESUMED},
            "TLSv1.3, B: 7 connections; TLSv1.2, A: 3 connections; 9 of 10 resumed",
        ),
        (
            {"negotiated": {f"TLSv1.2 {name}": 2 for name in "EDCBA"}},
            "TLSv1.2, A: 2 connections; TLSv1.2, B: 2 connections; TLSv1.2, C: 2 connections; others: 4 connections",
        ),
    ],
)
def test_what_was_negotiated_is_told(counted: dict[str, Any], said: str) -> None:
    assert sentences.tls(a_result(tally=a_tally(**counted))) == [said]


@pytest.mark.parametrize(
    ("url", "verify", "said"),
    [
        ("https://localhost/", False, ["TLS was not verified (-k)"]),
        ("https://localhost/", True, []),
        ("http://localhost/", False, []),
    ],
)
def test_that_nothing_was_verified_is_told(url: str, said: list[str], *, verify: bool) -> None:
    plan = a_plan(targets=(Target.parse(url),), tls=Tls(verify=verify))
    assert sentences.tls(a_result(plan=plan, tally=an_empty_tally())) == said


def test_statuses_expectations_and_surplus_are_told() -> None:
    assert sentences.responses(FAILING) == "963 2xx responses, 27 non 2xx responses"
    many = a_result(tally=a_tally(status={200: 1_000_000, 503: 10_434}))
    assert sentences.responses(many) == "1,000,000 2xx responses, 10,434 non 2xx responses"
    expecting = a_plan(expect_status=(404, 503))
    assert sentences.responses(a_result(plan=expecting, tally=a_tally(status={404: 9, 503: 1}))) is None
    unexpected = a_result(plan=expecting, tally=a_tally(status={200: 7, 404: 9}))
    assert sentences.responses(unexpected) == "9 responses with an expected status, 7 with others"
    assert sentences.mismatches(FAILING) == "3 responses did not match what was expected"
    assert sentences.excess(FAILING) == "1 response came that no request had asked for"


def test_reasons_are_told_with_their_verdict() -> None:
    assert sentences.validity(a_result(tally=an_empty_tally())) == ["invalid: no request succeeded"]
    suspect = a_result(tally=a_tally(cpu_ns=9_900_000_000))
    assert sentences.validity(suspect) == [
        "suspect: cannon used 99 % of a core: it was the limit, not the server; try -w 2"
    ]


def test_an_interrupted_run_says_so() -> None:
    assert (
        sentences.interruption(a_result(interrupted="SIGINT", duration_ns=3_200_000_000))
        == "interrupted by SIGINT: these figures are of the 3.20 s until then"
    )


def test_text_of_a_saved_result_is_cleaned() -> None:
    result = a_result(interrupted=None, validity=Validity("in\x1bvalid", ["a\nb"]))
    assert sentences.validity(result) == ["in\\x1bvalid: a\\nb"]


@pytest.mark.parametrize(
    ("percentile", "count", "enough"),
    [
        (99, 1_999, False),
        (99, 2_000, True),
        (50, 39, False),
        (50, 40, True),
        (2.5, 799, False),
        (2.5, 800, True),
    ],
)
def test_a_percentile_needs_twenty_samples_beyond_it(percentile: float, count: int, enough: bool) -> None:
    assert sentences.supported(percentile, count) is enough


@given(st.sampled_from([90.0, 99.0, 99.9, 99.99, 99.999]), st.integers(min_value=0, max_value=10**8))
def test_more_samples_never_support_less(percentile: float, count: int) -> None:
    assert sentences.supported(percentile, count) <= sentences.supported(percentile, count + 1)
