"""What the tests of the probe share: a server that gives one answer and keeps what came, and ways to ask."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from typing import Any

import pytest

from cannon.equivalence import Probe
from cannon.errors import InvalidRun
from cannon.plan import Plan
from cannon.probe import probe
from cannon.target import Target

__all__ = ["HELLO", "Clerk", "answered", "asked", "fed", "plan_at", "refusal_of"]

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
"""The SHA-256 of "hello"."""


class Clerk:
    """Gives the same answer to every request, on a connection each, and keeps the bytes that came."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/a|b?x=%22'{{}}"
        self.came: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with closing(connection), suppress(OSError):
                connection.settimeout(5)
                self.came.append(_request(connection))
                connection.sendall(self._answer)
                # What follows a request is kept as well.
                while data := connection.recv(65536):
                    self.came[-1] += data

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


def _request(connection: socket.socket) -> bytes:
    request = b""
    while data := connection.recv(65536):
        request += data
        head, blank, body = request.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if blank and len(body) >= int(length or b"0"):
            break
    return request


def answered(status: str = "200 OK", *headers: str, body: bytes = b"hello") -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""))
    return head.encode("latin-1") + body


def plan_at(*urls: str, timeout_s: float = 5.0, **settings: Any) -> Plan:
    return Plan(
        targets=tuple(Target.parse(url) for url in urls), timeout_ns=round(timeout_s * 1e9), **settings
    )


def asked(url: str, **settings: Any) -> Probe:
    """The answer to the one request of a plan."""
    (answer,) = probe(plan_at(url, **settings))
    return answer


def refusal_of(plan: Plan) -> str:
    """The one line that a probe of this plan ends with."""
    with pytest.raises(InvalidRun) as refused:
        probe(plan)
    assert "\n" not in refused.value.message
    return refused.value.message


def fed(answer: bytes, **settings: Any) -> Probe:
    """What is made of these bytes."""
    with closing(Clerk(answer)) as clerk:
        return asked(clerk.url, **settings)
