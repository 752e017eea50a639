"""Sockets are opened as the plan has it: each thing asked for is laid over the rest, and nothing else is."""

from __future__ import annotations

import errno

import pytest

from cannon.engine.openers import openers_of
from cannon.engine.secure import SecureSocket
from cannon.engine.sockets import PlainSocket, Socket, TracedSocket, open_socket
from cannon.plan import Plan
from cannon.route import Address, Proxy, Route
from cannon.target import Target
from cannon.tls import Tls

HERE = Address("127.0.0.1", 1)
HTTP_PROXY, SOCKS_PROXY = Proxy.parse("http://127.0.0.1:1"), Proxy.parse("socks5://127.0.0.1:1")


class _System:
    """Opens the system's sockets, and knows them."""

    def __init__(self) -> None:
        self.opened: list[PlainSocket] = []

    def open_plain(self, address: Address) -> PlainSocket:
        self.opened.append(open_socket(address))
        return self.opened[-1]

    def one_for(self, url: str, route: Route, *, trace: bool = False) -> Socket:
        """A socket of a plan's only connection."""
        target = Target.parse(url)
        plan = Plan(targets=(target,), route=route, trace=trace, tls=Tls(verify=False))
        return openers_of(plan, self.open_plain)[0]()(HERE)


def test_of_a_plain_run_the_sockets_are_opened_by_the_system_and_by_nobody_else() -> None:
    for route in (Route(), Route(connect_to=("a", 1)), Route(socket_path="/s"), Route(proxy=HTTP_PROXY)):
        target = Target.parse("http://a/")
        assert openers_of(Plan(targets=(target,), route=route))[0]() is open_socket


@pytest.mark.parametrize(
    ("url", "proxy", "tunnelled"),
    [
        ("http://a/", None, False),
        ("https://a/", None, False),
        ("http://a/", HTTP_PROXY, False),
        ("https://a/", HTTP_PROXY, True),
        ("http://a/", SOCKS_PROXY, True),
        ("https://a/", SOCKS_PROXY, True),
    ],
)
@pytest.mark.parametrize("trace", [False, True])
def test_a_tunnel_is_opened_for_all_but_requests_that_an_http_proxy_takes(
    url: str, proxy: Proxy | None, tunnelled: bool, trace: bool
) -> None:
    system = _System()
    opened = system.one_for(url, Route(proxy=proxy), trace=trace)
    assert (opened.tunnelling, system.opened[0].tunnelling) == (tunnelled, tunnelled)
    assert opened.fileno() == system.opened[0].fileno()
    layers = {("http", False): PlainSocket, ("https", False): SecureSocket}
    assert isinstance(opened, layers.get((url.partition(":")[0], trace), TracedSocket))
    opened.close()


def test_each_socket_has_a_tunnel_of_its_own() -> None:
    system = _System()
    target = Target.parse("http://a/")
    opener = openers_of(Plan(targets=(target,), route=Route(proxy=SOCKS_PROXY)), system.open_plain)[0]()
    with opener(HERE) as first, opener(HERE) as second:  # type: ignore[attr-defined]  # they are the system's
        assert first.passage is not second.passage


def test_over_tls_each_connection_has_its_own_sessions_and_one_context() -> None:
    target = Target.parse("https://a/")
    (opener_of,) = openers_of(Plan(targets=(target,), tls=Tls(verify=False)))
    first, second = (opener_of().__self__ for _ in range(2))  # type: ignore[attr-defined]  # a Security's
    assert first is not second
    assert first._context is second._context


def test_targets_of_one_plan_share_what_tls_needs_and_nothing_else() -> None:
    targets = tuple(map(Target.parse, ("https://a/", "http://b/", "https://c/")))
    first, second, third = openers_of(Plan(targets=targets, tls=Tls(verify=False)))
    one, other = (opener_of().__self__ for opener_of in (first, third))  # type: ignore[attr-defined]  # Securities'
    assert second() is open_socket
    assert one._context is other._context
    assert (one._name, other._name) == ("a", "c")


@pytest.mark.parametrize("url", ["http://a/", "https://a/"])
def test_a_local_end_is_bound_before_the_dial(url: str) -> None:
    system = _System()
    opened = system.one_for(url, Route(bind="127.0.0.2", proxy=SOCKS_PROXY))
    assert system.opened[0].getsockname()[0] == "127.0.0.2"
    assert opened.tunnelling
    opened.close()


def test_a_local_end_that_cannot_be_had_leaves_no_socket_open() -> None:
    system = _System()
    with pytest.raises(OSError, match="Cannot assign") as raised:
        system.one_for("http://a/", Route(bind="192.0.2.1"))
    assert raised.value.errno == errno.EADDRNOTAVAIL
    assert [opened.fileno() for opened in system.opened] == [-1]
