"""An answer of a side, and by what it is compared with that of another: a table.

Law: a facet has the words for a user; whether what differs counts is for equivalence.py to say.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cannon.rounds import Allowed

__all__ = ["CIPHER", "FACETS", "Facet", "Probe"]


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a side to the request that is fired, as httpx got it.

    `protocol`: "HTTP/1.1". `tls`, `cipher`: None without TLS. `encoding`: of Content-Encoding, "" without.
    `wire_bytes`: of the body as it came, `body_bytes` and `digest` (SHA-256, hex) of it decoded. `undecodable`: why it
    could not be decoded, "" if it could; bytes and digest are of the body as it came, then. `step`: the name of the
    step that was asked for, "" where there is only one.
    """

    status: int
    protocol: str
    tls: str | None
    cipher: str | None
    encoding: str
    wire_bytes: int
    body_bytes: int
    digest: str
    undecodable: str = ""
    step: str = ""


class Facet(msgspec.Struct, frozen=True):
    """One thing that answers are compared by. `words`: how `side` and `base` differ in it, by their answers."""

    noun: str
    kind: Allowed
    value: Callable[[Probe], object]
    words: Callable[[str, Probe, str, Probe], str]


def _body_words(side: str, one: Probe, base: str, other: Probe) -> str:
    for name, answer in ((side, one), (base, other)):
        if answer.undecodable:
            return f"the body of {name} cannot be compared: {answer.undecodable}"
    return (
        f"the bodies of {side} and {base} differ ({one.body_bytes:,} bytes, SHA-256 {one.digest[:8]}..., against"
        f" {other.body_bytes:,}, {other.digest[:8]}...)"
    )


def _coding(answer: Probe) -> str:
    return answer.encoding or "no Content-Encoding"


FACETS = (
    Facet(
        "status",
        Allowed.STATUS,
        lambda answer: answer.status,
        lambda side, one, base, other: f"{side} answers {one.status}, {base} {other.status}",
    ),
    Facet(
        "protocol",
        Allowed.TLS,
        lambda answer: answer.protocol,
        lambda side, one, base, other: f"{side} speaks {one.protocol}, {base} {other.protocol}",
    ),
    Facet(
        "version of TLS",
        Allowed.TLS,
        lambda answer: answer.tls,
        lambda side, one, base, other: f"{side} has {one.tls or 'no TLS'}, {base} {other.tls or 'none'}",
    ),
    Facet(
        "cipher",
        Allowed.TLS,
        lambda answer: answer.cipher,
        lambda side, one, base, other: f"{side} has the cipher {one.cipher}, {base} {other.cipher}",
    ),
    Facet(
        "Content-Encoding",
        Allowed.ENCODING,
        lambda answer: answer.encoding,
        lambda side, one, base, other: f"{side} sends {_coding(one)}, {base} {_coding(other)}",
    ),
    Facet(
        "body",
        Allowed.BODY,
        # What could not be decoded is known by its coding as well.
        lambda answer: (answer.digest, answer.encoding if answer.undecodable else ""),
        _body_words,
    ),
)

CIPHER = FACETS[3]
