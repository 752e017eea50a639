from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clients import CLIENTS, Fault, Load, Report
from tests.results import a_failing_tally, a_result

OUTPUTS = Path(__file__).parent / "outputs"
"""What each client printed in a run of one second against nginx, `-missing` where that said 404, and so on."""

HTTP = Load("http://127.0.0.1:4000/plain", seconds=7, connections=30, folder=Path("/folder"))
PIPELINED = replace(HTTP, pipelining=10)
HTTPS = replace(HTTP, url="https://127.0.0.1:4000/plain", ca=Path("/folder/ca.pem"))


def _output(name: str) -> str:
    return (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("wrk", Report(33_359, 33_250.44)),
        ("ab", Report(27_414, 27_413.59)),
        ("h2load", Report(23_022, 23_022.0)),
        ("hey", Report(16_882, 16_852.5134)),
        ("autocannon", Report(13_201, 13_204)),
        ("siege", Report(5_957, 7_091.67)),
    ],
)
def test_a_peers_figures_are_those_it_prints(name: str, report: Report) -> None:
    assert CLIENTS[name].read(_output(name)) == report


def test_cannons_figures_are_those_of_its_result() -> None:
    result = a_result()
    report = CLIENTS["cannon"].read(result.to_json().decode())
    assert (report.requests, report.per_s) == (result.requests.completed, result.requests.per_s)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("wrk-missing", "not 2xx or 3xx: 23351"),
        ("wrk-gone", "read: 8407"),
        ("ab-missing", "Non-2xx responses"),
        ("ab-chunked", "closed their connection"),
        ("h2load-missing", "failed"),
        ("hey-missing", "not 200: 15287"),
        ("hey-refused", "connection refused"),
        ("autocannon-missing", "non2xx: 13817"),
        ("siege-missing", "without success: 4017"),
        ("siege-chunked", "no response at all"),
    ],
)
def test_a_run_with_an_error_has_no_figures(output: str, told: str) -> None:
    with pytest.raises(Fault, match=told):
        CLIENTS[output.partition("-")[0]].read(_output(output))


def test_a_run_of_cannon_with_an_error_has_no_figures() -> None:
    with pytest.raises(Fault, match="errors: "):
        CLIENTS["cannon"].read(a_result(tally=a_failing_tally()).to_json().decode())


def test_a_slow_response_that_wrk_calls_a_timeout_is_one_that_it_counted() -> None:
    errors = "  Socket errors: connect 0, read 0, write 0, timeout 283\n"
    output = _output("wrk").replace("Requests/sec:", errors + "Requests/sec:")
    assert CLIENTS["wrk"].read(output).requests == 33_359


def test_hey_tells_all_requests_by_its_rate_alone_once_its_memory_is_full() -> None:
    output = _output("hey").replace("[200]\t16882 responses", "[200]\t1000000 responses")
    output = output.replace("Requests/sec:\t16852.5134", "Requests/sec:\t1200000.0")
    assert CLIENTS["hey"].read(output).requests == pytest.approx(1_202_040)


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_is_told_how_many_where_and_how_long(name: str) -> None:
    command = CLIENTS[name].command(HTTP)
    assert command[-1] == HTTP.url
    assert command[command.index("-c") + 1] == "30"
    assert any(word.rstrip("sS") == "7" for word in command)


@pytest.mark.parametrize("name", CLIENTS)
def test_cannon_alone_is_told_whom_to_trust(name: str) -> None:
    command = CLIENTS[name].command
    assert "--ca" not in command(HTTP)
    assert (str(HTTPS.ca) in command(HTTPS)) is (name == "cannon")


@pytest.mark.parametrize("load", [HTTP, PIPELINED])
@pytest.mark.parametrize("name", CLIENTS)
def test_files_that_a_command_names_are_written_for_it(name: str, load: Load) -> None:
    for word in CLIENTS[name].command(load):
        if str(load.folder) in word:
            assert word.rpartition("/")[2] in CLIENTS[name].files


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("cannon", ["-p", "10"]),
        ("autocannon", ["-p", "10"]),
        ("h2load", ["-m", "10"]),
        ("wrk", ["--", "10"]),
    ],
)
def test_who_can_pipeline_is_asked_to_only_where_that_is_wanted(name: str, asked: list[str]) -> None:
    assert CLIENTS[name].pipelines
    command = CLIENTS[name].command(PIPELINED)
    place = command.index(asked[0])
    assert command[place : place + 2] == asked
    assert asked[0] not in CLIENTS[name].command(HTTP)


@pytest.mark.parametrize("name", ["ab", "hey", "siege"])
def test_who_cannot_pipeline_says_so(name: str) -> None:
    assert not CLIENTS[name].pipelines
