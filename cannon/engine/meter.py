"""What the hot path counts between two ticks.

The connections append to the lists and add to the plain counters of one Meter; `settle` folds the lists into
counts once some hundreds have come (bounded memory, and an append is the cheapest thing Python can do), and
`tally` hands over what has been counted since the last time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from cannon.engine.latency_log import LatencyLog
from cannon.engine.owed import Bodies
from cannon.engine.sockets import Secured
from cannon.engine.supply import Shot, Supply
from cannon.errors import Fault
from cannon.tally import UNIT_BITS, Example, Histogram, Row, StepTally, Tally

__all__ = ["Meter"]

_FOLD_AFTER = 512


class Meter:
    """Counts of one shard, whose requests `supply` gives.

    `steps`: how many kinds of requests there are; `due`: they have due times; `only_successes`: latencies and bytes
    a second are those of successes alone. `faulted` is called after each error, mismatched body and failed dial.
    """

    def __init__(
        self,
        succeeds: Callable[[int], bool],
        began_ns: int,
        supply: Supply,
        *,
        log: LatencyLog | None = None,
        steps: int = 1,
        due: bool = False,
        only_successes: bool = False,
        faulted: Callable[[], None] | None = None,
    ) -> None:
        self._succeeds = succeeds
        self._began_ns = began_ns
        self._log = log
        self._steps = steps
        self.due = due
        self.only_successes = only_successes
        self._faulted = faulted
        self.supply = supply
        # Durations are recorded shifted right by `unit_bits`; whole ns are only wanted for the log.
        self.unit_bits = UNIT_BITS if log is None else 0
        self.bodies = Bodies()
        self._turns: list[int] = []
        self._unfolded = 0
        # By step and status: one that is folded away at the next occasion, or kept for good.
        self._recorded: dict[tuple[int, int], list[int]] = {}
        self._responses: list[list[int]] = [[] for _ in range(steps)]
        # Appended to, and added to, by connections; the numbers are cumulative.
        self.late: list[int] = []
        self.woke_late: list[int] = []
        self.delays: list[int] = []
        self.stamped = 0
        self.received_bytes = 0
        self.successes_bytes = 0
        self.attempted = 0
        self.made = 0
        self.connecting = 0
        self.closed_idle = 0
        self.excess = 0
        # Whoever was sent before is of the lead-in, whenever it ends.
        self.opened_ns = 0
        self._told = Tally()
        self._reset()

    def _reset(self) -> None:
        self._mismatched: Counter[int] = Counter()
        self._led_in: Counter[int] = Counter()
        self._whole: Counter[int] = Counter()
        self._spread: Counter[int] = Counter()
        self._first_byte: Counter[int] = Counter()
        self._response: Counter[int] = Counter()
        self._late: Counter[int] = Counter()
        self._woke_late: Counter[int] = Counter()
        self._own_delay: Counter[int] = Counter()
        self._connect: Counter[int] = Counter()
        self._tls: Counter[int] = Counter()
        self._tls_resumed: Counter[int] = Counter()
        self._negotiated: Counter[str] = Counter()
        self._status: Counter[int] = Counter()
        self._errors: Counter[Fault] = Counter()
        self._connect_errors: Counter[Fault] = Counter()
        self._examples: dict[Fault, Example] = {}
        # Of those steps alone of which there is something to tell: there may be thousands.
        self._step_status: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._step_latency: defaultdict[int, Counter[int]] = defaultdict(Counter)

    # Requests.

    def recorder(self, status: int, step: int = 0) -> Callable[[int], None]:
        """Takes the durations of responses of this status that stood in one read: an append, to be kept."""
        return self._recorded.setdefault((step, status), []).append

    def sent(self, shot: Shot) -> None:
        """A request was sent that had a due time."""
        self.late.append(shot.sent_ns - shot.due_ns >> UNIT_BITS)

    def completed(
        self, shot: Shot, status: int, ended_ns: int, first_byte_ns: int, *, matched: bool = True
    ) -> None:
        """A response that was read whole; `first_byte_ns` 0: it stood in one read. A body that was none of those
        expected is told by `mismatch` as well.
        """
        if shot.sent_ns < self.opened_ns:
            # A window that counted these would hold more of the slow ones than were sent in it: the longer a request
            # takes, the more of its kind are under way when it opens.
            self._led_in[status] += 1
            return
        step, service_ns = shot.prepared.step, ended_ns - shot.sent_ns
        counted = self.counts(status, matched=matched)
        if not first_byte_ns and counted:
            self.recorder(status, step)(service_ns >> self.unit_bits)
        else:
            self._status[status] += 1
            self._step_status[step][status] += 1
            if counted:
                self._spread[service_ns >> UNIT_BITS] += 1
                self._first_byte[first_byte_ns - shot.sent_ns >> UNIT_BITS] += 1
                if not self.due:
                    self._step_latency[step][service_ns >> UNIT_BITS] += 1
        if self.due and counted:
            self._responses[step].append(ended_ns - shot.due_ns >> UNIT_BITS)
        # Without a rate, what is recorded is logged when it is folded.
        if self._log is not None and counted and (self.due or first_byte_ns):
            self._log.write([ended_ns - (shot.due_ns if self.due else shot.sent_ns)], status)

    def counts(self, status: int, *, matched: bool) -> bool:
        """Whether latencies and bytes a second are told of a response like this."""
        return not self.only_successes or (matched and self._succeeds(status))

    def mismatch(self, status: int) -> None:
        """The body of a response that was completed is not what was expected."""
        self._mismatched[status] += 1
        if self._faulted is not None:
            self._faulted()

    def timed_out(self, shot: Shot, timeout_ns: int) -> None:
        """A request that ended at its deadline: its latency counts, so that the worst do not vanish."""
        if self.only_successes:
            return
        self._spread[timeout_ns >> UNIT_BITS] += 1
        waited_ns = timeout_ns
        if self.due:
            waited_ns += shot.sent_ns - shot.due_ns
            self._responses[shot.prepared.step].append(waited_ns >> UNIT_BITS)
        else:
            self._step_latency[shot.prepared.step][timeout_ns >> UNIT_BITS] += 1
        if self._log is not None:
            self._log.write([waited_ns], Fault.TIMEOUT)

    def aborted(self, count: int) -> None:
        """Requests that were behind one that ended by a fault, on its connection."""
        if count:
            self._errors[Fault.ABORTED] += count

    def failed(self, fault: Fault, message: str, now_ns: int) -> None:
        """A request that was sent and ended by a fault."""
        self._errors[fault] += 1
        self._examples.setdefault(fault, Example(now_ns - self._began_ns, message))
        if self._faulted is not None:
            self._faulted()

    # Connections.

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
        if self._faulted is not None:
            self._faulted()

    # Turns of the loop, and ticks.

    def settle(self, own_delay_ns: int, handled: int) -> None:
        """A turn of the loop is over, which handled so many sockets. What piled up is folded, once that is worth it."""
        self._turns.append(own_delay_ns >> UNIT_BITS)
        self._unfolded += handled
        if self._unfolded >= _FOLD_AFTER:
            self.fold()

    def fold(self) -> None:
        """Fold the recorded durations into counts."""
        self._unfolded = 0
        # Where the kernel stamps, the delay of each response is known, and that of a turn says less.
        _drain(self.delays if self.stamped else self._turns, self._own_delay)
        self._turns.clear()
        self.delays.clear()
        _drain(self.late, self._late)
        _drain(self.woke_late, self._woke_late)
        for (step, status), recorded in self._recorded.items():
            if not recorded:
                continue
            self._status[status] += len(recorded)
            if self._log is not None:
                if not self.due:
                    self._log.write(recorded, status)
                recorded[:] = [duration_ns >> UNIT_BITS for duration_ns in recorded]
            if self._steps > 1:
                self._step_status[step][status] += len(recorded)
                if not self.due:
                    self._step_latency[step].update(recorded)
            _drain(recorded, self._whole)
        if self.due:
            self._fold_responses()

    def _fold_responses(self) -> None:
        for step, responses in enumerate(self._responses):
            if not responses:
                continue
            if self._steps > 1:
                self._step_latency[step].update(responses)
            _drain(responses, self._response)

    def tally(self, *, window_ns: int, cpu_ns: int, run_delay_ns: int, longest_pause_ns: int) -> Tally:
        """What was counted since the last call. `window_ns`: how much of the measured window that was; with 0,
        what ended belongs to no row. CPU and run delay are cumulative.
        """
        self.fold()
        told = self._told
        cumulative = Tally(
            sent=self.supply.sent,
            sent_bytes=self.supply.sent_bytes,
            attempted=self.attempted,
            made=self.made,
            connecting=self.connecting,
            closed_idle=self.closed_idle,
            excess=self.excess,
            stamped=self.stamped,
            log_lost=int(self._log is not None and self._log.lost),
            received_bytes=self.received_bytes,
            received_body_bytes=self.bodies.total_bytes,
            # Of a row, those that count.
            row=Row(received_bytes=self.successes_bytes if self.only_successes else self.received_bytes),
            cpu_ns=cpu_ns,
            run_delay_ns=run_delay_ns,
        )
        self._told = cumulative
        mismatched = self._mismatched.total()
        succeeded = sum(
            count - self._mismatched[status]
            for status, count in self._status.items()
            if self._succeeds(status)
        )
        led_in = self._led_in.total()
        row = Row(
            window_ns,
            # How much went through is what ended, whenever it was sent.
            self._status.total() + led_in,
            succeeded + sum(count for status, count in self._led_in.items() if self._succeeds(status)),
            self._errors.total(),
            cumulative.row.received_bytes - told.row.received_bytes,
        )
        told_now = Tally(
            sent=cumulative.sent - told.sent - led_in,
            led_in=led_in,
            led_in_completed=led_in,
            succeeded=succeeded,
            mismatched=mismatched,
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
            stamped=cumulative.stamped - told.stamped,
            log_lost=cumulative.log_lost - told.log_lost,
            sent_bytes=cumulative.sent_bytes - told.sent_bytes,
            received_bytes=cumulative.received_bytes - told.received_bytes,
            received_body_bytes=cumulative.received_body_bytes - told.received_body_bytes,
            whole=Histogram(self._whole),
            spread=Histogram(self._spread),
            spread_first_byte=Histogram(self._first_byte),
            response=Histogram(self._response),
            late=Histogram(self._late),
            woke_late=Histogram(self._woke_late),
            connect=Histogram(self._connect),
            tls=Histogram(self._tls),
            tls_resumed=Histogram(self._tls_resumed),
            own_delay=Histogram(self._own_delay),
            steps=self._told_steps(),
            row=row if window_ns else Row(),
            cpu_ns=cpu_ns - told.cpu_ns,
            run_delay_ns=run_delay_ns - told.run_delay_ns,
            longest_pause_ns=longest_pause_ns,
        )
        self._reset()
        return told_now

    def _told_steps(self) -> dict[int, StepTally]:
        """The share of each step, where there are several."""
        if self._steps == 1:
            return {}
        return {
            step: StepTally(dict(self._step_status[step]), Histogram(self._step_latency[step]))
            for step in sorted(self._step_status.keys() | self._step_latency.keys())
        }


def _drain(recorded: list[int], into: Counter[int]) -> None:
    """Count what was recorded, and begin anew in the same list."""
    into.update(recorded)
    recorded.clear()
