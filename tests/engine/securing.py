"""A wire in memory: a client's secure socket at one end of it, OpenSSL as the server at the other."""

from __future__ import annotations

import errno
import ssl
from contextlib import suppress

from cannon.engine.secure import SecureSocket, Security
from cannon.tls import Sessions, Tls
from tests.engine.fakes import FakeSocket
from tests.servers.certificates import Certificates

__all__ = ["AGAIN", "NEW", "OLD", "Server", "Wire", "shaken"]

AGAIN = BlockingIOError(errno.EAGAIN, "again")
OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Wire(FakeSocket):
    """A plain socket: what is sent stands in `outgoing` as long as the `rooms` last; `arrived` is what may be read."""

    def __init__(self) -> None:
        super().__init__()
        self.outgoing = ssl.MemoryBIO()
        self.arrived = b""
        self.ended = False
        self.receives = 0

    def recv(self, bufsize: int, /) -> bytes:
        self.receives += 1
        if not self.arrived and not self.ended:
            raise AGAIN
        data, self.arrived = self.arrived[:bufsize], self.arrived[bufsize:]
        return data

    def send(self, data: bytes | memoryview, /) -> int:
        taken_bytes = super().send(data)
        self.outgoing.write(bytes(data[:taken_bytes]))
        return taken_bytes


class Server:
    """The other side, and the clients that dial it one after the other."""

    def __init__(
        self,
        certificates: Certificates,
        *,
        version: ssl.TLSVersion = NEW,
        shown: str | None = None,
        asks: bool = False,
        sessions: Sessions = Sessions.FRESH,
    ) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(shown or certificates.server)
        self.context.minimum_version = self.context.maximum_version = version
        if asks:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(certificates.ca)
        tls = Tls(ca=(certificates.ca,), sessions=sessions)
        self.security = Security(tls.context(), tls, "127.0.0.1")
        self.dial()

    def dial(self) -> None:
        """A new connection, hands not shaken."""
        self.wire = Wire()
        self.said = ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.wire.outgoing, self.said, server_side=True)
        self.socket = SecureSocket(self.wire, self.security)

    def shaken(self) -> None:
        """Shake hands; the tickets of TLS 1.3 have been read."""
        while True:
            done = not self.socket.handshake()
            with suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self.flush()
            if done:
                break
        with suppress(BlockingIOError):
            self.socket.recv(16_384)
        self.wire.receives = 0

    def flush(self) -> None:
        """What the server has said arrives."""
        self.wire.arrived += self.said.read()

    def write(self, *records: bytes) -> None:
        for record in records:
            self.tls.write(record)
        self.flush()

    def write_and_close(self, *records: bytes) -> None:
        """Say these, and close_notify behind them, in one piece."""
        for record in records:
            self.tls.write(record)
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()

    def read_all(self) -> bytes:
        """What the client has said, decrypted."""
        data = b""
        with suppress(ssl.SSLWantReadError):
            while piece := self.tls.read(65_536):
                data += piece
        return data


def shaken(certificates: Certificates, version: ssl.TLSVersion = NEW) -> Server:
    """A server whose client has shaken hands with it."""
    server = Server(certificates, version=version)
    server.shaken()
    return server
