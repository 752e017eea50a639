"""What is sent, as the server received it: heads, bodies, ids, URLs, and the ways there."""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from cannon.plan import Engine
from cannon.result import Result
from tests.firing import counted, fire_at, result_of, run_cli
from tests.servers.proxies import HttpProxy
from tests.servers.real import Nginx, Node
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = pytest.mark.parametrize("engine", [Engine.NATIVE, Engine.HTTPX])
EVERY_BYTE = bytes(range(256))


def fired(*words: str) -> Result:
    """The result of a run without a preflight that ends with exit 0."""
    process = run_cli("-j", "--no-preflight", *words)
    assert process.returncode == 0, process.stderr
    return result_of(process)


# Heads.


@ENGINES
@pytest.mark.parametrize("name", [None, "Host", "host", "HOST"])
def test_exactly_one_host_is_sent_whatever_its_case(rude: Rude, engine: Engine, name: str | None) -> None:
    headers = () if name is None else ((name, "shop.example"),)
    fire_at(rude.url("/ok"), amount=2, headers=headers, engine=engine)
    expected = f"127.0.0.1:{rude.port}" if name is None else "shop.example"
    assert [request.values("host") for request in rude.received] == [[expected]] * 2


def test_a_repeated_header_is_sent_as_often_and_in_its_order(rude: Rude) -> None:
    fired("-a", "1", "-c", "1", "-H", "X-A: 1", "-H", "X-B=2", "-H", "x-a=3:4", rude.url("/ok"))
    (request,) = rude.received
    assert request.values("x-a") == ["1", "3:4"]
    assert [name for name, _ in request.fields if name.lower().startswith("x-")] == ["X-A", "X-B", "x-a"]


@pytest.mark.parametrize(
    ("userinfo", "pair"), [("user:pass", "user:pass"), ("us%40er:p%3Ass", "us@er:p:ss"), ("user", "user:")]
)
def test_the_user_of_a_url_becomes_basic_authorization(rude: Rude, userinfo: str, pair: str) -> None:
    fire_at(rude.url("/ok").replace("//", f"//{userinfo}@"), amount=2)
    authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    for request in rude.received:
        assert request.values("authorization") == [authorization]
        assert request.values("host") == [f"127.0.0.1:{rude.port}"]


def test_the_user_of_a_url_is_in_no_report(rude: Rude) -> None:
    process = run_cli("-j", "-a", "1", "-c", "1", rude.url("/ok").replace("//", "//canary:secret@"))
    assert rude.received[-1].values("authorization")
    assert "canary" not in process.stdout + process.stderr
    assert "secret" not in process.stdout + process.stderr


def test_a_header_that_the_user_gives_stands_instead_of_cannons_own(rude: Rude) -> None:
    words = ("-H", "User-Agent=mine", "-H", "connection: close", "-H", "Authorization=token")
    fired("-a", "2", "-c", "1", *words, rude.url("/ok").replace("//", "//user:pass@"))
    for request in rude.received:
        assert [request.values(name) for name in ("user-agent", "connection", "authorization")] == [
            ["mine"],
            ["close"],
            ["token"],
        ]
    assert rude.accepted == 2, "nothing is sent behind a request that asks for the close"


# Bodies.


@ENGINES
def test_a_body_of_every_byte_arrives_as_it_is_and_its_length_is_right(rude: Rude, engine: Engine) -> None:
    tally = fire_at(rude.url("/ok"), amount=4, connections=2, method="POST", body=EVERY_BYTE, engine=engine)
    assert counted(rude, tally)
    rude.wait_for(lambda seen: seen.body_bytes == 4 * 256)
    for request in rude.received:
        assert bytes(request.body) == EVERY_BYTE
        assert request.values("content-length") == ["256"]
        assert request.values("transfer-encoding") == []


def test_a_file_of_every_byte_is_sent_as_it_is(rude: Rude, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(EVERY_BYTE * 10)
    fired("-a", "2", "-c", "1", "-m", "PUT", "-i", str(path), rude.url("/ok"))
    assert [(request.method, bytes(request.body)) for request in rude.received] == [
        ("PUT", EVERY_BYTE * 10)
    ] * 2


def test_a_body_of_the_command_line_is_sent_in_its_bytes(rude: Rude) -> None:
    # No command line has a NUL.
    fired("-a", "2", "-c", "1", "-m", "POST", "-b", os.fsdecode(EVERY_BYTE[1:]), rude.url("/ok"))
    assert {bytes(request.body) for request in rude.received} == {EVERY_BYTE[1:]}


def test_a_large_file_is_counted_by_the_server_to_the_byte(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(EVERY_BYTE * 12_345)
    result = fired("-a", "4", "-c", "2", "-m", "POST", "-i", str(path), node.url("/upload"))
    assert result.requests.succeeded == 4
    assert node.seen().body_bytes == 4 * 256 * 12_345


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_without_a_body_a_method_that_has_one_says_that_it_is_empty(rude: Rude, method: str) -> None:
    fire_at(rude.url("/ok"), amount=1, method=method)
    assert rude.received[0].values("content-length") == ["0"]


def test_a_form_reaches_the_server_with_its_parts(rude: Rude, tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(EVERY_BYTE)
    form = {"name": {"type": "text", "value": "é"}, "upload": {"type": "file", "path": str(file)}}
    fired("-a", "2", "-c", "1", "-F", json.dumps(form), rude.url("/ok"))
    for request in rude.received:
        body = bytes(request.body)
        (kind,) = request.values("content-type")
        boundary = kind.partition("boundary=")[2].encode()
        assert request.method == "POST"
        assert [int(length) for length in request.values("content-length")] == [len(body)]
        assert body.endswith(b"--" + boundary + b"--\r\n")
        assert b'name="name"' in body and "é".encode() in body
        assert b'filename="part"' in body and EVERY_BYTE in body


# Ids.


@pytest.mark.parametrize("pipelining", [1, 4])
def test_every_id_is_another_over_connections_and_workers_and_the_length_is_right(
    rude: Rude, pipelining: int
) -> None:
    tally = fire_at(
        rude.url("/ok?id=[<id>]"),
        amount=60,
        connections=4,
        workers=2,
        pipelining=pipelining,
        method="POST",
        body=b"a[<id>]b[<id>]",
        ids=True,
    )
    assert tally.sent == tally.completed == 60
    assert counted(rude, tally)
    ids = set()
    for request in rude.received:
        (ident,) = re.findall(r"id=([0-9a-z]+)$", request.target)
        assert bytes(request.body) == f"a{ident}b{ident}".encode()
        assert request.values("content-length") == [str(len(request.body))]
        ids.add(ident)
    assert len(ids) == 60


def test_worker_processes_share_no_ids(rude: Rude) -> None:
    options = ("-w", "2", "-c", "4", "-a", "80", "-I", "-m", "POST", "-b", "[<id>]")
    assert fired(*options, rude.url("/ok")).requests.completed == 80
    assert len({bytes(request.body) for request in rude.received}) == 80


def test_without_the_option_an_id_is_text_like_any_other(rude: Rude) -> None:
    fire_at(rude.url("/ok"), amount=2, method="POST", body=b"[<id>]")
    assert {bytes(request.body) for request in rude.received} == {b"[<id>]"}


# URLs.


@pytest.mark.parametrize("workers", ["1", "2"])
def test_urls_are_dealt_over_the_connections_and_each_has_its_own_figures(rude: Rude, workers: str) -> None:
    urls = (rude.url("/ok"), rude.url("/status/404"), rude.url("/slow/30"))
    result = fired("-d", "400ms", "-c", "5", "-w", workers, *urls)
    first = {request.connection: request.target for request in reversed(rude.received)}
    assert Counter(first.values()) == {"/ok": 2, "/status/404": 2, "/slow/30": 1}
    assert [target.url for target in result.targets] == [*urls]
    assert [set(target.status) for target in result.targets] == [{"200"}, {"404"}, {"200"}]
    for target, url in zip(result.targets, urls, strict=True):
        path = url.partition(str(rude.port))[2]
        assert target.requests == target.latency_ms.count == rude.per_path[path]
    assert sum(target.requests for target in result.targets) == result.requests.completed
    slow = result.targets[2].latency_ms
    assert slow.min is not None and slow.min >= 29


def test_a_bare_path_goes_to_the_port_of_the_environment(rude: Rude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(rude.port))
    assert fired("-a", "3", "-c", "1", "/ok?a=b").requests.completed == 3
    assert {request.target for request in rude.received} == {"/ok?a=b"}


def test_a_url_without_a_scheme_is_of_http(rude: Rude) -> None:
    assert fired("-a", "3", "-c", "1", f"127.0.0.1:{rude.port}/ok").requests.completed == 3


# Ways.


def test_a_unix_socket_is_dialled_and_the_url_gives_host_and_path(rude: Rude) -> None:
    with Nginx() as nginx:
        result = fired("-a", "20", "-c", "2", "-S", nginx.socket_path, "http://shop.example/file")
        assert nginx.statuses() == {200: 20}
    assert result.requests.completed == 20


def test_another_address_is_dialled_and_the_host_stays(rude: Rude) -> None:
    address = f"127.0.0.1:{rude.port}"
    fired("-a", "4", "-c", "2", "--connect-to", address, "http://shop.example:81/ok")
    assert {(request.target, *request.values("host")) for request in rude.received} == {
        ("/ok", "shop.example:81")
    }
    assert rude.requests == 4


def test_a_proxy_is_asked_in_absolute_form_and_passes_it_on(rude: Rude) -> None:
    with HttpProxy(userinfo="user:pass") as proxy:
        result = fired("-a", "6", "-c", "2", "--proxy", proxy.url("user:pass"), rude.url("/ok"))
        assert (proxy.requests, proxy.refused) == (6, 0)
        assert set(proxy.asked) == {f"127.0.0.1:{rude.port}"}
    assert (result.requests.completed, rude.requests) == (6, 6)


# Recorded requests.


def entry(url: str, method: str, body: str | None = None) -> dict[str, object]:
    """What a browser recorded, as far as it is looked at."""
    request: dict[str, object] = {
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "X-Recorded", "value": "yes"}],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": 0 if body is None else len(body),
    }
    if body is not None:
        request["postData"] = {"mimeType": "text/plain", "text": body}
    return {"request": request, "response": {"status": 200}}


def test_a_recorded_request_keeps_its_method_and_body_and_other_origins_are_named(
    rude: Rude, tmp_path: Path
) -> None:
    path = tmp_path / "a.har"
    entries = [
        entry(rude.url("/ok?n=1"), "PUT", "recorded"),
        entry("http://other.example/x", "GET"),
        entry(rude.url("/status/204"), "GET"),
    ]
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    options = ("--har", str(path), "-m", "DELETE", "-b", "not this", "-H", "X-Mine: 1")
    process = run_cli("-j", "--no-preflight", "-a", "6", "-c", "1", *options, rude.url("/"))
    result = result_of(process)
    assert [(request.method, request.target, bytes(request.body)) for request in rude.received] == [
        ("PUT", "/ok?n=1", b"recorded"),
        ("GET", "/status/204", b""),
    ] * 3
    for request in rude.received:
        assert (request.values("x-recorded"), request.values("x-mine")) == (["yes"], ["1"])
    assert [target.requests for target in result.targets] == [3, 3]
    assert "http://other.example" in process.stderr
    assert "-m, -b are not looked at" in process.stderr


# What is expected of answers.


@pytest.mark.parametrize(("expected", "mismatched"), [("hello", 0), ("hell", 10), ("hello!", 10), ("", 10)])
def test_bodies_that_are_not_the_expected_one_are_counted_exactly(
    rude: Rude, expected: str, mismatched: int
) -> None:
    tally = fire_at(rude.url("/ok"), amount=10, expect_body=expected.encode())
    assert (tally.completed, tally.mismatched, tally.succeeded) == (10, mismatched, 10 - mismatched)
    assert tally.failed == 0


def test_a_body_that_is_expected_on_the_command_line_decides_what_is_a_success(rude: Rude) -> None:
    assert fired("-a", "10", "-c", "2", "-E", "hello", rude.url("/ok")).requests.succeeded == 10
    process = run_cli("-j", "-a", "10", "-c", "2", "-E", "other", rude.url("/ok"))
    assert (process.returncode, result_of(process).requests.mismatched) == (3, 10)


@pytest.mark.parametrize("path", ["/chunks/good", "/interim/2", "/close-delimited", "/drip/1"])
def test_a_body_is_compared_however_it_comes(rude: Rude, path: str) -> None:
    for expected, mismatched in ((b"hello", 0), (b"jello", 4)):
        tally = fire_at(rude.url(path), amount=4, expect_body=expected)
        assert (tally.completed, tally.mismatched) == (4, mismatched)
