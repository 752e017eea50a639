"""What goes on over one socket: requests sent, responses read and timed, in order, until it can carry no more.

The law: every request that was sent ends in exactly one count, with its Fault; what was measured is never corrected
afterwards. The hot path is the closure that `_hot_path` makes: one receive, one clock, one parse, one send. Whatever
is not an ordinary response to the only request in flight, it leaves to the colder methods.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic_ns

from cannon.engine.framing import Express, Framing
from cannon.engine.loop import READ, Handler, Loop
from cannon.engine.meter import Meter
from cannon.engine.sockets import RaggedEnd, Socket, TlsError
from cannon.engine.stamps import Stamps
from cannon.engine.supply import Shot, parted
from cannon.engine.upload import Outcome, Upload
from cannon.errors import Fault, FramingError
from cannon.sequence import Streamed
from cannon.tally import UNIT_BITS

__all__ = ["Exchange"]

_READ_BYTES = 479
_MORE_BYTES = {_READ_BYTES: 4_096, 4_096: 16_384, 16_384: 65_536}
"""A read takes this much at most: room for little is the cheapest (the first is the largest that Python's own
allocator gives), so a connection begins with that, and takes the next when its room was full.
"""


class Exchange:
    """Over an open socket. `requests`: what the hot path fires on, one after the other; None: all is sent by `send`.

    `room` is called when more may be sent, `over` when the socket carries no more (whoever made it closes it), `idle`
    when it ended while nothing was in flight (True: with bytes that nobody asked for). `unsent` takes back what was
    not sent after all. `answered` counts responses.
    """

    __slots__ = (
        "_first_byte_ns",
        "_framing",
        "_half_sent",
        "_idle",
        "_loop",
        "_meter",
        "_ordinary",
        "_over",
        "_read_bytes",
        "_receive",
        "_requests",
        "_response_bytes",
        "_room",
        "_socket",
        "_stamps",
        "_unsent",
        "answered",
        "in_flight",
        "upload",
    )

    def __init__(
        self,
        *,
        loop: Loop,
        meter: Meter,
        opened: Socket,
        framing: Framing,
        requests: Iterator[bytes] | None,
        stamps: Stamps | None,
        room: Callable[[int], None],
        over: Callable[[int], None],
        idle: Callable[[bool], None],
        unsent: Callable[[list[Shot]], None],
    ) -> None:
        self.answered = 0
        self.in_flight: deque[Shot] = deque()
        self.upload: Upload | None = None
        self._loop = loop
        self._meter = meter
        self._socket: Socket | None = opened
        self._framing = framing
        self._requests = requests
        stamped = stamps.receiver(opened) if stamps is not None else None
        self._stamps = stamps if stamped is not None else None
        self._receive = stamped if stamped is not None else opened.recv
        self._room = room
        self._over = over
        self._idle = idle
        self._unsent = unsent
        self._read_bytes = _READ_BYTES
        self._response_bytes = 0
        self._first_byte_ns = 0
        self._ordinary = True
        self._half_sent = False  # the last request in flight is still being sent, or never will be
        loop.watch(opened.fileno(), READ, self._readable)

    def _hot_path(self, opened: Socket, express: Express, shot: Shot, requests: Iterator[bytes]) -> Handler:
        """The handler of a socket on which ordinary responses are expected; it leaves at the first other one. The one
        shot stands for all that are fired here.
        """
        receive, stamps = self._receive, self._stamps
        send = opened.send
        read_bytes = self._read_bytes
        # Looked up once: what stands in a module is found by its name each time.
        clock, take = monotonic_ns, next
        meter = self._meter
        unit_bits = meter.unit_bits
        step = shot.prepared.step
        recorded_status = 200
        record = meter.recorder(recorded_status, step)

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
                self._leave_hot_path(opened, data, now_ns)
                return
            if status != recorded_status:
                recorded_status = status
                record = meter.recorder(status, step)
            self.answered += 1
            if stamps is None:
                record(now_ns - shot.sent_ns >> unit_bits)
                # The stamp that ends one request starts the next.
                shot.sent_ns = now_ns
            else:
                came_ns = self._came_ns(now_ns)
                meter.stamped += came_ns != now_ns
                record(came_ns - shot.sent_ns >> unit_bits)
                shot.sent_ns = clock()
            try:
                request = take(requests)
            except StopIteration:
                self.in_flight.clear()
                self._room(now_ns)
                return
            try:
                sent_bytes = send(request)
            except BlockingIOError:
                sent_bytes = 0
            except OSError:
                self._found_closed(shot, request)
                return
            if sent_bytes != len(request):
                self._send_rest(memoryview(request)[sent_bytes:], None)

        return readable

    def _leave_hot_path(self, opened: Socket, data: bytes, now_ns: int) -> None:
        """These bytes are no ordinary response, or the end."""
        self._loop.handle(opened.fileno(), self._readable)
        self._received(data, now_ns, self._came_ns(now_ns))
        if opened.pending and opened is self._socket:
            self._readable(now_ns)

    def _found_closed(self, shot: Shot, request: bytes) -> None:
        """The next request of the hot path could not be handed over at all."""
        shot.data, shot.sent_ns = request, 0
        self.in_flight.clear()
        self._not_sent([shot])

    def _readable(self, ready_ns: int) -> None:
        """Bytes have come for the requests in flight, or the end of the connection."""
        opened = self._socket
        while opened is not None:
            try:
                data = self._receive(self._read_bytes)
            except OSError as error:
                self._not_received(error)
                return
            now_ns = monotonic_ns()
            self._meter.received_bytes += len(data)
            self._received(data, now_ns, self._came_ns(now_ns))
            if opened is not self._socket or not opened.pending:
                return

    def _came_ns(self, now_ns: int) -> int:
        """When the bytes came that were read just now."""
        if self._stamps is None or not self.in_flight:
            return now_ns
        came_ns = self._stamps.came_ns(self.in_flight[0].sent_ns, now_ns)
        if came_ns != now_ns:
            self._meter.delays.append(now_ns - came_ns >> UNIT_BITS)
        return came_ns

    def _received(self, data: bytes, now_ns: int, came_ns: int) -> None:
        """Bytes that came at `came_ns`, and were read at `now_ns`; none is the end."""
        framing = self._framing
        if not self.in_flight:
            self._idle(bool(data))
            return
        if not data:
            self._closed_by_peer(now_ns)
            return
        if len(data) >= self._read_bytes:
            self._read_bytes = _MORE_BYTES.get(self._read_bytes, self._read_bytes)
        self._response_bytes += len(data)
        try:
            framing.read(data)
        except FramingError as error:
            self._fail(error.fault, error.message, now_ns)
            return
        if framing.statuses:
            self._completed(now_ns, came_ns)
        elif not self._first_byte_ns:
            self._first_byte_ns = came_ns

    def _completed(self, now_ns: int, came_ns: int) -> None:
        framing, meter = self._framing, self._meter
        statuses, mismatched = framing.statuses, framing.mismatched
        first_byte_ns = self._first_byte_ns
        # What comes after the first began with this read.
        self._first_byte_ns = 0 if framing.between else came_ns
        self._ordinary = not first_byte_ns
        closes = False
        for position, status in enumerate(statuses):
            shot = self.in_flight.popleft()
            self.answered += 1
            closes = shot.prepared.request.closes
            if came_ns < shot.sent_ns:
                came_ns = now_ns  # the wall clock was set, or one of several was stamped before its time
            matched = not mismatched or position not in mismatched
            meter.completed(shot, status, came_ns, first_byte_ns, matched=matched)
            meter.stamped += came_ns != now_ns
            if meter.only_successes and meter.counts(status, matched=matched):
                meter.successes_bytes += self._response_bytes // len(statuses)
            first_byte_ns = 0
            if not matched and shot.sent_ns >= meter.opened_ns:
                meter.mismatch(status)
                if self._socket is None:
                    return  # these errors were enough: what is behind stays in flight
        self._response_bytes = 0
        meter.excess += framing.excess
        statuses.clear()
        mismatched.clear()
        broken = framing.broken
        if broken is not None and self.in_flight:
            self._fail(broken.fault, broken.message, now_ns)
        elif not framing.keep_alive or closes or (self._half_sent and not self.in_flight):
            # After an answer to half a request the connection cannot be used again, whatever the server says.
            self._abort(len(self.in_flight))
            self._over(now_ns)
        elif not self._half_sent:
            self._room(now_ns)

    def send(self, shots: list[Shot], now_ns: int) -> None:
        """Send these, in order, behind what is in flight. `now_ns` may be the end of the response before."""
        opened, framing, first = self._socket, self._framing, shots[0]
        assert opened is not None
        data = first.data if len(shots) == 1 else b"".join([shot.data for shot in shots])
        if self._meter.due or self._stamps is not None:
            now_ns = monotonic_ns()
        try:
            sent_bytes = opened.send(data)
        except BlockingIOError:
            sent_bytes = 0
        except OSError:
            self._not_sent(shots)
            return
        if 0 < sent_bytes < len(data) and len(shots) > 1:
            # Those of which nothing went out wait until there is room.
            shots, data, later = parted(shots, data, sent_bytes)
            self._unsent(later)
        for shot in shots:
            shot.sent_ns = now_ns
            framing.expect(shot.prepared.owed)
            self.in_flight.append(shot)
            if self._meter.due:
                self._meter.sent(shot)
        requests = self._requests if self._ordinary else None
        express = framing.express() if requests is not None else None
        if requests is not None and express is not None:
            self._loop.handle(opened.fileno(), self._hot_path(opened, express, first, requests))
        else:
            self._loop.handle(opened.fileno(), self._readable)
        stream = shots[-1].prepared.request.stream
        if sent_bytes != len(data) or stream is not None:
            self._send_rest(memoryview(data)[sent_bytes:], stream)

    def _not_sent(self, shots: list[Shot]) -> None:
        """Nothing was handed over: the peer closed between two requests. These wait for the next connection."""
        self._unsent(shots)
        # What became of those before them is told by reading.
        if not self.in_flight:
            self._idle(False)

    def _send_rest(self, rest: memoryview, stream: Streamed | None) -> None:
        assert self._socket is not None
        self._half_sent = True
        self.upload = Upload(
            loop=self._loop,
            supply=self._meter.supply,
            opened=self._socket,
            rest=rest,
            stream=stream,
            readable=self._readable,
            ended=self._uploaded,
        )

    def _uploaded(self, outcome: Outcome, message: str) -> None:
        assert self._socket is not None
        self.upload = None
        self._half_sent = outcome is not Outcome.SENT
        self._loop.watch(self._socket.fileno(), READ, self._readable)
        if outcome is Outcome.LOCAL:
            self._fail(Fault.LOCAL, message, monotonic_ns())
        elif outcome is Outcome.SENT:
            self._room(monotonic_ns())

    # Faults.

    def _not_received(self, error: OSError) -> None:
        if isinstance(error, BlockingIOError):
            return
        if not self.in_flight:
            self._idle(False)
            return
        now_ns = monotonic_ns()
        if isinstance(error, RaggedEnd):
            self._closed_by_peer(now_ns, ragged=True)
            return
        if isinstance(error, TlsError):
            self._fail(Fault.TLS, f"{error.strerror}, {self._where()}", now_ns)
            return
        fault = Fault.RESET if self._first_byte_ns or not self.answered else Fault.STALE
        self._fail(fault, f"{error.strerror}, {self._where()}", now_ns)

    def _closed_by_peer(self, now_ns: int, *, ragged: bool = False) -> None:
        if not self._first_byte_ns:
            fault = Fault.RESET if self._half_sent and self.upload is None else Fault.EMPTY_REPLY
            self._fail(Fault.STALE if self.answered else fault, f"closed {self._where()}", now_ns)
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
        self._completed(now_ns, now_ns)

    def timed_out(self, now_ns: int, timeout_ns: int) -> None:
        """Those that were sent so long ago; what is behind them was sent later, and never had its time."""
        message = f"no whole response in {timeout_ns / 1e9:g} s, {self._where()}"
        while self.in_flight and now_ns - self.in_flight[0].sent_ns >= timeout_ns:
            self._meter.timed_out(self.in_flight.popleft(), timeout_ns)
            self._meter.failed(Fault.TIMEOUT, message, now_ns)
            if self._socket is None:
                return
        self._abort(len(self.in_flight))
        self._over(now_ns)

    def _fail(self, fault: Fault, message: str, now_ns: int) -> None:
        """The first of those in flight ends by a fault; what is behind it was sent for nothing."""
        self._abort(len(self.in_flight) - 1)
        self._meter.failed(fault, message, now_ns)
        self._over(now_ns)

    def _abort(self, behind: int) -> None:
        """Nothing is in flight any more, and so many of it are answered by nobody."""
        self._meter.aborted(behind)
        self.in_flight.clear()
        self._first_byte_ns = 0

    def _where(self) -> str:
        if self._first_byte_ns:
            return "in mid-response"
        return "before any byte of a response" + (", on a reused connection" if self.answered else "")

    def stop(self) -> None:
        """Send no more; what is in flight is still read."""
        self._requests = None
        if self.upload is None and self._socket is not None:
            self._loop.handle(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Close at once, whatever is in flight."""
        if self.upload is not None:
            self.upload.close()
            self.upload = None
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None
