"""Before the clock starts, one request tells whether anything answers, and if not, why."""

from __future__ import annotations

import time

import msgspec
import pytest

from cannon.errors import InvalidRun
from cannon.plan import Plan, Target
from cannon.preflight import preflight, resolve, resolved
from tests.servers.ports import black_hole, reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)


def _plan(url: str, **settings: object) -> Plan:
    return msgspec.structs.replace(resolved(Plan(targets=(Target.parse(url),))), **settings)


def test_a_name_has_all_its_addresses() -> None:
    target = resolve(Target.parse("http://localhost:4000/"))
    assert "127.0.0.1" in {address.ip for address in target.addresses}
    assert len(set(target.addresses)) == len(target.addresses)


def test_a_name_that_does_not_exist_is_named() -> None:
    with pytest.raises(InvalidRun, match=r"the name 'nosuch\.invalid' cannot be resolved"):
        resolve(Target.parse("http://nosuch.invalid/"))


@pytest.mark.parametrize(
    ("method", "requests"), [("GET", 1), ("HEAD", 1), ("OPTIONS", 1), ("POST", 0), ("DELETE", 0)]
)
def test_only_methods_that_change_nothing_are_fired(rude: Rude, method: str, requests: int) -> None:
    assert preflight(_plan(rude.url("/ok"), method=method)).sent == requests
    assert rude.requests == requests


def test_a_refused_dial_says_so_at_once() -> None:
    with reserved_port() as port:
        began_s = time.monotonic()
        with pytest.raises(
            InvalidRun, match=rf"cannot connect to http://127.0.0.1:{port}/: Connection refused"
        ):
            preflight(_plan(f"http://127.0.0.1:{port}/"))
        assert time.monotonic() - began_s < 2


def test_a_dial_without_an_answer_ends_at_the_timeout() -> None:
    with black_hole() as port, pytest.raises(InvalidRun, match="no answer, dialling"):
        preflight(_plan(f"http://127.0.0.1:{port}/", timeout_ns=100_000_000))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/close", "closed before any byte"),
        ("/garbage/tls", "looks like TLS"),
        ("/truncate/body", "closed after"),
    ],
)
def test_no_response_says_what_came_instead(rude: Rude, path: str, said: str) -> None:
    with pytest.raises(InvalidRun, match="no response from") as raised:
        preflight(_plan(rude.url(path)))
    assert said in raised.value.message


def test_a_status_never_stops_a_run_but_a_5xx_is_a_note(rude: Rude) -> None:
    assert preflight(_plan(rude.url("/status/404"))).notes == ()
    (note,) = preflight(_plan(rude.url("/status/503"))).notes
    assert "answers with status 503" in note


def test_a_secret_in_the_url_is_not_repeated() -> None:
    with reserved_port() as port, pytest.raises(InvalidRun) as raised:
        preflight(_plan(f"http://user:canary@127.0.0.1:{port}/?token=canary"))
    assert "canary" not in raised.value.message
