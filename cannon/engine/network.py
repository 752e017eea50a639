"""The network under httpx: httpcore's own, with a clock and a counter in it.

Law: what is told was measured where the bytes pass. A dial ends in exactly one count, made (over TLS: once the
handshake is done) or failed with its Fault, or it is in progress when the run ends. Bytes are counted as httpx reads
and writes them, over TLS before they are encrypted. A request is sent once httpx writes its head; if that is refused,
it is unsent and may go out on another connection.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import ssl
from collections.abc import Iterable
from time import monotonic_ns
from typing import Any

import httpcore

from cannon.engine.meter import Meter
from cannon.engine.secure import refusal
from cannon.engine.sockets import Secured, dial_fault
from cannon.errors import Fault
from cannon.route import Address
from cannon.text import clean

__all__ = [
    "DialFailed",
    "Network",
    "Readiness",
    "Recorder",
    "Unsent",
    "reason_of",
    "system_error",
    "tell_ragged_ends",
]

_START_BYTES = 64
_RAGGED = "UNEXPECTED_EOF_WHILE_READING"


class DialFailed(Exception):
    """Nobody answered, or nobody who could be trusted; it has been counted."""


class Unsent(Exception):
    """Not a byte of the request was taken: the connection had gone."""


class Readiness(selectors.DefaultSelector):
    """The selector of an event loop; remembers when the loop learned that a descriptor can be read. `seen` counts all
    that it was told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self._ready_ns: dict[int, int] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Whoever begins to wait is not ready yet."""
        key = super().register(fileobj, events, data)
        self._ready_ns.pop(key.fd, None)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As ever; the earliest time at which each descriptor became readable is kept until it is taken."""
        ready = super().select(timeout)
        now_ns = monotonic_ns()
        self.seen += len(ready)
        for key, events in ready:
            if events & selectors.EVENT_READ:
                self._ready_ns.setdefault(key.fd, now_ns)
        return ready

    def taken(self, descriptor: int) -> int | None:
        """When this descriptor, which has just been read, became readable."""
        return self._ready_ns.pop(descriptor, None)


class Network(httpcore.AsyncNetworkBackend):
    """The connections of one client, one after the other, and what was seen of the request under way.

    `dial` opens a connection ahead, so that its time is none of the request's; httpcore is then given that one.
    `context`: TLS on these terms, asking for `server_name`.
    """

    def __init__(
        self,
        *,
        meter: Meter,
        readiness: Readiness,
        addresses: tuple[Address, ...],
        timeout_ns: int,
        context: ssl.SSLContext | None,
        server_name: str,
    ) -> None:
        self.meter = meter
        self.readiness = readiness
        self._addresses = addresses
        self._address_at = 0
        self._timeout_ns = timeout_ns
        self._context = context
        self._server_name = server_name
        self._accepted_ns = 0
        self._dialled: _Stream | None = None
        self._stream: _Stream | None = None
        self.connected_ns = 0
        self.answered = 0
        self.clear()

    def clear(self) -> None:
        """No request is under way, so nothing has been seen of one."""
        self.sent_ns = 0
        self.ready_ns = 0
        self.first_byte_ns = 0
        self.start = b""
        self.ended = False
        self.ragged = False
        self.broken: Exception | None = None

    @property
    def fresh(self) -> bool:
        """Whether the connection has answered no request yet."""
        return not self.answered

    @property
    def closed(self) -> bool:
        """Whether the connection has been closed on this side."""
        return self._stream is None or self._stream.closed

    @property
    def stands(self) -> bool:
        """Whether there is a connection for the next request: httpcore uses none on which something waits unread."""
        stream = self._stream
        return (
            stream is not None
            and not stream.closed
            and (self.fresh or not stream.get_extra_info("is_readable"))
        )

    # Dialling.

    async def dial(self) -> None:
        """Open a connection for the next request. DialFailed, counted, when there is none to be had in time."""
        if self._stream is not None and not self._stream.closed:
            self.meter.closed_idle += 1
        await self.leave()
        self.meter.attempted += 1
        self.answered = 0
        self._accepted_ns = 0
        try:
            async with asyncio.timeout(self._timeout_ns / 1e9):
                self._dialled = self._stream = _Stream(await self._connect(), self)
        except asyncio.CancelledError:
            self.meter.connecting += 1
            raise
        except TimeoutError:
            address = self._addresses[self._address_at]
            # One address that never answers must not keep the next from being tried.
            self._address_at = (self._address_at + 1) % len(self._addresses)
            self._not_connected(Fault.TIMEOUT, self._unanswered(address))
        self.connected_ns = monotonic_ns()

    async def _connect(self) -> httpcore.AsyncNetworkStream:
        began_ns = monotonic_ns()
        plain = await self._connect_tcp()
        self._accepted_ns = monotonic_ns()
        stream = plain if self._context is None else await self._secure(plain, self._context)
        self.meter.connected(self._accepted_ns - began_ns)
        if stream is not plain:
            self.meter.secured(monotonic_ns() - self._accepted_ns, _negotiated(stream))
        return stream

    def _unanswered(self, address: Address) -> str:
        """What a dial was waiting for when its time was over."""
        if not self._accepted_ns:
            return f"no answer, dialling {address}"
        limit_s = self._timeout_ns / 1e9
        return f"no end of the TLS handshake in {limit_s:g} s, with {address} (does this port speak TLS?)"

    async def _connect_tcp(self) -> httpcore.AsyncNetworkStream:
        """The stream of the first address that answers, beginning with the one that did so last."""
        backend = httpcore.AnyIOBackend()
        tried = 0
        while True:
            address = self._addresses[self._address_at]
            tried += 1
            try:
                return await backend.connect_tcp(address.ip, address.port)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                if tried == len(self._addresses):
                    found = system_error(error)
                    code = (found and found.errno) or 0
                    reason = os.strerror(code) if code else clean(str(error))
                    self._not_connected(dial_fault(code), f"{reason}, dialling {address}")
            self._address_at = (self._address_at + 1) % len(self._addresses)

    async def _secure(
        self, plain: httpcore.AsyncNetworkStream, context: ssl.SSLContext
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await plain.start_tls(context, self._server_name)
        except (httpcore.ConnectError, OSError) as error:
            await plain.aclose()
            where = "" if isinstance(system_error(error), ssl.SSLError) else ", in the TLS handshake"
            self._not_connected(Fault.TLS, f"{reason_of(error)}{where}")
        except asyncio.CancelledError:
            await plain.aclose()
            raise
        raise AssertionError("a handshake is done, or it failed")

    def _not_connected(self, fault: Fault, message: str) -> None:
        self.meter.not_connected(fault, message, monotonic_ns())
        raise DialFailed(message)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """What httpcore calls: the connection that was dialled ahead."""
        if self._dialled is None:
            # The one that stood a moment ago has gone since.
            self.meter.closed_idle += 1
            await self.dial()
        stream, self._dialled = self._dialled, None
        assert stream is not None
        return stream

    async def leave(self) -> None:
        """Close the connection, if there is one."""
        stream, self._stream, self._dialled = self._stream, None, None
        if stream is not None:
            await stream.aclose()

    # What passes through a stream.

    def handed_over(self) -> None:
        """httpx writes: with the head, the request is sent."""
        if not self.sent_ns:
            self.sent_ns = monotonic_ns()
            self.meter.supply.held -= 1

    def taken_back(self) -> None:
        """Nothing was written after all."""
        self.sent_ns = 0
        self.meter.supply.held += 1

    def received(self, data: bytes, descriptor: int, *, ragged: bool) -> None:
        """Bytes, or none at the end of the connection: `ragged` if over TLS nobody said that it was one."""
        self.ready_ns = self.readiness.taken(descriptor) or self.ready_ns
        self.meter.received_bytes += len(data)
        if not data:
            self.ended = True
            self.ragged = ragged
        elif not self.first_byte_ns:
            self.first_byte_ns = monotonic_ns()
            self.start = data[:_START_BYTES]


class _Stream(httpcore.AsyncNetworkStream):
    """A connection, secured if need be, that tells its Network what passes."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, network: Network) -> None:
        self._stream = stream
        self._network = network
        self._descriptor: int = stream.get_extra_info("socket").fileno()
        self.closed = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            data = await self._stream.read(max_bytes, timeout)
        except (
            Exception
        ) as error:  # raised again: httpx makes its own of it, and what it was is asked for later
            self._network.broken = error
            raise
        self._network.received(data, self._descriptor, ragged=not data and _is_ragged(self._stream))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        first = not self._network.sent_ns
        self._network.handed_over()
        try:
            await self._stream.write(buffer, timeout)
        except httpcore.WriteError:
            if first:
                self._network.taken_back()
                raise Unsent from None
            raise
        self._network.meter.supply.unsent_bytes -= len(buffer)

    async def aclose(self) -> None:
        if not self.closed:
            self.closed = True
            await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        # It was secured when it was dialled, on the terms of the plan.
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Recorder(httpcore.AsyncMockBackend):
    """No network: `written` is what httpx writes, and it is answered with 200."""

    def __init__(self) -> None:
        super().__init__([])
        self.written = b""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A stream that leads nowhere."""
        return _Recording(self)


class _Recording(httpcore.AsyncMockStream):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
        self._recorder = recorder

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._recorder.written += buffer


def system_error(error: BaseException) -> OSError | None:
    """The error of the system, or of OpenSSL, that an exception goes back to."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def reason_of(error: Exception) -> str:
    """Why the network failed, in the words of the system or of OpenSSL; "closed" where it just ended."""
    found = system_error(error)
    if isinstance(found, ssl.SSLError):
        # Some versions of Python have no class of its own for a ragged end.
        return refusal(ssl.SSLEOFError() if found.reason == _RAGGED else found)
    return os.strerror(found.errno or 0) if found is not None else "closed"


def tell_ragged_ends(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, under which OpenSSL refuses an end without close_notify; Python has it take that for one."""
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


def _is_ragged(ended: httpcore.AsyncNetworkStream) -> bool:
    """Whether a stream of which the end has been read was ended without close_notify (RFC 8446, section 6.1).

    httpcore reads no bytes in either case; OpenSSL, asked again, repeats the one and refuses after the other.
    """
    secured = ended.get_extra_info("ssl_object")
    if secured is None:
        return False
    try:
        return bool(secured.read(1))
    except ssl.SSLError:
        return True


def _negotiated(stream: httpcore.AsyncNetworkStream) -> Secured:
    secured = stream.get_extra_info("ssl_object")
    return Secured(f"{secured.version()} {secured.cipher()[0]}", bool(secured.session_reused))
