"""A way through a forward proxy: what is said on a new connection until its bytes are the server's.

Law: nothing that comes from a proxy is taken for the server's, and nothing of the server's is taken off the socket:
bytes are looked at where they lie, and only the proxy's are removed. Whatever a proxy does instead of opening the
tunnel is a ProxyError whose text says what, without secrets; how long it may take is the dialler's to say.

CONNECT is that of RFC 9110, 9.3.6, answers of it are read after RFC 9112, 4; SOCKS 5 is RFC 1928, its user and password
RFC 1929. The proxy resolves the server's name. The time all this takes belongs to the connect, not to TLS.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Protocol

from cannon.engine.head import no_http, starts_a_head
from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import Passage, PlainSocket, ProxyError, Trace
from cannon.request import basic
from cannon.route import Proxy, ProxyKind, authority
from cannon.text import clean
from cannon.version import __version__

__all__ = ["tunnels"]

_LOOK_BYTES = 4_096
_ANSWER_BYTES = 16_384
"""More than this no proxy needs for a yes or a no."""


def tunnels(proxy: Proxy, host: str, port: int, trace: Trace) -> Callable[[], Passage]:
    """Makes for each socket dialled to the proxy what leads it through to host and port."""
    talk = _TALKS[proxy.kind]
    return lambda: _Tunnel(talk(proxy, host, port, trace), authority(host, port))


class _Talk(Protocol):
    """One side of the talk, without a socket. `over`: the tunnel stands, and whatever comes next is the server's."""

    over: bool

    def begin(self) -> bytes:
        """What to say first."""
        ...

    def hear(self, data: bytes, /) -> tuple[int, bytes]:
        """How many of these bytes were said by the proxy, one at least, and what to say to it. ProxyError for a no."""
        ...


class _Tunnel:
    """The Passage that a talk makes."""

    def __init__(self, talk: _Talk, server: str) -> None:
        self._talk = talk
        self._server = server
        self._unsent: bytes | None = None

    def advance(self, wire: PlainSocket, /) -> int:
        """Go on with it: 0 when the tunnel stands, else what the socket must be ready for. ProxyError for a no."""
        try:
            return self._advance(wire)
        except ProxyError:
            raise
        except OSError as error:
            raise ProxyError(
                error.errno, f"{error.strerror}, from the proxy, asked for a tunnel to {self._server}"
            ) from None

    def _advance(self, wire: PlainSocket) -> int:
        if self._unsent is None:
            self._unsent = self._talk.begin()
        while True:
            while self._unsent:
                try:
                    self._unsent = self._unsent[wire.send(self._unsent) :]
                except BlockingIOError:
                    return WRITE
            if self._talk.over:
                return 0
            try:
                data = wire.recv(_LOOK_BYTES, socket.MSG_PEEK)
            except BlockingIOError:
                return READ
            if not data:
                raise ProxyError(0, f"the proxy closed, asked for a tunnel to {self._server}")
            taken_bytes, self._unsent = self._talk.hear(data)
            wire.recv(taken_bytes)


class _Connect:
    """The talk with an HTTP proxy."""

    def __init__(self, proxy: Proxy, host: str, port: int, trace: Trace) -> None:
        self.over = False
        self._proxy = proxy
        self._server = authority(host, port)
        self._trace = trace
        self._answer = b""
        self._answered_bytes = 0

    def begin(self) -> bytes:
        lines = [f"CONNECT {self._server} HTTP/1.1", f"Host: {self._server}"]
        if self._proxy.userinfo:
            lines.append(f"Proxy-Authorization: {basic(self._proxy.userinfo)}")
        head = "\r\n".join((*lines, f"User-Agent: cannon/{__version__}", "", "")).encode()
        self._trace.lines("> ", head)
        return head

    def hear(self, data: bytes, /) -> tuple[int, bytes]:
        before_bytes = len(self._answer)
        self._answer += data
        if not starts_a_head(self._answer):
            raise ProxyError(0, f"the proxy's {no_http(self._answer)}")
        # The end may have begun in what came before.
        end = _END_OF_HEAD.search(self._answer, max(0, before_bytes - 3))
        taken_bytes = len(data) if end is None else end.end() - before_bytes
        self._answered_bytes += taken_bytes
        if self._answered_bytes > _ANSWER_BYTES:
            raise ProxyError(0, f"the proxy's answer to CONNECT does not end within {_ANSWER_BYTES} bytes")
        if end is not None:
            head, self._answer = self._answer[: end.end()], b""
            self._trace.lines("< ", head)
            self._judge(head)
        return taken_bytes, b""

    def _judge(self, head: bytes) -> None:
        line = _STATUS_LINE.match(head)
        if line is None:
            raise ProxyError(0, f"the proxy's {no_http(head)}")
        status, reason = int(line[1]), clean((line[2] or b"").strip(), 60)
        if 200 <= status < 300:
            # A length or a coding in this head means nothing: what follows is the server's.
            self.over = True
        elif status in _WANT_AUTHORIZATION:
            wants = "refuses this user and password" if self._proxy.userinfo else "wants authorization"
            raise ProxyError(0, f"the proxy {wants} ({status})")
        elif status >= 200 or status == _SWITCHES:
            raise ProxyError(
                0, f"the proxy answered {status}{' ' if reason else ''}{reason} to CONNECT {self._server}"
            )


_END_OF_HEAD = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_WANT_AUTHORIZATION = (401, 407)
"""Some proxies say the former: no server has been asked for anything yet, so it is theirs."""

_SWITCHES = 101


class _Socks5:
    """The talk with a SOCKS proxy: messages of known length, one after the other."""

    def __init__(self, proxy: Proxy, host: str, port: int, trace: Trace) -> None:
        self.over = False
        self._userinfo = proxy.userinfo
        self._host = host
        self._port = port
        self._trace = trace
        self._heard = b""
        self._next: Callable[[bytes], bytes] = self._offered
        self._next_bytes = 2

    def begin(self) -> bytes:
        offered = bytes((_NO_AUTHORIZATION, _PASSWORD)) if self._userinfo else bytes((_NO_AUTHORIZATION,))
        return bytes((_VERSION, len(offered))) + offered

    def hear(self, data: bytes, /) -> tuple[int, bytes]:
        piece = data[: self._next_bytes - len(self._heard)]
        self._heard += piece
        if len(self._heard) < self._next_bytes:
            return len(piece), b""
        heard, self._heard = self._heard, b""
        return len(piece), self._next(heard)

    def _wait(self, handle: Callable[[bytes], bytes], message_bytes: int) -> None:
        self._next, self._next_bytes = handle, message_bytes

    def _offered(self, heard: bytes) -> bytes:
        """Which of the methods that were offered the proxy takes."""
        _check_version(heard)
        if heard[1] == _NO_AUTHORIZATION:
            return self._ask()
        if heard[1] == _PASSWORD and self._userinfo:
            self._trace.say("* ", "SOCKS 5: the proxy wants a user and a password")
            user, _, password = self._userinfo.partition(":")
            self._wait(self._authorized, 2)
            return b"\x01" + _counted(user.encode()) + _counted(password.encode())
        if self._userinfo:
            raise ProxyError(0, "the proxy takes no user and password (SOCKS 5)")
        raise ProxyError(0, "the proxy wants authorization (SOCKS 5)")

    def _authorized(self, heard: bytes) -> bytes:
        if heard[1]:
            raise ProxyError(0, "the proxy refuses this user and password (SOCKS 5)")
        return self._ask()

    def _ask(self) -> bytes:
        self._trace.say("* ", f"SOCKS 5: asking for {authority(self._host, self._port)}")
        self._wait(self._answered, 2)
        try:
            address = ipaddress.ip_address(self._host)
        except ValueError:
            named = bytes((_BY_NAME,)) + _counted(self._host.encode())
        else:
            named = bytes((_BY_IPV4 if address.version == 4 else _BY_IPV6,)) + address.packed
        return bytes((_VERSION, _CONNECT_COMMAND, 0)) + named + self._port.to_bytes(2, "big")

    def _answered(self, heard: bytes) -> bytes:
        """A no is known before the rest of it, which some proxies leave out."""
        _check_version(heard)
        if heard[1]:
            why = _REPLIES.get(heard[1], f"reply {heard[1]}, which no standard knows")
            raise ProxyError(
                0, f"the proxy cannot reach {authority(self._host, self._port)}: {why} (SOCKS 5)"
            )
        self._wait(self._bound, 3)
        return b""

    def _bound(self, heard: bytes) -> bytes:
        """The address that the proxy dials from: of no use, but its length is."""
        _, kind, first = heard
        if kind not in (_BY_NAME, *_ADDRESS_BYTES):
            raise ProxyError(0, f"the proxy's answer has an address of kind {kind}, which no standard knows")
        # The first byte is the length of a name, or a part of the address.
        left_bytes = first if kind == _BY_NAME else _ADDRESS_BYTES[kind] - 1
        self._wait(self._opened, left_bytes + _PORT_BYTES)
        return b""

    def _opened(self, heard: bytes) -> bytes:
        self._trace.say("* ", "SOCKS 5: the tunnel stands")
        self.over = True
        return b""


def _check_version(heard: bytes) -> None:
    if heard[0] == _VERSION:
        return
    hint = " (it answers as HTTP does; try --proxy http://...)" if heard == b"HT" else ""
    raise ProxyError(0, f"the proxy does not speak SOCKS 5: it begins with {heard!r}{hint}")


def _counted(text: bytes) -> bytes:
    return bytes((len(text),)) + text


_VERSION = 5
_NO_AUTHORIZATION, _PASSWORD = 0, 2
_CONNECT_COMMAND = 1
_BY_IPV4, _BY_NAME, _BY_IPV6 = 1, 3, 4
_PORT_BYTES = 2
_ADDRESS_BYTES = {_BY_IPV4: 4, _BY_IPV6: 16}
_REPLIES = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "too many hops",
    7: "it takes no such command",
    8: "it takes no such kind of address",
}
"""RFC 1928, 6."""

_TALKS: dict[ProxyKind, Callable[[Proxy, str, int, Trace], _Talk]] = {
    ProxyKind.HTTP: _Connect,
    ProxyKind.SOCKS5: _Socks5,
}
