"""Before the clock starts, one request tells whether anything answers, and if not, why."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import msgspec
import pytest

from cannon.errors import Fault, InvalidRun, UsageError
from cannon.plan import Plan
from cannon.preflight import preflight, resolve, resolved
from cannon.route import Address, Peer, Proxy, Route
from cannon.sequence import Step
from cannon.tally import Example, Tally
from cannon.target import Target
from cannon.text import redact_text
from cannon.tls import Tls
from tests.servers.certificates import Certificates
from tests.servers.ports import black_hole, reserved_port
from tests.servers.rude import Rude
from tests.servers.rude_tls import RudeTls

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
    ("route", "addresses"),
    [
        (Route(socket_path="/run/a.sock"), (Address(path="/run/a.sock"),)),
        (Route(connect_to=("127.0.0.1", 8080)), (Address("127.0.0.1", 8080),)),
        (Route(connect_to=("::1", 8080)), (Address("::1", 8080),)),
        (Route(proxy=Proxy.parse("http://127.0.0.1:3128")), (Address("127.0.0.1", 3128, peer=Peer.PROXY),)),
        (Route(proxy=Proxy.parse("socks5://[::1]")), (Address("::1", 1080, peer=Peer.PROXY),)),
    ],
)
def test_what_stands_between_is_dialled_and_the_server_is_not_looked_up(
    route: Route, addresses: tuple[Address, ...]
) -> None:
    target = Target.parse("https://nosuch.invalid/")
    assert resolve(target, route).addresses == addresses
    (found,) = resolved(Plan(targets=(target,), route=route)).targets
    assert found.addresses == addresses


@pytest.mark.parametrize(
    ("route", "named"),
    [
        (Route(proxy=Proxy.parse("http://user:canary@nosuch.invalid")), "the proxy's name 'nosuch.invalid'"),
        (Route(connect_to=("nosuch.invalid", 1)), "the name 'nosuch.invalid' of --connect-to"),
    ],
)
def test_a_name_on_the_way_that_does_not_exist_is_told_by_what_it_names(route: Route, named: str) -> None:
    with pytest.raises(InvalidRun) as raised:
        resolve(Target.parse("http://localhost/"), route)
    assert raised.value.message.startswith(f"{named} cannot be resolved: ")
    assert "canary" not in raised.value.message


def test_only_addresses_that_a_local_end_can_dial_are_dialled() -> None:
    target = Target.parse("http://localhost:4000/")
    assert resolve(target, Route(bind="127.0.0.2")).addresses == (Address("127.0.0.1", 4000),)
    with pytest.raises(InvalidRun, match=r"--bind ::1 cannot dial 127\.0\.0\.1:4000: one is of IPv4"):
        resolve(Target.parse("http://127.0.0.1:4000/"), Route(bind="::1"))


def test_a_host_that_socks_cannot_carry_is_refused_before_anything_is_dialled() -> None:
    target = Target.parse(f"http://{'a.' * 200}invalid/")
    with pytest.raises(UsageError, match="longer than the 255 bytes"):
        resolve(target, Route(proxy=Proxy.parse("socks5://127.0.0.1")))
    resolve(target, Route(proxy=Proxy.parse("http://127.0.0.1")))


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


def test_nothing_is_offered_where_there_is_no_way_without_it(rude: Rude) -> None:
    with pytest.raises(InvalidRun, match="no response from") as raised:
        preflight(_plan(rude.url("/close")), last_resort="")
    assert "--no-preflight" not in raised.value.message


def test_a_handshake_that_failed_is_told_by_its_own_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "certificate verify failed: certificate has expired (-k does not verify it)"

    def fire(shard: object, control: int | None = None) -> Iterator[Tally]:
        yield Tally(attempted=1, connect_errors={Fault.TLS: 1}, examples={Fault.TLS: Example(0, reason)})

    monkeypatch.setattr("cannon.preflight.fire", fire)
    with pytest.raises(InvalidRun) as raised:
        preflight(_plan("https://127.0.0.1:4443/"))
    assert raised.value.message == f"cannot connect to https://127.0.0.1:4443/: {reason}"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_is_not_trusted_gets_no_request(rude_tls: RudeTls, method: str) -> None:
    with pytest.raises(InvalidRun, match="certificate is not trusted") as raised:
        preflight(_plan(rude_tls.url("/ok"), method=method, headers=(("Authorization", "canary"),)))
    assert raised.value.message.startswith(f"cannot connect to {rude_tls.url('/ok')}: ")
    assert "--ca" in raised.value.message
    assert "-k" in raised.value.message
    assert rude_tls.requests == 0


def test_a_server_that_is_trusted_is_fired_at(rude_tls: RudeTls, certificates: Certificates) -> None:
    assert preflight(_plan(rude_tls.url("/ok"), tls=Tls(ca=(certificates.ca,)))).sent == 1
    assert rude_tls.requests == 1


def test_a_status_never_stops_a_run_but_a_5xx_is_a_note(rude: Rude) -> None:
    assert preflight(_plan(rude.url("/status/404"))).notes == ()
    (note,) = preflight(_plan(rude.url("/status/503"))).notes
    assert "answers with status 503" in note


def told(monkeypatch: pytest.MonkeyPatch, url: str, tally: Tally, **settings: object) -> str:
    """What is said of a server that made the preflight count this."""

    def fire(shard: object, control: int | None = None) -> Iterator[Tally]:
        yield tally

    monkeypatch.setattr("cannon.preflight.fire", fire)
    try:
        return "".join(preflight(_plan(url, **settings)).notes)
    except InvalidRun as failure:
        return failure.message


PLAIN, SECURE = "http://127.0.0.1:4443/", "https://127.0.0.1:4443/"
FIRES = " (--no-preflight fires all the same)"
LATE = " (-t allows for more, --no-preflight fires all the same)"
TRY_TLS = " (does this port speak TLS? try https://127.0.0.1:4443/)"
TRY_BOTH = f"{TRY_TLS[:-1]}; --no-preflight fires all the same)"


@pytest.mark.parametrize(
    ("url", "fault", "message", "received_bytes", "hint"),
    [
        (PLAIN, Fault.EMPTY_REPLY, "closed before any byte", 0, TRY_BOTH),
        (PLAIN, Fault.RESET, "Connection reset by peer", 0, TRY_BOTH),
        (PLAIN, Fault.MALFORMED, "no response: 15030300 (looks like TLS)", 7, TRY_TLS),
        (PLAIN, Fault.RESET, "Connection reset by peer after 12 bytes", 12, FIRES),
        (PLAIN, Fault.MALFORMED, "no response: SSH-2.0", 7, ""),
        (PLAIN, Fault.TIMEOUT, "no response within 10 s", 0, LATE),
        (SECURE, Fault.EMPTY_REPLY, "closed before any byte", 0, FIRES),
    ],
)
def test_what_may_help_where_nothing_answered_is_said(
    url: str, fault: Fault, message: str, received_bytes: int, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally(
        sent=1,
        made=1,
        received_bytes=received_bytes,
        errors={fault: 1},
        examples={fault: Example(0, message)},
    )
    assert told(monkeypatch, url, tally) == f"no response from {url}: {message}{hint}"


@pytest.mark.parametrize(
    ("url", "settings", "hint"),
    [
        (PLAIN, {}, " (does this port speak TLS?)"),
        (SECURE, {}, " (does it want a certificate? --cert FILE)"),
        (SECURE, {"tls": Tls(cert="a.pem")}, ""),
    ],
)
def test_a_status_of_400_is_a_note_with_a_hint(
    url: str, settings: dict[str, object], hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Tally(sent=1, made=1, status={400: 1})
    assert told(monkeypatch, url, refused, **settings) == f"{url} answers with status 400{hint}"
    assert told(monkeypatch, url, refused, expect_status=(400,)) == ""


def test_a_status_that_is_expected_is_no_note_and_any_other_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for status, said in (
        (503, ""),
        (200, f"{PLAIN} answers with status 200 (--expect-status names others)"),
        (407, f"{PLAIN} answers with status 407 (--expect-status names others)"),
    ):
        tally = Tally(sent=1, made=1, status={status: 1})
        assert told(monkeypatch, PLAIN, tally, expect_status=(503,)) == said


def test_a_real_port_of_tls_is_recognized(rude_tls: RudeTls) -> None:
    url = rude_tls.url("/ok").replace("https:", "http:")
    with pytest.raises(InvalidRun, match="does this port speak TLS"):
        preflight(_plan(url))


def test_a_secret_in_the_url_is_not_repeated() -> None:
    with reserved_port() as port, pytest.raises(InvalidRun) as raised:
        preflight(_plan(f"http://user:canary@127.0.0.1:{port}/?token=canary"))
    assert "canary" not in raised.value.message


# Several targets.


def of_all(*urls: str, **settings: object) -> Plan:
    """A resolved plan of several targets."""
    plan = Plan(targets=tuple(Target.parse(url) for url in urls))
    return msgspec.structs.replace(resolved(plan), **settings)


def test_every_target_is_asked_once_and_notes_name_whose_they_are(rude: Rude) -> None:
    with Rude() as other:
        urls = (rude.url("/status/503"), other.url("/ok"), rude.url("/status/500"))
        found = preflight(of_all(*urls))
        assert (found.sent, rude.requests, other.requests) == (3, 2, 1)
    assert found.notes == tuple(
        f"{urls[at]} answers with status {status}" for at, status in ((0, 503), (2, 500))
    )


def test_one_target_that_does_not_answer_is_enough_and_is_named(rude: Rude) -> None:
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}/"
        with pytest.raises(InvalidRun, match=f"cannot connect to {url}: Connection refused"):
            preflight(of_all(rude.url("/ok"), url))
    with pytest.raises(InvalidRun, match=f"no response from {rude.url('/close')}: closed") as caught:
        preflight(of_all(rude.url("/ok"), rude.url("/close")))
    assert caught.value.sent == rude.requests - 1 == 2


def test_each_target_is_asked_for_the_first_step_that_goes_there(rude: Rude) -> None:
    with Rude() as other:
        steps = (
            Step(name="one", target=1, method="GET", path="/status/204"),
            Step(name="two", target=0, method="GET", path="/ok"),
            Step(name="three", target=1, method="POST", path="/ok"),
        )
        plan = of_all(rude.url("/none"), other.url("/none"), sequence=steps)
        assert preflight(plan).sent == 2
        assert (rude.per_path, other.per_path) == ({"/ok": 1}, {"/status/204": 1})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whoever_stops_a_preflight_is_asked_for_nothing_more(rude: Rude, method: str) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b".")
        with black_hole() as port:
            first = rude.url("/stall") if method == "GET" else f"http://127.0.0.1:{port}/"
            plan = of_all(first, rude.url("/ok"), method=method, drain_ns=0)
            assert preflight(plan, reading).notes == ()
    finally:
        os.close(reading)
        os.close(writing)
    assert rude.accepted <= (method == "GET"), "the second target was dialled"


# Proxies.

THROUGH = Route(proxy=Proxy.parse("http://127.0.0.1:3128"))
KNOWN = Route(proxy=Proxy.parse("http://user:canary@127.0.0.1:3128"))
SOCKS = Route(proxy=Proxy.parse("socks5://[::1]:9050"))


@pytest.mark.parametrize(
    ("route", "message", "hint"),
    [
        (
            THROUGH,
            "the proxy wants authorization (407)",
            " (give a user and a password, with a colon between: --proxy http://***@127.0.0.1:3128)",
        ),
        (
            SOCKS,
            "the proxy wants authorization (SOCKS 5)",
            " (give a user and a password, with a colon between: --proxy socks5://***@[::1]:9050)",
        ),
        (KNOWN, "the proxy refuses this user and password (407)", ""),
        (THROUGH, "the proxy answered 502 Bad Gateway to CONNECT a:1", ""),
        (
            THROUGH,
            "Connection refused, dialling the proxy 127.0.0.1:3128",
            " (is the proxy running, on this port?)",
        ),
    ],
)
def test_what_helps_with_a_proxy_is_said(
    route: Route, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally(attempted=1, connect_errors={Fault.PROXY: 1}, examples={Fault.PROXY: Example(0, message)})
    said = told(monkeypatch, SECURE, tally, route=route)
    assert said == f"cannot connect to {SECURE}: {message}{hint}"
    assert redact_text(said) == said, "it is shown as it stands"


@pytest.mark.parametrize(("route", "speaks"), [(THROUGH, "HTTP"), (SOCKS, "SOCKS 5")])
def test_a_proxy_that_says_nothing_may_be_none_of_this_kind(
    route: Route, speaks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "the proxy 127.0.0.1:1 answered the dial and opened no tunnel"
    tally = Tally(
        attempted=1, connect_errors={Fault.TIMEOUT: 1}, examples={Fault.TIMEOUT: Example(0, message)}
    )
    said = told(monkeypatch, SECURE, tally, route=route)
    assert said == f"cannot connect to {SECURE}: {message} (does it speak {speaks} on this port?)"


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        (
            Fault.REFUSED,
            "No such file or directory, dialling /s",
            " (is the server running, and listening on this path?)",
        ),
        (
            Fault.LOCAL,
            "Permission denied, dialling /s",
            " (a unix socket takes connections of those who may write to it)",
        ),
        (Fault.TIMEOUT, "no answer, dialling /s (the queue of its server is full)", ""),
    ],
)
def test_what_helps_with_a_unix_socket_is_said(
    fault: Fault, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally(attempted=1, connect_errors={fault: 1}, examples={fault: Example(0, message)})
    said = told(monkeypatch, PLAIN, tally, route=Route(socket_path="/s"))
    assert said == f"cannot connect to {PLAIN}: {message}{hint}"


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (
            THROUGH,
            f"{PLAIN} answers with status 407 (give a user and a password, with a colon between: --proxy http://***@127.0.0.1:3128)",
        ),
        (KNOWN, f"{PLAIN} answers with status 407 (the proxy refuses the user and password of --proxy)"),
        (Route(), ""),
    ],
)
def test_a_status_of_407_is_a_note_where_there_is_a_proxy(
    route: Route, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Tally(sent=1, made=1, status={407: 1})
    assert told(monkeypatch, PLAIN, answered, route=route) == said
    assert told(monkeypatch, PLAIN, answered, route=route, expect_status=(407,)) == ""
