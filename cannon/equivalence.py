"""Do the sides answer the same? Asked before any number is told.

Law: pure; probe.py asks, the rounds tell the rest. What varies within one side is not compared. What is under test is
exempt, and what the user allows; everything else that differs makes a comparison invalid.
"""

from __future__ import annotations

import msgspec

from cannon.rounds import Allowed

__all__ = ["Difference", "Equivalence", "Probe"]


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a side to the request that is fired, as httpx got it.

    `protocol`: "HTTP/1.1". `tls`, `cipher`: None without TLS. `encoding`: of Content-Encoding, "" without.
    `wire_bytes`: of the body as it came, `body_bytes` and `digest` (SHA-256, hex) of it decoded. `undecodable`: why it
    could not be decoded, "" if it could.
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


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What two sides differ in: `what` in words for the user; `kind` is what --allow would have to name."""

    kind: Allowed
    side: str
    what: str


class Equivalence(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the sides answer the same. `differences`: those that count against it; `allowed`: those that do not,
    since they are under test or were allowed; `varies`: what was not compared, since it varies within a side.
    """

    same: bool
    differences: list[str]
    allowed: list[str]
    varies: list[str]
