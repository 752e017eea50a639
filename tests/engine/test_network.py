"""The network under httpx: every dial in one count, TLS on the plan's terms, times where they arise."""

from __future__ import annotations

import itertools
import selectors
import socket
import ssl
from time import monotonic_ns
from typing import Any

import httpcore
import msgspec
import pytest

from cannon.engine.clients import fire_with_httpx
from cannon.engine.network import Readiness
from cannon.errors import Fault
from cannon.plan import Engine, Plan, Stop
from cannon.preflight import resolve
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from cannon.tls import Tls
from tests.firing import conserved, counted, fire_at
from tests.servers.certificates import NAME, Certificates
from tests.servers.ports import HOST, black_hole, reserved_port
from tests.servers.rude import Rude
from tests.servers.rude_tls import RudeTls
from tests.servers.tls_wires import Greeting

pytest_plugins = ("tests.servers.fixtures",)


def fire(url: str, **settings: object) -> Tally:
    return fire_at(url, engine=Engine.HTTPX, **settings)  # type: ignore[arg-type]  # passed through


def fire_until_a_dial_fails(url: str, **settings: object) -> Tally:
    """However busy the machine: the run is stopped once a dial has failed."""
    watched, held = socket.socketpair()
    plan = Plan(
        targets=(resolve(Target.parse(url)),),
        connections=2,
        engine=Engine.HTTPX,
        stop=Stop(duration_ns=20_000_000_000),
        sample_ns=20_000_000,
    )
    total, stopped = Tally(), False
    with watched, held:
        for tally in fire_with_httpx(
            split(msgspec.structs.replace(plan, **settings), 1)[0], watched.fileno()
        ):
            total += tally
            if total.connects_failed and not stopped:
                held.send(b".")
                stopped = True
    return total


def test_refused_dials_are_counted_apart_and_backed_off() -> None:
    with reserved_port() as port:
        tally = fire(f"http://{HOST}:{port}/", duration_s=0.3, connections=3)
    assert (tally.sent, tally.errors, set(tally.connect_errors)) == (0, {}, {Fault.REFUSED})
    assert conserved(tally)
    assert 3 <= tally.attempted <= 3 * 30
    assert tally.examples[Fault.REFUSED].message == f"Connection refused, dialling {HOST}:{port}"


def test_a_dial_that_nobody_answers_is_a_timeout_of_the_connect() -> None:
    with black_hole() as port:
        tally = fire_until_a_dial_fails(f"http://{HOST}:{port}/", timeout_ns=100_000_000)
    assert (tally.sent, tally.errors, set(tally.connect_errors)) == (0, {}, {Fault.TIMEOUT})
    assert conserved(tally)
    assert tally.connect.count == tally.made == 0
    assert tally.examples[Fault.TIMEOUT].message == f"no answer, dialling {HOST}:{port}"


def test_a_dial_under_way_at_the_end_is_in_progress() -> None:
    with black_hole() as port:
        tally = fire(f"http://{HOST}:{port}/", duration_s=0.1, connections=2, drain_s=0)
    assert (tally.attempted, tally.connecting, tally.connect_errors) == (2, 2, {})


def test_the_second_address_is_dialled_when_the_first_refuses(rude: Rude) -> None:
    target = resolve(Target.parse(rude.url("/http10")))
    dead = msgspec.structs.replace(target.addresses[0], ip="127.0.0.2")
    target = msgspec.structs.replace(target, addresses=(dead, *target.addresses))
    plan = Plan(targets=(target,), connections=1, engine=Engine.HTTPX, stop=Stop(amount=3))
    tally = sum(fire_with_httpx(split(plan, 1)[0]), Tally())
    assert (tally.completed, tally.attempted, tally.made, tally.connect_errors) == (3, 3, 3, {})
    assert tally.connect.count == 3


def test_a_restarted_server_is_dialled_again(rude: Rude) -> None:
    rude.restart(down_s=0)
    tally = fire(rude.url("/after/4/reset"), amount=15, connections=3)
    assert (tally.status, tally.errors) == ({200: 12}, {Fault.STALE: 3})
    assert tally.made == rude.accepted


def test_what_was_negotiated_is_told_for_each_connection(
    rude_tls: RudeTls, certificates: Certificates
) -> None:
    trusting = Tls(ca=(certificates.ca,))
    tally = fire(rude_tls.url("/ok"), amount=10, connections=2, tls=trusting)
    assert tally.negotiated == {"TLSv1.3 TLS_AES_256_GCM_SHA384": 2}
    assert (tally.status, tally.made, tally.tls.count, tally.tls_resumed.count) == ({200: 10}, 2, 2, 0)
    assert counted(rude_tls, tally)
    assert rude_tls.handshakes.application_bytes == tally.sent_bytes


def test_every_handshake_is_a_full_one(rude_tls: RudeTls, certificates: Certificates) -> None:
    tally = fire(rude_tls.url("/says-close"), amount=6, tls=Tls(ca=(certificates.ca,)))
    assert (tally.tls.count, rude_tls.handshakes.made, rude_tls.handshakes.resumed) == (6, 6, 0)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("expired", "expired"), ("wrong_host", "127.0.0.1"), ("self_signed", "-k")],
)
def test_who_is_not_verified_gets_nothing_unless_told_otherwise(
    certificates: Certificates, kind: str, words: str
) -> None:
    with RudeTls(getattr(certificates, kind)) as server:
        tally = fire_until_a_dial_fails(server.url("/ok"), tls=Tls(ca=(certificates.ca,)))
        assert (tally.sent, tally.made, set(tally.connect_errors)) == (0, 0, {Fault.TLS})
        assert conserved(tally)
        assert words in tally.examples[Fault.TLS].message
        assert server.untouched
        assert fire(server.url("/ok"), amount=2, tls=Tls(verify=False)).status == {200: 2}


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (Greeting.FIN, "closed in the TLS handshake"),
        (Greeting.RESET, "reset by peer, in the TLS handshake"),
        (Greeting.HALF, "closed in the TLS handshake"),
        (Greeting.GARBAGE, "does not speak TLS on this port"),
        (Greeting.PLAIN, "does not speak TLS on this port"),
        (Greeting.ALERT, "none of the ciphers"),
    ],
)
def test_a_handshake_that_fails_is_a_dial_that_fails(
    certificates: Certificates, greeting: Greeting, words: str
) -> None:
    with RudeTls(certificates.server, greeting=greeting) as server:
        tally = fire_until_a_dial_fails(server.url("/ok"), tls=Tls(ca=(certificates.ca,)))
        assert server.untouched
    assert (tally.sent, tally.made, set(tally.connect_errors)) == (0, 0, {Fault.TLS})
    assert conserved(tally)
    assert words in tally.examples[Fault.TLS].message


def test_a_handshake_without_an_answer_is_a_timeout_of_the_connect(certificates: Certificates) -> None:
    with RudeTls(certificates.server, greeting=Greeting.SILENCE) as server:
        tally = fire_until_a_dial_fails(
            server.url("/ok"), timeout_ns=100_000_000, tls=Tls(ca=(certificates.ca,))
        )
    assert (tally.sent, set(tally.connect_errors)) == (0, {Fault.TIMEOUT})
    assert conserved(tally)
    message = tally.examples[Fault.TIMEOUT].message
    assert message == (
        f"no end of the TLS handshake in 0.1 s, with {HOST}:{server.port} (does this port speak TLS?)"
    )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_body_that_ends_with_its_stream_is_whole_only_after_a_goodbye(
    certificates: Certificates, version: ssl.TLSVersion
) -> None:
    with RudeTls(certificates.server, newest=version) as server:
        tally = fire(server.url("/close-delimited"), amount=3, tls=Tls(ca=(certificates.ca,)))
        assert (tally.status, tally.errors) == ({}, {Fault.TRUNCATED: 3})
        assert "without close_notify" in tally.examples[Fault.TRUNCATED].message
        whole = fire(server.url("/close-delimited/notify"), amount=3, tls=Tls(ca=(certificates.ca,)))
        assert (whole.status, whole.errors) == ({200: 3}, {})
        assert counted(server, tally + whole)


@pytest.mark.parametrize("path", ["/ok", "/says-close", "/chunks/good/close", "/http10"])
def test_a_response_that_says_its_own_end_needs_no_goodbye(
    rude_tls: RudeTls, certificates: Certificates, path: str
) -> None:
    tally = fire(rude_tls.url(path), amount=3, tls=Tls(ca=(certificates.ca,)))
    assert (tally.status, tally.errors) == ({200: 3}, {})


@pytest.mark.parametrize(
    ("path", "fault"),
    [("/close", Fault.EMPTY_REPLY), ("/truncate/body", Fault.TRUNCATED), ("/truncate/head", Fault.TRUNCATED)],
)
def test_a_stream_that_ends_before_its_response_does_is_told_as_without_tls(
    rude_tls: RudeTls, certificates: Certificates, path: str, fault: Fault
) -> None:
    tally = fire(rude_tls.url(path), amount=3, tls=Tls(ca=(certificates.ca,)))
    assert (tally.status, tally.errors) == ({}, {fault: 3})
    assert "close_notify" not in tally.examples[fault].message
    assert counted(rude_tls, tally)


def test_a_client_shows_its_certificate_and_asks_for_the_name_it_was_given(
    certificates: Certificates,
) -> None:
    own = Tls(ca=(certificates.ca,), cert=certificates.client, key=certificates.client_key, server_name=NAME)
    with RudeTls(certificates.server, client_ca=certificates.ca) as server:
        assert fire(server.url("/ok"), amount=2, tls=own).status == {200: 2}
        assert (dict(server.handshakes.names), dict(server.handshakes.clients)) == (
            {NAME: 1},
            {"cannon's client": 1},
        )


def test_a_client_without_the_certificate_that_is_asked_for_is_told_why(certificates: Certificates) -> None:
    # In TLS 1.3 the server refuses once the client is done: a request is on its way by then.
    with RudeTls(certificates.server, client_ca=certificates.ca) as server:
        tally = fire(server.url("/ok"), amount=2, tls=Tls(ca=(certificates.ca,)))
    assert (tally.errors, tally.status) == ({Fault.TLS: 2}, {})
    assert "--cert FILE --key FILE" in tally.examples[Fault.TLS].message


@pytest.mark.parametrize(("refused", "dials"), [(1, 2), (3, 2)])
def test_a_request_of_which_nothing_was_taken_goes_out_on_the_next_connection(
    rude: Rude, monkeypatch: pytest.MonkeyPatch, refused: int, dials: int
) -> None:
    writes = itertools.count(1)

    class Leaving(httpcore.AnyIOBackend):
        """Streams of which one, at its turn, has gone when a request is to be written."""

        async def connect_tcp(self, host: str, port: int, *rest: Any, **settings: Any) -> Any:
            stream = await super().connect_tcp(host, port, *rest, **settings)
            write = stream.write

            async def write_or_refuse(buffer: bytes, *rest: Any) -> None:
                if buffer and next(writes) == refused:
                    raise httpcore.WriteError
                await write(buffer, *rest)

            monkeypatch.setattr(stream, "write", write_or_refuse)
            return stream

    monkeypatch.setattr(httpcore, "AnyIOBackend", Leaving)
    tally = fire(rude.url("/ok"), amount=5)
    assert (tally.status, tally.errors) == ({200: 5}, {})
    assert counted(rude, tally)
    assert (tally.made, tally.closed_idle) == (dials, 1)


def test_readiness_keeps_the_earliest_time_until_it_is_taken() -> None:
    one, other = socket.socketpair()
    with one, other, Readiness() as readiness:
        readiness.register(one, selectors.EVENT_READ)
        other.send(b"x")
        began_ns = monotonic_ns()
        readiness.select(1)
        ended_ns = monotonic_ns()
        readiness.select(1)
        taken_ns = readiness.taken(one.fileno())
        assert taken_ns is not None
        assert began_ns <= taken_ns <= ended_ns
        assert readiness.taken(one.fileno()) is None
        readiness.select(1)
        readiness.unregister(one)
        readiness.register(one, selectors.EVENT_READ)
        assert readiness.seen == 3
        assert readiness.taken(one.fileno()) is None, "who begins to wait is not ready yet"
