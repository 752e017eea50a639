from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cannon.cli.planning import planned
from cannon.errors import UsageError
from cannon.form import HELD_BYTES
from cannon.pace import Pace, Scope
from cannon.plan import Engine, Limits, Plan, Stop, Timestamps, Warmup
from cannon.profile import Constant
from cannon.route import Proxy, Route
from cannon.sequence import Streamed
from cannon.target import Target
from cannon.tls import Sessions, Tls
from tests.cli.reading import read
from tests.servers.certificates import Certificates

pytest_plugins = ("tests.servers.fixtures",)

URL = "http://127.0.0.1:4000/path?a=b"
SECOND_NS = 1_000_000_000


def plan_of(*words: str) -> Plan:
    """The Plan of a command line."""
    return planned(read(*words), [URL]).plan


def refusal(*words: str) -> str:
    """What is said to a command line that is refused."""
    with pytest.raises(UsageError) as raised:
        plan_of(*words)
    return raised.value.message


def test_without_options_a_plan_has_its_own_defaults() -> None:
    assert plan_of() == Plan(targets=(Target.parse(URL),))


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("-c 3", {"connections": 3}),
        ("--connections=3", {"connections": 3}),
        ("-c 2k", {"connections": 2000}),
        ("-w 2", {"workers": 2}),
        ("--workers=10", {"workers": 10}),
        ("-w 0", {}),
        ("-d 60", {"stop": Stop(duration_ns=60 * SECOND_NS)}),
        ("--duration 1m30s", {"stop": Stop(duration_ns=90 * SECOND_NS)}),
        ("-a 100", {"stop": Stop(amount=100)}),
        ("-d 5 --amount 100", {"stop": Stop(amount=100)}),
        ("-m POST", {"method": "POST"}),
        ("--method PURGE", {"method": "PURGE"}),
        ("-b x=1", {"body": b"x=1"}),
        ("--body=", {"body": b""}),
        ("-t 500ms", {"timeout_ns": SECOND_NS // 2}),
        ("--timeout 3", {"timeout_ns": 3 * SECOND_NS}),
        ("--drain 0", {"drain_ns": 0}),
        ("-L 100", {"sample_ns": SECOND_NS // 10}),
        ("--sampleInt 2s", {"sample_ns": 2 * SECOND_NS}),
        ("-T x", {"title": "x"}),
        ("--engine h11", {"engine": Engine.H11}),
        ("--expect-status 200,404", {"expect_status": (200, 404)}),
        ("--no-preflight", {"preflight": False}),
        ("--log x.log", {"log": "x.log"}),
        ("--debug", {"trace": True}),
        ("-l -j -n --statusCodes -o x.json --stream x.ndjson", {}),
        ("-k", {"tls": Tls(verify=False)}),
        ("-s a.example", {"tls": Tls(server_name="a.example")}),
        ("--tls-session fresh", {"tls": Tls(sessions=Sessions.FRESH)}),
        ("--tls-session resume", {}),
        ("-c 1 -c 2", {"connections": 2}),
        ("-p 4", {"pipelining": 4}),
        ("-M 2 -D 3 -B 4", {"limits": Limits(per_connection=2, reconnect_after=3, bailout=4)}),
        ("-O 2", {"limits": Limits(overall=2)}),
        ("-R 20", {"pace": Pace(Constant(20.0))}),
        ("-r 20", {"pace": Pace(Constant(20.0), scope=Scope.CONNECTION)}),
        ("-b [<id>] -I", {"body": b"[<id>]", "ids": True}),
        ("--compressed", {"compressed": True}),
        ("-E OK", {"expect_body": b"OK"}),
        ("-E=\udcff", {"expect_body": b"\xff"}),
        ("-x", {"excludes_errors": True}),
        ("--timestamps kernel", {"timestamps": Timestamps.KERNEL}),
        ("-S /x", {"route": Route(socket_path="/x")}),
        ("--connect-to a:1", {"route": Route(connect_to=("a", 1))}),
        ("--bind 127.0.0.1", {"route": Route(bind="127.0.0.1")}),
        ("--proxy http://127.0.0.1:1", {"route": Route(proxy=Proxy.parse("http://127.0.0.1:1"))}),
        ("-f -V -C -R 20 --on-port --format autocannon", {"pace": Pace(Constant(20.0))}),
    ],
)
def test_an_option_becomes_a_setting_of_the_plan(line: str, changed: Mapping[str, Any]) -> None:
    assert plan_of(*line.split()) == Plan(**{"targets": (Target.parse(URL),), **changed})


@pytest.mark.parametrize("end", ["\r", "\n", "\0", "\r\nX: 1"])
def test_a_header_that_is_not_one_line_is_refused(end: str) -> None:
    assert "CR, LF or NUL" in refusal("-H", f"K: v{end}v")


@pytest.mark.parametrize(
    "words", [("-H", "K: \udcff"), ("-T", "\udcff"), ("-m", "\udcff"), ("--log", "\udcff")]
)
def test_text_that_is_not_utf8_is_refused(words: tuple[str, str]) -> None:
    assert "is not UTF-8" in refusal(*words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-W"], Warmup(Stop(duration_ns=10 * SECOND_NS))),
        (["-W", "-d", "3"], Warmup(Stop(duration_ns=3 * SECOND_NS))),
        (["-W", "-a", "50"], Warmup(Stop(amount=50))),
        (["-W", "3s"], Warmup(Stop(duration_ns=3 * SECOND_NS))),
        (["-W", "3s", "-a", "50"], Warmup(Stop(duration_ns=3 * SECOND_NS))),
        (["-W", "[ -c 1 -d 3 ]"], Warmup(Stop(duration_ns=3 * SECOND_NS), 1)),
        (["-W", "[", "-c", "1", "-d", "3", "]"], Warmup(Stop(duration_ns=3 * SECOND_NS), 1)),
        (["-W", "[", "--connections=1", "]", "-d", "5"], Warmup(Stop(duration_ns=5 * SECOND_NS), 1)),
        (["-W", "[", "-a", "20", "]", "-d", "5"], Warmup(Stop(amount=20))),
        (["-W", "[", "]"], Warmup(Stop())),
        (["-W", "[]"], Warmup(Stop())),
    ],
)
def test_a_warm_up_takes_from_the_run_what_it_does_not_say(words: list[str], expected: Warmup) -> None:
    assert plan_of(*words).warmup == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-W [ -c 0 ]", "-W/--warmup: -c/--connections: '0' is too small"),
        ("-W [ -z 1 ]", "-W/--warmup: there is no option -z"),
        ("-W [ -a 5 ]", "-W/--warmup: -a 5 is less than -c 10"),
        ("-W [ -c 20 ] -a 15", "-W/--warmup: -a 15 is less than -c 20"),
        ("-W [ x ]", "-W/--warmup: 'x' is one word too many"),
        ("-W [ -c ]", "-W/--warmup: -c/--connections needs a value"),
        ("-W=x", "-W/--warmup: 'x' is no duration"),
        ("-W 0", "-W/--warmup: -d/--duration must be longer than nothing"),
        ("-o x.json --log ./x.json", "-o and --log both name './x.json'; give each a file of its own"),
        ("--stream x --log x", "--stream and --log both name 'x'; give each a file of its own"),
        ("-j --stream /dev/stdout", "-j/--json and --stream both go to stdout"),
        ("-H Host:a -H host:b", "-H Host is given more than once"),
        ("-a 5", "-a 5 is less than -c 10"),
        ("-w 3 -c 2", "-w 3 workers need a connection each; give -c 3 or more"),
        ("-w two", "-w/--workers: 'two' is no "),
        ("-w 1.5", "-w/--workers: '1.5' is not a whole number"),
        ("-w -1", "-w/--workers: '-1' is negative"),
        ("--key x", "--key belongs to a certificate; give both, e.g. --cert client.pem --key client.key"),
        ("--ca x --log ./x", "--ca and --log both name './x'; give each a file of its own"),
        ("--cert x --key y --log y", "--key and --log both name 'y'; give each a file of its own"),
        ("-t 0", "-t/--timeout must be longer than nothing"),
        ("-L 1", "-L must be 10 ms or more"),
        ("-f -w 2", "-f begins the run again in the same process, and -w fires from several; "),
        ("-f --find-rate p99<1ms", "--find-rate ends when it has found the rate, and -f never; "),
        ("-E x --har y", "-E expects one body of every request, and those of --har have each their own; "),
        ("-E x --compressed", "-E compares what came over the wire, and --compressed has it encoded; "),
        ("--find-rate p99<1ms -a 100", "--find-rate fires each rate for a time; give -d instead of -a"),
        ("--find-rate p99<1ms --engine httpx", "--engine httpx fires at no rate, so --find-rate "),
        (
            "-p 2 -H Connection:close",
            "-p sends requests behind each other, and none may follow -H 'Connection: close'",
        ),
        (
            "-p 2 -H connection:x,Close",
            "-p sends requests behind each other, and none may follow -H 'Connection: close'",
        ),
        ("--compressed -H accept-encoding:gzip", "--compressed and -H Accept-Encoding both say"),
        (
            "--proxy http://h:1 -S /x",
            "-S/--socketPath leads past every network, so --proxy has nothing to do",
        ),
        ("--proxy http://h:1 --connect-to h:1", "--proxy and --connect-to both say whom to dial"),
        (
            "--timestamps kernel -S /x",
            "--timestamps kernel: the kernel stamps the bytes of plain TCP, and not ",
        ),
        ("-I", "-I/--idReplacement finds no [<id>] in a path, a header or a body; "),
        ("-r 200k -c 10", "-r/--connectionRate asks 200k/s of 10 connections, more than "),
        ("-W [ -R 5 ] -R 10", "-W/--warmup: there is no option -R"),
        ("-C -d 5", "-C/--ignoreCoordinatedOmission is about a rate"),
    ],
)
def test_what_contradicts_itself_is_refused(line: str, message: str) -> None:
    assert refusal(*line.split()).startswith(message)


def large_file(folder: Path) -> str:
    """A file too large to be held."""
    path = folder / "large"
    with path.open("wb") as file:
        file.truncate(HELD_BYTES + 1)
    return str(path)


def test_nothing_is_sent_behind_a_body_that_is_streamed(tmp_path: Path) -> None:
    path = large_file(tmp_path)
    assert isinstance(plan_of("-i", path).body, Streamed)
    assert refusal("-i", path, "-p", "2").startswith(
        "-p sends requests behind each other, and a body that is "
    )


def test_each_url_is_a_target_and_ways_to_write_one_may_differ() -> None:
    plan = planned(read(), ["a:1", "https://b/", "/c"], 3000).plan
    assert [target.url for target in plan.targets] == ["http://a:1", "https://b/", "http://localhost:3000/c"]


@pytest.mark.parametrize(
    ("words", "platform", "reason"),
    [
        (("--timestamps", "kernel"), "darwin", "only on Linux"),
        (("--timestamps", "kernel", "-k"), "linux", "and those of https are TLS's"),
    ],
)
def test_stamps_of_the_kernel_are_refused_where_there_are_none(
    words: tuple[str, ...], platform: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(UsageError, match=reason):
        planned(read(*words), [URL, HTTPS] if platform == "linux" else [URL])
    assert planned(read("--timestamps", "auto"), [HTTPS]).plan.timestamps is Timestamps.AUTO


def test_a_report_in_the_place_of_the_body_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_bytes(b"{}")
    assert refusal("-i", str(path), "-o", str(path)).startswith("-i and -o both name")


HTTPS = "https://127.0.0.1:4000/"


def test_the_files_of_tls_become_settings_of_the_plan_each_once(certificates: Certificates) -> None:
    files = certificates
    words = ["--ca", "[", files.ca, files.self_signed, "]", "--ca", files.ca]
    plan = planned(read(*words, "--cert", files.client, "--key", files.client_key), [HTTPS]).plan
    assert plan.tls == Tls(
        ca=(files.ca, files.self_signed), cert=files.client, key=files.client_key, verify=True
    )


def test_one_file_may_be_root_and_certificate_and_key(certificates: Certificates) -> None:
    whole = certificates.client_whole
    plan = planned(read("--ca", whole, "--cert", whole, "--key", whole), [HTTPS]).plan
    assert plan.tls == Tls(ca=(whole,), cert=whole, key=whole)


@pytest.mark.parametrize("url", [HTTPS, URL])
@pytest.mark.parametrize("more", [(), ("-k",)])
@pytest.mark.parametrize("option", ["--ca", "--cert"])
def test_a_file_of_tls_is_looked_at_before_anything_is_sent(
    option: str, more: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    path = tmp_path / "missing.pem"
    with pytest.raises(UsageError) as raised:
        planned(read(option, str(path), *more), [url])
    assert raised.value.message.startswith(
        f"{option}: '{path}' cannot be read: No such file or directory; e.g. "
    )


def test_what_httpx_cannot_honour_is_refused_before_anything_is_sent() -> None:
    assert plan_of("--engine", "httpx").engine is Engine.HTTPX
    assert "--debug" in refusal("--engine", "httpx", "--debug")
    assert "in capitals" in refusal("--engine", "httpx", "-m", "purge")
    assert refusal("--engine", "httpx", "-R", "5").startswith("--engine httpx fires as fast as answers come")
    assert "--tls-session fresh" in refusal("--engine", "httpx", "--tls-session", "resume")


def test_httpx_resumes_no_session_and_its_plan_says_so() -> None:
    assert plan_of("--engine", "httpx").tls.sessions is Sessions.FRESH
    assert plan_of("--engine", "h11").tls.sessions is Sessions.RESUME
