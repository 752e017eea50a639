"""autocannon's own schema: its keys and types, and cannon's figures under them.

The keys are those that autocannon 9.0.0 printed: `autocannon -j -d 1 -c 2`, and with `-w 2 -T`, at a server of Node's.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cannon.errors import Fault
from cannon.plan import Plan
from cannon.reports import autocannon_file
from cannon.reports.files import render
from cannon.result import Result
from cannon.route import Route
from cannon.tally import Histogram
from cannon.target import Target
from tests.results import (
    a_failing_tally,
    a_paced_plan,
    a_paced_tally,
    a_plan,
    a_result,
    a_row,
    a_tally,
    an_empty_tally,
)

COUNTS = (
    *("connections", "sampleInt", "pipelining", "workers", "samples", "errors", "timeouts", "mismatches"),
    *("non2xx", "resets", "1xx", "2xx", "3xx", "4xx", "5xx"),
)
KEYS = {"url", "duration", "start", "finish", "statusCodeStats", "latency", "requests", "throughput", *COUNTS}
HISTOGRAM = {
    *(
        "average",
        "mean",
        "stddev",
        "min",
        "max",
        "p0_001",
        "p0_01",
        "p0_1",
        "p1",
        "p2_5",
        "p10",
        "p25",
        "p50",
    ),
    *("p75", "p90", "p97_5", "p99", "p99_9", "p99_99", "p99_999"),
}
RESULTS = {
    "healthy": a_result(),
    "failing": a_result(tally=a_failing_tally()),
    "nothing succeeded": a_result(tally=an_empty_tally()),
    "interrupted at once": a_result(tally=an_empty_tally(), duration_ns=0, series=[], interrupted="SIGINT"),
    "under a rate": a_result(plan=a_paced_plan(), tally=a_paced_tally(never_sent=7)),
}
every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)


def document(result: Result, *, corrected: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(autocannon_file.render(result, corrected=corrected))
    return found


@every_result
def test_the_keys_are_autocannons_and_every_number_is_one(result: Result) -> None:
    found = document(result)
    assert set(found) == KEYS
    assert set(found["latency"]) == HISTOGRAM | {"totalCount"}
    assert set(found["requests"]) == HISTOGRAM | {"total", "sent"}
    assert set(found["throughput"]) == HISTOGRAM | {"total"}
    assert {name: type(found[name]) for name in COUNTS} == dict.fromkeys(COUNTS, int)
    numbers = [*found["latency"].values(), *found["requests"].values(), *found["throughput"].values()]
    assert {type(number) for number in (found["duration"], *numbers)} <= {int, float}


@every_result
def test_it_is_one_line(result: Result) -> None:
    data = autocannon_file.render(result)
    assert data.count(b"\n") == 1
    assert data.endswith(b"}\n")


@every_result
def test_counts_add_up_as_they_do_there(result: Result) -> None:
    found = document(result)
    assert found["2xx"] + found["non2xx"] == found["requests"]["total"] == result.requests.completed
    assert found["requests"]["sent"] >= found["requests"]["total"]
    assert sum(each["count"] for each in found["statusCodeStats"].values()) == found["requests"]["total"]


def test_a_title_a_socket_and_several_urls_stand_as_they_do_there() -> None:
    plan: Plan = a_plan(
        title="nightly",
        targets=(Target.parse("http://localhost/a"), Target.parse("http://user:canary@localhost/b")),
        route=Route(socket_path="/run/a.sock"),
        workers=2,
    )
    found = document(a_result(plan=plan))
    assert set(found) == KEYS | {"title", "socketPath"}
    assert (found["title"], found["socketPath"], found["workers"]) == ("nightly", "/run/a.sock", 2)
    assert found["url"] == ["http://localhost/a", "http://***@localhost/b"]
    assert document(a_result())["url"] == "http://localhost:4000/"


def test_settings_and_times_have_their_units() -> None:
    found = document(a_result(plan=a_plan(sample_ns=250_000_000, pipelining=4), duration_ns=10_046_000_000))
    assert (found["sampleInt"], found["pipelining"], found["connections"], found["workers"]) == (
        250,
        4,
        10,
        0,
    )
    assert (found["duration"], found["start"]) == (10.05, "2026-01-02T03:04:05.000Z")
    assert found["finish"] == "2026-01-02T03:04:15.250Z"


def test_errors_are_those_of_requests_and_of_dials() -> None:
    found = document(RESULTS["failing"])
    assert (found["errors"], found["timeouts"], found["mismatches"]) == (8 + 13, 6, 3)
    assert (found["2xx"], found["4xx"], found["5xx"], found["non2xx"]) == (963, 20, 7, 27)
    assert found["statusCodeStats"]["404"] == {"count": 20}


def test_a_status_of_no_class_is_no_success() -> None:
    found = document(a_result(tally=a_tally([1_000_000] * 7, status={200: 4, 600: 2, 999: 1})))
    assert (found["2xx"], found["non2xx"]) == (4, 3)


def test_latencies_are_in_ms_and_below_one_are_no_zero() -> None:
    latency = document(RESULTS["healthy"])["latency"]
    plain = RESULTS["healthy"].latency_ms
    assert (latency["p50"], latency["p99"], latency["max"]) == (plain.p50, plain.p99, plain.max)
    assert latency["min"] <= latency["p0_001"] <= latency["p50"] < 1
    assert (latency["average"], latency["mean"], latency["totalCount"]) == (0.53, 0.53, 10_000)


def test_under_a_rate_latencies_are_response_times_or_if_asked_for_service_times() -> None:
    result = RESULTS["under a rate"]
    assert document(result)["latency"]["p50"] == result.latency_ms.p50
    assert document(result, corrected=False)["latency"]["p50"] == result.service_ms.p50
    assert document(result)["latency"]["totalCount"] == 10_000, "no sample is ever invented"


def test_requests_and_bytes_are_per_sample_interval_each_by_its_own_window() -> None:
    plan = a_plan(sample_ns=500_000_000)
    rows = [a_row(50, 0.5), a_row(60, 0.5), a_row(35, 0.25)]
    tally = a_tally([1_000_000] * 145)
    found = document(a_result(plan=plan, tally=tally, series=rows, duration_ns=1_250_000_000))
    requests, throughput = found["requests"], found["throughput"]
    assert found["samples"] == 3
    assert (requests["min"], requests["p50"], requests["max"]) == (50, 60, 70)
    assert (throughput["min"], throughput["p50"], throughput["max"]) == (5_000, 6_000, 7_000)
    # All of the run over all of its time, and not the mean of what happened to be sampled.
    assert requests["average"] == pytest.approx(145 / 1.25 * 0.5)
    assert requests["stddev"] == pytest.approx(8.17)
    assert (requests["total"], throughput["total"]) == (145, tally.received_bytes)


def test_where_nothing_came_back_every_figure_is_zero() -> None:
    found = document(RESULTS["interrupted at once"])
    for name in ("latency", "requests", "throughput"):
        assert set(found[name].values()) == {0}
    assert (found["errors"], found["statusCodeStats"]) == (40, {})


def test_the_suffix_asks_for_it_and_a_longer_one_goes_before_json() -> None:
    result = RESULTS["healthy"]
    assert render("x.autocannon.json", result) == autocannon_file.render(result)
    assert render("x.json", result) == result.to_json()


def test_timeouts_count_among_the_errors_and_stand_apart() -> None:
    late = a_tally(sent=10_002, errors={Fault.TIMEOUT: 2}, spread=Histogram.of(10**10, 10**10))
    found = document(a_result(tally=late))
    assert (found["errors"], found["timeouts"], found["latency"]["totalCount"]) == (2, 2, 10_002)
