"""nginx's numbers: the page of `stub_status`, asked for over HTTP.

Law: a number is known by the name beside or above it. nginx counts whoever asks: one connection and one request of each
reading are in it. There is one row, of all of nginx; it tells no upstreams and no times.

Source: the documentation of ngx_http_stub_status_module.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from cannon.counters.row import Counters, Figure, Nature
from cannon.counters.wire import TooLong, Wire, reason
from cannon.errors import InvalidRun, UsageError
from cannon.target import Target
from cannon.text import clean, redact_url

__all__ = ["FIGURES", "KIND", "parsed", "read"]

KIND = "nginx"

FIGURES: Sequence[Figure] = (
    Figure("active", "connections open now", Nature.LEVEL),
    Figure("accepts", "connections accepted", Nature.COUNT),
    Figure("handled", "connections handled", Nature.COUNT),
    Figure("requests", "requests, those for these numbers among them", Nature.COUNT),
    Figure("reading", "connections whose request is being read now", Nature.LEVEL),
    Figure("writing", "connections whose request is being answered now", Nature.LEVEL),
    Figure("waiting", "connections kept without a request now", Nature.LEVEL),
)

_PAGE_BYTES = 4096
_ANSWER_BYTES = 64 * 1024
"""The page with its headers."""
_NUMBER = re.compile(r"[0-9]{1,20}")
_OK = 200


def read(at: str, limit_s: float) -> list[Counters]:
    """The row that the page of this URL tells. InvalidRun, with why, where it tells none.

    The limit begins when the host's name is known, which the system looks up in its own time.
    """
    shown = f"the counters of nginx at '{clean(redact_url(at))}' cannot be read"
    try:
        target = Target.parse(at)
        if target.scheme != "http" or target.userinfo:
            raise UsageError(
                "the page is asked for by http and without a password; e.g. http://127.0.0.1:8080/status"
            )
        return parsed(_page(target, limit_s))
    except UsageError as error:
        raise InvalidRun(f"{shown}: {error.message}") from None
    except OSError as error:
        raise InvalidRun(f"{shown}: {reason(error, limit_s)}") from None
    except HTTPException as error:
        raise InvalidRun(f"{shown}: it speaks no HTTP: {clean(repr(error))}") from None
    except ValueError as error:
        raise InvalidRun(f"{shown}: {clean(str(error))}") from None


def parsed(page: bytes) -> list[Counters]:
    """The row of a page. ValueError, in words, for what is no such page."""
    text = page.decode("utf-8", "backslashreplace")
    told = _told([line.split() for line in text.strip().split("\n")])
    figures = {}
    for figure in FIGURES:
        number = told.get(figure.name)
        if number is None:
            raise ValueError(f"it is no page of stub_status: it says '{clean(text.strip(), 60)}'")
        if not _NUMBER.fullmatch(number):
            raise ValueError(f"it says '{clean(number, 40)}' of '{figure.name}', which is no number")
        figures[figure.name] = float(number)
    if not text[-1].isspace():
        raise ValueError("its answer is cut off")
    return [Counters(KIND, KIND, figures)]


def _told(lines: Sequence[Sequence[str]]) -> dict[str, str]:
    """What stands beside and below the names of a page."""
    told: dict[str, str] = {}
    for number, words in enumerate(lines):
        match words:
            case ["Active", "connections:", active]:
                told["active"] = active
            case ["server", *names] if number + 1 < len(lines) and len(lines[number + 1]) == len(names):
                told |= dict(zip(names, lines[number + 1], strict=True))
            case ["Reading:", reading, "Writing:", writing, "Waiting:", waiting]:
                told |= {"reading": reading, "writing": writing, "waiting": waiting}
    return told


class _Connection(HTTPConnection):
    """A connection over a wire. OSError where no address of the host can be dialled."""

    def __init__(self, target: Target, limit_s: float) -> None:
        super().__init__(target.host, target.port)
        self._limit_s = limit_s

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        deadline_s = time.monotonic() + self._limit_s
        failure: OSError = OSError("it has no address")
        for family, _, _, _, address in found:
            wire = Wire(family, deadline_s, _ANSWER_BYTES)
            try:
                wire.connect(address)
            except OSError as error:
                wire.close()
                failure = error
            else:
                self.sock = wire
                return
        raise failure


def _page(target: Target, limit_s: float) -> bytes:
    connection = _Connection(target, limit_s)
    try:
        connection.request("GET", target.path, headers={"Connection": "close"})
        with connection.getresponse() as response:
            if response.status != _OK:
                raise ValueError(
                    f"it answers with status {response.status}; in nginx: location = /status {{ stub_status; }}"
                )
            page = response.read(_PAGE_BYTES + 1)
    finally:
        connection.close()
    if len(page) > _PAGE_BYTES:
        raise TooLong("its answer is longer than any page of stub_status")
    return page
