"""The conformance corpus: what a server may send, and the verdict of RFC 9110 and RFC 9112 on it.

Law: verdicts come from the RFCs, never from what a parser does. Each case answers one request; after its
bytes the peer closes. The cases stand in data/responses.jsonl, one a line, their bytes as latin-1 text; a
pair [text, count] inside a list stands for the text repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from cannon.errors import Fault

__all__ = ["READ_BYTES", "Case", "cut_at_line_ends", "deliveries", "load"]

READ_BYTES = 16_384
"""The longest piece of a delivery: what one read brings."""

_BYTEWISE_LIMIT_BYTES = 16_384
_PATH = Path(__file__).parent / "data" / "responses.jsonl"


class Case(NamedTuple):
    """One answer and its verdict.

    Without a `kind` it is a response: `status`, `body_bytes`, whether the connection may be used again
    (`keep_alive`, None where either is right), and the `excess_bytes` that follow it. With one it is an error
    of that kind: malformed, truncated, head_too_large, or empty_reply, which the connection tells from stale.
    `rfc` is the section that says so.
    """

    id: str
    category: str
    method: str
    data: bytes
    rfc: str
    kind: Fault | None
    status: int
    body_bytes: int
    keep_alive: bool | None
    excess_bytes: int

    @property
    def reusable(self) -> bool:
        """Whether another response may follow on the same connection."""
        return self.kind is None and self.keep_alive is True


def load() -> list[Case]:
    """Every case, in the order of the file."""
    with _PATH.open(encoding="utf-8") as lines:
        return [_case(json.loads(line)) for line in lines]


def _case(row: dict[str, Any]) -> Case:
    return Case(
        id=row["id"],
        category=row["category"],
        method=row["method"],
        data=_bytes(row["data"]),
        rfc=row["rfc"],
        kind=Fault(row["kind"]) if row["verdict"] == "error" else None,
        status=row.get("status", 0),
        body_bytes=row.get("body", 0),
        keep_alive=row.get("keep_alive"),
        excess_bytes=row.get("excess", 0),
    )


def _bytes(text: str | list[Any]) -> bytes:
    if isinstance(text, str):
        return text.encode("latin-1")
    return b"".join(_bytes(part) if isinstance(part, str) else _bytes(part[0]) * part[1] for part in text)


def deliveries(data: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """The ways in which the bytes may arrive, by name: whole, byte by byte if few, cut at line ends."""
    yield "whole", _reads([data])
    if len(data) <= _BYTEWISE_LIMIT_BYTES:
        yield "byte by byte", [data[at : at + 1] for at in range(len(data))]
    else:
        yield "in pieces of 997 bytes", [data[at : at + 997] for at in range(0, len(data), 997)]
    for place, shift in (("before CR", 0), ("between CR and LF", 1), ("after LF", 2)):
        yield f"cut {place}", _reads(cut_at_line_ends(data, shift))
    head_bytes = data.find(b"\r\n\r\n") + 4
    yield "head and rest", _reads([data[:head_bytes], data[head_bytes:]])


def cut_at_line_ends(data: bytes, shift: int) -> list[bytes]:
    """The bytes cut at each CRLF: before it (shift 0), inside it (1) or after it (2)."""
    cuts = [0]
    at = data.find(b"\r\n")
    while at >= 0:
        cuts.append(at + shift)
        at = data.find(b"\r\n", at + 2)
    cuts.append(len(data))
    return [data[start:stop] for start, stop in pairwise(cuts)]


def _reads(pieces: list[bytes]) -> list[bytes]:
    """The pieces, none empty and none longer than one read."""
    return [piece[at : at + READ_BYTES] for piece in pieces for at in range(0, len(piece), READ_BYTES)]
