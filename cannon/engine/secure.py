"""TLS on a non-blocking socket: OpenSSL between two buffers, the system calls ours.

Law: one system call to receive and one to send, whatever the records. OpenSSL reading from the socket itself would
take two for each record (its head, its body); from a buffer it takes none, and what is left over there is known. An
end without close_notify is told from one with (RaggedEnd). Traps: in TLS 1.3 the session has no ticket before the
first bytes have been read, so it is taken when the connection closes; Python's sockets hide ragged ends by default.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from time import monotonic_ns

from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import RaggedEnd, Secured, Socket, TlsError, open_socket
from cannon.route import Address
from cannon.text import clean
from cannon.tls import Sessions, Tls

__all__ = ["SecureSocket", "Security", "reason", "refusal"]

_RECORD_BYTES = 16_384
"""The most that one record carries (RFC 8446, 5.1)."""

_OVERHEAD_BYTES = 64
"""Room for the head and the tag of a record, or two."""

_REFUSALS_TAKEN = 4
"""A server that refused so many sessions in a row resumes none."""


class Security:
    """The TLS of one connection over all its sockets: opens them, and hands the session of one on to the next."""

    def __init__(
        self,
        context: ssl.SSLContext,
        tls: Tls,
        host: str,
        open_plain: Callable[[Address], Socket] = open_socket,
    ) -> None:
        self._context = context
        self._open_plain = open_plain
        # A name that ends in a dot is the same name, but in SNI and in certificates there is none (RFC 6066, 3).
        self._name = tls.server_name or host.removesuffix(".")
        self._resumes = tls.sessions is Sessions.RESUME
        self._session: ssl.SSLSession | None = None
        self._refusals = 0

    def open_socket(self, address: Address) -> Socket:
        """A socket to be dialled. OSError where the system has none to give."""
        return SecureSocket(self._open_plain(address), self)

    def wrap(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> ssl.SSLObject:
        """OpenSSL's side of a new connection."""
        return self._context.wrap_bio(incoming, outgoing, server_hostname=self._name, session=self._session)

    def keep(self, closing: ssl.SSLObject) -> None:
        """Take from a connection that closes what the next one may resume.

        A session that serves is kept, and one is not asked for for ever: each look at it leaves seven kilobytes
        behind (CPython's issue 116810).
        """
        if not self._resumes:
            return
        if closing.session_reused:
            self._refusals = 0
            return
        self._refusals += self._session is not None
        self._session = closing.session if self._refusals < _REFUSALS_TAKEN else None


class SecureSocket:
    """A Socket (see there) that carries TLS."""

    __slots__ = (
        "_accepted_bytes",
        "_began_ns",
        "_broken",
        "_decrypt",
        "_encrypt",
        "_give",
        "_incoming",
        "_outgoing",
        "_over",
        "_plain",
        "_receive",
        "_security",
        "_send",
        "_take",
        "_tls",
        "_unsent",
        "pending",
        "secured",
    )

    def __init__(self, plain: Socket, security: Security) -> None:
        self._plain = plain
        self._security = security
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = security.wrap(self._incoming, self._outgoing)
        # The way of the bytes, looked up once.
        self._receive = plain.recv
        self._give = self._incoming.write
        self._decrypt = self._tls.read
        self._encrypt = self._tls.write
        self._take = self._outgoing.read
        self._send = plain.send
        self._accepted_bytes = 0
        self._unsent = b""
        self._broken: OSError | None = None
        self._over = False
        self._began_ns = 0
        self.pending = False
        self.secured: Secured | None = None

    def fileno(self) -> int:
        return self._plain.fileno()

    @property
    def tunnelling(self) -> bool:
        return self._plain.tunnelling

    def connect_ex(self, address: tuple[str, int] | str, /) -> int:
        return self._plain.connect_ex(address)

    def getsockopt(self, level: int, optname: int, /) -> int:
        return self._plain.getsockopt(level, optname)

    def handshake(self) -> int:
        """Go on with it: 0 when done, else what the socket must be ready for. TlsError when it has failed.

        A tunnel, if there is one, is opened first: ProxyError when that has failed.
        """
        if not self._began_ns:
            waits_for = self._plain.handshake()
            if waits_for:
                return waits_for
            self._began_ns = monotonic_ns()
        waits_for = self._shake_hands()
        if waits_for:
            return waits_for
        # What came right behind the last flight waits for no readiness.
        self.pending = self._incoming.pending > 0
        cipher = self._tls.cipher()
        self.secured = Secured(
            f"{self._tls.version()} {cipher[0] if cipher else 'no cipher'}",
            bool(self._tls.session_reused),
            self._began_ns,
        )
        return 0

    def _shake_hands(self) -> int:
        while True:
            if not self._flush():
                return WRITE
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                if not self._flush():
                    return WRITE
                try:
                    data = self._receive(_RECORD_BYTES)
                except BlockingIOError:
                    return READ
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError as error:
                # The alert that tells the other side why.
                with suppress(OSError):
                    self._flush()
                raise TlsError(error.errno, refusal(error)) from None
            else:
                return 0 if self._flush() else WRITE

    def recv(self, bufsize: int, /) -> bytes:
        if self.pending:
            self.pending = False
            if self._broken is not None:
                raise self._broken
        else:
            data = self._receive(bufsize + _OVERHEAD_BYTES)
            if not data:
                # A clean end would have been read before. OpenSSL is not asked: Python has it take one for the other.
                raise RaggedEnd(0, "closed without close_notify")
            self._give(data)
        # What comes out is less than what went in, unless a record came in pieces.
        room_bytes = min(bufsize, _RECORD_BYTES)
        try:
            first = self._decrypt(room_bytes)
        except ssl.SSLWantReadError as error:
            # Rarely OpenSSL has something to say instead: to a renegotiation, or for new keys.
            self._flush()
            raise _told(error) from None
        except OSError as error:
            raise _told(error) from None
        if first and (self._incoming.pending or len(first) == room_bytes):
            return self._rest(first, bufsize)
        return first

    def _rest(self, first: bytes, bufsize: int) -> bytes:
        """The records behind the first, as far as they are whole and there is room."""
        pieces = [first]
        room_bytes = bufsize - len(first)
        while self._incoming.pending or self._tls.pending():
            if room_bytes <= 0:
                self.pending = True
                break
            try:
                piece = self._decrypt(min(room_bytes, _RECORD_BYTES))
            except ssl.SSLWantReadError:
                break
            except OSError as error:
                self._broken = _told(error)
                self.pending = self._over = True
                break
            if not piece:
                # The end is told by the next call.
                self.pending = self._over = True
                break
            pieces.append(piece)
            room_bytes -= len(piece)
        return b"".join(pieces)

    def send(self, data: bytes | memoryview, /) -> int:
        if self._over:
            raise ConnectionAbortedError(0, "closed behind a response")
        # What was taken before waits to go, or has gone while something was received: it is not taken twice.
        if not self._accepted_bytes:
            if len(data) > _RECORD_BYTES:
                data = data[:_RECORD_BYTES]
            try:
                self._accepted_bytes = self._encrypt(data)
            except OSError as error:
                self._flush()
                raise _told(error) from None
            self._unsent += self._take()
        if self._unsent:
            sent_bytes = self._send(self._unsent)
            if sent_bytes != len(self._unsent):
                self._unsent = self._unsent[sent_bytes:]
                raise BlockingIOError
            self._unsent = b""
        accepted_bytes, self._accepted_bytes = self._accepted_bytes, 0
        return accepted_bytes

    def close(self) -> None:
        if self.secured is not None:
            self._security.keep(self._tls)
            # Only said, never waited for: the other side may have gone.
            with suppress(OSError):
                self._tls.unwrap()
            with suppress(OSError):
                self._flush()
        self._plain.close()

    def _flush(self) -> bool:
        """Send what OpenSSL has to say; whether all of it went."""
        self._unsent += self._outgoing.read()
        if not self._unsent:
            return True
        try:
            sent_bytes = self._plain.send(self._unsent)
        except BlockingIOError:
            return False
        self._unsent = self._unsent[sent_bytes:]
        return not self._unsent


def _told(error: OSError) -> OSError:
    """An error of OpenSSL in the words of Socket."""
    if isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):
        return BlockingIOError(error.errno, "nothing yet")
    if isinstance(error, ssl.SSLError):
        return TlsError(error.errno, f"TLS: {reason(error)}")
    return error


_EXPIRED, _NOT_YET_VALID, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 62, 64
"""X509_V_ERR_* of OpenSSL's x509_vfy.h; every other of its errors is one of trust."""

_ALERTS = {
    "CERTIFICATE_REQUIRED": "the server wants a certificate; give yours with --cert FILE --key FILE",
    "HANDSHAKE_FAILURE": "the server takes none of the ciphers offered, or wants a certificate (--cert FILE)",
    "UNKNOWN_CA": "the server does not trust the certificate of --cert",
    "BAD_CERTIFICATE": "the server refuses the certificate of --cert",
    "PROTOCOL_VERSION": "the server speaks no version of TLS that is allowed here",
    "UNSUPPORTED_PROTOCOL": "the server speaks no version of TLS that is allowed here",
    "WRONG_VERSION_NUMBER": "the server does not speak TLS on this port; try http://",
    "HTTP_REQUEST": "the server does not speak TLS on this port; try http://",
    "UNRECOGNIZED_NAME": "the server does not know this name; give another with -s NAME",
}
"""What a reason of OpenSSL's means to who fires, and the option that helps."""


def refusal(error: ssl.SSLError) -> str:
    """Why a handshake failed, and the option that relaxes it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = clean(error.verify_message).rstrip(".")
        if error.verify_code in (_WRONG_HOST, _WRONG_ADDRESS):
            return f"the certificate is for another host: {said} (-s NAME verifies another name, -k none)"
        if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
            return f"the certificate is not valid now: {said} (-k goes without verification)"
        return (
            f"the certificate is not trusted: {said} (--ca FILE trusts its CA, -k goes without verification)"
        )
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "closed in the TLS handshake"
    return reason(error)


def reason(error: ssl.SSLError) -> str:
    """OpenSSL's reason as a phrase."""
    told = error.reason or error.strerror or "broken"
    for name, meaning in _ALERTS.items():
        if told.endswith(name):
            return meaning
    return clean(told.lower().replace("_", " "))
