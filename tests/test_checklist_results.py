"""What a run tells: statuses and classes, figures that are numbers, one document, and a report whatever ended it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.cli.planning import planned
from cannon.errors import UsageError
from cannon.plan import Plan
from cannon.reports import autocannon_file
from cannon.result import Result
from cannon.tally import Tally
from tests.cli.reading import read
from tests.firing import counted, fire_at, result_of, run_cli, start_cli
from tests.results import a_paced_plan, a_paced_tally, a_plan, a_result
from tests.servers.real import Nginx
from tests.servers.rude import Rude
from tests.strategies import tallies

pytest_plugins = ("tests.servers.fixtures",)

URL = "http://127.0.0.1:4000/"
LIMIT_S = 20.0


def plan_of(*words: str) -> Plan:
    return planned(read(*words), [URL]).plan


# Statuses.


@pytest.mark.parametrize("status", [200, 204, 299, 301, 304, 400, 404, 499, 500, 599, 600, 777, 999])
def test_every_status_is_counted_under_its_own_number_and_has_a_latency(rude: Rude, status: int) -> None:
    tally = fire_at(rude.url(f"/status/{status}"), amount=6, connections=2)
    assert (tally.status, tally.errors) == ({status: 6}, {})
    assert tally.succeeded == (6 if status < 400 else 0)
    assert tally.service.count == 6
    assert counted(rude, tally)


@pytest.mark.parametrize("count", [1, 3])
def test_an_interim_response_is_no_answer_and_in_no_count(rude: Rude, count: int) -> None:
    tally = fire_at(rude.url(f"/interim/{count}"), amount=6, connections=2)
    assert (tally.status, tally.excess, tally.errors) == ({200: 6}, 0, {})
    assert counted(rude, tally)


def test_classes_add_up_to_what_was_answered_and_a_class_of_its_own_is_no_success(rude: Rude) -> None:
    urls = [rude.url(f"/status/{status}") for status in (200, 302, 404, 503, 700)]
    result = result_of(run_cli("-j", "--no-preflight", "-a", "200", "-c", "5", *urls))
    assert sum(result.status.values()) == result.requests.completed == 200
    assert set(result.status) == {"200", "302", "404", "503", "700"}
    assert result.requests.succeeded == result.status["200"] + result.status["302"]
    found = json.loads(autocannon_file.render(result))
    classes = [found[f"{first}xx"] for first in (1, 2, 3, 4, 5)]
    assert sum(classes) + found["statusCodeStats"]["700"]["count"] == found["requests"]["total"]
    assert found["non2xx"] == found["requests"]["total"] - found["2xx"]
    assert found["requests"]["sent"] >= found["requests"]["total"]


def test_of_successes_alone_a_run_without_one_has_exact_zeros(rude: Rude) -> None:
    options = ("-x", "-a", "20", "-c", "2", "--no-preflight")
    result = result_of(run_cli("-j", *options, rude.url("/status/404")))
    assert (result.requests.completed, result.latency_ms.count, result.bytes.per_s) == (20, 0, 0)
    assert result.latency_ms.mean is result.latency_ms.p99 is result.latency_ms.max is None
    found = json.loads(autocannon_file.render(result))
    assert (found["4xx"], found["requests"]["total"]) == (20, 20)
    assert set(found["latency"].values()) == set(found["throughput"].values()) == {0}


def test_of_successes_alone_those_that_failed_are_in_no_latency_and_no_rate_of_bytes(rude: Rude) -> None:
    urls = (rude.url("/ok"), rude.url("/status/500"))
    tally = fire_at(*urls, duration_s=0.1, connections=2, excludes_errors=True)
    assert set(tally.status) == {200, 500}
    assert tally.service.count == tally.status[200] == tally.succeeded
    one = fire_at(urls[0], amount=1).received_bytes
    assert tally.row.received_bytes == one * tally.row.succeeded


# Figures that are numbers.


def whole(document: bytes) -> Any:
    """What a JSON text says, which has no NaN, no Infinity, and no key twice."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(document, parse_constant=refuse, object_pairs_hook=once)


def numbers(document: Any) -> list[float]:
    """Every number in a document."""
    if isinstance(document, dict):
        return [number for value in document.values() for number in numbers(value)]
    if isinstance(document, list):
        return [number for value in document for number in numbers(value)]
    return [document] if isinstance(document, (int, float)) and not isinstance(document, bool) else []


@settings(max_examples=25)  # packing a histogram takes a while
@given(tallies, st.sampled_from((0, 1, None)))
def test_no_count_whatever_makes_a_figure_that_is_no_number(tally: Tally, duration_ns: int | None) -> None:
    changes = {} if duration_ns is None else {"duration_ns": duration_ns, "series": []}
    result = a_result(tally=tally, **changes)
    whole(result.to_json())
    assert all(abs(number) < 1e300 for number in numbers(whole(autocannon_file.render(result))))


@pytest.mark.parametrize(
    "result",
    [
        a_result(tally=Tally(), duration_ns=0, series=[]),
        a_result(tally=Tally(), plan=a_paced_plan(), duration_ns=0, series=[]),
        a_result(tally=a_paced_tally([1_000]), plan=a_paced_plan(), duration_ns=1_000, series=[]),
        a_result(tally=Tally(), plan=a_plan(excludes_errors=True), duration_ns=0, series=[]),
    ],
    ids=["nothing", "nothing at a rate", "one", "no success"],
)
def test_a_result_of_nothing_has_zeros_and_nulls_and_the_least_is_no_sentinel(result: Result) -> None:
    whole(result.to_json())
    found = whole(autocannon_file.render(result))
    assert (found["requests"]["min"], found["throughput"]["min"]) == (0, 0)
    assert None not in found["latency"].values()


@pytest.mark.parametrize(
    "options", [("-a", "1", "-c", "1"), ("-d", "1ms", "-c", "1"), ("-a", "40", "-c", "2")]
)
def test_a_run_of_less_than_a_tick_has_figures_of_its_own_time(rude: Rude, options: tuple[str, ...]) -> None:
    process = run_cli("-j", "--no-preflight", *options, rude.url("/ok"))
    result = result_of(process)
    whole(process.stdout.encode())
    found = whole(autocannon_file.render(result))
    assert 0 < result.duration_s < 0.9
    assert found["duration"] < 0.9
    if result.requests.per_s is not None and result.requests.sent > 1:
        ended = sum(row.requests for row in result.series)
        assert result.requests.per_s == pytest.approx(ended / result.duration_s)


def test_a_run_without_one_answer_has_no_figures_and_says_so(rude: Rude) -> None:
    process = run_cli("-j", "--no-preflight", "-d", "200ms", "-c", "2", rude.url("/close"))
    found = whole(process.stdout.encode())
    assert process.returncode == 3
    assert (found["latency_ms"]["count"], found["latency_ms"]["p50"], found["requests"]["completed"]) == (
        0,
        None,
        0,
    )
    assert "no request succeeded" in process.stderr


# One document.


@pytest.mark.parametrize(
    "more", [("-l",), ("-W", "[", "-c", "1", "-a", "3", "]"), ("--renderStatusCodes", "-V")]
)
def test_json_is_one_document_and_alone_on_standard_output(rude: Rude, more: tuple[str, ...]) -> None:
    process = run_cli("-j", "-a", "8", "-c", "2", *more, rude.url("/ok"))
    assert process.returncode == 0
    assert whole(process.stdout.encode())["requests"]["sent"] == 8
    assert "\x1b" not in process.stdout + process.stderr


def test_tables_have_no_colours_where_nobody_looks_and_their_totals_are_right(rude: Rude) -> None:
    process = run_cli("-a", "37", "-c", "2", rude.url("/status/404"))
    assert "37" in process.stdout
    assert "\x1b" not in process.stdout + process.stderr
    assert "nan" not in process.stdout.lower().split()


# What is refused.


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("-f -w 2", "-f"),
        ("-c 0", "-c"),
        ("-p 0", "-p"),
        ("-B 0", "-B"),
        ("-d 0", "-d"),
        ("-t 0", "-t"),
        ("-R 0", "-R"),
        ("-r 0", "-r"),
        ("-a 0", "-a"),
        ("-a 5 -c 6", "-a 5"),
        ("-O 0", "-O"),
        ("-M 0", "-M"),
        ("-C", "-C"),
        ("-W [ -a 1 -c 2 ]", "-W"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(line: str, named: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan_of(*line.split())
    assert named in raised.value.message


def test_a_missing_url_is_refused_on_the_command_line() -> None:
    process = run_cli("-d", "1")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("cannon: a URL is missing")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1", 1), ("10", 10), ("10s", 10), ("10m", 600), ("1m30s", 90), ("500ms", 0.5)]
)
def test_a_duration_is_in_seconds_or_says_in_what(text: str, seconds: float) -> None:
    assert plan_of("-d", text).stop.duration_ns == round(seconds * 1e9)


def test_defaults_are_the_same_after_a_run_with_others(rude: Rude) -> None:
    before = plan_of()
    plan_of("-c", "3", "-H", "a=b", "-p", "2", "-R", "5")
    fire_at(rude.url("/ok"), amount=3, headers=(("A", "b"),))
    assert plan_of() == before


# The end from outside.


def signalled(
    server: Rude, number: signal.Signals, enough: Callable[[Rude], bool], *words: str
) -> subprocess.CompletedProcess[str]:
    """What came of a run that is signalled once the server has had enough."""
    with start_cli("-j", "--no-preflight", *words) as process:
        try:
            server.wait_for(enough, LIMIT_S)
            process.send_signal(number)
            out, told = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, told)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (("-R", "100", "-c", "1"), "/slow/30"),
        (("-R", "200", "-c", "4", "-w", "2"), "/ok"),
        (("-p", "6", "-c", "2"), "/slow/20"),
        (("-p", "4", "-R", "100", "-c", "2", "-w", "2"), "/slow/20"),
        (("-a", "100000", "-c", "2"), "/ok"),
        (("-f", "-c", "2"), "/ok"),
    ],
    ids=["a rate", "a rate of two workers", "pipelining", "all of it", "an amount", "for ever"],
)
def test_an_interrupted_run_gives_a_whole_report(rude: Rude, options: tuple[str, ...], path: str) -> None:
    words = (*options, *(() if "-a" in options else ("-d", "60")), rude.url(path))
    process = signalled(rude, signal.SIGINT, lambda seen: seen.requests >= 12, *words)
    result = result_of(process)
    requests = result.requests
    whole(process.stdout.encode())
    assert (process.returncode, result.interrupted) == (130, "SIGINT")
    assert requests.sent == requests.completed + requests.failed + requests.in_flight
    assert (rude.requests, requests.failed, requests.in_flight) == (requests.sent, 0, 0)
    assert sum(worker.sent for worker in result.workers) == requests.sent
    if result.plan.rate is not None:
        assert requests.due == requests.sent + requests.never_sent
        # Only what was due by then, though the end of each worker is its own.
        asked = result.duration_s * float(options[options.index("-R") + 1])
        assert requests.due <= asked + len(result.workers)


def test_a_run_without_an_end_that_is_terminated_is_reported_as_well(rude: Rude, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    words = ("-d", "10m", "-c", "2", "-o", str(path), rude.url("/ok"))
    process = signalled(rude, signal.SIGTERM, lambda seen: seen.requests >= 12, *words)
    assert (process.returncode, result_of(process).interrupted) == (143, "SIGTERM")
    assert path.read_text() == process.stdout


def test_what_was_answered_before_an_interruption_is_what_nginx_has_in_its_log(rude: Rude) -> None:
    with Nginx(upstream=rude.url(""), upstream_http="1.1") as nginx:
        words = ("-d", "60", "-c", "3", "-p", "3", nginx.url("/ok"))
        result = result_of(signalled(rude, signal.SIGINT, lambda seen: seen.requests >= 30, *words))
        assert nginx.statuses() == {200: result.requests.sent}
    assert result.requests.completed == result.requests.sent
