"""What goes wrong with a response over TLS is counted once, in the right place, and a goodbye is told from none.

The law is that of test_faults.py: sent = completed + failed + in flight, and what cannon sent is what the server
counted. Handshakes have a file of their own, test_https_handshakes.py.
"""

from __future__ import annotations

import ssl
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest

from cannon.errors import Fault
from cannon.plan import Engine
from cannon.tally import Tally
from cannon.tls import Tls
from tests.firing import counted, fire_at
from tests.servers.certificates import Certificates
from tests.servers.rude_tls import RudeTls

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = (Engine.NATIVE, Engine.H11)
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
MEGABYTE = 1 << 20
Fire = Callable[..., Tally]


@pytest.fixture
def fire(certificates: Certificates) -> Fire:
    """`fire_at`, trusting the root of the tests."""
    return partial(fire_at, tls=Tls(ca=(certificates.ca,)))


class Case(NamedTuple):
    """Every answer of `path` ends in `fault`, and the example says `words`."""

    path: str
    fault: Fault
    words: tuple[str, ...] = ()


CASES = (
    Case("/close", Fault.EMPTY_REPLY, ("closed before any byte",)),
    Case("/truncate/head", Fault.TRUNCATED, ("head",)),
    Case("/truncate/body", Fault.TRUNCATED, ("3", "5")),
    Case("/truncate/body/notify", Fault.TRUNCATED, ("3", "5")),
    Case("/truncate/chunk", Fault.TRUNCATED),
    Case("/truncate/last-chunk", Fault.TRUNCATED),
    Case("/close-delimited", Fault.TRUNCATED, ("close_notify",)),
    Case("/reset", Fault.RESET, ("reset", "before any byte")),
    Case("/reset/body", Fault.RESET, ("reset", "mid-response")),
    Case("/alert", Fault.TLS, ("before any byte",)),
    Case("/alert/body", Fault.TLS, ("mid-response",)),
    Case("/spoilt", Fault.TLS, ("before any byte",)),
    Case("/spoilt/body", Fault.TLS, ("mid-response",)),
    Case("/garbage/text", Fault.MALFORMED, ("220 mail.test",)),
    Case("/head/endless/lines", Fault.HEAD_TOO_LARGE),
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_a_fault_over_tls_is_counted_once_under_its_own_kind(
    rude_tls: RudeTls, fire: Fire, case: Case, engine: Engine
) -> None:
    tally = fire(rude_tls.url(case.path), amount=4, connections=2, timeout_s=2, engine=engine)
    assert tally.errors == {case.fault: 4}
    assert tally.status == {}
    assert counted(rude_tls, tally)
    assert rude_tls.accepted == tally.attempted == tally.made == 4, (
        "a connection that failed is not used again"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_the_example_of_a_fault_over_tls_says_what_came(rude_tls: RudeTls, fire: Fire, case: Case) -> None:
    message = fire(rude_tls.url(case.path), amount=1, timeout_s=2).examples[case.fault].message
    assert message.isprintable()
    assert all(word in message for word in case.words), message


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("path", "a_connection"),
    [
        ("/ok", None),
        ("/chunks/good", None),
        (f"/length/{MEGABYTE}", None),
        ("/interim/3", None),
        ("/close-delimited/notify", 1),
        ("/chunks/good/close", 1),
        ("/says-close", 1),
        ("/http10", 1),
    ],
)
def test_a_whole_response_is_one_whether_or_not_a_goodbye_follows(
    certificates: Certificates,
    fire: Fire,
    path: str,
    a_connection: int | None,
    version: ssl.TLSVersion,
    engine: Engine,
) -> None:
    with RudeTls(certificates.server, newest=version) as server:
        tally = fire(server.url(path), amount=8, connections=2, engine=engine)
        assert (tally.status, tally.errors, tally.connect_errors) == ({200: 8}, {}, {})
        assert counted(server, tally)
        assert tally.made == server.handshakes.made == (2 if a_connection is None else 8)
        assert set(server.handshakes.versions) == {version.name.replace("_", ".")}
        assert tally.sent_bytes == server.handshakes.application_bytes


@pytest.mark.parametrize("engine", ENGINES)
def test_a_close_on_a_reused_connection_is_stale_and_never_retried(
    rude_tls: RudeTls, fire: Fire, engine: Engine
) -> None:
    tally = fire(rude_tls.url("/after/3/close"), amount=8, engine=engine)
    assert (tally.status, tally.errors) == ({200: 6}, {Fault.STALE: 2})
    assert counted(rude_tls, tally)


def test_a_goodbye_with_nothing_in_flight_is_raced_but_never_miscounted(
    rude_tls: RudeTls, fire: Fire
) -> None:
    tally = fire(rude_tls.url("/idle-close"), amount=40, connections=4)
    assert set(tally.errors) <= {Fault.STALE}
    assert tally.status[200] + tally.errors.get(Fault.STALE, 0) == 40
    assert counted(rude_tls, tally)


@pytest.mark.parametrize("path", ["/stall", "/stall/body", "/drip/20"])
def test_a_response_that_is_not_whole_at_its_deadline_is_a_timeout(
    rude_tls: RudeTls, fire: Fire, path: str
) -> None:
    tally = fire(rude_tls.url(path), amount=2, connections=2, timeout_s=0.1)
    assert (tally.status, tally.errors) == ({}, {Fault.TIMEOUT: 2})
    assert counted(rude_tls, tally)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("path", ["/ok", "/chunks/good", "/close-delimited/notify"])
def test_records_of_a_single_byte_are_put_together(
    certificates: Certificates, fire: Fire, path: str, engine: Engine
) -> None:
    with RudeTls(certificates.server, record_bytes=1) as server:
        tally = fire(server.url(path), amount=6, connections=2, engine=engine)
        assert (tally.status, tally.errors) == ({200: 6}, {})
        assert counted(server, tally)


@pytest.mark.parametrize("record_bytes", [100, 5_000, 16_384])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_large_body_may_come_in_any_number_of_records(
    certificates: Certificates, fire: Fire, record_bytes: int, engine: Engine
) -> None:
    with RudeTls(certificates.server, record_bytes=record_bytes) as server:
        length = min(MEGABYTE, 2_000 * record_bytes)
        tally = fire(server.url(f"/length/{length}"), amount=4, connections=2, engine=engine, timeout_s=20)
        assert (tally.status, tally.errors) == ({200: 4}, {})
        assert tally.received_body_bytes == 4 * length
        assert counted(server, tally)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_large_body_is_sent_whole_however_often_the_kernel_is_full(
    rude_tls: RudeTls, fire: Fire, engine: Engine
) -> None:
    body = b"x" * (8 * MEGABYTE)
    url = rude_tls.url("/ok")
    tally = fire(url, amount=4, connections=2, method="POST", body=body, engine=engine, timeout_s=20)
    assert (tally.status, tally.errors) == ({200: 4}, {})
    assert counted(rude_tls, tally)
    assert rude_tls.body_bytes == 4 * len(body)
    assert tally.sent_bytes == rude_tls.handshakes.application_bytes


def test_an_endless_body_is_counted_and_thrown_away(rude_tls: RudeTls, fire: Fire) -> None:
    tally, peak_bytes = Tally(), 0
    # A busy machine may need longer for enough bytes to tell whether they are kept.
    for timeout_s in (0.5, 2, 8):
        tracemalloc.start()
        try:
            tally = fire(rude_tls.url("/body/endless/length"), amount=1, timeout_s=timeout_s)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        if tally.received_bytes > 12 * MEGABYTE:
            break
    assert tally.errors == {Fault.TIMEOUT: 1}
    assert tally.received_bytes > 12 * MEGABYTE
    assert peak_bytes < 6 * MEGABYTE


def test_an_early_refusal_of_a_large_body_is_a_response(rude_tls: RudeTls, fire: Fire) -> None:
    body = b"x" * (8 * MEGABYTE)
    tally = fire(rude_tls.url("/early"), amount=4, connections=2, method="POST", body=body, timeout_s=20)
    assert (tally.status, tally.errors) == ({413: 4}, {})
    assert counted(rude_tls, tally)
    assert tally.made == 4
