"""The way to the server: addresses, and what stands between: a proxy, another address, a local end, a unix socket."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cannon.errors import UsageError

__all__ = ["Address", "Proxy", "ProxyKind", "Route"]


class Address(msgspec.Struct, frozen=True):
    """Where to dial, known before the clock starts: a numeric address and its port, or the `path` of a unix socket."""

    ip: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

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

    def __str__(self) -> str:
        """Without secrets, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind.value}://{host}:{self.port}"


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
