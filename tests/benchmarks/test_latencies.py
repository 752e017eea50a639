from __future__ import annotations

import json
from pathlib import Path

import pytest

from clients import CLIENTS, Fault, Load
from latencies import GAUGES
from quantiles import Quantiles
from tests.results import a_result

LOAD = Load("http://127.0.0.1:4000/", seconds=7, connections=10, folder=Path("/folder"))
OUTPUTS = Path(__file__).parent / "outputs"

HEY = """\
response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset
{}"""
ROW = "{:.4f},0.0001,0.0000,0.0000,0.0010,0.0000,{},0.5\n"


@pytest.mark.parametrize("name", GAUGES)
def test_a_gauge_is_of_a_client_that_is_known(name: str) -> None:
    assert name.startswith(GAUGES[name].client) and GAUGES[name].client in CLIENTS


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("cannon, kernel", ["--timestamps", "kernel", "-R", "4000"]),
        ("cannon, loop", ["--timestamps", "loop", "-R", "4000"]),
        ("wrk", ["--", "1"]),  # half of the 2.5 ms between the requests of a connection, in whole ms
        ("hey", ["-q", "400.000"]),  # of each connection
        ("h2load", ["--rps=400.000"]),
        ("autocannon", ["-R", "4000", "-C"]),
    ],
)
def test_a_rate_is_asked_for_in_the_clients_own_words(name: str, asked: list[str]) -> None:
    command = GAUGES[name].command(LOAD, 4_000)
    place = command.index(asked[0])
    while asked[0] == "--timestamps" and command[place] != asked[0]:
        place += 1
    assert command[place : place + len(asked)] == asked


@pytest.mark.parametrize("name", GAUGES)
def test_as_much_as_can_be_is_asked_for_without_a_rate(name: str) -> None:
    command = GAUGES[name].command(LOAD, None)
    assert LOAD.url in command
    assert not {"-R", "-q", "-C"} & set(command) and not any(word.startswith("--rps") for word in command)
    if name == "wrk":
        assert command[-2:] == ["--", "0"]


@pytest.mark.parametrize("name", GAUGES)
def test_files_that_a_command_reads_are_written_for_it(name: str) -> None:
    gauge = GAUGES[name]
    for word in gauge.command(LOAD, 4_000):
        if word.startswith(str(LOAD.folder)):
            assert word.rpartition("/")[2] in gauge.files


@pytest.mark.parametrize("name", ["cannon, kernel", "cannon, loop"])
def test_cannons_latencies_are_those_of_service(name: str) -> None:
    result = a_result()
    told = GAUGES[name].read(result.to_json().decode(), LOAD)
    service = result.service_ms
    assert service.p50 is not None and service.p99_9 is not None
    assert told.requests == result.requests.completed
    assert told.quantiles.p50_ns == round(service.p50 * 1e6)
    assert told.quantiles.p99_9_ns == round(service.p99_9 * 1e6)


def test_wrks_latencies_are_those_its_script_prints() -> None:
    output = (OUTPUTS / "wrk.txt").read_text() + "latencies 33359 1031.0 2405 5541.5\n"
    told = GAUGES["wrk"].read(output, LOAD)
    assert (told.requests, told.quantiles) == (33_359, Quantiles(1_031_000, 2_405_000, 5_541_500))


def test_wrk_without_its_script_told_nothing() -> None:
    with pytest.raises(Fault, match="no latencies"):
        GAUGES["wrk"].read((OUTPUTS / "wrk.txt").read_text(), LOAD)


def test_heys_latencies_are_those_of_all_its_rows() -> None:
    rows = "".join(ROW.format(number / 1e4, 200) for number in range(1000, 0, -1))
    told = GAUGES["hey"].read(HEY.format(rows), LOAD)
    assert (told.requests, told.quantiles) == (1_000, Quantiles(50_000_000, 99_000_000, 99_900_000))


def test_h2loads_latencies_are_those_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "h2load.log").write_text(
        "".join(f"17000000000\t200\t{number}\n" for number in range(1, 1001))
    )
    load = Load(LOAD.url, 1, 1, tmp_path)
    told = GAUGES["h2load"].read((OUTPUTS / "h2load.txt").read_text(), load)
    assert (told.requests, told.quantiles) == (1_000, Quantiles(500_000, 990_000, 999_000))


def test_autocannons_latencies_are_whole_milliseconds() -> None:
    output = (OUTPUTS / "autocannon.txt").read_text()
    latency = json.loads(output)["latency"]
    told = GAUGES["autocannon"].read(output, LOAD)
    assert told.quantiles == Quantiles(*(latency[key] * 1_000_000 for key in ("p50", "p99", "p99_9")))


@pytest.mark.parametrize(
    ("name", "output", "told"),
    [
        ("wrk", "wrk-missing", "not 2xx or 3xx"),
        ("h2load", "h2load-missing", "failed"),
        ("autocannon", "autocannon-missing", "non2xx"),
    ],
)
def test_a_run_with_an_error_has_no_latencies(name: str, output: str, told: str) -> None:
    with pytest.raises(Fault, match=told):
        GAUGES[name].read((OUTPUTS / f"{output}.txt").read_text(), LOAD)


@pytest.mark.parametrize(
    ("rows", "told"), [("", "no latencies"), (ROW.format(1, 200) + ROW.format(1, 502), "not 200: 502")]
)
def test_a_run_of_hey_with_an_error_has_no_latencies(rows: str, told: str) -> None:
    with pytest.raises(Fault, match=told):
        GAUGES["hey"].read(HEY.format(rows), LOAD)
