"""What the hot path counts is told once, whole, and in the Tally where it belongs."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.latency_log import LatencyLog
from cannon.engine.meter import Meter
from cannon.errors import Fault
from cannon.tally import Histogram, Tally

REQUEST = b"0123456789"


def _meter(log: LatencyLog | None = None) -> Meter:
    return Meter(lambda status: status < 400, 0, log)


def _tell(meter: Meter, window_ns: int = 1) -> Tally:
    return meter.tally(window_ns=window_ns, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)


def test_what_was_taken_from_the_supply_is_what_was_sent() -> None:
    meter = _meter()
    supply = meter.supply(REQUEST, 5)
    assert [next(supply), next(supply)] == [REQUEST, REQUEST]
    told = _tell(meter)
    assert (told.sent, told.sent_bytes) == (2, 20)
    assert len(list(supply)) == 3
    assert _tell(meter).sent == 3


def test_a_request_that_is_held_is_not_sent_yet() -> None:
    meter = _meter()
    supply = meter.supply(REQUEST, None)
    next(supply)
    meter.held, meter.unsent_bytes = 1, 10
    assert (_tell(meter).sent, _tell(meter).sent_bytes) == (0, 0)
    meter.held, meter.unsent_bytes = 0, 4
    told = _tell(meter)
    assert (told.sent, told.sent_bytes) == (1, 6)


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from([200, 304, 404, 500])), max_size=1200),
    st.integers(1, 9),
)
def test_every_response_is_told_once_however_often_is_settled_and_told(
    responses: list[tuple[int, int]], every: int
) -> None:
    meter = _meter()
    total = Tally()
    for number, (duration_ns, status) in enumerate(responses):
        meter.recorder(status)(duration_ns >> meter.unit_bits)
        meter.bodies.total_bytes += 3
        meter.settle(50, 1)
        if number % (every * 40) == 0:
            total += _tell(meter)
    total += _tell(meter)
    assert total.service == Histogram.of(*(duration_ns for duration_ns, _ in responses))
    assert total.first_byte == total.service
    assert total.completed == total.row.requests == len(responses)
    assert total.succeeded == sum(status < 400 for _, status in responses)
    assert total.received_body_bytes == 3 * len(responses)
    assert total.own_delay.count == len(responses)


def test_lists_never_grow_long() -> None:
    meter = _meter()
    for _ in range(5_000):
        meter.recorder(200)(1)
        meter.settle(1, 1)
        recorded = meter.recorders[200].__self__  # type: ignore[attr-defined]  # the list it appends to
        assert len(recorded) <= 512


def test_a_response_in_several_reads_has_a_first_byte_of_its_own() -> None:
    meter = _meter()
    meter.spread(200, 5_000_000, 1_000_000)
    told = _tell(meter)
    assert (told.service, told.first_byte) == (Histogram.of(5_000_000), Histogram.of(1_000_000))


def test_a_timeout_is_in_the_latencies_and_in_no_status() -> None:
    meter = _meter()
    meter.timed_out(10_000_000_000)
    meter.failed(Fault.TIMEOUT, "late", 7)
    told = _tell(meter)
    assert (told.service.count, told.first_byte.count, told.completed, told.failed) == (1, 0, 0, 1)


def test_the_first_message_of_a_fault_is_its_example() -> None:
    meter = _meter()
    meter.failed(Fault.RESET, "first", 5)
    meter.failed(Fault.RESET, "second", 6)
    meter.not_connected(Fault.REFUSED, "refused", 7)
    told = _tell(meter)
    assert {fault: (example.at_ns, example.message) for fault, example in told.examples.items()} == {
        Fault.RESET: (5, "first"),
        Fault.REFUSED: (7, "refused"),
    }
    assert (told.failed, told.connects_failed) == (2, 1)


def test_what_ends_outside_the_window_belongs_to_no_row() -> None:
    meter = _meter()
    meter.recorder(200)(1)
    assert _tell(meter, window_ns=0).row.requests == 0


def test_the_log_has_nanoseconds_and_the_histogram_the_same_values(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "latencies")
    meter = _meter(LatencyLog(path))
    meter.recorder(200)(1_234_567)
    meter.recorder(404)(89)
    meter.spread(201, 77_777, 5)
    meter.timed_out(10)
    assert _tell(meter).service == Histogram.of(1_234_567, 89, 77_777, 10)
    with open(path, encoding="ascii") as lines:
        assert sorted(lines.read().split()) == ["10,timeout", "1234567,200", "77777,201", "89,404"]
