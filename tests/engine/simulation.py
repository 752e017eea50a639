"""A kernel and a server that are made up, with a clock of their own: a whole shard is fired in milliseconds.

The server does to each request and to each dial what the test says, in turn. It knows to the byte what was handed to
it, so what a shard tells of itself can be held against it.
"""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from itertools import count, cycle
from unittest import mock

from cannon.engine import assembly, connection, dialler, exchange, loop, native, window
from cannon.engine.loop import READ, WRITE
from cannon.engine.sockets import Secured, Socket
from cannon.plan import Plan
from cannon.route import Address

__all__ = ["US", "Answer", "Dial", "Simulation"]

US = 1_000

_MODULES = (assembly, connection, dialler, exchange, loop, native, window)
_FIRST_DESCRIPTOR = 1_000
_SEALED_BYTES = 64

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OTHER = GOOD.replace(b"ok", b"no")
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class Answer(Enum):
    """What becomes of a request that has come whole."""

    GOOD = "an answer"
    SLOW = "an answer, in 3 ms"
    PIECES = "an answer, in three pieces"
    OTHER = "an answer with another body"
    MISSING = "a 404"
    LAST = "an answer that is the last, and the end"
    QUIETLY_LAST = "an answer, and the end without a word"
    IDLY_LAST = "an answer, and the end a while later"
    RESET_BEHIND = "an answer, and a reset"
    TWICE = "two answers"
    TWICE_AND_RESET = "two answers, and a reset"
    HALF = "half an answer, and the end"
    NONE = "the end"
    RESET = "a reset"
    GARBAGE = "what is no answer"
    NEVER = "nothing, ever"


class Dial(Enum):
    """What becomes of a dial."""

    AT_ONCE = "answered at once"
    LATER = "answered in 0.3 ms"
    REFUSED = "refused at once"
    REFUSED_LATER = "refused in 0.3 ms"
    NEVER = "not answered"
    QUEUED = "no room in the queue of a unix socket"


class Simulation:
    """`answers` and `dials` are gone through again and again; `room_bytes` fit into the kernel's buffer of a socket,
    which the server empties every 50 us. `sealed`: sockets behave as those over TLS do. `hiccups_ns`: how long this
    program stands still, now and then.
    """

    def __init__(
        self,
        *,
        answers: list[Answer],
        dials: list[Dial],
        room_bytes: int = 1 << 20,
        sealed: bool = False,
        hiccups_ns: tuple[int, ...] = (0,),
    ) -> None:
        self.now_ns = 1_000_000_000
        self.sockets: list[_Socket] = []
        self.room_bytes = room_bytes
        self.sealed = sealed
        self.answers = cycle(answers)
        self._dials = cycle(dials)
        self._hiccups = cycle(hiccups_ns)
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._descriptors = count(_FIRST_DESCRIPTOR)
        self._watched: dict[int, int] = {}
        self._open: dict[int, _Socket] = {}

    # What a shard has of it.

    @contextmanager
    def instead_of_the_system(self) -> Iterator[None]:
        """The clock and the sockets of the engine are those of this simulation."""
        with ExitStack() as replaced:
            for module in _MODULES:
                replaced.enter_context(mock.patch.object(module, "monotonic_ns", self.clock))
            replaced.enter_context(mock.patch.object(assembly, "openers_of", self._openers_of))
            # So that a few connections are enough to wait for each other.
            replaced.enter_context(mock.patch.object(native, "AT_ONCE", 2))
            yield

    def clock(self) -> int:
        """Moves on by a little each time it is looked at."""
        self.now_ns += 100
        return self.now_ns

    def _openers_of(self, plan: Plan) -> list[Callable[[], Callable[[Address], Socket]]]:
        return [lambda: self._open_socket for _ in plan.targets]

    def _open_socket(self, address: Address) -> Socket:
        opened = _Socket(self, next(self._descriptors), next(self._dials))
        self.sockets.append(opened)
        self._open[opened.number] = opened
        return opened

    # What a Poller is.

    def register(self, fd: int, eventmask: int, /) -> None:
        assert fd not in self._watched
        self._watched[fd] = eventmask

    def modify(self, fd: int, eventmask: int, /) -> None:
        assert fd in self._watched
        self._watched[fd] = eventmask

    def unregister(self, fd: int, /) -> None:
        del self._watched[fd]

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        until_ns = self.now_ns + round(timeout * 1e9) + 1
        self.now_ns += next(self._hiccups)
        self._happen()
        while True:
            ready = [
                (number, events)
                for number, mask in self._watched.items()
                if number in self._open and (events := self._open[number].ready() & mask)
            ]
            if ready or not self._events or self._events[0][0] > until_ns:
                self.now_ns = self.now_ns if ready else max(self.now_ns, until_ns)
                return ready
            self.now_ns = max(self.now_ns, self._events[0][0])
            self._happen()

    def close(self) -> None:
        assert all(number < _FIRST_DESCRIPTOR for number in self._watched)

    # What happens.

    def later(self, after_ns: int, action: Callable[[], None]) -> None:
        """Have something happen."""
        heapq.heappush(self._events, (self.now_ns + after_ns, next(self._numbers), action))

    def _happen(self) -> None:
        while self._events and self._events[0][0] <= self.now_ns:
            heapq.heappop(self._events)[2]()

    def closed(self, number: int) -> None:
        assert number not in self._watched, "a socket is closed that is still watched"
        del self._open[number]

    # What the server knows.

    @property
    def sent_bytes(self) -> int:
        """Bytes of requests that were handed over."""
        return sum(len(opened.taken) for opened in self.sockets)

    @property
    def begun(self) -> int:
        """Requests of which at least a byte was handed over."""
        return sum(opened.begun for opened in self.sockets)

    @property
    def blocked(self) -> int:
        """Sockets on which there was no room for the begin of a request that nothing came of; sealed ones, on which
        there ever was none.
        """
        return sum(
            opened.blocked and (self.sealed or opened.begun == opened.whole) for opened in self.sockets
        )


class _Socket:
    """One socket, and the server's side of it."""

    def __init__(self, world: Simulation, number: int, dial: Dial) -> None:
        self.number = number
        self.taken = b""
        self.blocked = False
        self.begun = 0
        self.whole = 0
        self.most_in_flight = 0
        self.secured: Secured | None = None
        self.tunnelling = False
        self.pending = False
        self._world = world
        self._dial = dial
        self._code: int | None = None
        self._sealed_bytes = 0
        self._sealed = b""
        self._used_bytes = 0
        self._next_at = 0
        self._asked = 0
        self._busy = False
        self._unread = b""
        self._answered = 0
        self._ended = False
        self._reset = False
        self._refuses = False
        self._closed = False

    # What the engine has of it.

    def fileno(self) -> int:
        return self.number

    def connect_ex(self, address: tuple[str, int] | str, /) -> int:
        world = self._world
        if self._dial is Dial.AT_ONCE:
            self._code = 0
            return 0
        if self._dial is Dial.REFUSED:
            return errno.ECONNREFUSED
        if self._dial is Dial.QUEUED:
            self._dial = Dial.AT_ONCE
            return errno.EAGAIN if isinstance(address, str) else self.connect_ex(address)
        if self._dial is not Dial.NEVER:
            code = 0 if self._dial is Dial.LATER else errno.ECONNREFUSED
            world.later(300 * US, lambda: setattr(self, "_code", code))
        return errno.EINPROGRESS

    def getsockopt(self, level: int, optname: int, /) -> int:
        assert self._code is not None
        return self._code

    def handshake(self) -> int:
        if self._world.sealed:
            self.secured = Secured("sealed", resumed=False)
        return 0

    def recv(self, bufsize: int, /) -> bytes:
        assert not self._closed
        if self._unread:
            data, self._unread = self._unread[:bufsize], self._unread[bufsize:]
            self.pending = bool(self._world.sealed and self._unread)
            return data
        self.pending = False
        if self._reset:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        if self._ended:
            return b""
        raise BlockingIOError(errno.EAGAIN, "again")

    def send(self, data: bytes | memoryview, /) -> int:
        assert not self._closed
        data = bytes(data)
        if self._refuses or self._reset:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        if not self._world.sealed:
            taken = data[: self._world.room_bytes - self._used_bytes]
            self.blocked = not taken
            if not taken:
                raise BlockingIOError(errno.EAGAIN, "again")
            self._take(taken)
            return len(taken)
        # As over TLS: what was sealed is sent, now or later, and wanted again until it is.
        if not self._sealed:
            self._sealed = data[:_SEALED_BYTES]
            self._sealed_bytes = len(self._sealed)
        assert data.startswith(self._sealed[-self._sealed_bytes :])
        if self._world.room_bytes - self._used_bytes <= 0:
            self.blocked = True
            raise BlockingIOError(errno.EAGAIN, "again")
        self._take(self._sealed)
        sealed, self._sealed = self._sealed, b""
        return len(sealed)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._world.closed(self.number)

    def ready(self) -> int:
        """READ, WRITE, both or neither."""
        if self._code is None:
            return 0
        if self._code or self._reset:
            return READ | WRITE
        can_send = self._world.room_bytes > self._used_bytes
        return (READ if self._unread or self._ended else 0) | (WRITE if can_send else 0)

    # The server.

    def _take(self, data: bytes) -> None:
        world = self._world
        self._used_bytes += len(data)
        world.later(50 * US, self._empty)
        if self._ended:
            # The kernel takes what comes behind the end, and the peer answers with a reset.
            self._refuses = True
        self.taken += data
        self._count()
        self.most_in_flight = max(self.most_in_flight, self.begun - self._answered)
        self._serve()

    def _empty(self) -> None:
        self._used_bytes = 0

    def _count(self) -> None:
        while self._next_at < len(self.taken):
            if self.begun == self.whole:
                self.begun += 1
            end = self.taken.find(b"\r\n\r\n", self._next_at)
            if end < 0:
                return
            head = self.taken[self._next_at : end].lower()
            _, _, length = head.partition(b"content-length: ")
            stop = end + 4 + int(length.split(b"\r\n")[0] or b"0")
            if stop > len(self.taken):
                return
            self.whole += 1
            self._next_at = stop

    def _serve(self) -> None:
        if self._busy or self._ended or self._reset or self._asked == self.whole:
            return
        self._asked += 1
        self._busy = True
        answer = next(self._world.answers)
        after_ns = 3_000 * US if answer is Answer.SLOW else 100 * US
        self._world.later(after_ns, lambda: self._answer(answer))

    def _answer(self, answer: Answer) -> None:
        later = self._world.later
        self._busy = False
        if answer is Answer.PIECES:
            self._busy = True
            self._say(GOOD[:10])
            later(100 * US, lambda: self._say(GOOD[10:-1]))
            later(200 * US, self._answer_rest)
            return
        self._say(_SAID.get(answer, b""))
        # Who is answered twice may well ask for more.
        self._answered += 1 + (answer in _TWICE)
        if answer is Answer.NEVER:
            self._busy = True
        elif answer in _ENDS:
            self._ended = True
        elif answer is Answer.IDLY_LAST:
            self._busy = True
            later(500 * US, lambda: setattr(self, "_ended", True))
        elif answer in _RESETS:
            self._reset = True
        self._serve()

    def _answer_rest(self) -> None:
        self._say(GOOD[-1:])
        self._answered += 1
        self._busy = False
        self._serve()

    def _say(self, data: bytes) -> None:
        if not self._ended and not self._reset:
            self._unread += data


_SAID = {
    Answer.GOOD: GOOD,
    Answer.SLOW: GOOD,
    Answer.OTHER: OTHER,
    Answer.MISSING: MISSING,
    Answer.LAST: LAST,
    Answer.QUIETLY_LAST: GOOD,
    Answer.IDLY_LAST: GOOD,
    Answer.RESET_BEHIND: GOOD,
    Answer.TWICE: GOOD * 2,
    Answer.TWICE_AND_RESET: GOOD * 2,
    Answer.HALF: GOOD[:-1],
    Answer.GARBAGE: b"garbage\r\n\r\n",
}
_ENDS = (Answer.LAST, Answer.QUIETLY_LAST, Answer.HALF, Answer.NONE)
_TWICE = (Answer.TWICE, Answer.TWICE_AND_RESET)
_RESETS = (Answer.RESET_BEHIND, Answer.TWICE_AND_RESET, Answer.RESET)
