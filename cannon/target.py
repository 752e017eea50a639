"""Where requests go: a URL, taken apart and checked once.

Law: whatever text there is becomes a Target or a UsageError, and what is said of a URL shows no secret of it.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

import msgspec

from cannon.errors import UsageError
from cannon.route import Address
from cannon.text import clean, redact_url

__all__ = ["Target"]

_LABEL_CHARACTERS = 63
_PORTS = {"http": 80, "https": 443}


class Target(msgspec.Struct, frozen=True):
    """One URL, taken apart. `path` is the request target: path and query, never empty.

    `userinfo` ("user:password", decoded) is for the Authorization header alone; `addresses` stay empty until
    the names have been resolved.
    """

    url: str
    scheme: str
    host: str
    port: int
    path: str
    userinfo: str = ""
    addresses: tuple[Address, ...] = ()

    @classmethod
    def parse(cls, url: str) -> Target:
        """The target a user wrote: `http://` is put before a URL without a scheme.

        Raises UsageError for other schemes, a missing host, a bad port, or characters no URL may hold.
        """
        shown = clean(redact_url(url))
        if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
            raise UsageError(f"URL '{shown}' holds a space or a control character; write it as %20, %0A, ...")
        full = url if "://" in url else f"http://{url}"
        try:
            parts = urlsplit(full)
            host = parts.hostname
            if host and ":" in host:
                ipaddress.IPv6Address(host)
            if host and ":" not in host and not _is_name(host):
                raise UsageError(
                    f"URL '{shown}' has no valid host: between its dots stand 1 to 63 characters;"
                    " e.g. http://127.0.0.1:4000/path"
                )
            host = host and host.encode("idna" if not host.isascii() else "ascii").decode("ascii")
        except ValueError:
            raise UsageError(f"URL '{shown}' cannot be read; e.g. http://127.0.0.1:4000/path") from None
        scheme = parts.scheme.lower()
        if scheme not in _PORTS:
            raise UsageError(f"URL '{shown}' has the scheme '{clean(scheme)}'; cannon speaks http and https")
        if not host:
            raise UsageError(f"URL '{shown}' has no host; e.g. http://127.0.0.1:4000/path")
        try:
            port = _PORTS[scheme] if parts.port is None and parts.netloc[-1:] != ":" else parts.port
        except ValueError:
            port = None
        if not port:
            raise UsageError(f"URL '{shown}' has no port from 1 to 65535; e.g. http://127.0.0.1:4000/")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        userinfo = parts.netloc.rpartition("@")[0]
        return cls(
            url=full,
            scheme=scheme,
            host=host,
            port=port,
            path="".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in path),
            userinfo=unquote(userinfo),
        )

    @property
    def authority(self) -> str:
        """The value of the Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def _is_name(host: str) -> bool:
    """Whether a host is what can be looked up: the labels of RFC 1035, section 2.3.4, whatever characters they hold."""
    return all(0 < len(label) <= _LABEL_CHARACTERS for label in host.removesuffix(".").split("."))
