"""What opens the sockets of a connection, as the plan has it: which way they go, over TLS, traced.

Law: each thing that is asked for is laid over what is there, and what is not asked for leaves no layer: the sockets of
a plain run are the system's own. Over TLS each connection has its own sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cannon.engine.sockets import (
    PlainSocket,
    Socket,
    Trace,
    bind_locally,
    open_socket,
    standard_trace,
    traced,
)
from cannon.plan import Plan
from cannon.route import Address, ProxyKind, Route
from cannon.target import Target

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["openers_of"]


def openers_of(
    plan: Plan, open_plain: Callable[[Address], PlainSocket] = open_socket
) -> tuple[Callable[[], Callable[[Address], Socket]], ...]:
    """For each target what makes, for each connection to it, what opens its sockets; `open_plain` makes those of the
    system. What TLS needs is loaded once for all: it takes 55 ms. UsageError for a file of TLS that does not serve.
    """
    context = plan.tls.context() if any(target.scheme == "https" for target in plan.targets) else None
    return tuple(_sockets_of(plan, target, open_plain, context) for target in plan.targets)


def _sockets_of(
    plan: Plan, target: Target, open_plain: Callable[[Address], PlainSocket], context: SSLContext | None
) -> Callable[[], Callable[[Address], Socket]]:
    opener = _routed(plan.route, target, open_plain, standard_trace() if plan.trace else Trace(None))
    shown = traced if plan.trace else _as_it_is
    if target.scheme == "http" or context is None:
        return lambda: shown(opener)
    from cannon.engine.secure import Security

    return lambda: shown(Security(context, plan.tls, target.host, opener).open_socket)


def _as_it_is(opener: Callable[[Address], Socket]) -> Callable[[Address], Socket]:
    return opener


def _routed(
    route: Route, target: Target, open_plain: Callable[[Address], PlainSocket], trace: Trace
) -> Callable[[Address], PlainSocket]:
    """What opens plain sockets that go this way."""
    proxy, local = route.proxy, route.bind
    # To an HTTP proxy, requests of http are written as they are (RFC 9112, 3.2.2).
    passes = proxy is not None and (proxy.kind is not ProxyKind.HTTP or target.scheme == "https")
    if local is None and not passes:
        return open_plain
    make_passage = None
    if proxy is not None and passes:
        from cannon.engine.tunnel import tunnels

        make_passage = tunnels(proxy, target.host, target.port, trace)

    def opened_that_way(address: Address) -> PlainSocket:
        opened = open_plain(address)
        if make_passage is not None:
            opened.passage = make_passage()
        if local is not None:
            try:
                bind_locally(opened, local)
            except OSError:
                opened.close()
                raise
        return opened

    return opened_that_way
