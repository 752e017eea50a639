"""What a side answers is asked for with cannon's own bytes, told whole, and what goes wrong is told in one line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cannon import probe as module
from cannon.equivalence import Probe
from cannon.preflight import resolved
from cannon.probe import probe
from cannon.request import Request
from cannon.sequence import FilePiece, Step, Streamed
from tests.probing import HELLO, Clerk, answered, asked, fed, plan_at, refusal_of
from tests.servers.ports import black_hole, reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)


# What is sent.


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "HEAD"},
        {"method": "head"},
        {"method": "POST", "body": b"x" * 100_000},
        {"method": "POST"},
        {"method": "PURGE", "compressed": True},
        {
            "headers": (
                ("accept", "*/*"),
                ("X-Twice", "1"),
                ("X-Twice", "2"),
                ("X-Name", "Zo\xeb"),
                ("X-None", ""),
            )
        },
        {
            "headers": (
                ("User-Agent", "mine"),
                ("hOST", "other.test"),
                ("Cookie", "a=b"),
                ("Connection", "close"),
            )
        },
    ],
)
def test_the_bytes_are_those_of_cannon_and_no_others(settings: dict[str, Any]) -> None:
    with closing(Clerk(b"HTTP/1.1 204 No Content\r\n\r\n")) as clerk:
        plan = plan_at(clerk.url, **settings)
        (answer,) = probe(plan)
    assert answer.status == 204
    assert clerk.came == [Request.build(plan, plan.steps[0]).data]


def test_a_streamed_body_is_sent_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(os.urandom(1_500_000))
    body = Streamed((b"begin ", FilePiece(str(path), 1_500_000), b" end"))
    with closing(Clerk(answered())) as clerk:
        plan = plan_at(clerk.url, method="PUT", body=body)
        assert probe(plan)[0].status == 200
    head = Request.build(plan, plan.steps[0]).data
    assert clerk.came == [head + b"begin " + path.read_bytes() + b" end"]


def test_a_file_that_shrank_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(b"short")
    with closing(Clerk(answered())) as clerk:
        body = Streamed((FilePiece(str(path), 9),))
        said = refusal_of(plan_at(clerk.url, method="PUT", body=body, timeout_s=0.5))
    assert said == f"{path} is 4 bytes shorter than when the comparison was planned"


def test_an_id_stands_in_the_place_of_each() -> None:
    with closing(Clerk(answered())) as clerk:
        plan = plan_at(clerk.url, method="POST", body=b"id=[<id>]", ids=True)
        probe(plan)
        probe(plan)
    first, second = (came.rpartition(b"id=")[2] for came in clerk.came)
    assert len(first) == len(second) == 24
    assert first != second


def test_each_step_is_asked_for_once_in_order_and_the_first_ten_of_many(rude: Rude) -> None:
    steps = [
        Step(name=f"step {number}", target=0, method="GET", path=f"/status/{number}")
        for number in range(200, 220)
    ]
    plan = plan_at(rude.url(), sequence=(*steps[:2], steps[0], *steps[1:]))
    answers = probe(plan)
    assert [answer.status for answer in answers] == [*range(200, 210)]
    assert [answer.step for answer in answers][:2] == ["step 200", "step 201"]
    rude.wait_for(lambda seen: seen.requests >= 10)
    assert rude.requests == 10


def test_no_redirect_is_followed_and_no_cookie_kept(rude: Rude) -> None:
    head = "302 Found", "Set-Cookie: kept=1", "Location: /elsewhere"
    with closing(Clerk(answered(*head))) as clerk:
        assert asked(clerk.url).status == asked(clerk.url).status == 302
    assert len(set(clerk.came)) == 1
    assert len(clerk.came) == 2


def test_proxies_of_the_environment_are_not_asked(rude: Rude, monkeypatch: pytest.MonkeyPatch) -> None:
    with reserved_port() as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        assert asked(rude.url("/ok")).status == 200


# What is told.


def test_an_answer_is_told_whole(rude: Rude) -> None:
    assert asked(rude.url("/ok")) == Probe(
        status=200,
        protocol="HTTP/1.1",
        tls=None,
        cipher=None,
        encoding="",
        wire_bytes=5,
        body_bytes=5,
        digest=HELLO,
    )


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/http10", {"protocol": "HTTP/1.0", "digest": HELLO}),
        ("/chunks/good", {"status": 200, "wire_bytes": 5, "digest": HELLO}),
        ("/close-delimited", {"status": 200, "digest": HELLO}),
        ("/interim/3", {"status": 200, "digest": HELLO}),
        ("/status/503", {"status": 503, "body_bytes": 0}),
        ("/no-content", {"status": 204, "body_bytes": 0}),
    ],
)
def test_answers_of_every_kind_are_read(rude: Rude, path: str, told: dict[str, Any]) -> None:
    answer = msgspec.structs.asdict(asked(rude.url(path)))
    assert {name: answer[name] for name in told} == told


def test_an_answer_to_head_has_no_body_whatever_its_length() -> None:
    assert fed(answered(body=b"")[:-4] + b"\r\n\r\n", method="HEAD").body_bytes == 0
    assert fed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method="HEAD").wire_bytes == 0


def test_a_server_that_refuses_an_upload_half_way_is_heard(rude: Rude) -> None:
    answer = asked(rude.url("/early"), method="POST", body=bytes(8_000_000))
    assert answer.status == 413


# What goes wrong.


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/close", "closed before any byte of a response"),
        ("/reset", "Connection reset by peer, before any byte of a response"),
        ("/truncate/head", "closed in mid-response"),
        ("/truncate/body", "closed in mid-response"),
        ("/truncate/chunk", "closed in mid-response"),
        ("/stall", "no whole response in 0.3 s (-t allows for more)"),
        ("/drip/100", "no whole response in 0.3 s (-t allows for more)"),
        ("/early/never-reads", "no whole response in 0.3 s (-t allows for more)"),
        ("/garbage/text", "response is not HTTP/1"),
        ("/garbage/lengths", "httpx cannot read what it sends"),
        ("/head/endless/lines", "httpx cannot read what it sends"),
    ],
)
def test_a_side_that_does_not_answer_is_told_in_one_line(rude: Rude, path: str, words: str) -> None:
    body = bytes(8_000_000) if path == "/early/never-reads" else b""
    said = refusal_of(plan_at(rude.url(f"{path}?token=secret"), timeout_s=0.3, method="POST", body=body))
    assert said.startswith(f"no response from {rude.url(path)}?token=***: {words}")


def test_a_body_too_large_to_be_held_is_refused(rude: Rude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_BODY_BYTES", 1 << 20)
    assert asked(rude.url("/length/1048576")).body_bytes == 1 << 20
    said = refusal_of(plan_at(rude.url("/body/endless/chunked")))
    assert said.startswith(f"the body that {rude.url('/body/endless/chunked')} sends is larger than 1 MiB")


def test_what_never_ends_is_left_when_its_time_is_over(rude: Rude) -> None:
    said = refusal_of(plan_at(rude.url("/interim/100000000"), timeout_s=0.2))
    assert "no whole response in 0.2 s" in said


def test_nobody_there_is_told_with_the_address() -> None:
    with reserved_port() as port:
        said = refusal_of(plan_at(f"http://user:secret@127.0.0.1:{port}/"))
    assert (
        said
        == f"cannot connect to http://***@127.0.0.1:{port}/: Connection refused, dialling 127.0.0.1:{port}"
    )


def test_a_dial_that_is_not_answered_ends() -> None:
    with black_hole() as port:
        said = refusal_of(plan_at(f"http://127.0.0.1:{port}/", timeout_s=0.1))
    assert said.endswith(f"no answer, dialling 127.0.0.1:{port}")


def test_the_next_address_is_dialled_where_one_refuses(rude: Rude) -> None:
    plan = resolved(plan_at(rude.url("/ok")))
    (target,) = plan.targets
    with reserved_port() as port:
        gone = msgspec.structs.replace(target.addresses[0], port=port)
        both = msgspec.structs.replace(target, addresses=(gone, *target.addresses))
        assert probe(msgspec.structs.replace(plan, targets=(both,)))[0].status == 200


def test_an_address_that_does_not_answer_leaves_the_next_its_time(rude: Rude) -> None:
    plan = resolved(plan_at(rude.url("/ok"), timeout_s=0.2))
    (target,) = plan.targets
    with black_hole() as port:
        silent = msgspec.structs.replace(target.addresses[0], port=port)
        both = msgspec.structs.replace(target, addresses=(silent, *target.addresses))
        assert probe(msgspec.structs.replace(plan, targets=(both,)))[0].status == 200


@contextmanager
def stopped() -> Iterator[int]:
    """A control on which somebody has called a halt."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b".")
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def test_whoever_stops_it_gets_what_was_answered_by_then(rude: Rude) -> None:
    with stopped() as control:
        assert probe(plan_at(rude.url("/stall")), control) == ()
