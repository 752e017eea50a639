"""What is settled before the clock starts: addresses, and whether anything answers.

Names are resolved once, here. One request is fired by the engine itself, for methods that change nothing; for
the others a dial has to do. A status never stops a run; that nothing connects, or nothing answers, does.
"""

from __future__ import annotations

import socket

import msgspec

from cannon.engine import fire
from cannon.errors import Fault, InvalidRun
from cannon.plan import Plan, Target
from cannon.route import Address
from cannon.shard import split
from cannon.tally import Tally
from cannon.text import clean, redact_url

__all__ = ["Preflight", "preflight", "resolve", "resolved"]

_LOOK_EVERY_NS = 20_000_000
_BAD_REQUEST = 400
_SERVER_ERROR = 500


class Preflight(msgspec.Struct, frozen=True):
    """How many requests it sent, and what is worth saying about the answer."""

    sent: int = 0
    notes: tuple[str, ...] = ()


def resolve(target: Target) -> Target:
    """The target with every address its name has, in the system's order. InvalidRun when it has none."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidRun(f"the name {clean(target.host)!r} cannot be resolved: {clean(reason)}") from None
    addresses = tuple(dict.fromkeys(Address(str(entry[4][0]), target.port) for entry in found))
    return msgspec.structs.replace(target, addresses=addresses)


def resolved(plan: Plan) -> Plan:
    """The plan with the addresses of all its targets."""
    return msgspec.structs.replace(plan, targets=tuple(resolve(target) for target in plan.targets))


def preflight(plan: Plan, control: int | None = None) -> Preflight:
    """Fire one request of a resolved plan. InvalidRun, with the reason in one line, when nothing answers."""
    once = msgspec.structs.replace(plan.for_preflight(), sample_ns=_LOOK_EVERY_NS)
    url = clean(redact_url(plan.targets[0].url))
    total = Tally()
    for tally in fire(split(once, 1)[0], control):
        total += tally
        if total.connects_failed >= len(plan.targets[0].addresses):
            break
    if total.connects_failed and not total.made:
        reason = _reason(total, total.connect_errors)
        # One that has a hint of its own needs no other.
        hint = "" if reason.endswith(")") else _HINTS.get(min(total.connect_errors), "")
        raise InvalidRun(f"cannot connect to {url}: {reason}{hint}")
    if total.failed:
        raise InvalidRun(f"no response from {url}: {_reason(total, total.errors)}{_tls_hint(plan, total)}")
    notes = tuple(
        f"{url} answers with status {status}{_status_hint(plan, status)}"
        for status in total.status
        if status >= _SERVER_ERROR or (status == _BAD_REQUEST and status not in plan.expect_status)
    )
    return Preflight(total.sent, notes)


_HINTS = {
    Fault.REFUSED: " (is the server running, on this port?)",
    Fault.TIMEOUT: " (is a firewall between, or the address wrong?)",
}


def _tls_hint(plan: Plan, total: Tally) -> str:
    """What a server of TLS does to a request in plain text: it answers with an alert, or hangs up without a byte."""
    target, fault = plan.targets[0], min(total.errors)
    hung_up = fault in (Fault.EMPTY_REPLY, Fault.RESET) and not total.received_bytes
    if target.scheme != "http" or not (hung_up or "looks like TLS" in _reason(total, total.errors)):
        return ""
    return f" (does this port speak TLS? try https://{target.authority}/)"


def _status_hint(plan: Plan, status: int) -> str:
    """What a server may mean with 400 that speaks TLS on that port, or asks for a certificate."""
    if status != _BAD_REQUEST:
        return ""
    if plan.targets[0].scheme == "http":
        return " (does this port speak TLS?)"
    return "" if plan.tls.cert else " (does it want a certificate? --cert FILE)"


def _reason(total: Tally, faults: dict[Fault, int]) -> str:
    fault = min(faults)
    return total.examples[fault].message if fault in total.examples else fault.value
