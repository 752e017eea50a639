"""The sockets under a connection: the system's own, and ones that say what passes through them (--debug).

Those over TLS stand in secure.py. All are dialled, then shake hands (of plain ones only those that a tunnel has to be
opened for, see tunnel.py), then carry bytes: whoever is not verified never gets as far as `send`. What the way to the
server needs is done before that, so a plain socket receives and sends by the system's own methods, whatever the way.
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
from cannon.route import Address, Peer
from cannon.text import clean, redact_headers, redact_text

__all__ = [
    "Passage",
    "PlainSocket",
    "ProxyError",
    "RaggedEnd",
    "Secured",
    "Socket",
    "TlsError",
    "Trace",
    "TracedSocket",
    "bind_locally",
    "dial_fault",
    "open_socket",
    "standard_trace",
    "traced",
]

_DIAL_FAULTS = {
    errno.ETIMEDOUT: Fault.TIMEOUT,
    **dict.fromkeys(
        (
            errno.EMFILE,
            errno.ENFILE,
            errno.EADDRNOTAVAIL,
            errno.EAFNOSUPPORT,
            errno.ENOBUFS,
            errno.ENOMEM,
            errno.EACCES,
            errno.EPERM,
        ),
        Fault.LOCAL,
    ),
}
"""Whose fault an errno of a dial is; what is not here is the other side's refusal."""


_SERVER = Address()


def dial_fault(code: int, address: Address = _SERVER) -> Fault:
    """Whose fault it is that a dial of this address ended with this errno; a reset is a refusal, too."""
    return _DIAL_FAULTS.get(code, Fault.PROXY if address.peer is Peer.PROXY else Fault.REFUSED)


class TlsError(OSError):
    """The other side broke TLS, or would not have it; the text says how."""


class ProxyError(OSError):
    """The proxy would not let us through, or broke the protocol it should speak; the text says how."""


class RaggedEnd(OSError):
    """The connection ended without the close_notify that makes an end of TLS certain (RFC 8446, 6.1)."""


class Secured(msgspec.Struct, frozen=True):
    """What a handshake agreed on: `agreed` is the protocol and the cipher; `began_ns`: when it began, on the monotonic
    clock. Until then the way to the server was being made.
    """

    agreed: str
    resumed: bool
    began_ns: int = 0


class Socket(Protocol):
    """What a connection needs of a socket. Non-blocking: BlockingIOError where there is nothing to be had yet.

    handshake   once dialled, and again whenever ready for what it returned: 0 when bytes may be sent
    secured     what the handshake agreed on; None without TLS
    tunnelling  the handshake is still the proxy's: nothing has gone to the server, or come from it
    send        after a BlockingIOError it wants the same bytes again, and maybe more
    pending     another `recv` has something to tell, without the socket getting ready
    """

    @property
    def secured(self) -> Secured | None: ...
    @property
    def pending(self) -> bool: ...
    @property
    def tunnelling(self) -> bool: ...
    def fileno(self) -> int: ...
    def recv(self, bufsize: int, /) -> bytes: ...
    def send(self, data: bytes | memoryview, /) -> int: ...
    def connect_ex(self, address: tuple[str, int] | str, /) -> int: ...
    def getsockopt(self, level: int, optname: int, /) -> int: ...
    def handshake(self) -> int: ...
    def close(self) -> None: ...


class Passage(Protocol):
    """What is to be passed before bytes reach the server: the talk with a proxy."""

    def advance(self, wire: PlainSocket, /) -> int:
        """Go on with it: 0 when passed, else what the socket must be ready for. ProxyError where there is no way."""
        ...


class PlainSocket(socket.socket):
    """The system's own: TCP, or a unix socket. `passage`: what is to be passed once it is dialled."""

    secured: Secured | None = None
    pending = False
    passage: Passage | None = None

    @property
    def tunnelling(self) -> bool:
        return self.passage is not None

    def handshake(self) -> int:
        """The proxy's, where there is a tunnel to open."""
        if self.passage is None:
            return 0
        waits_for = self.passage.advance(self)
        if not waits_for:
            self.passage = None
        return waits_for


def open_socket(address: Address) -> PlainSocket:
    """A non-blocking socket of the address's family. OSError where the system has none to give."""
    if address.path:
        opened = PlainSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.setblocking(False)
        return opened
    opened = PlainSocket(socket.AF_INET6 if ":" in address.ip else socket.AF_INET, socket.SOCK_STREAM)
    opened.setblocking(False)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


_IP_BIND_ADDRESS_NO_PORT = 24
"""Of Linux's in.h; Python 3.11 does not name it."""


def bind_locally(opened: PlainSocket, ip: str) -> None:
    """Have a socket dial from this address. OSError where it cannot.

    Its port is chosen when it is dialled (ip(7)), so one port serves for many servers. Elsewhere than on Linux `bind`
    chooses it.
    """
    if sys.platform == "linux":
        opened.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    opened.bind((ip, 0))


def traced(open_one: Callable[[Address], Socket]) -> Callable[[Address], Socket]:
    """The same sockets, telling standard error."""
    return lambda address: TracedSocket(open_one(address), sys.stderr)


_REQUEST_LINE = re.compile(rb"[^ \r\n]+ [^ \r\n]+ HTTP/1\.1\r\n")
_SHOWN_LINES = 40
_SHOWN_CHARACTERS = 400


class Trace:
    """Prints `> ` for lines sent, `< ` for lines received, `* ` for what happens to the connection.

    Safe for a terminal, secrets redacted. Without an output it prints nothing.
    """

    def __init__(self, output: TextIO | None) -> None:
        self._output = output

    def say(self, mark: str, text: str) -> None:
        if self._output is None:
            return
        # Whoever reads the trace may have gone; that is no fault of the connection's.
        with suppress(OSError):
            self._output.write(f"{mark}{text}\n")
            self._output.flush()

    def lines(self, mark: str, data: bytes) -> None:
        """The lines of a head or a body, cut where they are too many."""
        lines = data.removesuffix(b"\n").split(b"\n")
        for line in lines[:_SHOWN_LINES]:
            self.say(mark, _shown(line.rstrip(b"\r")))
        if len(lines) > _SHOWN_LINES:
            self.say(mark, f"... {len(lines) - _SHOWN_LINES} more lines")


def standard_trace() -> Trace:
    """What tells standard error."""
    return Trace(sys.stderr)


class TracedSocket:
    """A Socket (see there) that tells a Trace."""

    def __init__(self, traced: Socket, output: TextIO | None) -> None:
        self._traced = traced
        self._trace = Trace(output)
        self._say = self._trace.say
        self._lines = self._trace.lines

    def fileno(self) -> int:
        return self._traced.fileno()

    def connect_ex(self, address: tuple[str, int] | str, /) -> int:
        named = clean(address) if isinstance(address, str) else f"{address[0]} port {address[1]}"
        self._say("* ", f"dialling {named}")
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

    @property
    def tunnelling(self) -> bool:
        return self._traced.tunnelling

    def handshake(self) -> int:
        try:
            waits_for = self._traced.handshake()
        except ProxyError as error:
            self._say("* ", str(error.strerror))
            raise
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


def _shown(line: bytes) -> str:
    """A line of a head or body, safe for a terminal, secrets redacted."""
    name, colon, value = line.decode("latin-1").partition(":")
    if colon:
        ((name, shown),) = redact_headers([(name, value.strip())])
        value = f" {shown}" if value[:1] == " " else shown
    return clean(redact_text(f"{name}{colon}{value}"), _SHOWN_CHARACTERS)
