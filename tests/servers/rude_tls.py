"""The rude server over TLS: what its paths ask for it does beneath TLS as well, and to handshakes what its Terms say.

The law is that of the plain one, and one more: it can tell that nothing at all was sent to it, since what came in
the clear fails as a handshake and what was encrypted is counted.
"""

from __future__ import annotations

import socket
from typing import Any

from tests.servers.rude import Rude
from tests.servers.tls_wires import Handshakes, Terms, TlsWire
from tests.servers.wires import Wire

__all__ = ["RudeTls"]


class RudeTls(Rude):
    """`with RudeTls(certificate) as server:`; further arguments are those of Terms. `handshakes` tells what came."""

    scheme = "https"

    def __init__(self, certificate: str, **terms: Any) -> None:
        super().__init__()
        self.handshakes = Handshakes(self._changed)
        self.turn_to(certificate, **terms)

    def turn_to(self, certificate: str, **terms: Any) -> None:
        """Secure the connections that are accepted from now on in another way; those that stand, stay as they are."""
        agreed = Terms(certificate, **terms)
        self._terms = agreed, agreed.context()

    @property
    def untouched(self) -> bool:
        """Whether not a byte of a request was received."""
        return self.handshakes.application_bytes == 0 and self.requests == 0

    def _wire(self, sock: socket.socket) -> Wire:
        terms, context = self._terms
        return TlsWire(sock, terms, context, self.handshakes)
