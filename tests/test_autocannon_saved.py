"""What autocannon printed, read as a result: its figures under cannon's names, and nothing that it did not tell.

The outputs are of autocannon 9.0.0 at a server of Node's: `autocannon -j -d 1 -c 2`, and with what is named.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cannon.errors import UsageError
from cannon.reports import autocannon_file
from cannon.result import Result
from cannon.saved import read
from tests.results import a_failing_tally, a_paced_plan, a_paced_tally, a_result, an_empty_tally

OUTPUTS = Path(__file__).parent / "data" / "autocannon"
EVERY = ("plain", "workers", "warmup", "refused", "timeouts", "mixed", "several")


def printed(name: str) -> dict[str, Any]:
    """The last line of an output."""
    found: dict[str, Any] = json.loads((OUTPUTS / f"{name}.json").read_text().strip().splitlines()[-1])
    return found


def saved(name: str) -> Result:
    found = read(str(OUTPUTS / f"{name}.json"), "")
    assert isinstance(found, Result)
    return found


def read_of(document: object, tmp_path: Path) -> Result:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    found = read(str(path), "")
    assert isinstance(found, Result)
    return found


def refusal_of(document: object, tmp_path: Path) -> str:
    with pytest.raises(UsageError) as raised:
        read_of(document, tmp_path)
    return raised.value.message.removeprefix(f"'{tmp_path / 'x.json'}'")


@pytest.mark.parametrize("name", EVERY)
def test_counts_are_those_that_it_printed_and_add_up(name: str) -> None:
    document, found = printed(name), saved(name)
    requests = found.requests
    assert requests.sent == requests.completed + requests.failed + requests.in_flight
    assert requests.failed + found.connects.failed == document["errors"]
    assert sum(found.errors.values()) == requests.failed
    assert found.errors.get("timeout", 0) + found.connects.errors.get("timeout", 0) == document["timeouts"]
    assert found.status == {status: each["count"] for status, each in document["statusCodeStats"].items()}
    assert requests.completed == document["requests"]["total"]
    assert found.bytes.received == document["throughput"]["total"]


@pytest.mark.parametrize("name", EVERY)
def test_what_is_read_is_the_same_once_it_was_saved(name: str, tmp_path: Path) -> None:
    found = saved(name)
    path = tmp_path / "x.json"
    path.write_bytes(found.to_json())
    assert read(str(path), "") == found


def test_latencies_are_its_whole_milliseconds_without_a_histogram() -> None:
    document, found = printed("mixed")["latency"], saved("mixed").latency_ms
    keys = ("mean", "stddev", "max", "p1", "p2_5", "p50", "p90", "p97_5", "p99", "p99_9", "p99_999")
    assert [getattr(found, key) for key in keys] == [document[key] for key in keys]
    assert (found.p95, found.histogram, found.count) == (None, None, document["totalCount"])


def test_its_least_latency_above_zero_is_no_minimum_where_others_lie_below() -> None:
    latency = printed("plain")["latency"]
    assert latency["min"] > latency["p1"]
    assert saved("plain").latency_ms.min is None


def test_the_machine_and_most_settings_are_unknown() -> None:
    found = saved("plain")
    assert (found.host.cpu, found.host.cores, found.cannon.engine) == ("", 0, "autocannon")
    assert (found.plan.method, found.plan.duration_s, found.plan.rate) == ("", None, None)
    assert found.client.cpu_us_per_request is None and found.workers == []


def test_settings_that_it_tells_are_read() -> None:
    document, found = printed("workers"), saved("workers")
    assert found.plan.urls == [document["url"]]
    assert (found.plan.workers, found.plan.connections) == (2, document["connections"])
    assert (found.plan.title, found.duration_s) == (document["title"], document["duration"])
    assert (found.started, found.finished) == (document["start"], document["finish"])
    assert saved("plain").plan.workers == 1


def test_the_run_is_one_row_so_that_a_rate_can_be_judged() -> None:
    found = saved("plain")
    (row,) = found.series
    assert (row.requests, row.window_s, row.p50_ms) == (found.requests.completed, found.duration_s, None)


def test_several_urls_are_a_list() -> None:
    assert len(saved("several").plan.urls) == 2


def test_of_two_lines_the_warm_up_is_passed_over_and_counted_outside() -> None:
    lines = (OUTPUTS / "warmup.json").read_text().strip().splitlines()
    assert len(lines) == 2
    found = saved("warmup")
    assert found.requests.completed == json.loads(lines[1])["requests"]["total"]
    assert found.outside.warmup == json.loads(lines[0])["requests"]["sent"]


def test_where_nothing_answered_it_is_invalid_and_nothing_is_zero() -> None:
    found = saved("refused")
    assert found.validity.verdict == "invalid"
    assert found.exit_code == 3
    assert (found.latency_ms.count, found.latency_ms.p50) == (0, None)
    assert found.connects.errors or found.errors


def test_it_is_never_more_than_suspect_and_says_why() -> None:
    found = saved("plain")
    assert found.validity.verdict == "suspect"
    assert "without a word on whether it was itself the limit" in found.validity.reasons[0]
    assert found.exit_code == 0


def test_a_list_of_one_is_that_one_and_more_cannot_be_added_up(tmp_path: Path) -> None:
    document = printed("plain")
    assert read_of([document], tmp_path) == saved("plain")
    assert refusal_of([document, document], tmp_path) == (
        " holds 2 results of autocannon, and without histograms they cannot be added up; give one file for each"
    )


def test_a_part_of_a_result_is_told_apart(tmp_path: Path) -> None:
    part = {"latencies": "HIST", "requests": "HIST", "throughput": "HIST", "totalCompletedRequests": 3}
    assert "holds a part of a result (skipAggregateResult)" in refusal_of(part, tmp_path)
    assert "holds 2 results" in refusal_of([part, part], tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"errors": -1}, ": errors is -1, and that is less than nothing"),
        ({"statusCodeStats": {"200": {"count": -5}}}, ": statusCodeStats.200.count is -5, and that is less"),
        ({"statusCodeStats": {"ok": {"count": 5}}}, ": status: 'ok' is no status of HTTP"),
        ({"statusCodeStats": None}, ": statusCodeStats: expected object, got null"),
        ({"requests": {"sent": 1}}, ": requests.total is missing"),
        ({"latency": []}, ": latency: expected object, got array"),
        ({"latency": {"totalCount": -1}}, ": latency.totalCount is -1, and that is less than nothing"),
        ({"latency": {"totalCount": 5, "p99": "1"}}, ": latency.p99: expected float | null, got str"),
        ({"duration": 1e300}, ": duration: 1e+300 is more than a number may be"),
        ({"connections": 0}, ": plan.connections is 0, and that is nothing"),
        ({"sampleInt": 0}, ": plan.sample_s is 0, and that is nothing"),
        ({"url": []}, ": url is empty"),
        ({"url": 5}, ": url: expected str | array, got int"),
    ],
)
def test_a_spoilt_output_is_refused_by_its_key(change: dict[str, object], said: str, tmp_path: Path) -> None:
    assert refusal_of(printed("plain") | change, tmp_path).startswith(said)


def test_errors_beyond_what_was_sent_are_dials(tmp_path: Path) -> None:
    requests = printed("plain")["requests"]
    stats = {"200": {"count": 90}}
    document = printed("plain") | {
        "errors": 25,
        "timeouts": 4,
        "statusCodeStats": stats,
        "requests": {**requests, "total": 90, "sent": 100},
    }
    found = read_of(document, tmp_path)
    assert (found.requests.failed, found.requests.in_flight, found.connects.failed) == (10, 0, 15)
    assert (found.errors, found.connects.errors) == ({"other": 6, "timeout": 4}, {"other": 15})
    assert found.error_examples == {"other": "autocannon does not tell what it was"}


def test_a_secret_in_its_url_or_title_is_not_kept(tmp_path: Path) -> None:
    document = printed("plain") | {"url": "http://u:canary@h/?token=canary", "title": "at http://u:canary@h/"}
    found = read_of(document, tmp_path)
    assert (found.plan.urls, found.plan.title) == (["http://***@h/?token=***"], "at http://***@h/")


@pytest.mark.parametrize(
    "own",
    [
        a_result(),
        a_result(tally=a_failing_tally()),
        a_result(tally=an_empty_tally()),
        a_result(tally=an_empty_tally(), duration_ns=0, series=[], interrupted="SIGINT"),
        a_result(plan=a_paced_plan(), tally=a_paced_tally()),
    ],
    ids=["healthy", "failing", "nothing", "at once", "under a rate"],
)
def test_what_cannon_writes_in_its_words_is_read_as_its_own(own: Result, tmp_path: Path) -> None:
    path = tmp_path / "x.autocannon.json"
    path.write_bytes(autocannon_file.render(own))
    found = read(str(path), "")
    assert isinstance(found, Result)
    assert found.status == own.status
    assert found.latency_ms.p99 == own.latency_ms.p99
    assert found.requests.failed + found.connects.failed == own.requests.failed + own.connects.failed
