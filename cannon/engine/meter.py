"""What the hot path counts between two ticks.

The connections append to the lists and add to the plain counters of one Meter; `settle` folds the lists into
counts once some hundreds have come (bounded memory, and an append is the cheapest thing Python can do), and
`tally` hands over what has been counted since the last time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import repeat
from operator import length_hint

from cannon.engine.latency_log import LatencyLog
from cannon.engine.reader import Bodies
from cannon.engine.sockets import Secured
from cannon.errors import Fault
from cannon.tally import UNIT_BITS, Example, Histogram, Row, Tally

__all__ = ["Meter"]

_UNLIMITED = 1 << 62
_FOLD_AFTER = 512


class Meter:
    """Counts of one shard. `requests` is the one source of requests: what was taken from it is what was sent."""

    def __init__(self, succeeds: Callable[[int], bool], began_ns: int, log: LatencyLog | None = None) -> None:
        self._succeeds = succeeds
        self._began_ns = began_ns
        self._log = log
        # Durations are recorded shifted right by `unit_bits`; whole ns are only wanted for the log.
        self.unit_bits = UNIT_BITS if log is None else 0
        self.recorders: dict[int, Callable[[int], None]] = {}
        self.bodies = Bodies()
        self._delays: list[int] = []
        self._unfolded = 0
        self._recorded: dict[int, list[int]] = {}
        # Added to by connections, cumulative.
        self.received_bytes = 0
        self.unsent_bytes = 0
        self.held = 0
        self.attempted = 0
        self.made = 0
        self.connecting = 0
        self.closed_idle = 0
        self.excess = 0
        self._requests: Iterator[bytes] = iter(())
        self._limit = 0
        self._request_bytes = 0
        self._told = Tally()
        self._reset()

    def _reset(self) -> None:
        self._whole: Counter[int] = Counter()
        self._spread: Counter[int] = Counter()
        self._first_byte: Counter[int] = Counter()
        self._own_delay: Counter[int] = Counter()
        self._connect: Counter[int] = Counter()
        self._tls: Counter[int] = Counter()
        self._tls_resumed: Counter[int] = Counter()
        self._negotiated: Counter[str] = Counter()
        self._status: Counter[int] = Counter()
        self._errors: Counter[Fault] = Counter()
        self._connect_errors: Counter[Fault] = Counter()
        self._examples: dict[Fault, Example] = {}

    def supply(self, data: bytes, limit: int | None) -> Iterator[bytes]:
        """The requests of this shard: the same bytes, `limit` times or without end.

        The number taken is read off the iterator itself, so counting what is sent costs the hot path nothing.
        """
        self._limit = _UNLIMITED if limit is None else limit
        self._request_bytes = len(data)
        self._requests = repeat(data, self._limit)
        return self._requests

    def recorder(self, status: int) -> Callable[[int], None]:
        """Takes the durations of responses of this status that stood in one read: an append, to be kept."""
        recorded = self._recorded.setdefault(status, [])
        return self.recorders.setdefault(status, recorded.append)

    @property
    def sent(self) -> int:
        """Requests of which at least one byte was handed to the kernel."""
        return self._limit - length_hint(self._requests) - self.held

    def spread(self, status: int, duration_ns: int, first_byte_ns: int) -> None:
        """A response that took several reads; both durations since the request was sent."""
        self._status[status] += 1
        self._spread[duration_ns >> UNIT_BITS] += 1
        self._first_byte[first_byte_ns >> UNIT_BITS] += 1
        if self._log is not None:
            self._log.write([duration_ns], status)

    def timed_out(self, duration_ns: int) -> None:
        """A request that ended at its deadline: its latency counts, so that the worst do not vanish."""
        self._spread[duration_ns >> UNIT_BITS] += 1
        if self._log is not None:
            self._log.write([duration_ns], Fault.TIMEOUT)

    def failed(self, fault: Fault, message: str, now_ns: int) -> None:
        """A request that was sent and ended by a fault."""
        self._errors[fault] += 1
        self._examples.setdefault(fault, Example(now_ns - self._began_ns, message))

    def connected(self, duration_ns: int) -> None:
        """A dial that was answered."""
        self.made += 1
        self._connect[duration_ns >> UNIT_BITS] += 1

    def secured(self, duration_ns: int, secured: Secured) -> None:
        """The handshake of a dial that was answered."""
        self._negotiated[secured.agreed] += 1
        durations = self._tls_resumed if secured.resumed else self._tls
        durations[duration_ns >> UNIT_BITS] += 1

    def not_connected(self, fault: Fault, message: str, now_ns: int) -> None:
        """A dial that ended by a fault."""
        self._connect_errors[fault] += 1
        self._examples.setdefault(fault, Example(now_ns - self._began_ns, message))

    def settle(self, own_delay_ns: int, handled: int) -> None:
        """A turn of the loop is over, which handled so many sockets. What piled up is folded, once that is worth it."""
        self._delays.append(own_delay_ns >> UNIT_BITS)
        self._unfolded += handled
        if self._unfolded >= _FOLD_AFTER:
            self.fold()

    def fold(self) -> None:
        """Fold the recorded durations into counts."""
        self._unfolded = 0
        self._own_delay.update(self._delays)
        self._delays.clear()
        for status, recorded in self._recorded.items():
            if not recorded:
                continue
            self._status[status] += len(recorded)
            if self._log is not None:
                self._log.write(recorded, status)
                recorded[:] = [duration_ns >> UNIT_BITS for duration_ns in recorded]
            self._whole.update(recorded)
            recorded.clear()

    def tally(self, *, window_ns: int, cpu_ns: int, run_delay_ns: int, longest_pause_ns: int) -> Tally:
        """What was counted since the last call. `window_ns`: how much of the measured window that was; with 0,
        what ended belongs to no row. CPU and run delay are cumulative.
        """
        self.fold()
        sent, told = self.sent, self._told
        cumulative = Tally(
            sent=sent,
            sent_bytes=(sent + self.held) * self._request_bytes - self.unsent_bytes,
            attempted=self.attempted,
            made=self.made,
            connecting=self.connecting,
            closed_idle=self.closed_idle,
            excess=self.excess,
            log_lost=int(self._log is not None and self._log.lost),
            received_bytes=self.received_bytes,
            received_body_bytes=self.bodies.total_bytes,
            cpu_ns=cpu_ns,
            run_delay_ns=run_delay_ns,
        )
        self._told = cumulative
        succeeded = sum(count for status, count in self._status.items() if self._succeeds(status))
        received_bytes = cumulative.received_bytes - told.received_bytes
        row = Row(window_ns, self._status.total(), succeeded, self._errors.total(), received_bytes)
        told_now = Tally(
            sent=sent - told.sent,
            succeeded=succeeded,
            status=dict(self._status),
            errors=dict(self._errors),
            attempted=cumulative.attempted - told.attempted,
            made=cumulative.made - told.made,
            connecting=cumulative.connecting - told.connecting,
            closed_idle=cumulative.closed_idle - told.closed_idle,
            connect_errors=dict(self._connect_errors),
            negotiated=dict(self._negotiated),
            examples=self._examples,
            excess=cumulative.excess - told.excess,
            log_lost=cumulative.log_lost - told.log_lost,
            sent_bytes=cumulative.sent_bytes - told.sent_bytes,
            received_bytes=received_bytes,
            received_body_bytes=cumulative.received_body_bytes - told.received_body_bytes,
            whole=Histogram(self._whole),
            spread=Histogram(self._spread),
            spread_first_byte=Histogram(self._first_byte),
            connect=Histogram(self._connect),
            tls=Histogram(self._tls),
            tls_resumed=Histogram(self._tls_resumed),
            own_delay=Histogram(self._own_delay),
            row=row if window_ns else Row(),
            cpu_ns=cpu_ns - told.cpu_ns,
            run_delay_ns=run_delay_ns - told.run_delay_ns,
            longest_pause_ns=longest_pause_ns,
        )
        self._reset()
        return told_now
