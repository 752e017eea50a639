"""What one shard, one second, one worker or a whole run counted.

The law: a Tally has a zero, and + is associative and commutative, so the sum over seconds and workers is the
run, in whatever order they arrive. Percentiles are never averaged; only Tallies are added. Durations are kept
as counts per 64 ns and, where they are added, to the three significant digits of HdrHistogram: memory is
bounded by the range of the values, never by the number of requests.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from cannon.errors import Fault

__all__ = ["UNIT_BITS", "Example", "Histogram", "Row", "StepTally", "Tally"]

UNIT_BITS = 6
"""Durations are counted in units of 2**6 ns: exact to 64 ns, and cheap to find."""

_KEPT_BITS = 11
"""Leading bits kept of a duration: 2,048 steps per power of two, HdrHistogram's three significant digits."""

_HIGHEST_NS = 7 * 24 * 3_600 * 1_000_000_000

_Key = TypeVar("_Key")


def _coarse(unit: int) -> int:
    """The lowest duration that HdrHistogram would not tell from this one."""
    dropped = unit.bit_length() - _KEPT_BITS
    return unit if dropped <= 0 else unit >> dropped << dropped


def _width(unit: int) -> int:
    """How many units share the bucket that begins at `unit`."""
    return 1 << max(0, unit.bit_length() - _KEPT_BITS)


def _pour(counts: dict[int, int], into: dict[int, int]) -> None:
    """Add counts, coarsely. `_coarse` is written out: this runs for thousands of units every second."""
    for unit, samples in counts.items():
        bucket = unit
        if unit >> _KEPT_BITS:
            dropped = unit.bit_length() - _KEPT_BITS
            bucket = unit >> dropped << dropped
        into[bucket] = into.get(bucket, 0) + samples


class Histogram(msgspec.Struct, frozen=True, eq=False, omit_defaults=True):
    """Durations: `counts` maps units of 64 ns to how many samples fell there; `folded` says that they have been
    brought to three digits.

    Two histograms are equal when every bucket of HdrHistogram holds the same count. A quantile is the upper
    edge of its bucket: never below the exact order statistic, and at most 0.1 % or 64 ns above it.
    """

    counts: dict[int, int] = {}
    folded: bool = False

    @classmethod
    def of(cls, *durations_ns: int) -> Histogram:
        """A histogram of the given durations."""
        counts: dict[int, int] = {}
        for duration_ns in durations_ns:
            unit = duration_ns >> UNIT_BITS
            counts[unit] = counts.get(unit, 0) + 1
        return cls(counts)

    def coarse(self) -> Histogram:
        """The same at three significant digits: what + and == see."""
        if self.folded:
            return self
        counts: dict[int, int] = {}
        _pour(self.counts, counts)
        return Histogram(counts, folded=True)

    def __add__(self, other: Histogram) -> Histogram:
        if not other.counts:
            return self.coarse()
        counts = dict(self.coarse().counts)
        _pour(other.counts, counts)
        return Histogram(counts, folded=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.coarse().counts == other.coarse().counts

    def __hash__(self) -> int:
        return hash(frozenset(self.coarse().counts.items()))

    @property
    def count(self) -> int:
        """How many samples."""
        return sum(self.counts.values())

    @property
    def min_ns(self) -> int | None:
        """The lower edge of the lowest bucket; None without samples."""
        return _coarse(min(self.counts)) << UNIT_BITS if self.counts else None

    @property
    def max_ns(self) -> int | None:
        """The upper edge of the highest bucket; None without samples."""
        return self._upper_ns(max(self.counts)) if self.counts else None

    @property
    def mean_ns(self) -> float | None:
        """The mean of the buckets' middles; None without samples."""
        if not self.counts:
            return None
        return sum(self._middle_ns(unit) * samples for unit, samples in self.counts.items()) / self.count

    @property
    def stddev_ns(self) -> float | None:
        """The standard deviation of the buckets' middles; None without samples."""
        mean_ns = self.mean_ns
        if mean_ns is None:
            return None
        squares = sum(
            (self._middle_ns(unit) - mean_ns) ** 2 * samples for unit, samples in self.counts.items()
        )
        return math.sqrt(squares / self.count)

    @property
    def buckets_ns(self) -> list[tuple[int, int]]:
        """The upper edge of each bucket that holds samples, the lowest first, and how many it holds."""
        return [(self._upper_ns(unit), samples) for unit, samples in sorted(self.counts.items())]

    def percentiles_ns(self, percentiles: tuple[float, ...]) -> tuple[int | None, ...]:
        """The least durations that at least these percentages (0 < p <= 100) of the samples do not exceed."""
        if not self.counts:
            return (None,) * len(percentiles)
        buckets = sorted(self.counts)
        total = self.count
        found: dict[float, int] = {}
        position, seen = -1, 0
        for percentile in sorted(set(percentiles)):
            rank = max(1, math.ceil(percentile * total / 100 - 1e-9))
            while seen < rank:
                position += 1
                seen += self.counts[buckets[position]]
            found[percentile] = self._upper_ns(buckets[position])
        return tuple(found[percentile] for percentile in percentiles)

    def percentile_ns(self, percentile: float) -> int | None:
        """One of `percentiles_ns`."""
        return self.percentiles_ns((percentile,))[0]

    def encode(self) -> str:
        """HdrHistogram V2, base64: nanoseconds, three significant digits; for its tools and for merging."""
        from hdrh.histogram import HdrHistogram

        histogram = HdrHistogram(1, _HIGHEST_NS, 3)
        for unit, samples in self.counts.items():
            if not histogram.record_value(min(self._upper_ns(unit), _HIGHEST_NS), samples):
                raise OverflowError(f"{samples} samples of {self._upper_ns(unit)} ns are out of range")
        return str(histogram.encode().decode("ascii"))

    @classmethod
    def decode(cls, encoded: str) -> Histogram:
        """The histogram that `encode` wrote."""
        from hdrh.histogram import HdrHistogram

        histogram = HdrHistogram.decode(encoded)
        counts: dict[int, int] = {}
        # Its own iterator takes a hundred times as long as a look at each count.
        for index in range(histogram.counts_len):
            if samples := histogram.get_count_at_index(index):
                unit = int(histogram.get_value_from_index(index)) >> UNIT_BITS
                counts[unit] = counts.get(unit, 0) + int(samples)
        return cls(counts).coarse()

    @staticmethod
    def _upper_ns(unit: int) -> int:
        return ((_coarse(unit) + _width(unit)) << UNIT_BITS) - 1

    @staticmethod
    def _middle_ns(unit: int) -> float:
        return (_coarse(unit) + _width(unit) / 2) * (1 << UNIT_BITS)


class Example(msgspec.Struct, frozen=True, order=True):
    """The message of a fault, cleaned, and when it came (ns since the run began); the earliest is shown."""

    at_ns: int
    message: str


class Row(msgspec.Struct, frozen=True):
    """What ended inside the measured window, and how much of the window that was. Responses, not attempts."""

    window_ns: int = 0
    requests: int = 0
    succeeded: int = 0
    failed: int = 0
    received_bytes: int = 0

    def __add__(self, other: Row) -> Row:
        return Row(
            self.window_ns + other.window_ns,
            self.requests + other.requests,
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.received_bytes + other.received_bytes,
        )


class StepTally(msgspec.Struct, frozen=True, omit_defaults=True):
    """The share of one step: its whole responses by status, and the durations of all that its latency is made of."""

    status: dict[int, int] = {}
    latency: Histogram = Histogram()

    def __add__(self, other: StepTally) -> StepTally:
        return StepTally(_add_counts(self.status, other.status), self.latency + other.latency)


class Tally(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts, faults and durations. `Tally()` is the zero; + adds; bytes round-trip.

    sent = completed + failed + in_flight, where in_flight is told once, when the shard ends. `whole` holds the
    service times of responses that stood in one read (their first byte came with their last), `spread` those
    of the others and of timeouts, `spread_first_byte` the times to the first byte of the others. `negotiated`
    counts TLS connections by protocol and cipher. `fewest_answered` and `most_answered`: responses that one
    connection got, told once, when the shard ends. `bailed_out`: shards that were ended by their errors. `led_in`:
    requests that were sent and ended in the lead-in, and are in no other count; `led_in_completed`: responses read
    whole there, and the bytes that came meanwhile.

    Under a rate: `response` from the due time to the end, of the same that `whole` and `spread` hold; `late` from the
    due time to the send, of every request sent; `woke_late` the same of those that a free connection waited for, so
    that nobody but cannon was late. `stamped`: responses whose end the kernel stamped. `steps`: by position in the
    plan, where it has several.
    """

    sent: int = 0
    succeeded: int = 0
    mismatched: int = 0
    in_flight: int = 0
    never_sent: int = 0
    oldest_in_flight_ns: int = 0
    status: dict[int, int] = {}
    errors: dict[Fault, int] = {}
    attempted: int = 0
    made: int = 0
    connecting: int = 0
    closed_idle: int = 0
    connect_errors: dict[Fault, int] = {}
    negotiated: dict[str, int] = {}
    fewest_answered: int | None = None
    most_answered: int | None = None
    examples: dict[Fault, Example] = {}
    excess: int = 0
    log_lost: int = 0
    bailed_out: int = 0
    led_in: int = 0
    led_in_completed: int = 0
    led_in_bytes: int = 0
    led_in_body_bytes: int = 0
    stamped: int = 0
    steps: dict[int, StepTally] = {}
    sent_bytes: int = 0
    received_bytes: int = 0
    received_body_bytes: int = 0
    whole: Histogram = Histogram()
    spread: Histogram = Histogram()
    spread_first_byte: Histogram = Histogram()
    response: Histogram = Histogram()
    late: Histogram = Histogram()
    woke_late: Histogram = Histogram()
    connect: Histogram = Histogram()
    tls: Histogram = Histogram()
    tls_resumed: Histogram = Histogram()
    own_delay: Histogram = Histogram()
    row: Row = Row()
    cpu_ns: int = 0
    run_delay_ns: int = 0
    longest_pause_ns: int = 0

    @property
    def service(self) -> Histogram:
        """Service times: of every whole response, and of timeouts at their deadline."""
        return self.whole + self.spread

    @property
    def first_byte(self) -> Histogram:
        """Times from the send to the first byte, of every whole response."""
        return self.whole + self.spread_first_byte

    @property
    def completed(self) -> int:
        """Responses read whole."""
        return sum(self.status.values())

    @property
    def failed(self) -> int:
        """Requests that were sent and ended by a fault."""
        return sum(self.errors.values())

    @property
    def connects_failed(self) -> int:
        """Dials that ended by a fault."""
        return sum(self.connect_errors.values())

    def cut_off(self) -> Tally:
        """The sum of a shard that ended without a word: what was under way then is in flight for ever."""
        return msgspec.structs.replace(
            self,
            in_flight=self.sent - self.completed - self.failed,
            connecting=self.attempted - self.made - self.connects_failed,
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            **{
                name: _RULES.get(name, operator.add)(getattr(self, name), getattr(other, name))
                for name in self.__struct_fields__
            }
        )

    def to_bytes(self) -> bytes:
        """One message, as `from_bytes` reads it."""
        return _ENCODER.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Tally:
        """The Tally that `to_bytes` wrote; msgspec.ValidationError on anything else."""
        return _DECODER.decode(data)


def _add_counts(one: Mapping[_Key, int], other: Mapping[_Key, int]) -> dict[_Key, int]:
    total = dict(one)
    for key, count in other.items():
        total[key] = total.get(key, 0) + count
    return total


def _add_each(one: Mapping[int, StepTally], other: Mapping[int, StepTally]) -> dict[int, StepTally]:
    total = dict(one)
    for key, step in other.items():
        total[key] = total.get(key, StepTally()) + step
    return total


def _earliest(one: Mapping[Fault, Example], other: Mapping[Fault, Example]) -> dict[Fault, Example]:
    first = dict(one)
    for fault, example in other.items():
        first[fault] = min(first.get(fault, example), example)
    return first


def _known(choose: Callable[[int, int], int]) -> Callable[[int | None, int | None], int | None]:
    """The same choice where one or both may not have been told."""

    def chosen(one: int | None, other: int | None) -> int | None:
        return other if one is None else one if other is None else choose(one, other)

    return chosen


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "status": _add_counts,
    "errors": _add_counts,
    "connect_errors": _add_counts,
    "negotiated": _add_counts,
    "steps": _add_each,
    "fewest_answered": _known(min),
    "most_answered": _known(max),
    "examples": _earliest,
    "oldest_in_flight_ns": max,
    "longest_pause_ns": max,
}
"""How the fields that are not plain sums are added."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Tally)
