"""The result file is what its schema says, and counts that do not add up are never shown as valid."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from cannon.errors import Fault
from cannon.pace import Pace
from cannon.plan import Limits, Stop
from cannon.profile import Ramp
from cannon.result import Result, schema
from cannon.sequence import Step
from cannon.tally import Histogram, StepTally, Tally
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
from tests.schemas import assert_valid
from tests.strategies import tallies


def test_a_file_reads_back_as_the_same_result() -> None:
    result = a_result()
    assert Result.from_json(result.to_json()) == result


@pytest.mark.parametrize("tally", [a_tally(), a_failing_tally(), an_empty_tally()])
def test_every_result_is_a_file_by_the_schema(tally: Tally) -> None:
    assert_valid(a_result(tally=tally).to_json())


def test_what_was_negotiated_and_answered_stands_with_the_connections() -> None:
    tally = a_tally(negotiated={"TLSv1.3 B": 7, "TLSv1.2 A": 3}, fewest_answered=0, most_answered=1_204)
    plan = a_plan(targets=(Target.parse("https://localhost/"),), tls=Tls(verify=False))
    document = assert_valid(a_result(tally=tally, plan=plan).to_json())
    connects = document["connects"]
    assert connects["negotiated"] == {"TLSv1.2 A": 3, "TLSv1.3 B": 7}
    assert (connects["answered_min"], connects["answered_max"]) == (0, 1_204)
    assert document["plan"]["tls"]["verify"] is False


def test_where_there_is_nothing_to_tell_stands_null() -> None:
    document = assert_valid(a_result(tally=an_empty_tally()).to_json())
    assert document["plan"]["tls"] is None
    assert document["connects"]["negotiated"] == {}
    assert document["connects"]["answered_min"] is document["connects"]["answered_max"] is None
    assert document["latency_ms"]["p50"] is None
    assert document["requests"]["oldest_in_flight_ms"] is None
    assert document["client"]["cpu_us_per_request"] is None


def test_an_amount_that_was_given_up_makes_the_result_invalid() -> None:
    result = a_result(tally=a_tally(never_sent=7))
    assert result.validity.reasons == ["7 requests were never sent: nothing could be reached any more"]
    assert result.exit_code == 3


def test_counts_that_do_not_add_up_make_the_result_invalid() -> None:
    result = a_result(tally=a_tally(sent=1))
    assert result.validity.verdict == "invalid"
    assert "cannon lost count" in result.validity.reasons[0]


@pytest.mark.parametrize(
    ("cpu_ns", "verdict", "saturated"), [(9_900_000_000, "suspect", True), (5_000_000_000, "valid", False)]
)
def test_a_client_without_cpu_to_spare_makes_the_figures_suspect(
    cpu_ns: int, verdict: str, *, saturated: bool
) -> None:
    result = a_result(tally=a_tally(cpu_ns=cpu_ns))
    assert (result.validity.verdict, result.client.saturated, result.exit_code) == (verdict, saturated, 0)


def test_the_busiest_worker_decides_not_the_mean() -> None:
    shards = (a_tally(cpu_ns=9_900_000_000), a_tally(cpu_ns=1_000_000_000))
    result = a_result(tally=shards[0] + shards[1], shards=shards)
    assert result.client.busy == 0.99
    assert result.client.saturated
    assert result.validity.reasons[0].startswith("one of 2 workers used 99 % of a core")


def test_a_client_that_stood_still_says_so() -> None:
    result = a_result(tally=a_tally(longest_pause_ns=1_600_000_000))
    assert (result.validity.verdict, result.client.saturated, result.exit_code) == ("suspect", False, 0)
    assert "stood still for at least 1.60 s" in result.validity.reasons[0]


def test_a_long_turn_of_the_loop_is_no_standstill() -> None:
    # A client of very many connections is busy for as long, and has no time to stand still.
    tally = a_tally(own_delay=Histogram.of(*[20_000] * 9_999, 1_600_000_000))
    assert a_result(tally=tally).validity.reasons == []


@pytest.mark.parametrize(
    ("interrupted", "tally", "code"),
    [
        (None, a_tally(), 0),
        (None, an_empty_tally(), 3),
        ("SIGINT", an_empty_tally(), 130),
        ("SIGTERM", a_tally(), 143),
    ],
)
def test_the_exit_code_is_the_first_that_applies(interrupted: str | None, tally: Tally, code: int) -> None:
    assert a_result(tally=tally, interrupted=interrupted).exit_code == code


def test_the_histogram_in_the_file_is_the_distribution_behind_the_figures() -> None:
    tally = a_tally(spread=Histogram.of(10_000_000_000))
    assert a_result(tally=tally).latency == tally.service
    assert a_result(tally=an_empty_tally()).latency == Histogram()


def test_in_a_closed_loop_there_is_one_latency_and_nothing_is_due() -> None:
    result = a_result()
    assert result.latency_ms == result.service_ms
    assert (result.late_ms, result.client.late_ms, result.requests.due) == (None, None, None)


def test_under_a_rate_latency_counts_from_the_due_time_and_service_from_the_send() -> None:
    tally = a_paced_tally(woke_late=Histogram.of(5_000), never_sent=120)
    result = a_result(plan=a_paced_plan(), tally=tally)
    assert result.latency == tally.response
    assert Histogram.decode(result.service_ms.histogram or "") == tally.service
    assert result.late_ms is not None
    assert Histogram.decode(result.late_ms.histogram or "") == tally.late
    assert result.client.late_ms is not None
    assert result.client.late_ms.p50 == pytest.approx(0.005, abs=1e-4)
    assert (result.requests.due, result.requests.never_sent) == (10_120, 120)
    assert_valid(result.to_json())


def test_a_rate_at_which_nothing_was_answered_has_no_latency_rather_than_the_service_time() -> None:
    result = a_result(plan=a_paced_plan(), tally=an_empty_tally())
    assert (result.latency_ms.count, result.late_ms and result.late_ms.count) == (0, 0)


@pytest.mark.parametrize(
    ("stamped", "by"), [(0, "loop"), (4_000, "loop"), (9_990, "kernel"), (10_000, "kernel")]
)
def test_who_stamped_most_responses_is_told(stamped: int, by: str) -> None:
    client = a_result(tally=a_tally(stamped=stamped)).client
    assert (client.timestamps, client.stamped) == (by, stamped)


def test_what_was_due_and_not_sent_by_the_end_is_no_flaw_of_a_run_under_a_rate() -> None:
    result = a_result(plan=a_paced_plan(), tally=a_paced_tally(never_sent=4_000))
    assert (result.validity.verdict, result.exit_code) == ("valid", 0)


@pytest.mark.parametrize(("interrupted", "verdict"), [(None, "invalid"), ("SIGINT", "valid")])
def test_an_amount_under_a_rate_that_was_given_up_is_one(interrupted: str | None, verdict: str) -> None:
    plan = a_plan(pace=Pace(Ramp(0, 500, 10**10)), stop=Stop(amount=20_000))
    result = a_result(plan=plan, tally=a_paced_tally(never_sent=10_000), interrupted=interrupted)
    assert result.validity.verdict == verdict


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "the run ended after 20 errors (-B 20)"),
        ({"mismatched": 4}, "the run ended after 20 errors (-B 20); 1 more came until it had stopped"),
        ({"errors": {Fault.RESET: 5, Fault.ABORTED: 3}}, "the run ended after 20 errors (-B 20)"),
    ],
    ids=["exactly", "more workers", "aborted do not count"],
)
def test_a_run_that_its_errors_ended_is_invalid(changes: dict[str, Any], said: str) -> None:
    counted: dict[str, Any] = {
        "mismatched": 3,
        "errors": {Fault.RESET: 5},
        "connect_errors": {Fault.REFUSED: 12},
    } | changes
    tally = a_tally(sent=10_000 + sum(counted["errors"].values()), bailed_out=1, **counted)
    result = a_result(plan=a_plan(limits=Limits(bailout=20)), tally=tally)
    assert (result.validity.verdict, result.validity.reasons) == ("invalid", [said])
    assert result.exit_code == 3


def test_one_target_is_the_whole_and_needs_no_share_of_its_own() -> None:
    assert a_result().targets == []


def test_each_url_has_its_share_in_the_order_of_the_plan() -> None:
    urls = ("http://user:canary@a.example/x?token=canary", "http://b.example/y", "http://c.example/z")
    shares = {
        2: StepTally({200: 1}, Histogram.of(9_000_000)),
        0: StepTally({200: 2, 404: 1}, Histogram.of(*[1_000_000] * 3)),
    }
    result = a_result(plan=a_plan(targets=tuple(map(Target.parse, urls))), tally=a_tally(steps=shares))
    assert [(each.name, each.requests, each.status) for each in result.targets] == [
        ("/x?token=***", 3, {"200": 2, "404": 1}),
        ("/y", 0, {}),
        ("/z", 1, {"200": 1}),
    ]
    assert [each.latency_ms.count for each in result.targets] == [3, 0, 1]
    assert result.targets[0].url == "http://***@a.example/x?token=***"
    assert b"canary" not in written(result)


def test_each_step_of_a_sequence_has_its_share_under_its_name() -> None:
    steps = tuple(Step(name=name, target=0, method="GET", path="/") for name in ("log in", "look"))
    result = a_result(plan=a_plan(sequence=steps), tally=a_tally(steps={1: StepTally({200: 7})}))
    assert [(each.name, each.url, each.requests) for each in result.targets] == [
        ("log in", "http://localhost:4000/", 0),
        ("look", "http://localhost:4000/", 7),
    ]


def written(result: Result) -> bytes:
    """The file of a result, which fits its schema."""
    data = result.to_json()
    assert_valid(data)
    return data


@given(tallies)
def test_statuses_and_errors_sum_to_what_they_are_parts_of(tally: Tally) -> None:
    result = a_result(
        tally=msgspec.structs.replace(tally, whole=Histogram(), spread=Histogram(), own_delay=Histogram())
    )
    assert sum(result.status.values()) == result.requests.completed
    assert sum(result.errors.values()) == result.requests.failed
    assert sum(result.connects.errors.values()) == result.connects.failed


def test_faults_stand_under_their_names() -> None:
    result = a_result(tally=a_tally(sent=1001, errors={Fault.HEAD_TOO_LARGE: 1}))
    assert result.errors == {"head_too_large": 1}


def test_the_schema_names_itself_and_every_field() -> None:
    described: dict[str, Any] = schema()
    assert described["title"] == "cannon/result/1"
    fields = described["$defs"]["Result"]["properties"]
    assert set(json.loads(a_result().to_json())) == set(fields)
