"""h11 behind the protocol of framing: slow and independent, the oracle that the fast framing is compared with.

Law: its verdicts are h11's own, but for limits and for judging the first bytes of a line before its end. Where
they depart from the RFC, the test of framing lists it.
"""

from __future__ import annotations

import h11

from cannon.engine.framing import Express
from cannon.engine.head import no_http, starts_a_head
from cannon.engine.owed import Bodies, Outcome
from cannon.engine.reader import HEAD_LIMIT_BYTES, OVERHEAD_LIMIT_BYTES, overloaded
from cannon.errors import Fault, FramingError
from cannon.text import clean

__all__ = ["StrictFraming"]


def _brief(error: h11.RemoteProtocolError) -> str:
    """h11's words, which may quote what the server sent at any length."""
    return clean(str(error))


class StrictFraming(Outcome):
    """h11 behind the same protocol; each response is read by an h11 connection of its own."""

    __slots__ = ("_connection", "_raw_bytes", "_status")

    def __init__(self, *, bodies: Bodies) -> None:
        super().__init__(bodies)
        self._connection: h11.Connection | None = None
        self._status = 0
        self._raw_bytes = 0

    @property
    def between(self) -> bool:
        """Whether no response is in progress."""
        return self._connection is None

    def express(self) -> Express | None:
        """h11 looks at every byte."""
        return None

    def read(self, data: bytes) -> None:
        """Take the bytes of one read. FramingError if they are not what is owed and nothing ended before."""
        try:
            self._read(data)
        except h11.RemoteProtocolError as error:
            self._fail(FramingError(Fault.MALFORMED, _brief(error)))
        except FramingError as error:
            self._fail(error)

    def _read(self, data: bytes) -> None:
        while data:
            connection = self._connection or self._next_connection(data)
            if connection is None:
                return
            if not self._raw_bytes:
                self._look_at_start(data)
            self._raw_bytes += len(data)
            connection.receive_data(data)
            data = self._take_events(connection)

    def _next_connection(self, data: bytes) -> h11.Connection | None:
        if not self._open(data, 0):
            return None
        self._status = 0
        self._raw_bytes = 0
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=OVERHEAD_LIMIT_BYTES)
        method = b"HEAD" if self._asked.head else b"GET"
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
        connection.send(h11.EndOfMessage())
        self._connection = connection
        return connection

    def _take_events(self, connection: h11.Connection) -> bytes:
        """Work through what h11 has; the bytes after the end of the response, if it ended."""
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Data):
                self._take(bytes(event.data), 0, len(event.data))
            elif isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    raise FramingError(Fault.MALFORMED, "101 Switching Protocols, which was not asked for")
            elif isinstance(event, h11.Response):
                self._status = event.status_code
                self._bound_head(connection)
                if event.http_version[:1] != b"1":
                    raise FramingError(Fault.MALFORMED, f"a response of HTTP/{event.http_version.decode()}")
            elif isinstance(event, h11.EndOfMessage):
                self._connection = None
                self._close(self._status, connection.their_state is h11.DONE)
                return connection.trailing_data[0]
            else:
                if not self._status:
                    self._bound_head(connection)
                    self._look_at_start(connection.trailing_data[0])
                elif overloaded(self._raw_bytes - self._body_bytes, self._body_bytes):
                    raise FramingError(Fault.MALFORMED, f"too much framing around {self._body_bytes} of body")
                return b""

    def _bound_head(self, connection: h11.Connection) -> None:
        waiting = len(connection.trailing_data[0]) if self._status else 0
        if self._raw_bytes - waiting > HEAD_LIMIT_BYTES:
            raise FramingError(
                Fault.HEAD_TOO_LARGE, f"the response head is larger than {HEAD_LIMIT_BYTES} bytes"
            )

    def _look_at_start(self, waiting: bytes) -> None:
        """h11 waits for the end of a line whatever it begins with; a user should not have to."""
        if not starts_a_head(waiting):
            raise FramingError(Fault.MALFORMED, no_http(waiting))

    def end(self) -> None:
        """The peer closed with a response owed: that ends it, or FramingError says what is missing."""
        if self.broken is not None:
            raise self.broken
        if self._connection is None:
            raise FramingError(Fault.EMPTY_REPLY, "closed before any byte of the response")
        self._connection.receive_data(b"")
        try:
            self._take_events(self._connection)
        except h11.RemoteProtocolError as error:
            raise FramingError(Fault.TRUNCATED, _brief(error)) from None
        if not self.statuses:
            raise FramingError(Fault.TRUNCATED, "closed inside the response head")
        self.keep_alive = False
