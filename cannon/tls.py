"""How a connection is secured: whom to trust, what to show of ourselves, whether sessions are resumed.

Law: whoever is not verified gets nothing, unless verification was given up in so many words. The trust store is the
system's; what a user names is added to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from cannon.errors import UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["Sessions", "Tls"]


class Sessions(StrEnum):
    """What a connection that is made again does with the session of the one before."""

    RESUME = "resume"
    FRESH = "fresh"


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """`server_name` is asked for (SNI) and verified, instead of the URL's host; `ca`, `cert` and `key` are PEM files:
    more roots to trust, the chain to show when the server asks, and its key where that is a file of its own.
    """

    verify: bool = True
    server_name: str = ""
    ca: tuple[str, ...] = ()
    cert: str | None = None
    key: str | None = None
    sessions: Sessions = Sessions.RESUME

    def context(self) -> SSLContext:
        """What OpenSSL is to hold to. UsageError, naming the option, for a file that does not serve."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        if self.verify:
            context.load_default_certs()
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        for path in self.ca:
            with _named("--ca", path, "ca.pem", "no certificate in PEM form"):
                context.load_verify_locations(path)
        if self.cert is not None:
            wanting = "no certificate with its key" if self.key is None else f"no match for {clean(self.key)}"
            with _named("--cert", self.cert, "client.pem --key client.key", wanting):
                context.load_cert_chain(self.cert, self.key, password=_no_password)
        elif self.key is not None:
            raise UsageError(
                "--key belongs to a certificate; give both, e.g. --cert client.pem --key client.key"
            )
        return context


def _no_password() -> str:
    """Asked for by OpenSSL, which would else ask the terminal."""
    raise UsageError(
        "--key is encrypted, and cannon cannot ask for its password; e.g. openssl pkey -in KEY -out PLAIN"
    )


@contextmanager
def _named(option: str, path: str, example: str, wanting: str) -> Iterator[None]:
    """Says of a file that OpenSSL does not take which option named it."""
    from ssl import SSLError

    try:
        yield
    except SSLError:
        raise UsageError(f"{option}: '{clean(path)}' holds {wanting}; e.g. {option} {example}") from None
    except OSError as error:
        raise UsageError(
            f"{option}: '{clean(path)}' cannot be read: {error.strerror}; e.g. {option} {example}"
        ) from None
