"""Forward proxies that keep counts: one that speaks HTTP, one that speaks SOCKS 5; `script` has either misbehave.

Whatever host they are asked for, they dial 127.0.0.1: a name that no resolver knows shows who resolved it. The law is
that of the rude server: bounded in bytes and time, and gone when its block is left.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from io import BufferedReader
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.servers.answers import End
from tests.servers.ports import HOST, reserve
from tests.servers.wires import LINGER_RESET

__all__ = ["HttpProxy", "Socks5Proxy"]

_LIFE_LIMIT_S = 15.0
_READ_BYTES = 65_536


class _Client:
    """An accepted connection: `reader` for what is said on it, `send` for what is said to it."""

    def __init__(self, accepted: socket.socket) -> None:
        self.accepted = accepted
        self.reader: BufferedReader = accepted.makefile("rb")
        self.send = accepted.sendall

    def exactly(self, count: int) -> bytes:
        data = self.reader.read(count)
        if len(data) != count:
            raise EOFError
        return data

    def head(self) -> str:
        """A head, without the blank line. EOFError at the end."""
        lines = iter(self.reader.readline, b"\r\n")
        text = b""
        for line in lines:
            if not line:
                raise EOFError
            text += line
        return text.decode("latin-1").removesuffix("\r\n")


class _Proxy:
    """`with ...Proxy() as proxy:` listens on a free port of 127.0.0.1.

    `userinfo`: who may pass, "user:password"; `script`: what is written instead of an answer to what is asked for, and
    how that ends, by default with silence.
    """

    scheme = ""

    def __init__(self, *, userinfo: str = "", script: Sequence[bytes | End] | None = None) -> None:
        self._userinfo = userinfo
        self._script = script
        self._changed = threading.Condition()
        self.accepted = 0
        self.tunnels = 0
        self.requests = 0
        self.refused = 0
        self.asked: Counter[str] = Counter()
        self._holder = reserve()
        self.port: int = self._holder.getsockname()[1]
        self._listener = reserve(self.port)
        self._over = False
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener.listen(512)
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._over = True
            for sock in (self._listener, *self._sockets):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        while self._threads:
            thread = self._threads.pop(0)
            thread.join(5)
            assert not thread.is_alive(), "the proxy did not stop"
        for sock in (self._listener, self._holder):
            sock.close()

    def url(self, userinfo: str = "") -> str:
        """As --proxy takes it."""
        return f"{self.scheme}://{userinfo}{'@' if userinfo else ''}{HOST}:{self.port}"

    def wait_for(self, predicate: Callable[[Self], bool], limit_s: float = 5.0) -> None:
        """Wait until the counts are as they should be."""
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(self), limit_s):
                raise AssertionError(f"after {limit_s} s: {self.accepted} accepted, {self.asked}")

    # Threads of its own, from here on: one that accepts, one for each conversation and one for each way back.

    def _start(self, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=run, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._count("accepted")
            self._start(partial(self._converse, accepted))

    def _held(self, sock: socket.socket) -> socket.socket:
        """A socket that ends with its conversation, or with the proxy."""
        sock.settimeout(_LIFE_LIMIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            self._sockets.add(sock)
            if self._over:
                sock.shutdown(socket.SHUT_RDWR)
        return sock

    def _let_go(self, sock: socket.socket) -> None:
        with self._changed:
            self._sockets.discard(sock)
        sock.close()

    def _converse(self, accepted: socket.socket) -> None:
        client = _Client(accepted)
        try:
            self._held(accepted)
            self._talk(client)
        except (OSError, EOFError):
            pass
        finally:
            client.reader.close()
            self._let_go(accepted)

    def _talk(self, client: _Client) -> None:
        raise NotImplementedError  # each protocol has its own

    def _count(self, name: str, host: str = "") -> None:
        with self._changed:
            if host:
                self.asked[host] += 1
            setattr(self, name, getattr(self, name) + 1)
            self._changed.notify_all()

    def _misbehave(self, client: _Client, script: Sequence[bytes | End]) -> None:
        for step in (*script, End.SILENCE):
            if isinstance(step, bytes):
                client.send(step)
            elif step is End.FIN:
                client.accepted.shutdown(socket.SHUT_WR)
            elif step is End.RESET:
                client.accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
                return
            else:
                while client.reader.read1(_READ_BYTES):
                    pass
                return

    def _pipe(self, client: _Client, there: socket.socket) -> None:
        """Pass bytes on, both ways, until either side has ended."""
        self._count("tunnels")

        def back() -> None:
            with suppress(OSError):
                while data := there.recv(_READ_BYTES):
                    client.send(data)
            with suppress(OSError):
                client.accepted.shutdown(socket.SHUT_RDWR)

        way_back = self._start(back)
        try:
            while data := client.reader.read1(_READ_BYTES):
                there.sendall(data)
        finally:
            with suppress(OSError):
                there.shutdown(socket.SHUT_RDWR)
            way_back.join()


class HttpProxy(_Proxy):
    """Takes CONNECT, and requests in absolute form, which it passes on one at a time."""

    scheme = "http"

    def _talk(self, client: _Client) -> None:
        there: socket.socket | None = None
        try:
            while True:
                line, *fields = client.head().split("\r\n")
                method, target, _ = line.split(" ")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (field.partition(":") for field in fields)
                }
                host = target if method == "CONNECT" else urlsplit(target).netloc
                self._count("requests", host)
                if self._script is not None:
                    self._misbehave(client, self._script)
                    return
                if self._userinfo and headers.get("proxy-authorization") != _basic(self._userinfo):
                    self._count("refused")
                    client.send(_answer("407 Proxy Authentication Required", "Proxy-Authenticate: Basic"))
                    continue
                try:
                    there = there or self._held(_dialled(urlsplit(f"//{host}").port or 80))
                except OSError:
                    client.send(_answer("502 Bad Gateway"))
                    continue
                if method == "CONNECT":
                    client.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    self._pipe(client, there)
                    return
                kept = "\r\n".join(field for field in fields if not field.lower().startswith("proxy-"))
                path = target.partition("://")[2].partition("/")[2]
                there.sendall(f"{method} /{path} HTTP/1.1\r\n{kept}\r\n\r\n".encode("latin-1"))
                client.send(_response(there))
        finally:
            if there is not None:
                self._let_go(there)


class Socks5Proxy(_Proxy):
    """Takes CONNECT of SOCKS 5. `stage`: which of its answers the script stands for; `bound`: the address it tells."""

    scheme = "socks5"

    def __init__(
        self,
        *,
        userinfo: str = "",
        script: Sequence[bytes | End] | None = None,
        stage: str = "request",
        bound: bytes = b"\x01\x00\x00\x00\x00",
    ) -> None:
        super().__init__(userinfo=userinfo, script=script)
        self._stage = stage
        self._bound = bound

    def _talk(self, client: _Client) -> None:
        offered = client.exactly(client.exactly(2)[1])
        if self._scripted("greeting", client):
            return
        method = 2 if self._userinfo else 0
        if method not in offered:
            self._count("refused")
            self._misbehave(client, (b"\x05\xff", End.FIN))
            return
        client.send(bytes((5, method)))
        if method and not self._admitted(client):
            return
        host, port = _asked_for(client)
        self._count("requests", f"{host}:{port}")
        if self._scripted("request", client):
            return
        try:
            there = self._held(_dialled(port))
        except OSError:
            self._misbehave(client, (b"\x05\x05\x00\x01" + bytes(6), End.FIN))
            return
        try:
            client.send(b"\x05\x00\x00" + self._bound + b"\x00\x00")
            self._pipe(client, there)
        finally:
            self._let_go(there)

    def _scripted(self, stage: str, client: _Client) -> bool:
        """Whether the answer of this stage has been given after the script."""
        if self._script is None or stage != self._stage:
            return False
        self._misbehave(client, self._script)
        return True

    def _admitted(self, client: _Client) -> bool:
        client.exactly(1)
        told = [client.exactly(client.exactly(1)[0]) for _ in range(2)]
        if self._scripted("login", client):
            return False
        if b":".join(told).decode() == self._userinfo:
            client.send(b"\x01\x00")
            return True
        self._count("refused")
        self._misbehave(client, (b"\x01\x01", End.FIN))
        return False


def _asked_for(client: _Client) -> tuple[str, int]:
    kind = client.exactly(4)[3]
    if kind == 3:
        host = client.exactly(client.exactly(1)[0]).decode()
    else:
        host = str(ipaddress.ip_address(client.exactly({1: 4, 4: 16}[kind])))
    return host, int.from_bytes(client.exactly(2), "big")


def _dialled(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), _LIFE_LIMIT_S)


def _response(there: socket.socket) -> bytes:
    """A response that has a Content-Length, or no body. EOFError where it does not come."""
    data = b""
    while True:
        head, blank, body = data.partition(b"\r\n\r\n")
        fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
        length = next((int(value) for name, _, value in fields if name == b"content-length"), 0)
        if blank and len(body) >= length:
            return data
        piece = there.recv(_READ_BYTES)
        if not piece:
            raise EOFError
        data += piece


def _answer(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", "")).encode()


def _basic(userinfo: str) -> str:
    return f"Basic {base64.b64encode(userinfo.encode()).decode()}"
