"""Dials until somebody answers and has shaken hands: every address of the target, then a pause that doubles.

The law: an attempt ends in exactly one count, made or failed with its Fault, or it is in progress when the run
ends. A refusing server gets no hot loop. Addresses are tried for who answers; whom we then do not trust is no
reason to try the next.

What takes time is told apart: a connect lasts until bytes can reach the server, so a tunnel through a proxy is part
of it; what TLS takes after that is not. A proxy that cannot be dialled, or opens no tunnel, is a fault of its own
kind, but a timeout is a timeout whoever does not answer: the message says who it was.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from enum import Enum
from time import monotonic_ns

from cannon.engine.deadline import Deadline
from cannon.engine.loop import READ, WRITE, Loop
from cannon.engine.meter import Meter
from cannon.engine.sockets import ProxyError, Socket, TlsError, dial_fault
from cannon.errors import Fault
from cannon.route import Address, Peer

__all__ = ["Dialler"]

_PAUSE_FIRST_NS = 10_000_000
_PAUSE_LONGEST_NS = 500_000_000

_QUEUE_FIRST_NS = 1_000_000
_QUEUE_LONGEST_NS = 256_000_000
"""How long a full queue of a unix socket is left alone: nothing tells when it has room again."""

_FAREWELL_BYTES = 16_384


class _Phase(Enum):
    IDLE = "nothing to dial"
    DIALLING = "waiting for an answer"
    PAUSING = "waiting to dial again"
    HOLDING = "answered, and not wanted yet"


class Dialler:
    """Opens sockets for one connection. `connected` is called with each that may be used, and the time, but before
    `release` they are held. `ended` is called once, after the first attempt, however it went.

    After an answer the next pause is short again. The address that answered last is dialled first.
    """

    def __init__(
        self,
        *,
        loop: Loop,
        meter: Meter,
        addresses: tuple[Address, ...],
        timeout_ns: int,
        open_socket: Callable[[Address], Socket],
        connected: Callable[[Socket, int], None],
        ended: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._meter = meter
        self._addresses = addresses
        self._open_socket = open_socket
        self._connected = connected
        self._ended: Callable[[], None] | None = ended
        self._released = False
        self._deadline = Deadline(loop, timeout_ns, self._dialling_since, self._timed_out)
        self._phase = _Phase.IDLE
        self._socket: Socket | None = None
        self._address_at = 0
        self._began_ns = 0
        self._answered_ns = 0
        self._failures = 0

    def dial(self, now_ns: int) -> None:
        """Begin an attempt now."""
        self._meter.attempted += 1
        self._began_ns = now_ns
        self._phase = _Phase.DIALLING
        self._deadline.arm()
        self._dial_address(now_ns, tried=1)

    def dial_after_pause(self, now_ns: int) -> None:
        """Begin an attempt after a pause: longer each time, until one is answered."""
        self._phase = _Phase.PAUSING
        pause_ns = min(_PAUSE_FIRST_NS << min(self._failures, 10), _PAUSE_LONGEST_NS)
        self._failures += 1
        self._loop.call_at(now_ns + pause_ns, self._pause_over)

    def release(self, now_ns: int) -> None:
        """From now on sockets are wanted."""
        self._released = True
        if self._phase is _Phase.HOLDING:
            self._hand_over(now_ns)

    def stop(self) -> None:
        """Dial no more; an attempt under way is counted as in progress."""
        if self._phase is _Phase.DIALLING:
            self._meter.connecting += 1
        self._phase = _Phase.IDLE
        self._close()

    def _pause_over(self, now_ns: int) -> None:
        if self._phase is _Phase.PAUSING:
            self.dial(now_ns)

    def _dial_address(self, now_ns: int, tried: int) -> None:
        address = self._addresses[self._address_at]
        try:
            self._socket = opened = self._open_socket(address)
        except OSError as error:
            self._answered(error.errno or errno.EIO, address, tried)
            return
        if tried == 1:
            # What TLS takes to be set up is no part of the dial.
            self._began_ns = monotonic_ns()
        self._connect(opened, address, tried, _QUEUE_FIRST_NS)

    def _connect(self, opened: Socket, address: Address, tried: int, pause_ns: int) -> None:
        try:
            code = opened.connect_ex(address.sockaddr)
        except OSError as error:
            code = error.errno or errno.EIO
        if code == errno.EAGAIN and address.path:
            # TCP would ask again by itself; of a unix socket the attempt just has not begun (connect(2)).
            def again(due_ns: int) -> None:
                if self._socket is opened:
                    self._connect(opened, address, tried, min(2 * pause_ns, _QUEUE_LONGEST_NS))

            self._loop.call_at(monotonic_ns() + pause_ns, again)
            return
        if code != errno.EINPROGRESS:
            self._answered(code, address, tried)
            return

        def answered(ready_ns: int) -> None:
            self._answered(opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), address, tried)

        self._loop.watch(opened.fileno(), WRITE, answered)

    def _answered(self, code: int, address: Address, tried: int) -> None:
        now_ns = monotonic_ns()
        if code == 0:
            self._answered_ns = now_ns
            self._shake_hands(now_ns)
            return
        self._close()
        if tried < len(self._addresses):
            self._address_at = (self._address_at + 1) % len(self._addresses)
            self._dial_address(now_ns, tried + 1)
        else:
            self._failed(dial_fault(code, address), f"{os.strerror(code)}, dialling {address}", now_ns)

    def _shake_hands(self, ready_ns: int) -> None:
        opened = self._socket
        assert opened is not None
        try:
            waits_for = opened.handshake()
        except ProxyError as error:
            self._failed(Fault.PROXY, str(error.strerror), monotonic_ns())
            return
        except TlsError as error:
            self._failed(Fault.TLS, str(error.strerror), monotonic_ns())
            return
        except OSError as error:
            self._failed(Fault.TLS, f"{error.strerror}, in the TLS handshake", monotonic_ns())
            return
        if waits_for:
            self._loop.watch(opened.fileno(), waits_for, self._shake_hands)
            return
        now_ns = monotonic_ns()
        self._phase = _Phase.HOLDING
        self._failures = 0
        secured = opened.secured
        if secured is None:
            self._meter.connected(now_ns - self._began_ns)
        else:
            secured_from_ns = max(secured.began_ns, self._answered_ns)
            self._meter.connected(secured_from_ns - self._began_ns)
            self._meter.secured(now_ns - secured_from_ns, secured)
        if self._released:
            self._hand_over(now_ns)
        else:
            self._loop.watch(opened.fileno(), READ, self._held_readable)
        self._attempt_ended()

    def _hand_over(self, now_ns: int) -> None:
        opened, self._socket = self._socket, None
        assert opened is not None
        self._phase = _Phase.IDLE
        self._connected(opened, now_ns)

    def _held_readable(self, ready_ns: int) -> None:
        """Nobody has asked for anything: what comes now is the end, in whatever words."""
        assert self._socket is not None
        try:
            self._socket.recv(_FAREWELL_BYTES)
        except BlockingIOError:
            # It was for TLS to know.
            return
        except OSError:
            pass
        self._close()
        self._meter.closed_idle += 1
        self.dial_after_pause(monotonic_ns())

    def _attempt_ended(self) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def _failed(self, fault: Fault, message: str, now_ns: int) -> None:
        self._close()
        self.dial_after_pause(now_ns)
        # Last: enough failures end the run, and with it this attempt that is to come.
        self._meter.not_connected(fault, message, now_ns)
        self._attempt_ended()

    def _dialling_since(self) -> int | None:
        return self._began_ns if self._phase is _Phase.DIALLING else None

    def _timed_out(self, now_ns: int) -> None:
        address = self._addresses[self._address_at]
        if self._answered_ns >= self._began_ns:
            assert self._socket is not None
            message = f"no end of the TLS handshake with {address} (does this port speak TLS?)"
            if self._socket.tunnelling:
                message = f"{address} answered the dial and opened no tunnel"
            elif address.peer is Peer.PROXY:
                message = (
                    f"no end of the TLS handshake through {address} (does the server speak TLS on this port?)"
                )
            self._failed(Fault.TIMEOUT, message, now_ns)
            return
        # One address that never answers must not keep the next from being tried.
        self._address_at = (self._address_at + 1) % len(self._addresses)
        full = " (the queue of its server is full)" if address.path else ""
        self._failed(Fault.TIMEOUT, f"no answer, dialling {address}{full}", now_ns)

    def _close(self) -> None:
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None
