"""Ways to the server, fired: a unix socket, another address, a local end, forward proxies, and what goes wrong there.

What cannon sent is what the server counted, whichever way it went; what a proxy does is told apart from the server's.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from cannon.engine import fire
from cannon.errors import Fault, InvalidRun
from cannon.plan import Engine, Plan, Stop
from cannon.preflight import preflight, resolved
from cannon.route import Proxy, Route
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from cannon.tls import Tls
from tests.firing import conserved, counted
from tests.servers.answers import End
from tests.servers.certificates import Certificates
from tests.servers.ports import black_hole, reserved_port
from tests.servers.process import Secure
from tests.servers.proxies import HttpProxy, Socks5Proxy
from tests.servers.real import Nginx
from tests.servers.rude import Rude
from tests.servers.rude_tls import RudeTls

pytest_plugins = ("tests.servers.fixtures",)

ENGINES = pytest.mark.parametrize("engine", [Engine.NATIVE, Engine.H11])
MS = 1_000_000


def plan_for(url: str, route: Route, *, duration_ms: int = 100, **settings: Any) -> Plan:
    """A resolved plan of two connections."""
    settings = {"connections": 2, "timeout_ns": 5_000 * MS, "stop": Stop(duration_ms * MS), **settings}
    return resolved(Plan(targets=(Target.parse(url),), route=route, preflight=False, **settings))


def fired(url: str, route: Route, **settings: Any) -> Tally:
    return sum(fire(split(plan_for(url, route, **settings), 1)[0]), Tally())


def through(proxy: HttpProxy | Socks5Proxy, userinfo: str = "") -> Route:
    return Route(proxy=Proxy.parse(proxy.url(userinfo)))


def trusting(certificates: Certificates) -> Tls:
    return Tls(ca=(certificates.ca,))


# Unix sockets.


@ENGINES
@pytest.mark.parametrize("secured", [False, True], ids=["http", "https"])
def test_over_a_unix_socket_nginx_counts_what_was_sent(
    certificates: Certificates, engine: Engine, secured: bool
) -> None:
    with Nginx(secure=Secure(certificates.server) if secured else None) as nginx:
        # The URL gives Host and SNI: it is never looked up.
        url = f"{'https' if secured else 'http'}://localhost.invalid/file"
        tls = Tls(ca=(certificates.ca,), server_name="localhost") if secured else Tls()
        tally = fired(url, Route(socket_path=nginx.socket_path), engine=engine, tls=tls)
        assert tally.sent > 0
        assert set(tally.status) == {200}
        assert conserved(tally)
        assert nginx.count() == tally.sent


def test_the_queue_of_a_unix_socket_that_is_full_is_asked_again_and_counts_as_no_error(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "full")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        tally = fired(
            "http://a/", Route(socket_path=path), connections=3, timeout_ns=300 * MS, duration_ms=300
        )
    assert set(tally.connect_errors) <= {Fault.TIMEOUT}
    assert tally.connecting + tally.connect_errors.get(Fault.TIMEOUT, 0) >= 2
    assert conserved(tally)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_unix_socket_that_is_not_there_is_told_with_its_path(tmp_path: Path, method: str) -> None:
    path = str(tmp_path / "none.sock")
    with pytest.raises(InvalidRun) as raised:
        preflight(plan_for("http://a/", Route(socket_path=path), method=method))
    assert raised.value.message == (
        f"cannot connect to http://a/: No such file or directory, dialling {path}"
        " (is the server running, and listening on this path?)"
    )


def test_a_unix_socket_whose_server_has_gone_refuses(tmp_path: Path) -> None:
    path = str(tmp_path / "left.sock")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(path)
    tally = fired("http://a/", Route(socket_path=path), duration_ms=60)
    assert set(tally.connect_errors) == {Fault.REFUSED}
    assert tally.examples[Fault.REFUSED].message == f"Connection refused, dialling {path}"
    assert tally.attempted <= 2 * 6, "a refused dial is followed by a pause"


# Another address, a local end.


def test_connect_to_dials_another_address_and_the_url_gives_the_host(rude: Rude) -> None:
    tally = fired("http://server.invalid/ok", Route(connect_to=("127.0.0.1", rude.port)))
    assert set(tally.status) == {200}
    assert counted(rude, tally)


def test_a_bound_connection_comes_from_that_address(rude: Rude) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        tally = fired(url, Route(bind="127.0.0.2"), connections=1, duration_ms=20, drain_ns=0)
        accepted, (ip, _) = listener.accept()
        accepted.close()
    assert (ip, tally.made) == ("127.0.0.2", 1)
    tally = fired(rude.url("/ok"), Route(bind="127.0.0.3"))
    assert set(tally.status) == {200}
    assert counted(rude, tally)


def test_an_address_that_is_not_ours_any_more_is_a_fault_of_this_side(rude: Rude) -> None:
    # Told from the command line it would have been refused at once.
    tally = fired(rude.url("/ok"), Route(bind="192.0.2.1"), duration_ms=60)
    assert set(tally.connect_errors) == {Fault.LOCAL}
    assert (tally.sent, rude.accepted) == (0, 0)


# Through an HTTP proxy.


@ENGINES
def test_http_goes_through_a_proxy_in_absolute_form_and_the_proxy_resolves(
    rude: Rude, engine: Engine
) -> None:
    with HttpProxy() as proxy:
        tally = fired(f"http://server.invalid:{rude.port}/ok", through(proxy), engine=engine)
        assert set(tally.status) == {200}
        assert (proxy.tunnels, proxy.requests) == (0, tally.sent)
        assert set(proxy.asked) == {f"server.invalid:{rude.port}"}
        assert counted(rude, tally)


@ENGINES
def test_https_goes_through_a_tunnel_to_the_proxy_and_is_verified_beyond_it(
    rude_tls: RudeTls, certificates: Certificates, engine: Engine
) -> None:
    with HttpProxy() as proxy:
        tally = fired(rude_tls.url("/ok"), through(proxy), engine=engine, tls=trusting(certificates))
        assert set(tally.status) == {200}
        assert (proxy.tunnels, dict(proxy.asked)) == (2, {f"127.0.0.1:{rude_tls.port}": 2})
        assert tally.connect.count == tally.tls.count == 2
        assert counted(rude_tls, tally)


def test_a_server_beyond_a_proxy_that_is_not_trusted_is_a_fault_of_tls(rude_tls: RudeTls) -> None:
    with HttpProxy() as proxy:
        tally = fired(rude_tls.url("/ok"), through(proxy), duration_ms=60)
    assert set(tally.connect_errors) == {Fault.TLS}
    assert (tally.sent, rude_tls.requests) == (0, 0)


@pytest.mark.parametrize("userinfo", ["us%20er:p%40ss", "us%20er:p%40ss%3A"])
def test_a_user_and_a_password_let_whoever_has_them_through(
    rude_tls: RudeTls, rude: Rude, certificates: Certificates, userinfo: str
) -> None:
    known = userinfo.replace("%20", " ").replace("%40", "@").replace("%3A", ":")
    with HttpProxy(userinfo=known) as proxy:
        route = through(proxy, userinfo)
        tunnelled = fired(rude_tls.url("/ok"), route, tls=trusting(certificates))
        passed = fired(rude.url("/ok"), route)
        assert proxy.refused == 0
    assert set(tunnelled.status) == set(passed.status) == {200}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            (b"HTTP/1.1 502 Bad Gateway\r\n\r\n",),
            "the proxy answered 502 Bad Gateway to CONNECT a.invalid:443",
        ),
        ((b"HTTP/1.1 407 Who are you\r\n\r\n",), "the proxy wants authorization (407)"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), "the proxy's response is not HTTP/1: starts with b'SSH-2.0"),
        ((b"HTTP/1.1 200 OK\r\n", End.FIN), "the proxy closed, asked for a tunnel to a.invalid:443"),
        ((End.FIN,), "the proxy closed, asked for a tunnel to a.invalid:443"),
        ((End.RESET,), "Connection reset by peer, from the proxy, asked for a tunnel to a.invalid:443"),
    ],
    ids=["502", "407", "no HTTP", "half an answer", "FIN", "RST"],
)
def test_a_proxy_that_opens_no_tunnel_is_a_fault_of_its_own_kind(
    script: tuple[bytes | End, ...], words: str
) -> None:
    with HttpProxy(script=script) as proxy:
        tally = fired("https://a.invalid/", through(proxy), duration_ms=60)
        assert set(tally.connect_errors) == {Fault.PROXY}
        assert tally.examples[Fault.PROXY].message.startswith(words)
        assert (tally.sent, tally.made) == (0, 0)
        assert conserved(tally)
        assert tally.attempted <= 2 * 6, "a refusal is followed by a pause"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_a_proxy_that_cannot_be_dialled_is_a_fault_of_the_proxy(scheme: str, kind: str) -> None:
    with reserved_port() as port:
        route = Route(proxy=Proxy.parse(f"{kind}://127.0.0.1:{port}"))
        tally = fired(f"{scheme}://a.invalid/", route, duration_ms=30)
        with pytest.raises(InvalidRun, match=r"\(is the proxy running, on this port\?\)$"):
            preflight(plan_for(f"{scheme}://a.invalid/", route))
    assert set(tally.connect_errors) == {Fault.PROXY}
    said = f"Connection refused, dialling the proxy 127.0.0.1:{port}"
    assert tally.examples[Fault.PROXY].message == said


def test_a_proxy_that_does_not_answer_is_a_timeout_that_names_it() -> None:
    with black_hole() as port:
        route = Route(proxy=Proxy.parse(f"http://127.0.0.1:{port}"))
        tally = fired("http://a.invalid/", route, timeout_ns=50 * MS)
    assert tally.examples[Fault.TIMEOUT].message == f"no answer, dialling the proxy 127.0.0.1:{port}"


@pytest.mark.parametrize("make", [HttpProxy, Socks5Proxy])
def test_a_tunnel_that_is_never_opened_is_a_timeout_that_names_the_proxy(
    make: type[HttpProxy | Socks5Proxy],
) -> None:
    with make(script=()) as proxy:
        tally = fired("https://a.invalid/", through(proxy), timeout_ns=50 * MS)
    assert set(tally.connect_errors) == {Fault.TIMEOUT}
    said = f"the proxy 127.0.0.1:{proxy.port} answered the dial and opened no tunnel"
    assert tally.examples[Fault.TIMEOUT].message == said


def test_a_server_beyond_a_tunnel_that_never_shakes_hands_is_told_apart_from_the_proxy(rude: Rude) -> None:
    # It waits for the end of a head, and a client's hello has none.
    with HttpProxy() as proxy:
        url = rude.url("/ok").replace("http:", "https:")
        tally = fired(url, through(proxy), timeout_ns=50 * MS)
    assert set(tally.connect_errors) == {Fault.TIMEOUT}
    assert "no end of the TLS handshake through the proxy" in tally.examples[Fault.TIMEOUT].message


# Through a SOCKS proxy.


@ENGINES
def test_both_schemes_go_through_a_socks_proxy_which_resolves(
    rude: Rude, rude_tls: RudeTls, certificates: Certificates, engine: Engine
) -> None:
    with Socks5Proxy(userinfo="user:pass") as proxy:
        route = through(proxy, "user:pass")
        plain = fired(f"http://server.invalid:{rude.port}/ok", route, engine=engine)
        secured = fired(rude_tls.url("/ok"), route, engine=engine, tls=trusting(certificates))
        assert dict(proxy.asked) == {f"server.invalid:{rude.port}": 2, f"127.0.0.1:{rude_tls.port}": 2}
    assert set(plain.status) == set(secured.status) == {200}
    assert counted(rude, plain)
    assert counted(rude_tls, secured)


def test_a_server_that_a_socks_proxy_cannot_reach_is_told_in_words() -> None:
    with reserved_port() as port, Socks5Proxy() as proxy:
        tally = fired(f"http://a.invalid:{port}/", through(proxy), duration_ms=30)
    assert set(tally.connect_errors) == {Fault.PROXY}
    said = f"the proxy cannot reach a.invalid:{port}: connection refused (SOCKS 5)"
    assert tally.examples[Fault.PROXY].message == said


def test_what_happens_beyond_a_tunnel_is_the_servers(rude: Rude) -> None:
    with Socks5Proxy() as proxy:
        tally = fired(rude.url("/close"), through(proxy))
    assert set(tally.errors) == {Fault.EMPTY_REPLY}
    assert tally.connect_errors == {}
    assert counted(rude, tally)


# Preflight.


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_authorization_is_told_how_to_be_given_it(rude: Rude, scheme: str) -> None:
    with HttpProxy(userinfo="user:canary") as proxy:
        plan = plan_for(rude.url("/ok").replace("http", scheme), through(proxy))
        if scheme == "http":
            (said,) = preflight(plan).notes
        else:
            with pytest.raises(InvalidRun) as raised:
                preflight(plan)
            said = raised.value.message
    assert said.endswith(f"--proxy http://***@127.0.0.1:{proxy.port})")
    assert "canary" not in said


def test_a_wrong_password_is_told_without_it(rude_tls: RudeTls) -> None:
    with HttpProxy(userinfo="user:right") as proxy, pytest.raises(InvalidRun) as raised:
        preflight(plan_for(rude_tls.url("/ok"), through(proxy, "user:canary")))
    assert "the proxy refuses this user and password (407)" in raised.value.message
    assert "canary" not in raised.value.message


# What is asked for, and nothing else.


def test_the_proxies_of_the_environment_are_never_used(rude: Rude, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpProxy() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        tally = fired(rude.url("/ok"), Route())
        assert proxy.accepted == 0
    assert counted(rude, tally)


def test_a_trace_shows_the_lines_of_a_tunnel_and_no_password(
    rude_tls: RudeTls, certificates: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    with HttpProxy(userinfo="user:canary") as proxy:
        fired(
            rude_tls.url("/ok"),
            through(proxy, "user:canary"),
            tls=trusting(certificates),
            trace=True,
            connections=1,
            stop=Stop(amount=1),
        )
    shown = capsys.readouterr().err
    lines = shown.splitlines()
    assert lines[:3] == [
        f"* dialling 127.0.0.1 port {proxy.port}",
        "* connected",
        f"> CONNECT 127.0.0.1:{rude_tls.port} HTTP/1.1",
    ]
    assert "> Proxy-Authorization: ***" in lines
    assert lines.index("< HTTP/1.1 200 Connection established") < lines.index("> GET /ok HTTP/1.1")
    assert "canary" not in shown
    assert "dXNlcjpjYW5hcnk" not in shown
