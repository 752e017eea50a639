"""What the hot path counts is told once, whole, and in the Tally where it belongs."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cannon.engine.latency_log import LatencyLog
from cannon.engine.meter import Meter
from cannon.engine.supply import Prepared, Shot, Supply
from cannon.errors import Fault
from cannon.request import Request
from cannon.tally import Histogram, StepTally, Tally

REQUEST = b"0123456789"


def _prepared(step: int = 0) -> Prepared:
    return Prepared(Request("GET", REQUEST), step)


def _shot(sent_ns: int = 0, due_ns: int = 0, step: int = 0) -> Shot:
    shot = Shot(REQUEST, _prepared(step))
    shot.sent_ns, shot.due_ns = sent_ns, due_ns
    return shot


def _meter(log: LatencyLog | None = None, **settings: Any) -> Meter:
    return Meter(lambda status: status < 400, 0, Supply(None, _prepared()), log=log, **settings)


def _tell(meter: Meter, window_ns: int = 1) -> Tally:
    return meter.tally(window_ns=window_ns, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)


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
    kept = meter._recorded
    for _ in range(5_000):
        meter.recorder(200)(1)
        meter.settle(1, 1)
        assert len(kept[0, 200]) <= 512


def test_a_response_in_several_reads_has_a_first_byte_of_its_own() -> None:
    meter = _meter()
    meter.completed(_shot(), 200, 5_000_000, 1_000_000)
    told = _tell(meter)
    assert (told.service, told.first_byte) == (Histogram.of(5_000_000), Histogram.of(1_000_000))


def test_a_timeout_is_in_the_latencies_and_in_no_status() -> None:
    meter = _meter()
    meter.timed_out(_shot(), 10_000_000_000)
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
    meter.completed(_shot(), 201, 77_777, 5)
    meter.timed_out(_shot(), 10)
    assert _tell(meter).service == Histogram.of(1_234_567, 89, 77_777, 10)
    with open(path, encoding="ascii") as lines:
        assert sorted(lines.read().split()) == ["10,timeout", "1234567,200", "77777,201", "89,404"]


def test_under_a_rate_response_counts_from_the_due_time_and_service_from_the_send() -> None:
    meter = _meter(due=True)
    shot = _shot(sent_ns=3_000_000, due_ns=1_000_000)
    meter.sent(shot)
    meter.completed(shot, 200, 10_000_000, 0)
    told = _tell(meter)
    assert told.response == Histogram.of(9_000_000)
    assert told.service == Histogram.of(7_000_000)
    assert told.late == Histogram.of(2_000_000)


def test_a_timeout_under_a_rate_waited_before_it_was_sent_as_well() -> None:
    meter = _meter(due=True)
    meter.timed_out(_shot(sent_ns=3_000_000, due_ns=1_000_000), 10_000_000)
    told = _tell(meter)
    assert (told.response, told.service) == (Histogram.of(12_000_000), Histogram.of(10_000_000))


def test_each_step_has_its_own_statuses_and_latencies_and_the_run_has_all() -> None:
    meter = _meter(steps=2)
    meter.completed(_shot(step=0), 200, 1_000_000, 0)
    meter.completed(_shot(step=1), 404, 2_000_000, 0)
    meter.completed(_shot(step=1), 200, 3_000_000, 1)
    told = _tell(meter)
    assert told.status == {200: 2, 404: 1}
    assert told.steps == {
        0: StepTally({200: 1}, Histogram.of(1_000_000)),
        1: StepTally({404: 1, 200: 1}, Histogram.of(2_000_000, 3_000_000)),
    }
    assert told.service == Histogram.of(1_000_000, 2_000_000, 3_000_000)


def test_one_step_alone_is_not_told_apart() -> None:
    meter = _meter()
    meter.completed(_shot(), 200, 1_000_000, 0)
    assert _tell(meter).steps == {}


def test_a_body_that_was_not_expected_is_no_success_and_told_to_whoever_counts_faults() -> None:
    faults: list[None] = []
    meter = _meter(faulted=lambda: faults.append(None))
    for status in (200, 200, 500):
        meter.completed(_shot(), status, 1_000, 0, matched=False)
        meter.mismatch(status)
    meter.completed(_shot(), 200, 1_000, 0)
    told = _tell(meter)
    assert (told.completed, told.succeeded, told.mismatched, len(faults)) == (4, 1, 3, 3)


def test_of_successes_alone_other_responses_and_timeouts_are_counted_but_not_timed() -> None:
    meter = _meter(only_successes=True)
    meter.completed(_shot(), 404, 1_000_000, 0)
    meter.completed(_shot(), 200, 9_000_000, 0, matched=False)
    meter.timed_out(_shot(), 10_000_000)
    meter.received_bytes, meter.successes_bytes = 100, 40
    told = _tell(meter)
    assert (told.completed, told.service.count) == (2, 0)
    assert (told.received_bytes, told.row.received_bytes) == (100, 40)


def test_where_the_kernel_stamps_own_delay_is_that_of_each_response() -> None:
    meter = _meter()
    meter.stamped = 1
    meter.delays.append(5_000 >> 6)
    meter.settle(90_000, 1)
    assert _tell(meter).own_delay == Histogram.of(5_000)


def test_what_was_behind_a_fault_is_aborted_and_no_fault_of_its_own() -> None:
    faults: list[None] = []
    meter = _meter(faulted=lambda: faults.append(None))
    meter.aborted(0)
    meter.aborted(3)
    meter.failed(Fault.RESET, "gone", 1)
    assert (_tell(meter).errors, len(faults)) == ({Fault.ABORTED: 3, Fault.RESET: 1}, 1)


def test_delays_of_reads_that_no_response_was_stamped_for_do_not_pile_up() -> None:
    meter = _meter()
    meter.delays.append(5)
    meter.fold()
    assert meter.delays == []


def test_under_a_rate_the_log_has_response_times(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "latencies")
    meter = _meter(LatencyLog(path), due=True)
    meter.completed(_shot(sent_ns=30, due_ns=10), 200, 100, 0)
    meter.completed(_shot(sent_ns=30, due_ns=10), 201, 200, 50)
    meter.timed_out(_shot(sent_ns=30, due_ns=10), 1_000)
    assert _tell(meter).response.count == 3
    with open(path, encoding="ascii") as lines:
        assert sorted(lines.read().split()) == ["1020,timeout", "190,201", "90,200"]
