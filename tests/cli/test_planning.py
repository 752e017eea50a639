from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon import host
from cannon.cli.options import Options
from cannon.cli.planning import MOST_BODY_BYTES, notes_of, plan_of
from cannon.errors import UsageError
from cannon.plan import Engine, Plan, Stop, Target, Warmup
from cannon.tls import Sessions, Tls
from tests.cli.reading import read
from tests.servers.certificates import Certificates

pytest_plugins = ("tests.servers.fixtures",)

URL = "http://127.0.0.1:4000/path?a=b"
SECOND_NS = 1_000_000_000


def planned(*words: str) -> Plan:
    """The Plan of a command line."""
    return plan_of(read(*words), [URL])


def refusal(*words: str) -> str:
    """What is said to a command line that is refused."""
    with pytest.raises(UsageError) as raised:
        planned(*words)
    return raised.value.message


def test_without_options_a_plan_has_its_own_defaults() -> None:
    assert planned() == Plan(targets=(Target.parse(URL),))


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
    ],
)
def test_an_option_becomes_a_setting_of_the_plan(line: str, changed: Mapping[str, Any]) -> None:
    assert planned(*line.split()) == Plan(**{"targets": (Target.parse(URL),), **changed})


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ("K: V", "K", "V"),
        ("K:V", "K", "V"),
        ("K=V", "K", "V"),
        ("K=a:b", "K", "a:b"),
        ("K: a=b", "K", "a=b"),
        ("K:", "K", ""),
        ("K:\t V \t", "K", "V"),
    ],
)
def test_the_first_colon_or_equals_sign_parts_a_header(header: str, name: str, value: str) -> None:
    assert planned("-H", header).headers == ((name, value),)


def test_a_repeated_header_is_kept_in_its_order() -> None:
    assert planned("-H", "A: 1", "-H", "B: 2", "-H", "A: 3").headers == (("A", "1"), ("B", "2"), ("A", "3"))


@pytest.mark.parametrize("header", ["K", "", ":V", "=V", "K V", "K : V", "K\r\n: V", "K\0: V", "Ü: V"])
def test_a_header_without_a_valid_name_is_refused_and_not_repeated(header: str) -> None:
    message = refusal("-H", "A: 1", "-H", header)
    assert message.startswith("-H/--headers: header 2 has no ")
    assert message.endswith("; e.g. -H 'Accept: text/html'")


@pytest.mark.parametrize("end", ["\r", "\n", "\0", "\r\nX: 1"])
def test_a_header_that_is_not_one_line_is_refused(end: str) -> None:
    assert "CR, LF or NUL" in refusal("-H", f"K: v{end}v")


@pytest.mark.parametrize(
    "words", [("-H", "K: \udcff"), ("-T", "\udcff"), ("-m", "\udcff"), ("--log", "\udcff")]
)
def test_text_that_is_not_utf8_is_refused(words: tuple[str, str]) -> None:
    assert "is not UTF-8" in refusal(*words)


def test_a_body_keeps_the_bytes_of_the_command_line() -> None:
    assert planned("-b", os.fsdecode(b"\xff\x00"[:1])).body == b"\xff"


@given(content=st.binary(max_size=200))
def test_a_body_from_a_file_is_its_bytes(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("body") / "body"
    path.write_bytes(content)
    assert planned("-i", str(path)).body == content


def test_a_file_too_large_for_a_body_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(MOST_BODY_BYTES + 1)
    assert refusal("-i", str(path)) == (
        f"-i/--input: '{path}' is larger than a body may be, {MOST_BODY_BYTES} bytes"
    )


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
    assert planned(*words).warmup == expected


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
        ("-b x -i y", "-b/--body and -i/--input both give the body; leave one of them out"),
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
    ],
)
def test_what_contradicts_itself_is_refused(line: str, message: str) -> None:
    assert refusal(*line.split()).startswith(message)


def test_a_report_in_the_place_of_the_body_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_bytes(b"{}")
    assert refusal("-i", str(path), "-o", str(path)).startswith("-i and -o both name")


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        ([], "a URL is missing; e.g. cannon http://127.0.0.1:4000/"),
        (["a", "b"], "2 URLs, and this version fires at one: a, b"),
        (["ftp://a/"], "URL 'ftp://a/' has the scheme 'ftp'; cannon speaks http and https"),
        (["a:99999"], "URL 'http://a:99999' has no port from 1 to 65535; "),
        (["a:0"], "URL 'http://a:0' has no port from 1 to 65535; "),
        (["http:///x"], "URL 'http:///x' has no host; "),
        (["http://a/\r\nX: 1"], "URL 'http://a/\\r\\nX: 1' holds a space or a control character; "),
        (["http://a/\udcff"], "URL 'http://a/\\udcff' is not UTF-8; "),
    ],
)
def test_a_url_that_cannot_be_fired_at_is_refused(urls: list[str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan_of(Options(), urls)
    assert raised.value.message.startswith(message)


@pytest.mark.parametrize(
    "urls",
    [
        ["http://user:canary@a:99999/"],
        ["user:canary@a:99999"],
        ["http://user:can ary canary@a/"],
        ["https://user:canary@a:0/?token=canary"],
        ["https://user:canary@/?token=canary"],
        ["ftp://user:canary@a/"],
        ["http://user:canary@a/", "http://b/?api_key=canary"],
        ["http://user:canary@a/\udcff"],
    ],
)
def test_no_secret_of_a_url_is_in_what_is_said_of_it(urls: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        plan_of(Options(), urls)
    assert "canary" not in raised.value.message


@pytest.mark.parametrize(
    ("cores", "notes"),
    [
        (1, ("3 workers hold each other up on 1 usable core; try -w 1",)),
        (2, ("3 workers hold each other up on 2 usable cores; try -w 2",)),
        (3, ()),
    ],
)
def test_more_workers_than_usable_cores_is_worth_a_note(
    cores: int, notes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "_usable_cores", lambda: cores)
    options = read("-w", "3")
    assert notes_of(options, plan_of(options, [URL])) == notes


HTTPS = "https://127.0.0.1:4000/"


def test_the_files_of_tls_become_settings_of_the_plan_each_once(certificates: Certificates) -> None:
    files = certificates
    words = ["--ca", "[", files.ca, files.self_signed, "]", "--ca", files.ca]
    plan = plan_of(read(*words, "--cert", files.client, "--key", files.client_key), [HTTPS])
    assert plan.tls == Tls(
        ca=(files.ca, files.self_signed), cert=files.client, key=files.client_key, verify=True
    )


def test_one_file_may_be_root_and_certificate_and_key(certificates: Certificates) -> None:
    whole = certificates.client_whole
    plan = plan_of(read("--ca", whole, "--cert", whole, "--key", whole), [HTTPS])
    assert plan.tls == Tls(ca=(whole,), cert=whole, key=whole)


@pytest.mark.parametrize("url", [HTTPS, URL])
@pytest.mark.parametrize("more", [(), ("-k",)])
@pytest.mark.parametrize("option", ["--ca", "--cert"])
def test_a_file_of_tls_is_looked_at_before_anything_is_sent(
    option: str, more: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    path = tmp_path / "missing.pem"
    with pytest.raises(UsageError) as raised:
        plan_of(read(option, str(path), *more), [url])
    assert raised.value.message.startswith(
        f"{option}: '{path}' cannot be read: No such file or directory; e.g. "
    )


@pytest.mark.parametrize(
    ("url", "line", "notes"),
    [
        (HTTPS, "", ()),
        (HTTPS, "-k", ()),
        (HTTPS, "-s a.example --tls-session fresh", ()),
        (URL, "", ()),
        (URL, "-k", ("-k is not looked at: no URL is of https",)),
        (URL, "-k -s a.example", ("-k, -s are not looked at: no URL is of https",)),
        (URL, "--tls-session resume", ("--tls-session is not looked at: no URL is of https",)),
        (
            URL,
            "-a 10 -d 5 -k",
            (
                "-d is not looked at: -a 10 tells when the run ends",
                "-k is not looked at: no URL is of https",
            ),
        ),
    ],
)
def test_an_option_that_changes_nothing_is_worth_a_note(url: str, line: str, notes: tuple[str, ...]) -> None:
    options = read(*line.split())
    assert notes_of(options, plan_of(options, [url])) == notes


def test_a_root_is_of_no_use_where_nothing_is_verified(certificates: Certificates) -> None:
    options = read("-k", "--ca", certificates.ca)
    assert notes_of(options, plan_of(options, [HTTPS])) == (
        "--ca is not looked at: with -k, nothing is verified",
    )


def test_what_httpx_cannot_honour_is_refused_before_anything_is_sent() -> None:
    assert planned("--engine", "httpx").engine is Engine.HTTPX
    assert "--debug" in refusal("--engine", "httpx", "--debug")
    assert "in capitals" in refusal("--engine", "httpx", "-m", "purge")
    assert "--tls-session fresh" in refusal("--engine", "httpx", "--tls-session", "resume")


def test_httpx_resumes_no_session_and_its_plan_says_so() -> None:
    assert planned("--engine", "httpx").tls.sessions is Sessions.FRESH
    assert planned("--engine", "h11").tls.sessions is Sessions.RESUME
