"""A wire of the rude server over TLS, and all that can go wrong with one before, while and after it is secured.

OpenSSL works in memory here and the socket is read and written beside it, so that what is on the wire is ours to
decide: how long a record is, half a handshake, a record that is broken, an end without a word. The law: a handshake
that came to an end is noted in exactly one of `made` and `failed`, and every byte of a request in
`application_bytes`; what came in the clear has failed as a handshake.
"""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.servers.wires import LINGER_RESET, Wire

__all__ = ["Greeting", "Handshakes", "Terms", "TlsWire"]

_COMMON_NAME = NameOID.COMMON_NAME
_READ_BYTES = 1 << 18
_RECORD_LIMIT_BYTES = 1 << 14
_BROKEN_RECORD = b"\x17\x03\x03\x00\x20" + b"\xaa" * 32
_HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
_GARBAGE = b"\x00\xff garbage instead of a handshake \xfe\r\n" * 4
_PLAIN = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain"


class Greeting(Enum):
    """What a client gets in answer to its ClientHello."""

    GOOD = "a handshake"
    FIN = "the end"
    RESET = "a RST"
    HALF = "the first half of the server's flight, then the end"
    STALL = "the first half of it, and nothing more"
    GARBAGE = "bytes that are no TLS"
    PLAIN = "an HTTP response in the clear"
    ALERT = "a fatal alert: handshake_failure"
    SILENCE = "nothing, ever"


@dataclass(frozen=True)
class Terms:
    """How a connection is secured. `client_ca`: whose certificate a client must show; `record_bytes`: of a record,
    at most; `oldest` and `newest`: versions of TLS, down to those that are no longer spoken.
    """

    certificate: str
    greeting: Greeting = Greeting.GOOD
    client_ca: str | None = None
    record_bytes: int = _RECORD_LIMIT_BYTES
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3

    def context(self) -> ssl.SSLContext:
        """What OpenSSL is to hold to; one for all connections that shall know each other's sessions."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with warnings.catch_warnings():
            # That the old versions are deprecated is why they are tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = self.oldest
            context.maximum_version = self.newest
        if self.oldest < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.certificate)
        context.sslobject_class = _Secured
        context.sni_callback = _remember_name
        if self.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.client_ca)
        return context


class Handshakes:
    """What was seen of TLS, by all wires that share it. `changed` guards it, and is told of every change.

    `failed` is by the alert that came, else by OpenSSL's reason, CLOSED, RESET or the name of the Greeting; `names` by
    the name that was asked for ("" for none), `clients` by the common name that was shown, `versions` as `TLSv1.3`.
    `application_bytes` came decrypted.
    """

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self.made = self.resumed = self.application_bytes = 0
        self.failed: Counter[str] = Counter()
        self.names: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.clients: Counter[str] = Counter()

    def note_made(self, secured: ssl.SSLObject) -> None:
        """A handshake came to its end."""
        with self._changed:
            self.made += 1
            self.resumed += bool(secured.session_reused)
            self.names[secured.asked_for if isinstance(secured, _Secured) else ""] += 1
            self.versions[secured.version() or ""] += 1
            self.clients[_common_name(secured)] += 1
            self._changed.notify_all()

    def note_failed(self, reason: str) -> None:
        """A handshake did not."""
        with self._changed:
            self.failed[reason] += 1
            self._changed.notify_all()

    def note_received(self, count_bytes: int) -> None:
        """Bytes of requests."""
        with self._changed:
            self.application_bytes += count_bytes
            self._changed.notify_all()


class TlsWire(Wire):
    """A wire that is secured on these Terms once the first bytes have come."""

    def __init__(
        self, sock: socket.socket, terms: Terms, context: ssl.SSLContext, handshakes: Handshakes
    ) -> None:
        super().__init__(sock)
        self._terms = terms
        self._handshakes = handshakes
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._unsent = b""
        self._taken_bytes = 0
        self._noted = False
        self._over = False

    def recv(self, limit_bytes: int) -> bytes:
        """The bytes of requests, as many as have come; the handshake is done on the way."""
        try:
            data = self._sock.recv(_READ_BYTES)
        except ConnectionResetError:
            self._failed("RESET")
            raise
        if not data:
            self._failed("CLOSED")
            return b""
        if self._over:
            raise BlockingIOError
        self._incoming.write(data)
        if not self._noted and not self._shake_hands():
            return b""
        return self._read()

    def send(self, data: bytes | memoryview) -> int:
        """Write one record, or the rest of the one that was begun."""
        if not self._taken_bytes:
            self._taken_bytes = self._tls.write(data[: self._terms.record_bytes])
        self._flush()
        taken_bytes, self._taken_bytes = self._taken_bytes, 0
        return taken_bytes

    def notify(self) -> None:
        """close_notify, then FIN."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()  # it would like to wait for the other side's
        self._last(self._outgoing.read())

    def alert(self) -> None:
        """The alert that OpenSSL sends over a record it cannot decrypt, then FIN."""
        self._incoming.write(_BROKEN_RECORD)
        with suppress(ssl.SSLError):
            self._tls.read()
        self._over = True
        self._last(self._outgoing.read())

    def spoil(self) -> None:
        """A record that the client cannot decrypt, and nothing more."""
        with suppress(OSError):
            self._sock.send(_BROKEN_RECORD)

    def _read(self) -> bytes:
        parts: list[bytes] = []
        try:
            while part := self._tls.read(_READ_BYTES):
                parts.append(part)
            ended = True
        except ssl.SSLWantReadError:
            ended = False
        except ssl.SSLError:
            # An alert may follow upon a request, which was one all the same.
            ended = True
        with suppress(OSError):
            self._flush()
        if parts:
            data = b"".join(parts)
            self._handshakes.note_received(len(data))
            return data
        if not ended:
            raise BlockingIOError
        return b""

    def _shake_hands(self) -> bool:
        """Go on with the handshake. Whether the connection goes on, too; BlockingIOError when it is not yet made."""
        if self._terms.greeting is not Greeting.GOOD:
            self._failed(self._terms.greeting.name)
            self._over = True
            _GREETINGS[self._terms.greeting](self)
            if self._terms.greeting is Greeting.RESET:
                return False
            raise BlockingIOError
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            raise BlockingIOError from None
        except ssl.SSLError as error:
            self._failed(error.reason.rpartition("ALERT_")[2])
            # Until the client leaves: closing with something unread would be a RST, and take the alert with it.
            self._over = True
            self._last(self._outgoing.read())
            raise BlockingIOError from None
        self._flush()
        self._noted = True
        self._handshakes.note_made(self._tls)
        return True

    def _failed(self, reason: str) -> None:
        """Note that there will be no handshake; once, and not where there has been one."""
        if not self._noted:
            self._noted = True
            self._handshakes.note_failed(reason)

    def _flush(self) -> None:
        """Hand all that OpenSSL wrote to the kernel; BlockingIOError when some must wait."""
        self._unsent += self._outgoing.read()
        while self._unsent:
            self._unsent = self._unsent[self._sock.send(self._unsent) :]

    def _last(self, data: bytes) -> None:
        with suppress(OSError):
            self._sock.send(data)
        self.fin()

    def _linger(self) -> None:
        """Make the close that follows a RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)

    def _stall(self) -> None:
        with suppress(ssl.SSLError):
            self._tls.do_handshake()
        flight = self._outgoing.read()
        with suppress(OSError):
            self._sock.send(flight[: len(flight) // 2])

    def _half(self) -> None:
        self._stall()
        self.fin()


_GREETINGS: dict[Greeting, Callable[[TlsWire], None]] = {
    Greeting.FIN: TlsWire.fin,
    Greeting.RESET: TlsWire._linger,
    Greeting.HALF: TlsWire._half,
    Greeting.STALL: TlsWire._stall,
    Greeting.GARBAGE: lambda wire: wire._last(_GARBAGE),
    Greeting.PLAIN: lambda wire: wire._last(_PLAIN),
    Greeting.ALERT: lambda wire: wire._last(_HANDSHAKE_FAILURE),
    Greeting.SILENCE: lambda _: None,
}


class _Secured(ssl.SSLObject):
    """Remembers which name a client asked for."""

    asked_for = ""


def _remember_name(secured: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
    assert isinstance(secured, _Secured)
    secured.asked_for = name or ""


def _common_name(secured: ssl.SSLObject) -> str:
    """Of the client's certificate; "" without one."""
    shown = secured.getpeercert(binary_form=True)
    names = (
        x509.load_der_x509_certificate(shown).subject.get_attributes_for_oid(_COMMON_NAME) if shown else ()
    )
    return "".join(str(name.value) for name in names)
