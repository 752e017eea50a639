from __future__ import annotations

import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from targets import CASES, SCHEMES, Counts, Target, nginx, on_core, read_status

PAGE = (
    "Active connections: 291 \nserver accepts handled requests\n 16630948 16630946 31070465 \n"
    "Reading: 6 Writing: 179 Waiting: 106 \n"
)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with nginx(core=min(os.sched_getaffinity(0)), schemes=list(SCHEMES), connections=64) as running:
        yield running


def _get(target: Target, scheme: str, case: str) -> tuple[bytes, dict[str, str]]:
    trusting = ssl.create_default_context(cafile=str(target.ca))
    with urllib.request.urlopen(target.url(scheme, case), context=trusting) as response:
        return response.read(), dict(response.headers)


def test_a_page_of_counts_is_read() -> None:
    assert read_status(PAGE) == Counts(accepted=16_630_948, requests=31_070_465, active=291)


@pytest.mark.parametrize("page", ["", "<html>404</html>", PAGE.replace("31070465", "-")])
def test_a_page_of_something_else_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="stub_status"):
        read_status(page)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case", CASES)
def test_a_request_is_counted_and_a_look_is_not(target: Target, scheme: str, case: str) -> None:
    before = target.rest()
    body, _ = _get(target, scheme, case)
    target.look()
    after = target.rest()
    assert len(body) == (16_384 if case == "chunked" else 12)
    assert (after.requests - before.requests, after.accepted - before.accepted) == (1, 1)


def test_what_is_asked_while_nginx_stands_still_waits_for_its_end(target: Target) -> None:
    with ThreadPoolExecutor(1) as aside:
        asked = aside.submit(_held, target)
        stood_s = target.stand_still(0.1)
        assert stood_s >= 0.1
        assert asked.result() == b"hello, world"


def _held(target: Target) -> bytes:
    """Ask once nginx has stopped."""
    until_s = time.monotonic() + 10
    while "(stopped)" not in Path(f"/proc/{target.pid}/status").read_text():
        assert time.monotonic() < until_s
    return _get(target, "http", "plain")[0]


def test_every_head_of_heads_differs(target: Target) -> None:
    identities = {_get(target, "http", "heads")[1]["X-Request-Id"] for _ in range(3)}
    assert len(identities) == 3


def test_chunked_bodies_are_chunked(target: Target) -> None:
    assert _get(target, "http", "chunked")[1]["Transfer-Encoding"] == "chunked"


def test_whoever_verifies_has_to_trust_the_targets_own_ca(target: Target) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(target.url("https", "plain"), context=ssl.create_default_context())


def test_a_core_is_given_to_the_program_itself() -> None:
    assert on_core(1, ["wrk", "-c", "10"]) == ["taskset", "-c", "1", "wrk", "-c", "10"]
