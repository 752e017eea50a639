"""The way to the server: addresses, and what stands between: a proxy, another address, a local end, a unix socket.

Law: what is wrong with a way is said before anything is dialled, in one line that names the option and never repeats a
user or a password. The environment's proxies are not looked at.

A proxy without a port is on 1080, as curl has it. A name is what DNS can look up (RFC 1035, 2.3.4); the user of an
HTTP proxy holds no colon (RFC 7617, 2); a SOCKS proxy takes 255 bytes of a user and of a password (RFC 1929, 2); the
path of a unix socket fits into 108 bytes with the zero behind it (unix(7)).
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from enum import StrEnum
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from cannon import host as machine
from cannon.errors import UsageError
from cannon.text import clean, redact_url

__all__ = [
    "Address",
    "Peer",
    "Proxy",
    "ProxyKind",
    "Route",
    "authority",
    "parse_bind",
    "parse_connect_to",
    "parse_socket_path",
]


class Peer(StrEnum):
    """Who listens on an address."""

    SERVER = "server"
    PROXY = "proxy"


class Address(msgspec.Struct, frozen=True):
    """Where to dial, known before the clock starts: a numeric address and its port, or the `path` of a unix socket."""

    ip: str = ""
    port: int = 0
    path: str = ""
    peer: Peer = Peer.SERVER

    def __str__(self) -> str:
        """For messages: whom a dial reaches is told where it is not the server."""
        if self.path:
            return clean(self.path)
        return f"{'the proxy ' if self.peer is Peer.PROXY else ''}{authority(self.ip, self.port)}"

    @property
    def sockaddr(self) -> tuple[str, int] | str:
        """As `connect` takes it."""
        return self.path or (self.ip, self.port)


class ProxyKind(StrEnum):
    """What a proxy speaks."""

    HTTP = "http"
    SOCKS5 = "socks5"


class Proxy(msgspec.Struct, frozen=True):
    """A forward proxy. `userinfo` ("user:password", decoded) is for its own authorization alone; empty: none."""

    kind: ProxyKind
    host: str
    port: int
    userinfo: str = ""

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """The proxy a user wrote: `http://` is put before a URL without a scheme, `socks5h` is `socks5`.

        Raises UsageError for any other scheme, a path or a query, a host or a port that cannot be, and a user or a
        password that cannot be sent.
        """
        shown = f"--proxy '{clean(redact_url(url if '://' in url else f'http://{url}'))}'"
        if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
            raise UsageError(f"{shown} holds a space or a control character; write it as %20, ...")
        scheme, separator, rest = url.partition("://")
        if not separator:
            scheme, rest = "http", url
        kind = _KINDS.get(scheme.lower())
        parts = urlsplit("")
        try:
            parts = urlsplit(f"//{rest}")
            port = _DEFAULT_PORT if parts.port is None and parts.netloc[-1:] != ":" else parts.port
            host = _host(parts.hostname or "")
        except ValueError:
            port = host = None
        if kind is None and scheme.lower() == "https":
            raise UsageError(f"{shown}: cannon speaks to a proxy without TLS; give its http:// address")
        for wrong, message in (
            (kind is None, f"{shown} is neither http:// nor socks5://; {_PROXY_EXAMPLE}"),
            (port == 0, f"{shown} has no port from 1 to 65535; {_PROXY_EXAMPLE}"),
            (not host or port is None, f"{shown} has no valid host and port; {_PROXY_EXAMPLE}"),
            (
                parts.path not in ("", "/") or parts.query or parts.fragment,
                f"{shown} has a path; a proxy has only a host and a port; {_PROXY_EXAMPLE}",
            ),
        ):
            if wrong:
                raise UsageError(message)
        assert kind is not None and host and port
        userinfo = parts.netloc.rpartition("@")[0]
        return cls(kind, host, port, _userinfo(userinfo, kind) if userinfo else "")

    def __str__(self) -> str:
        """Without secrets, for messages."""
        return f"{self.kind.value}://{authority(self.host, self.port)}"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How connections get to the server; the URL gives Host, SNI and path all the same.

    `connect_to`: a host and port to dial instead of the URL's; `bind`: the numeric local address to dial from;
    `socket_path`: a unix socket instead of any address; `proxy`: a forward proxy between.
    """

    connect_to: tuple[str, int] | None = None
    bind: str | None = None
    socket_path: str | None = None
    proxy: Proxy | None = None

    def __post_init__(self) -> None:
        if self.socket_path is not None:
            _check_path(self.socket_path)
            for name, given in (
                ("--proxy", self.proxy),
                ("--connect-to", self.connect_to),
                ("--bind", self.bind),
            ):
                if given is not None:
                    raise UsageError(
                        f"-S/--socketPath leads past every network, so {name} has nothing to do; leave one out"
                    )
        if self.proxy is not None and self.connect_to is not None:
            raise UsageError("--proxy and --connect-to both say whom to dial; leave one of them out")


def authority(host: str, port: int) -> str:
    """Host and port as they stand in an authority."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_connect_to(text: str) -> tuple[str, int]:
    """The host and port of HOST:PORT, an IPv6 address in brackets. UsageError for anything else."""
    shown = f"--connect-to '{clean(redact_url(text))}'"
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None:
        if _is_v6(text.rpartition(":")[0]) or _is_v6(text):
            raise UsageError(
                f"{shown}: an IPv6 address stands in brackets before its port; e.g. --connect-to [::1]:8080"
            )
        raise UsageError(f"{shown} is no HOST:PORT; {_CONNECT_EXAMPLE}")
    try:
        host = _host(found["name"] or found["v6"])
    except ValueError:
        host = None
    if not host:
        raise UsageError(f"{shown} has no valid host; {_CONNECT_EXAMPLE}")
    port = int(found["port"])
    if not 1 <= port <= _HIGHEST_PORT:
        raise UsageError(f"{shown} has no port from 1 to 65535; {_CONNECT_EXAMPLE}")
    return host, port


def parse_bind(text: str) -> str:
    """A numeric local address. UsageError where it is none, or not this machine's."""
    shown = f"--bind '{clean(text)}'"
    try:
        address = str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise UsageError(f"{shown} is no numeric address; e.g. --bind 127.0.0.2") from None
    if not machine.is_local(address):
        raise UsageError(
            f"{shown} is no address of this machine; give one that `ip address` shows, e.g. --bind 127.0.0.1"
        )
    return address


def parse_socket_path(text: str) -> str:
    """The path of a unix socket, which need not be there yet. UsageError where there can be none."""
    _check_path(text)
    try:
        mode = os.stat(text).st_mode
    except FileNotFoundError:
        return text
    except OSError as error:
        raise UsageError(
            f"-S/--socketPath '{clean(text)}' cannot be reached: {error.strerror}; {_PATH_EXAMPLE}"
        ) from None
    if not stat.S_ISSOCK(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a file"
        raise UsageError(f"-S/--socketPath '{clean(text)}' is {kind} and no socket; {_PATH_EXAMPLE}")
    return text


def _check_path(path: str) -> None:
    if not path or "\0" in path:
        raise UsageError(f"-S/--socketPath '{clean(path)}' is no path of a socket; {_PATH_EXAMPLE}")
    try:
        path_bytes = len(path.encode())
    except UnicodeEncodeError:
        raise UsageError(
            f"-S/--socketPath '{clean(path)}' is not UTF-8, and cannot be told to workers; give a link to it"
        ) from None
    if path_bytes > _LONGEST_PATH_BYTES:
        raise UsageError(
            f"-S/--socketPath: the path is {path_bytes} bytes long, and a socket's is {_LONGEST_PATH_BYTES} at most;"
            " name it from a folder nearer to it, or through a link"
        )


def _host(text: str) -> str | None:
    """A host as it is looked up, in ASCII; None for what cannot be one. ValueError for an odd IPv6 address."""
    if ":" in text:
        return str(ipaddress.IPv6Address(text))
    name = text if text.isascii() else text.encode("idna").decode("ascii")
    if re.search(r"[\x00-\x20\x7f/\\?#@%]", name):
        return None
    labels = name.removesuffix(".").split(".")
    return name if all(0 < len(label) <= _LABEL_CHARACTERS for label in labels) else None


def _is_v6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _userinfo(encoded: str, kind: ProxyKind) -> str:
    """`user:password`, decoded; nothing of it is repeated in a message."""
    fields = encoded.split(":", 1)
    try:
        user, password = (unquote_to_bytes(field).decode() for field in (fields[0], "".join(fields[1:])))
    except UnicodeError:
        raise UsageError(
            "--proxy: the user or the password is not UTF-8; write its bytes as %C3%A9"
        ) from None
    for wrong, message in (
        (":" in user, "--proxy: the name of a user holds a colon, and no proxy could tell where it ends"),
        (
            any(ord(character) < 0x20 or ord(character) == 0x7F for character in user + password),
            "--proxy: the user or the password holds a control character, e.g. a line's end as %0A",
        ),
        (
            kind is ProxyKind.SOCKS5 and not (user and password),
            "--proxy: SOCKS 5 takes a user and a password, neither empty, with a colon between",
        ),
        (
            kind is ProxyKind.SOCKS5 and max(len(user.encode()), len(password.encode())) > _SOCKS_BYTES,
            f"--proxy: SOCKS 5 takes {_SOCKS_BYTES} bytes of a user and of a password at most",
        ),
    ):
        if wrong:
            raise UsageError(message)
    return f"{user}:{password}"


_KINDS = {"http": ProxyKind.HTTP, "socks5": ProxyKind.SOCKS5, "socks5h": ProxyKind.SOCKS5}
_DEFAULT_PORT = 1080
_HIGHEST_PORT = 65_535
_LABEL_CHARACTERS = 63
_LONGEST_PATH_BYTES = 107
_SOCKS_BYTES = 255
_HOST_AND_PORT = re.compile(r"(?:(?P<name>[^:\[\]]+)|\[(?P<v6>[^\[\]]+)\]):(?P<port>[0-9]{1,9})")
_PROXY_EXAMPLE = "e.g. --proxy http://127.0.0.1:3128"
_CONNECT_EXAMPLE = "e.g. --connect-to 127.0.0.1:8080"
_PATH_EXAMPLE = "e.g. -S /run/server.sock"
