"""Whoever cannot be verified is sent nothing; a handshake that fails is a failed connect, and the run goes on.

The laws: attempted = made + failed + in progress, and what cannon says of a handshake is what the server saw of it.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from cannon.errors import Fault
from cannon.plan import Engine
from cannon.tally import Tally
from cannon.tls import Tls
from tests.firing import conserved, counted, fire_at
from tests.servers.certificates import NAME, Certificates
from tests.servers.rude_tls import RudeTls
from tests.servers.tls_wires import Greeting

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = (Engine.NATIVE, Engine.H11)
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
Fire = Callable[..., Tally]


@pytest.fixture
def fire(certificates: Certificates) -> Fire:
    """`fire_at`, trusting the root of the tests."""
    return partial(fire_at, tls=Tls(ca=(certificates.ca,)))


def fired_until(fire: Fire, url: str, stopped: Callable[[], None]) -> Tally:
    """Fire until `stopped`, in a thread of its own, has returned."""
    watched, held = socket.socketpair()
    failures: list[BaseException] = []

    def conduct() -> None:
        try:
            stopped()
        except BaseException as error:  # noqa: BLE001 (raised again below)
            failures.append(error)
        held.send(b".")

    with watched, held:
        conducting = threading.Thread(target=conduct)
        conducting.start()
        tally = fire(url, duration_s=20, connections=3, control=watched.fileno())
        conducting.join()
    if failures:
        raise failures[0]
    return tally


def fired_in_vain(fire: Fire, server: RudeTls, fault: Fault, reasons: set[str] | None = None) -> str:
    """Fire until some handshakes have failed; what the example says of it.

    Every dial failed with that fault, in bounded number, for `reasons` of the server's, and not a byte of a request
    was sent.
    """
    tally = fired_until(
        fire, server.url(), lambda: server.wait_for(lambda _: server.handshakes.failed.total() >= 6)
    )
    assert set(tally.connect_errors) == {fault}
    assert (tally.sent, tally.errors, tally.made) == (0, {}, 0)
    assert tally.connect.count + tally.tls.count + tally.tls_resumed.count == 0
    assert conserved(tally)
    assert tally.attempted <= 3 * (10 + 2 * tally.row.window_ns / 1e9), "a failure is followed by a pause"
    assert server.untouched
    assert server.handshakes.made == 0
    if reasons is not None:
        # A dial that the end of the run cuts short is closed without a reason.
        assert set(server.handshakes.failed) - {"CLOSED"} == reasons
    message = tally.examples[fault].message
    assert message.isprintable()
    assert "ssl.c" not in message, "the line of a source is no reason"
    return message


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (Greeting.FIN, "closed in the TLS handshake"),
        (Greeting.RESET, "reset"),
        (Greeting.HALF, "closed in the TLS handshake"),
        (Greeting.GARBAGE, "does not speak TLS"),
        (Greeting.PLAIN, "http://"),
        (Greeting.ALERT, "--cert"),
    ],
)
def test_a_handshake_that_fails_is_a_failed_connect_and_backed_off(
    certificates: Certificates, fire: Fire, greeting: Greeting, words: str, engine: Engine
) -> None:
    with RudeTls(certificates.server, greeting=greeting) as server:
        assert words in fired_in_vain(partial(fire, engine=engine), server, Fault.TLS, {greeting.name})


@pytest.mark.parametrize("greeting", [Greeting.SILENCE, Greeting.STALL])
def test_a_handshake_that_is_not_answered_whole_is_a_timeout_of_the_connect(
    certificates: Certificates, fire: Fire, greeting: Greeting
) -> None:
    with RudeTls(certificates.server, greeting=greeting) as server:
        began_s = time.monotonic()
        message = fired_in_vain(partial(fire, timeout_s=0.15), server, Fault.TIMEOUT, {greeting.name})
        assert 0.15 <= time.monotonic() - began_s < 5
        assert str(server.port) in message


def test_a_handshake_that_the_end_of_a_run_cuts_short_is_in_progress(
    certificates: Certificates, fire: Fire
) -> None:
    with RudeTls(certificates.server, greeting=Greeting.STALL) as server:
        began_s = time.monotonic()
        tally = fired_until(
            fire, server.url(), lambda: server.wait_for(lambda _: server.handshakes.failed.total() == 3)
        )
        assert time.monotonic() - began_s < 4, "the end waits for no handshake"
    assert (tally.attempted, tally.connecting, tally.made, tally.connect_errors) == (3, 3, 0, {})
    assert tally.sent == 0


REFUSED = (
    ("expired", "expired", "CERTIFICATE_EXPIRED"),
    ("wrong_host", "127.0.0.1", "BAD_CERTIFICATE"),
    ("self_signed", "self-signed", "UNKNOWN_CA"),
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("which", "reason", "alert"), REFUSED)
def test_whoever_cannot_be_verified_is_sent_nothing(
    certificates: Certificates,
    fire: Fire,
    which: str,
    reason: str,
    alert: str,
    version: ssl.TLSVersion,
    engine: Engine,
) -> None:
    with RudeTls(getattr(certificates, which), newest=version) as server:
        message = fired_in_vain(partial(fire, engine=engine), server, Fault.TLS, {alert})
    assert reason in message


def test_a_root_that_nobody_named_is_not_trusted(rude_tls: RudeTls) -> None:
    assert "--ca" in fired_in_vain(fire_at, rude_tls, Fault.TLS, {"UNKNOWN_CA"})


@pytest.mark.parametrize("which", [which for which, _, _ in REFUSED])
def test_without_verification_anybody_is_fired_at(certificates: Certificates, which: str) -> None:
    with RudeTls(getattr(certificates, which)) as server:
        tally = fire_at(server.url(), amount=6, connections=2, tls=Tls(verify=False))
        assert (tally.status, tally.connect_errors) == ({200: 6}, {})
        assert counted(server, tally)


def test_old_versions_are_not_spoken_not_even_without_verification(certificates: Certificates) -> None:
    old = {"oldest": ssl.TLSVersion.TLSv1, "newest": ssl.TLSVersion.TLSv1_1}
    with RudeTls(certificates.server, **old) as server:
        assert "version" in fired_in_vain(partial(fire_at, tls=Tls(verify=False)), server, Fault.TLS)


def test_a_name_is_asked_for_and_verified_instead_of_the_host(certificates: Certificates) -> None:
    with RudeTls(certificates.wrong_host) as server:
        tls = Tls(ca=(certificates.ca,), server_name="elsewhere.test")
        tally = fire_at(server.url(), amount=4, tls=tls)
        assert (tally.status, server.handshakes.names) == ({200: 4}, {"elsewhere.test": 1})
        tls = Tls(ca=(certificates.ca,), server_name=NAME)
        with RudeTls(certificates.wrong_host) as other:
            assert NAME in fired_in_vain(partial(fire_at, tls=tls), other, Fault.TLS)
        tally = fire_at(server.url(), amount=4, tls=Tls(verify=False, server_name=NAME))
        assert (tally.status, server.handshakes.names) == ({200: 4}, {"elsewhere.test": 1, NAME: 1})


def test_the_host_of_the_url_is_asked_for_where_it_is_a_name(rude_tls: RudeTls, fire: Fire) -> None:
    url = rude_tls.url().replace("127.0.0.1", "localhost")
    assert fire(url, amount=2).status == {200: 2}
    assert fire(rude_tls.url(), amount=2).status == {200: 2}
    assert rude_tls.handshakes.names == {"localhost": 1, "": 1}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_client_that_must_show_a_certificate_does(
    certificates: Certificates, engine: Engine, version: ssl.TLSVersion
) -> None:
    with RudeTls(certificates.server, client_ca=certificates.ca, newest=version) as server:
        tls = Tls(ca=(certificates.ca,), cert=certificates.client, key=certificates.client_key)
        tally = fire_at(server.url("/says-close"), amount=4, connections=2, tls=tls, engine=engine)
        assert (tally.status, tally.errors, tally.connect_errors) == ({200: 4}, {}, {})
        assert server.handshakes.clients == {"cannon's client": 4}
        assert counted(server, tally)


@pytest.mark.parametrize("shown", [None, "stranger"])
def test_a_client_without_a_good_certificate_is_told_so(
    certificates: Certificates, shown: str | None
) -> None:
    tls = Tls(ca=(certificates.ca,), cert=None if shown is None else getattr(certificates, shown))
    fire = partial(fire_at, tls=tls)
    with RudeTls(certificates.server, client_ca=certificates.ca, newest=ssl.TLSVersion.TLSv1_2) as server:
        assert "certificate" in fired_in_vain(fire, server, Fault.TLS)
    # In TLS 1.3 the client has done its part, and may have asked, before the server says no.
    with RudeTls(certificates.server, client_ca=certificates.ca) as server:
        tally = fire(server.url(), amount=6, connections=3)
        assert tally.status == {}
        assert set(tally.errors) == {Fault.TLS}
        assert "certificate" in tally.examples[Fault.TLS].message
        assert conserved(tally)
        assert server.handshakes.made == 0
        assert server.untouched


@pytest.mark.parametrize("engine", ENGINES)
def test_a_certificate_that_goes_bad_fails_later_connects_and_the_run_goes_on(
    rude_tls: RudeTls, fire: Fire, certificates: Certificates, engine: Engine
) -> None:
    def renew() -> None:
        rude_tls.wait_for(lambda server: server.requests > 20)
        rude_tls.turn_to(certificates.expired)
        rude_tls.wait_for(lambda _: rude_tls.handshakes.failed.total() > 3)
        rude_tls.turn_to(certificates.other)
        answered = rude_tls.requests
        rude_tls.wait_for(lambda server: server.requests > answered + 20)

    tally = fired_until(partial(fire, engine=engine), rude_tls.url("/says-close"), renew)
    assert set(tally.connect_errors) == {Fault.TLS}
    assert (tally.errors, tally.in_flight) == ({}, 0)
    assert counted(rude_tls, tally)
    assert tally.made == rude_tls.handshakes.made
    expired = rude_tls.handshakes.failed["CERTIFICATE_EXPIRED"]
    assert tally.connects_failed == expired > 3
    assert "expired" in tally.examples[Fault.TLS].message


def test_all_connections_come_back_after_a_restart(rude_tls: RudeTls, fire: Fire) -> None:
    def restart() -> None:
        rude_tls.wait_for(lambda server: server.requests > 60)
        rude_tls.restart(down_s=0.1)
        rude_tls.wait_for(lambda _: rude_tls.handshakes.made == 6)
        answered = rude_tls.requests
        rude_tls.wait_for(lambda server: server.requests > answered + 60)

    tally = fired_until(fire, rude_tls.url("/ok"), restart)
    assert conserved(tally)
    assert set(tally.errors) <= {Fault.RESET, Fault.STALE, Fault.EMPTY_REPLY}
    assert tally.failed <= 3
    assert set(tally.connect_errors) == {Fault.REFUSED}
    assert tally.tls.count + tally.tls_resumed.count == tally.made == 6
    # What was under way when the connections were reset may have reached nobody.
    assert 0 <= tally.sent - rude_tls.requests <= tally.failed
