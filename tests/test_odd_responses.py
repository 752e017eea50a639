"""Responses out of the ordinary, and ordinary ones to large requests: each is one response, counted once.

What the server may do next on the connection decides whether it is used again.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from cannon.errors import Fault
from cannon.plan import Engine
from tests.firing import counted, fire_at
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = (Engine.NATIVE, Engine.H11)
MEGABYTE = 1 << 20


class Good(NamedTuple):
    """Every answer of `path` is one response of `status`; `per_connection` of them come on one connection."""

    path: str
    status: int = 200
    per_connection: int = 6


GOOD = (
    Good("/ok"),
    Good("/slow/1"),
    Good("/chunks/good"),
    Good("/chunks/extensions/1"),
    Good("/no-content", 204),
    Good("/status/304", 304),
    Good("/status/404", 404),
    Good("/status/503", 503),
    Good("/status/600", 600),
    Good("/status/999", 999),
    Good("/reason?text="),
    Good("/reason?text=%5B/red%5D%20%3Cscript%3E"),
    Good("/reason?text=na%C3%AFve"),
    Good("/interim/1"),
    Good("/interim/5"),
    Good("/drip/0"),
    Good("/http10/keep-alive"),
    Good("/http10", per_connection=1),
    Good("/close-delimited", per_connection=1),
    Good("/says-close", per_connection=1),
    Good("/says-close/stays", per_connection=1),
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.path)
def test_a_response_out_of_the_ordinary_is_still_one_response(rude: Rude, case: Good, engine: Engine) -> None:
    tally = fire_at(rude.url(case.path), amount=6, engine=engine)
    assert (tally.status, tally.errors) == ({case.status: 6}, {})
    assert tally.service.count == tally.first_byte.count == 6
    assert counted(rude, tally)
    assert rude.accepted == tally.made


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.path)
def test_a_connection_is_used_again_where_the_response_allows_it(rude: Rude, case: Good) -> None:
    tally = fire_at(rude.url(case.path), amount=6)
    assert rude.accepted == tally.made == 6 // case.per_connection


@pytest.mark.parametrize("engine", ENGINES)
def test_a_head_request_is_answered_by_a_head_alone(rude: Rude, engine: Engine) -> None:
    tally = fire_at(rude.url("/ok"), amount=4, method="HEAD", engine=engine)
    assert (tally.status, tally.errors, tally.received_body_bytes) == ({200: 4}, {}, 0)
    assert rude.accepted == 1
    assert counted(rude, tally)


@pytest.mark.parametrize("engine", ENGINES)
def test_many_tiny_chunks_are_one_response(rude: Rude, engine: Engine) -> None:
    tally = fire_at(rude.url("/chunks/tiny/20000"), amount=2, engine=engine)
    assert (tally.status, tally.errors) == ({200: 2}, {})
    assert tally.received_body_bytes == 40_000


@pytest.mark.parametrize("engine", ENGINES)
def test_a_body_is_never_decoded_so_a_broken_one_is_a_good_response(rude: Rude, engine: Engine) -> None:
    tally = fire_at(rude.url("/broken-gzip"), amount=3, engine=engine)
    assert (tally.status, tally.errors, tally.succeeded) == ({200: 3}, {}, 3)
    assert tally.received_body_bytes == 24


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["response", "text", "partial"])
def test_what_follows_a_response_is_no_response_and_ends_the_connection(
    rude: Rude, kind: str, engine: Engine
) -> None:
    tally = fire_at(rude.url(f"/excess/{kind}"), amount=3, engine=engine)
    assert (tally.status, tally.errors, tally.excess) == ({200: 3}, {}, 3)
    assert tally.received_body_bytes == 15
    assert rude.accepted == 3
    assert counted(rude, tally)


def test_an_answer_before_the_body_was_sent_is_that_requests_response(rude: Rude) -> None:
    tally = fire_at(rude.url("/early"), amount=3, method="POST", body=b"x" * 4 * MEGABYTE)
    assert (tally.status, tally.errors) == ({413: 3}, {})
    assert rude.accepted == 3
    assert counted(rude, tally)


def test_a_body_that_nobody_reads_is_a_timeout(rude: Rude) -> None:
    tally = fire_at(
        rude.url("/early/never-reads"), amount=2, method="POST", body=b"x" * 16 * MEGABYTE, timeout_s=0.3
    )
    assert tally.errors == {Fault.TIMEOUT: 2}
    assert 0 < tally.sent_bytes < 2 * 16 * MEGABYTE
    assert counted(rude, tally)


def test_a_large_body_is_sent_whole_however_the_kernel_takes_it(rude: Rude) -> None:
    tally = fire_at(rude.url("/ok"), amount=3, method="POST", body=b"x" * 8 * MEGABYTE)
    assert (tally.status, tally.errors) == ({200: 3}, {})
    assert rude.body_bytes == 3 * 8 * MEGABYTE
    assert tally.sent_bytes > rude.body_bytes
    assert rude.accepted == 1
