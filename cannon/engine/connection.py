"""One connection's life: send, time, close, dial again.

The law: every request that was taken ends in exactly one count, with its Fault; what was measured is never
corrected afterwards. The hot path is the closure that `_hot_path` makes for each socket: one receive, one clock,
one parse, one send. Whatever is not an ordinary response, it leaves to the colder methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic_ns

from cannon.engine.deadline import Deadline
from cannon.engine.dialler import Dialler
from cannon.engine.framing import Express, Framing
from cannon.engine.loop import READ, Handler, Loop
from cannon.engine.meter import Meter
from cannon.engine.sockets import RaggedEnd, Socket, TlsError
from cannon.engine.upload import Upload
from cannon.errors import Fault, FramingError
from cannon.route import Address

__all__ = ["Connection"]

_READ_BYTES = (479, 4_096, 16_384, 65_536)
"""A read takes this much at most: room for little is the cheapest (the first is the largest that Python's own
allocator gives), so a connection begins with that, and takes the next when its room was full.
"""


def _record_nothing(duration: int) -> None:
    """Stands in until the first response has told its status."""


class Connection:
    """Fires requests one after the other until their source is exhausted, or it is stopped.

    `supply` yields the bytes of the next request; `closes`: each asks for the connection to be closed; `frame` makes
    the framing of a new socket; `open_socket` makes a non-blocking one; `dialled` is called once, when the first
    dial has ended, `finished` once, at the end. `answered` counts the responses of all its sockets.
    """

    __slots__ = (
        "_closes",
        "_deadline",
        "_dialler",
        "_finished",
        "_first_byte_ns",
        "_first_sent_ns",
        "_frame",
        "_framing",
        "_held",
        "_loop",
        "_meter",
        "_over",
        "_read_bytes",
        "_send_failed",
        "_sent_ns",
        "_socket",
        "_supply",
        "_timeout_ns",
        "_upload",
        "answered",
    )

    _framing: Framing

    def __init__(
        self,
        *,
        loop: Loop,
        meter: Meter,
        addresses: tuple[Address, ...],
        timeout_ns: int,
        supply: Iterator[bytes],
        closes: bool,
        frame: Callable[[], Framing],
        open_socket: Callable[[Address], Socket],
        dialled: Callable[[], None],
        finished: Callable[[], None],
    ) -> None:
        self.answered = 0
        self._loop = loop
        self._meter = meter
        self._timeout_ns = timeout_ns
        self._supply = supply
        self._closes = closes
        self._frame = frame
        self._finished = finished
        self._dialler = Dialler(
            loop=loop,
            meter=meter,
            addresses=addresses,
            timeout_ns=timeout_ns,
            open_socket=open_socket,
            connected=self._connected,
            ended=dialled,
        )
        self._deadline = Deadline(loop, timeout_ns, self.firing_since, self._timed_out)
        self._socket: Socket | None = None
        self._held: bytes | None = None
        self._upload: Upload | None = None
        self._read_bytes = _READ_BYTES[0]
        self._sent_ns = 0
        self._first_sent_ns = 0
        self._first_byte_ns = 0
        self._send_failed = False
        self._over = False

    # Ordinary responses.

    def _hot_path(self, opened: Socket, express: Express) -> Handler:
        """The handler of a socket on which ordinary responses are expected; it leaves at the first other one."""
        receive = opened.recv
        send = opened.send
        supply = self._supply
        read_bytes = self._read_bytes
        # Looked up once: what stands in a module is found by its name each time.
        clock, take = monotonic_ns, next
        meter = self._meter
        unit_bits = meter.unit_bits
        recorded_status = 0
        record: Callable[[int], None] = _record_nothing

        def readable(ready_ns: int) -> None:
            nonlocal recorded_status, record
            try:
                data = receive(read_bytes)
            except OSError as error:
                self._not_received(error)
                return
            now_ns = clock()
            received_bytes = len(data)
            meter.received_bytes += received_bytes
            # Bytes that fill the room may be the first of more.
            status = express.read(data) if 0 < received_bytes < read_bytes else 0
            if not status:
                self._loop.handle(opened.fileno(), self._readable)
                self._received(data, now_ns)
                return
            if status != recorded_status:
                recorded_status = status
                record = meter.recorder(status)
            record(now_ns - self._sent_ns >> unit_bits)
            self.answered += 1
            # The stamp that ends one request starts the next.
            self._sent_ns = now_ns
            try:
                request = take(supply)
            except StopIteration:
                self._finish()
                return
            try:
                sent_bytes = send(request)
            except OSError as error:
                self._not_sent(request, error, now_ns)
                return
            if sent_bytes != len(request):
                self._send_rest(memoryview(request)[sent_bytes:])

        return readable

    # Any response.

    def _readable(self, ready_ns: int) -> None:
        """Bytes have come for the request in flight, or the end of the connection."""
        assert self._socket is not None
        try:
            data = self._socket.recv(self._read_bytes)
        except OSError as error:
            self._not_received(error)
            return
        now_ns = monotonic_ns()
        self._meter.received_bytes += len(data)
        self._received(data, now_ns)

    def _received(self, data: bytes, now_ns: int) -> None:
        framing = self._framing
        if not data:
            self._closed_by_peer(now_ns)
            return
        if len(data) >= self._read_bytes:
            self._read_bytes = next(
                (room for room in _READ_BYTES if room > self._read_bytes), _READ_BYTES[-1]
            )
        try:
            framing.read(data)
        except FramingError as error:
            self._fail(error.fault, error.message, now_ns)
            return
        if framing.ended:
            self._completed(now_ns)
            return
        if not self._first_byte_ns:
            self._first_byte_ns = now_ns
        if self._socket is not None and self._socket.pending:
            self._readable(now_ns)

    def _completed(self, now_ns: int) -> None:
        framing = self._framing
        framing.ended = 0
        in_one_read = not self._first_byte_ns
        first_byte_ns = self._first_byte_ns or now_ns
        self._first_byte_ns = 0
        self.answered += 1
        self._meter.spread(framing.status, now_ns - self._sent_ns, first_byte_ns - self._sent_ns)
        if framing.excess:
            self._meter.excess += 1
        if not framing.keep_alive or self._closes or self._upload is not None or self._send_failed:
            # After an answer to half a request the connection cannot be used again, whatever the server says.
            self._reconnect(now_ns)
            return
        try:
            request = next(self._supply)
        except StopIteration:
            self._finish()
            return
        self._send(request, now_ns, may_be_ordinary=in_one_read)

    # Sending.

    def _send(self, request: bytes, now_ns: int, *, may_be_ordinary: bool) -> None:
        opened = self._socket
        assert opened is not None
        self._sent_ns = now_ns
        self._framing.expect(None)
        express = self._framing.express() if may_be_ordinary and not self._closes else None
        self._loop.handle(
            opened.fileno(), self._readable if express is None else self._hot_path(opened, express)
        )
        try:
            sent_bytes = opened.send(request)
        except OSError as error:
            self._not_sent(request, error, now_ns)
            return
        if sent_bytes != len(request):
            self._send_rest(memoryview(request)[sent_bytes:])

    def _not_sent(self, request: bytes, error: OSError, now_ns: int) -> None:
        if isinstance(error, BlockingIOError):
            self._send_rest(memoryview(request))
            return
        # Nothing was handed over: the peer closed between two requests. This one waits for the next connection.
        fresh = self._fresh
        self._meter.closed_idle += 1
        self._hold(request)
        self._close()
        if fresh:
            self._dialler.dial_after_pause(now_ns)
        else:
            self._dialler.dial(now_ns)

    def _send_rest(self, rest: memoryview) -> None:
        assert self._socket is not None
        self._upload = Upload(
            loop=self._loop,
            meter=self._meter,
            opened=self._socket,
            rest=rest,
            readable=self._readable,
            ended=self._uploaded,
        )

    def _uploaded(self, whole: bool) -> None:
        assert self._socket is not None
        self._upload = None
        self._send_failed = not whole
        self._loop.watch(self._socket.fileno(), READ, self._readable)

    # Between two connections.

    def dial(self, now_ns: int) -> None:
        """Open: dial, and wait for `begin`."""
        self._dialler.dial(now_ns)

    def begin(self, now_ns: int) -> None:
        """Fire, now or once somebody answers."""
        self._dialler.release(now_ns)

    def _connected(self, opened: Socket, now_ns: int) -> None:
        self._socket = opened
        self._framing = self._frame()
        self._first_byte_ns = 0
        self._send_failed = False
        self._first_sent_ns = self._sent_ns = now_ns
        self._loop.watch(opened.fileno(), READ, self._readable)
        self._deadline.arm()
        request = self._held
        if request is not None:
            self._held = None
            self._meter.held -= 1
            self._meter.unsent_bytes -= len(request)
        else:
            try:
                request = next(self._supply)
            except StopIteration:
                self._finish()
                return
        self._send(request, now_ns, may_be_ordinary=True)

    def _hold(self, request: bytes) -> None:
        """Keep a request that was taken but not sent for the next connection."""
        self._held = request
        self._meter.held += 1
        self._meter.unsent_bytes += len(request)

    def _reconnect(self, now_ns: int) -> None:
        """Dial for the next request, if there is one: nobody dials for nothing."""
        self._close()
        try:
            request = next(self._supply)
        except StopIteration:
            self._finish()
            return
        self._hold(request)
        self._dialler.dial(now_ns)

    # Faults.

    def _not_received(self, error: OSError) -> None:
        if isinstance(error, BlockingIOError):
            return
        if isinstance(error, RaggedEnd):
            self._closed_by_peer(monotonic_ns(), ragged=True)
            return
        if isinstance(error, TlsError):
            self._fail(Fault.TLS, f"{error.strerror}, {self._where()}", monotonic_ns())
            return
        fault = Fault.RESET if self._first_byte_ns or self._fresh else Fault.STALE
        self._fail(fault, f"{error.strerror}, {self._where()}", monotonic_ns())

    def _closed_by_peer(self, now_ns: int, *, ragged: bool = False) -> None:
        if not self._first_byte_ns:
            fault = Fault.RESET if self._send_failed else Fault.EMPTY_REPLY
            self._fail(fault if self._fresh else Fault.STALE, f"closed {self._where()}", now_ns)
            return
        try:
            self._framing.end()
        except FramingError as error:
            self._fail(error.fault, error.message, now_ns)
            return
        if ragged:
            # The close was to be the end of the body, and anybody on the way could have made this one.
            message = "the body ends with the connection, and that was closed without close_notify"
            self._fail(Fault.TRUNCATED, message, now_ns)
            return
        self._completed(now_ns)

    def _timed_out(self, now_ns: int) -> None:
        self._meter.timed_out(self._timeout_ns)
        self._fail(
            Fault.TIMEOUT, f"no whole response in {self._timeout_ns / 1e9:g} s, {self._where()}", now_ns
        )

    def _fail(self, fault: Fault, message: str, now_ns: int) -> None:
        self._meter.failed(fault, message, now_ns)
        self._first_byte_ns = 0
        self._reconnect(now_ns)

    @property
    def _fresh(self) -> bool:
        """Whether the request in flight is the first of its connection."""
        return self._sent_ns == self._first_sent_ns

    def _where(self) -> str:
        if self._first_byte_ns:
            return "in mid-response"
        return "before any byte of a response" + ("" if self._fresh else ", on a reused connection")

    # The end.

    def firing_since(self) -> int | None:
        """When the request in flight was sent; None when there is none."""
        return self._sent_ns if self._socket is not None else None

    def stop(self) -> None:
        """Send no more; what is in flight is still read."""
        self._supply = iter(())
        if self._socket is None:
            self._finish()
        elif self._upload is None:
            self._loop.handle(self._socket.fileno(), self._readable)

    def abandon(self) -> None:
        """Close at once, whatever is in flight."""
        self._over = True
        self._dialler.stop()
        self._close()

    def _finish(self) -> None:
        if not self._over:
            self.abandon()
            self._finished()

    def _close(self) -> None:
        self._upload = None
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None
