"""How a connection is secured: whom to trust, what to show of ourselves, whether sessions are resumed.

Law: whoever is not verified gets nothing, unless verification was given up in so many words. The trust store is the
system's; what a user names is added to it, and trusted as it stands: a root, an intermediate, a server's own.

What names a host: RFC 1123, section 2.1, with the underscore that resolvers take; an address is no name (RFC 6066,
section 3).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from cannon.errors import UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from ssl import SSLContext, SSLError

__all__ = ["Sessions", "Tls", "is_host_name"]

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}")
_HOST_NAME_CHARACTERS = 253


def is_host_name(text: str) -> bool:
    """Whether this is a host's name as it stands in certificates: ASCII, no address, no dot at its end."""
    return len(text) <= _HOST_NAME_CHARACTERS and _HOST_NAME.fullmatch(text) is not None


class Sessions(StrEnum):
    """What a connection that is made again does with the session of the one before."""

    RESUME = "resume"
    FRESH = "fresh"


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """`server_name` is asked for (SNI) and verified, instead of the URL's host; `ca`, `cert` and `key` are PEM files:
    more to trust, the chain to show when the server asks, and its key where that is a file of its own.
    """

    verify: bool = True
    server_name: str = ""
    ca: tuple[str, ...] = ()
    cert: str | None = None
    key: str | None = None
    sessions: Sessions = Sessions.RESUME

    def __post_init__(self) -> None:
        if self.server_name and not is_host_name(self.server_name):
            raise UsageError(
                f"-s/--servername: '{clean(self.server_name, 60)}' is no name of a host; e.g. {_NAME_EXAMPLE}"
            )
        if self.key is not None and self.cert is None:
            raise UsageError(f"--key belongs to a certificate; give both, e.g. {_PAIR_EXAMPLE}")

    def context(self) -> SSLContext:
        """What OpenSSL is to hold to. UsageError, naming the option, for a file that does not serve."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        # A system may ask for more, and keeps it; for less, as some builds of Python do, it may not (RFC 8996).
        context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
        if self.verify:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            context.load_default_certs()
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        for path in self.ca:
            _check_file("--ca", path, _CA_EXAMPLE)
            _check_certificates("--ca", path, _CA_EXAMPLE)
            context.load_verify_locations(path)
        if self.cert is not None:
            self._load_own(context, self.cert)
        return context

    def _load_own(self, context: SSLContext, cert: str) -> None:
        from ssl import SSLError

        _check_file("--cert", cert, _PAIR_EXAMPLE)
        _check_certificates("--cert", cert, _PAIR_EXAMPLE)
        option, path = ("--cert", cert) if self.key is None else ("--key", self.key)
        _check_file(option, path, _PAIR_EXAMPLE)
        try:
            context.load_cert_chain(cert, self.key, password=_no_password(option, path))
        except SSLError as error:
            raise UsageError(f"{_wrong_with_own(error, cert, self.key)}; e.g. {_PAIR_EXAMPLE}") from None


_NAME_EXAMPLE = "-s www.example.com"
_CA_EXAMPLE = "--ca ca.pem"
_PAIR_EXAMPLE = "--cert client.pem --key client.key"
_DESCRIPTORS = ("/dev/", "/proc/")
_OTHER_KEY = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})


def _check_file(option: str, path: str, example: str) -> None:
    """Refuse what is no file: a pipe or a descriptor can be read once, and workers read it again."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) or path.startswith(_DESCRIPTORS):
            raise UsageError(
                f"{option}: '{clean(path)}' is no file, and every worker must read it; e.g. {example}"
            )
        with open(path, "rb"):
            pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{option}: '{clean(path)}' cannot be read: {reason}; e.g. {example}") from None


def _check_certificates(option: str, path: str, example: str) -> None:
    """Refuse a file in which OpenSSL finds no certificate, or finds one that is damaged."""
    import ssl

    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        found.load_verify_locations(path)
    except ssl.SSLError:
        pass
    else:
        # A list of revoked certificates is taken too, and is none.
        if found.cert_store_stats()["x509"]:
            return
    raise UsageError(f"{option}: '{clean(path)}' holds no certificate in PEM form; e.g. {example}")


def _no_password(option: str, path: str) -> Callable[[], str]:
    """What OpenSSL calls for the password of a key; it would else ask the terminal."""

    def refuse() -> str:
        raise UsageError(
            f"{option}: the key in '{clean(path)}' is encrypted, and cannon asks for no password;"
            " e.g. openssl pkey -in client.key -out plain.key"
        )

    return refuse


def _wrong_with_own(error: SSLError, cert: str, key: str | None) -> str:
    """What OpenSSL holds against a certificate, which is known to be one, and its key."""
    own = f"--cert: '{clean(cert)}'"
    if error.reason in _OTHER_KEY:
        return f"{own} has another key than the one in '{clean(cert if key is None else key)}'"
    if error.reason:
        return f"{own} is refused by OpenSSL: {error.reason.lower().replace('_', ' ')}"
    return f"{own} holds no key" if key is None else f"--key: '{clean(key)}' holds no key in PEM form"
