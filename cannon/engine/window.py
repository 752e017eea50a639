"""The measured window of a shard: when it opened, and what cannon itself took meanwhile.

Law: CPU, waits for a CPU and pauses are set against the window, so what the opening and the drain took is none of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic_ns

from cannon import host
from cannon.engine.meter import Meter
from cannon.tally import Tally

__all__ = ["AT_ONCE", "OPENING_STALLS_NS", "Window"]

AT_ONCE = 100
"""So many connections are dialled at a time, because a server's queue of those it has not accepted is short, and so
many begin to fire at a time, because nobody reads answers meanwhile.
"""

OPENING_STALLS_NS = 250_000_000
"""When no dial has ended for so long, the run begins without those that are missing; they may still come."""


_OF_CONNECTIONS = (
    "attempted",
    "made",
    "connecting",
    "closed_idle",
    "connect_errors",
    "negotiated",
    "connect",
    "tls",
    "tls_resumed",
    "log_lost",
)
"""What a Tally tells of dials and handshakes, which belong to a run whenever they happened."""


class Window:
    """Before `open`, Tallies have none. `began_ns`: when the shard was made, then when the window opened."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.began_ns = self._told_ns = monotonic_ns()
        self._cpu_ns = self._cpu_began_ns = 0
        self._run_delay_ns = self._run_delay_began_ns = 0
        self._longest_pause_ns = 0
        self._made = 0
        self._reached_ns = self.began_ns

    def open(self, spun_ns: int = 0) -> None:
        """The first request is sent now, or a lead-in is over. `spun_ns`: as of `tick`, up to now."""
        self.began_ns = self._told_ns = self._reached_ns = monotonic_ns()
        self._cpu_began_ns = host.cpu_ns() - spun_ns
        self._run_delay_began_ns = host.run_delay_ns() or 0

    def tick(self, now_ns: int, spun_ns: int = 0) -> Tally:
        """What was counted since the last tick: the part of the window that ends now. `spun_ns`: of all CPU time, what
        was spent on waiting; that is no work.
        """
        window_ns, self._told_ns = now_ns - self._told_ns, now_ns
        self._cpu_ns = max(self._cpu_ns, host.cpu_ns() - self._cpu_began_ns - spun_ns)
        self._run_delay_ns = (host.run_delay_ns() or 0) - self._run_delay_began_ns
        return self._tally(window_ns)

    def outside(self) -> Tally:
        """What was counted since, and is no part of the window: it was opening, or in the drain."""
        return self._tally(0)

    def _tally(self, window_ns: int) -> Tally:
        longest_pause_ns, self._longest_pause_ns = self._longest_pause_ns, 0
        return self._meter.tally(
            window_ns=window_ns,
            cpu_ns=self._cpu_ns,
            run_delay_ns=self._run_delay_ns,
            longest_pause_ns=longest_pause_ns,
        )

    def led_in(self, tallies: Iterable[Tally]) -> Tally:
        """What a run keeps of its lead-in: dials, and how many requests ended. Those that were in flight at its end
        are counted as sent, and taken back by the meter as they complete; a faster closed loop cannot tell them from
        others, and there they are the window's.
        """
        self._meter.opened_ns = self.began_ns
        whole = sum(tallies, Tally())
        ended = whole.completed + whole.failed
        return Tally(
            sent=whole.sent - ended,
            led_in=ended,
            led_in_completed=whole.completed,
            led_in_bytes=whole.received_bytes,
            led_in_body_bytes=whole.received_body_bytes,
            **{name: getattr(whole, name) for name in _OF_CONNECTIONS},
        )

    def paused(self, since_ns: int) -> None:
        """The time since then went into telling: nobody looked at the sockets."""
        self._longest_pause_ns = max(self._longest_pause_ns, monotonic_ns() - since_ns)

    def reaches(self, now_ns: int, within_ns: int, *, firing: bool) -> bool:
        """Whether a dial has been answered, or a request sent, within this time; `firing`: one may well be, now.

        A run of a fixed amount has no other end when its server has gone for good.
        """
        made = self._meter.made + self._meter.supply.sent
        if made != self._made or firing:
            self._made, self._reached_ns = made, now_ns
        return now_ns - self._reached_ns < within_ns
