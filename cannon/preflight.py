"""What is settled before the clock starts: whom to dial, and whether anything answers.

Names are resolved once, here; those behind a proxy are the proxy's to resolve. One request is fired at each target by
the engine itself, for methods that change nothing; for the others a dial has to do. A status never stops a run; that
nothing connects, or nothing answers, does.
"""

from __future__ import annotations

import socket

import msgspec

from cannon.engine import fire
from cannon.errors import Fault, InvalidRun, UsageError
from cannon.plan import Plan
from cannon.route import Address, Peer, ProxyKind, Route, authority
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from cannon.text import clean, redact_url

__all__ = ["Preflight", "preflight", "resolve", "resolved"]

_LOOK_EVERY_NS = 20_000_000
_BAD_REQUEST = 400
_WANTS_PROXY_AUTHORIZATION = 407
_SERVER_ERROR = 500
_SOCKS_HOST_BYTES = 255
_NO_TUNNEL = "opened no tunnel"
_FIRES = "--no-preflight fires all the same"
"""What is left to whoever wants a run whatever the first request became of."""


class Preflight(msgspec.Struct, frozen=True):
    """How many requests it sent, and what is worth saying about the answer."""

    sent: int = 0
    notes: tuple[str, ...] = ()


def resolve(target: Target, route: Route = Route()) -> Target:  # noqa: B008 (it is frozen)
    """The target with every address to dial for it, in the system's order: its own, or those of what stands between.

    Whom a proxy or a unix socket leads to is not looked up here. InvalidRun, naming whose name it is, for one that has
    no address, or none of the kind that `--bind` can dial; UsageError for a host that the proxy cannot be told.
    """
    return msgspec.structs.replace(target, addresses=_addresses(target, route))


def resolved(plan: Plan) -> Plan:
    """The plan with the addresses of all its targets."""
    return msgspec.structs.replace(
        plan, targets=tuple(resolve(target, plan.route) for target in plan.targets)
    )


def _addresses(target: Target, route: Route) -> tuple[Address, ...]:
    if route.socket_path is not None:
        return (Address(path=route.socket_path),)
    proxy = route.proxy
    if proxy is not None:
        if proxy.kind is ProxyKind.SOCKS5 and len(target.host) > _SOCKS_HOST_BYTES:
            raise UsageError(
                f"the host of {clean(redact_url(target.url))} is longer than the {_SOCKS_HOST_BYTES} bytes that SOCKS 5"
                " can tell of; e.g. --proxy http://127.0.0.1:3128"
            )
        found = _looked_up(f"the proxy's name {clean(proxy.host)!r}", proxy.host, proxy.port, Peer.PROXY)
    elif route.connect_to is not None:
        host, port = route.connect_to
        found = _looked_up(f"the name {clean(host)!r} of --connect-to", host, port)
    else:
        found = _looked_up(f"the name {clean(target.host)!r}", target.host, target.port)
    if route.bind is None:
        return found
    reachable = tuple(address for address in found if (":" in address.ip) == (":" in route.bind))
    if not reachable:
        raise InvalidRun(
            f"--bind {route.bind} cannot dial {found[0]}: one is of IPv4, the other of IPv6; leave --bind out, or give"
            " an address of the same kind"
        )
    return reachable


def _looked_up(named: str, host: str, port: int, peer: Peer = Peer.SERVER) -> tuple[Address, ...]:
    """Every address of a host; `named` is how a message calls it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidRun(f"{named} cannot be resolved: {clean(reason)}") from None
    return tuple(dict.fromkeys(Address(str(entry[4][0]), port, peer=peer) for entry in found))


def preflight(plan: Plan, control: int | None = None, last_resort: str = _FIRES) -> Preflight:
    """Fire one request of a resolved plan at each of its targets. InvalidRun, with the reason in one line and what was
    sent by then, for the first that does not answer. Whoever stops it by the control is asked for nothing more.
    `last_resort`: what a message offers where a request had no answer, "" for nothing.
    """
    sent = 0
    notes: tuple[str, ...] = ()
    for position in range(len(plan.targets)):
        once = plan.for_preflight(position)
        total = _fired(once, control)
        sent += total.sent
        try:
            notes += _judged(plan, plan.targets[position], total, last_resort)
        except InvalidRun as failure:
            raise InvalidRun(failure.message, sent) from None
        if not (total.completed if once.stop.amount else total.made):
            # Neither an answer nor a failure: it was stopped.
            break
    return Preflight(sent, notes)


def _fired(once: Plan, control: int | None) -> Tally:
    total = Tally()
    (shard,) = split(msgspec.structs.replace(once, sample_ns=_LOOK_EVERY_NS), 1)
    for tally in fire(shard, control):
        total += tally
        if total.connects_failed >= len(once.targets[0].addresses):
            break
    return total


def _judged(plan: Plan, target: Target, total: Tally, last_resort: str) -> tuple[str, ...]:
    """What is worth saying of an answer. InvalidRun where there was none."""
    url = clean(redact_url(target.url))
    if total.connects_failed and not total.made:
        fault = min(total.connect_errors)
        reason = _reason(total, fault)
        raise InvalidRun(f"cannot connect to {url}: {reason}{_dial_hint(plan.route, fault, reason)}")
    if total.failed:
        fault = min(total.errors)
        reason = _reason(total, fault)
        hints = _silence_hints(target, total, fault, reason, last_resort)
        raise InvalidRun(f"no response from {url}: {reason}{_in_brackets(hints)}")
    return tuple(
        f"{url} answers with status {status}{_status_hint(plan, target, status)}"
        for status in total.status
        if _worth_a_note(plan, status)
    )


def _worth_a_note(plan: Plan, status: int) -> bool:
    """Those that are not expected; else errors of the server, and what tells more of the way than of the page."""
    if plan.expect_status:
        return status not in plan.expect_status
    wants_proxy_authorization = plan.route.proxy is not None and status == _WANTS_PROXY_AUTHORIZATION
    return status >= _SERVER_ERROR or status == _BAD_REQUEST or wants_proxy_authorization


def _dial_hint(route: Route, fault: Fault, reason: str) -> str:
    """What may help against a dial that failed; one that has a hint of its own needs no other."""
    if fault is Fault.PROXY:
        if "the proxy wants authorization" in reason:
            return _authorization_hint(route)
        return " (is the proxy running, on this port?)" if "dialling the proxy" in reason else ""
    if reason.endswith(_NO_TUNNEL):
        return _protocol_hint(route)
    if reason.endswith(")"):
        return ""
    return _HINTS.get(fault, "") if route.socket_path is None else _UNIX_HINTS.get(fault, "")


_HINTS = {
    Fault.REFUSED: " (is the server running, on this port?)",
    Fault.TIMEOUT: " (is a firewall between, or the address wrong?)",
}
_UNIX_HINTS = {
    Fault.REFUSED: " (is the server running, and listening on this path?)",
    Fault.LOCAL: " (a unix socket takes connections of those who may write to it)",
}


def _silence_hints(target: Target, total: Tally, fault: Fault, reason: str, last_resort: str) -> list[str]:
    """What may help where there was no response. A server of TLS answers a request in plain text with an alert, or
    hangs up without a byte; what may have passed by the next request need not keep a run from being fired.
    """
    if fault is Fault.TIMEOUT:
        return [", ".join(filter(None, ("-t allows for more", last_resort)))]
    may_pass = fault in (Fault.EMPTY_REPLY, Fault.RESET)
    speaks_tls = (may_pass and not total.received_bytes) or "looks like TLS" in reason
    hints = []
    if target.scheme == "http" and speaks_tls:
        hints.append(f"does this port speak TLS? try https://{target.authority}/")
    return [*hints, last_resort] if may_pass and last_resort else hints


def _in_brackets(hints: list[str]) -> str:
    return f" ({'; '.join(hints)})" if hints else ""


def _status_hint(plan: Plan, target: Target, status: int) -> str:
    """What a server may mean with 400 that speaks TLS on that port, or asks for a certificate; a proxy with 407."""
    if status == _WANTS_PROXY_AUTHORIZATION and plan.route.proxy is not None:
        return _authorization_hint(plan.route)
    if status != _BAD_REQUEST:
        return " (--expect-status names others)" if plan.expect_status else ""
    if target.scheme == "http":
        return " (does this port speak TLS?)"
    return "" if plan.tls.cert else " (does it want a certificate? --cert FILE)"


def _authorization_hint(route: Route) -> str:
    """How to tell a proxy who we are, where it has not been told."""
    proxy = route.proxy
    if proxy is None:
        return ""
    if proxy.userinfo:
        return " (the proxy refuses the user and password of --proxy)"
    # Written out, a user and a password would be taken for secrets, and hidden.
    there = authority(proxy.host, proxy.port)
    return f" (give a user and a password, with a colon between: --proxy {proxy.kind.value}://***@{there})"


def _protocol_hint(route: Route) -> str:
    """What a proxy may be that says nothing at all."""
    socks = route.proxy is not None and route.proxy.kind is ProxyKind.SOCKS5
    return f" (does it speak {'SOCKS 5' if socks else 'HTTP'} on this port?)"


def _reason(total: Tally, fault: Fault) -> str:
    return total.examples[fault].message if fault in total.examples else fault.value
