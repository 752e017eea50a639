"""The sockets under a connection: plain ones, and ones that say what passes through them (--debug).

Those over TLS stand in secure.py. All are dialled, then shake hands (plain ones have nothing to shake), then carry
bytes: whoever is not verified never gets as far as `send`.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TextIO

import msgspec

from cannon.errors import Fault
from cannon.route import Address
from cannon.text import clean, redact_headers, redact_text

__all__ = [
    "RaggedEnd",
    "Secured",
    "Socket",
    "TlsError",
    "TracedSocket",
    "dial_fault",
    "open_socket",
    "traced",
]

_DIAL_FAULTS = {
    errno.ETIMEDOUT: Fault.TIMEOUT,
    **dict.fromkeys(
        (
            errno.EMFILE,
            errno.ENFILE,
            errno.EADDRNOTAVAIL,
            errno.ENOBUFS,
            errno.ENOMEM,
            errno.EACCES,
            errno.EPERM,
        ),
        Fault.LOCAL,
    ),
}
"""Whose fault an errno of a dial is; what is not here is the other side's refusal."""


def dial_fault(code: int) -> Fault:
    """Whose fault it is that a dial ended with this errno; a reset in the handshake is a refusal, too."""
    return _DIAL_FAULTS.get(code, Fault.REFUSED)


class TlsError(OSError):
    """The other side broke TLS, or would not have it; the text says how."""


class RaggedEnd(OSError):
    """The connection ended without the close_notify that makes an end of TLS certain (RFC 8446, 6.1)."""


class Secured(msgspec.Struct, frozen=True):
    """What a handshake agreed on: `agreed` is the protocol and the cipher."""

    agreed: str
    resumed: bool


class Socket(Protocol):
    """What a connection needs of a socket. Non-blocking: BlockingIOError where there is nothing to be had yet.

    handshake   once dialled, and again whenever ready for what it returned: 0 when bytes may be sent
    secured     what the handshake agreed on; None without TLS
    send        after a BlockingIOError it wants the same bytes again, and maybe more
    pending     another `recv` has something to tell, without the socket getting ready
    """

    @property
    def secured(self) -> Secured | None: ...
    @property
    def pending(self) -> bool: ...
    def fileno(self) -> int: ...
    def recv(self, bufsize: int, /) -> bytes: ...
    def send(self, data: bytes | memoryview, /) -> int: ...
    def connect_ex(self, address: tuple[str, int], /) -> int: ...
    def getsockopt(self, level: int, optname: int, /) -> int: ...
    def handshake(self) -> int: ...
    def close(self) -> None: ...


class PlainSocket(socket.socket):
    """The system's TCP socket."""

    secured: Secured | None = None
    pending = False

    def handshake(self) -> int:
        """There is none."""
        return 0


def open_socket(address: Address) -> Socket:
    """A non-blocking TCP socket of the address's family. OSError where the system has none to give."""
    opened = PlainSocket(socket.AF_INET6 if ":" in address.ip else socket.AF_INET, socket.SOCK_STREAM)
    opened.setblocking(False)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def traced(open_one: Callable[[Address], Socket]) -> Callable[[Address], Socket]:
    """The same sockets, telling standard error."""
    return lambda address: TracedSocket(open_one(address), sys.stderr)


_REQUEST_LINE = re.compile(rb"[^ \r\n]+ [^ \r\n]+ HTTP/1\.1\r\n")
_SHOWN_LINES = 40
_SHOWN_CHARACTERS = 400


class TracedSocket:
    """Prints `> ` for lines sent, `< ` for lines received, `* ` for what happens to the connection."""

    def __init__(self, traced: Socket, output: TextIO | None) -> None:
        self._traced = traced
        self._output = output
        self._address = ""

    def fileno(self) -> int:
        return self._traced.fileno()

    def connect_ex(self, address: tuple[str, int], /) -> int:
        self._address = f"{address[0]} port {address[1]}"
        self._say("* ", f"dialling {self._address}")
        code = self._traced.connect_ex(address)
        if code == 0:
            self._say("* ", "connected")
        return code

    def getsockopt(self, level: int, optname: int, /) -> int:
        code = self._traced.getsockopt(level, optname)
        self._say("* ", os.strerror(code) if code else "connected")
        return code

    @property
    def secured(self) -> Secured | None:
        return self._traced.secured

    @property
    def pending(self) -> bool:
        return self._traced.pending

    def handshake(self) -> int:
        try:
            waits_for = self._traced.handshake()
        except OSError as error:
            self._say("* ", f"TLS: {error.strerror}")
            raise
        if not waits_for and self.secured is not None:
            self._say("* ", f"{self.secured.agreed}{', resumed' if self.secured.resumed else ''}")
        return waits_for

    def send(self, data: bytes | memoryview, /) -> int:
        sent_bytes = self._traced.send(data)
        head, blank, body = bytes(data[:sent_bytes]).partition(b"\r\n\r\n")
        if _REQUEST_LINE.match(head):
            self._lines("> ", head + blank)
        else:
            body = head + blank + body
        if body:
            # What a user sends is the user's: it may be a password.
            self._say("> ", f"({len(body)} bytes of body)")
        return sent_bytes

    def recv(self, bufsize: int, /) -> bytes:
        try:
            data = self._traced.recv(bufsize)
        except BlockingIOError:
            raise
        except OSError as error:
            self._say("* ", error.strerror or str(error))
            raise
        if data:
            self._lines("< ", data)
        else:
            self._say("* ", "closed by the server")
        return data

    def close(self) -> None:
        self._traced.close()

    def _lines(self, mark: str, data: bytes) -> None:
        lines = data.removesuffix(b"\n").split(b"\n")
        for line in lines[:_SHOWN_LINES]:
            self._say(mark, _shown(line.rstrip(b"\r")))
        if len(lines) > _SHOWN_LINES:
            self._say(mark, f"... {len(lines) - _SHOWN_LINES} more lines")

    def _say(self, mark: str, text: str) -> None:
        if self._output is None:
            return
        # Whoever reads the trace may have gone; that is no fault of the connection's.
        with suppress(OSError):
            self._output.write(f"{mark}{text}\n")
            self._output.flush()


def _shown(line: bytes) -> str:
    """A line of a head or body, safe for a terminal, secrets redacted."""
    name, colon, value = line.decode("latin-1").partition(":")
    if colon:
        ((name, shown),) = redact_headers([(name, value.strip())])
        value = f" {shown}" if value[:1] == " " else shown
    return clean(redact_text(f"{name}{colon}{value}"), _SHOWN_CHARACTERS)
