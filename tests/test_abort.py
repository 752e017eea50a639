"""A run that passes in the end was never hopeless; one that cannot pass is, and says why in a line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cannon.abort import Abort, hopeless
from cannon.errors import Fault
from cannon.gate_grammar import Known, parse
from cannon.gates import Gate, Verdict
from cannon.judging import judge_run
from cannon.outlook import Outlook
from cannon.pace import Pace
from cannon.plan import Plan, Stop
from cannon.profile import Constant
from cannon.progress import SoFar
from cannon.result import GateVerdict, Result
from cannon.samples import Sample, of_run
from cannon.series import Series
from cannon.tally import Histogram, Row, Tally
from tests.gated import saturated
from tests.results import a_plan, a_result

SECOND_NS = 1_000_000_000
MS = 1_000_000


class Second(NamedTuple):
    """What one worker sees in one of them. `latency_ns`: of each response."""

    good: int
    other: int
    resets: int
    timeouts: int
    latency_ns: int

    @property
    def ended(self) -> int:
        return self.good + self.other + self.resets + self.timeouts

    @property
    def tally(self) -> Tally:
        responses = self.good + self.other
        durations = Histogram.of(*[self.latency_ns] * responses)
        timeouts = Histogram.of(*[2 * SECOND_NS] * self.timeouts)
        return Tally(
            sent=self.ended,
            succeeded=self.good,
            status={status: count for status, count in ((200, self.good), (503, self.other)) if count},
            errors={
                fault: count
                for fault, count in ((Fault.RESET, self.resets), (Fault.TIMEOUT, self.timeouts))
                if count
            },
            whole=durations,
            spread=timeouts,
            response=durations + timeouts,
            late=Histogram.of(*[self.latency_ns // 10] * self.ended),
            received_bytes=60 * responses,
            row=Row(SECOND_NS, responses, self.good, self.resets + self.timeouts, 60 * responses),
        )


class Course(NamedTuple):
    """A run from end to end: what two workers told, second by second."""

    plan: Plan
    seconds: Sequence[tuple[Tally, Tally]]

    @property
    def total(self) -> Tally:
        return sum((one + other for one, other in self.seconds), Tally())

    @property
    def so_far(self) -> list[SoFar]:
        """After each second."""
        found = []
        for count in range(1, len(self.seconds) + 1):
            told = list(zip(*self.seconds[:count], strict=True))
            sums = tuple(sum(each, Tally()) for each in told)
            fastest = tuple(
                float(max(tally.row.requests + tally.row.failed for tally in each)) for each in told
            )
            found.append(SoFar(self.plan, sums, fastest))
        return found

    @property
    def result(self) -> Result:
        series, rows = Series(2, SECOND_NS), []
        for second in self.seconds:
            for index, tally in enumerate(second):
                rows += series.add(index, tally)
        rows += [*series.end(0), *series.end(1)]
        return a_result(
            plan=self.plan,
            tally=self.total,
            duration_ns=len(self.seconds) * SECOND_NS,
            series=rows,
            shards=self.so_far[-1].sums,
        )

    @property
    def got_faster(self) -> list[bool]:
        """Whether, after each second, a worker had not yet been as fast as it could."""
        last = self.so_far[-1].fastest_per_s
        return [so_far.fastest_per_s != last for so_far in self.so_far]


BUSY = {"cpu_ns": SECOND_NS}


@st.composite
def courses(draw: st.DrawFn, *, exhausted: bool = False) -> Course:
    """In a closed loop, of an amount or under a rate; `exhausted`: of an amount that was sent, under a rate as well."""
    latencies = st.sampled_from([MS, 5 * MS, 20 * MS, 100 * MS])
    counts = st.sampled_from([0, 0, 1, 3, 20])
    second = st.builds(Second, st.integers(0, 60), counts, counts, counts, latencies)
    length = draw(st.integers(1, 5))
    changes = draw(st.sampled_from([{}, {}, BUSY]))
    seconds = [
        tuple(msgspec.structs.replace(draw(second).tally, **changes) for _ in range(2)) for _ in range(length)
    ]
    sent = sum(tally.sent for both in seconds for tally in both)
    more = 0 if exhausted else draw(st.integers(0, 50))
    assume(sent >= 2)
    timed, counted = Stop(duration_ns=length * SECOND_NS), Stop(amount=sent + more)
    pace = Pace(Constant((sent + more) / length))
    kinds = [(counted, pace)] if exhausted else [(timed, None), (timed, pace), (counted, None)]
    stop, pace_or_none = draw(st.sampled_from(kinds))
    plan = a_plan(workers=2, connections=2, stop=stop, pace=pace_or_none)
    return Course(plan, [(one, other) for one, other in seconds])


ABSOLUTE = [
    *[
        f"{metric} {sign} {bound}ms"
        for metric in ("p50", "p90", "mean", "max")
        for sign in ("<", ">=")
        for bound in (5, 20)
    ],
    *[
        f"{metric} < {bound}"
        for metric in ("errors", "timeouts", "non2xx")
        for bound in ("1", "4", "2%", "20%")
    ],
    *("errors == 0", "errors == 3", "non2xx == 0%", "errors > 2", "timeouts >= 1%"),
    *("rps > 20/s", "rps >= 90/s", "bytes < 61B", "bytes <= 59B", "late < 3ms", "cpu < 1s"),
]
TOLD_AT_THE_END = ("cpu < 1s", "errors == 3", "errors > 2", "timeouts >= 1%")
"""A dial may still fail when there is nothing left to be sent."""

AGAINST_BASE = [
    "p90 < base + 10%",
    "p90 < base",
    "p90 >= base - 50%",
    "mean < base + 2ms",
    "errors < base + 1%",
]
gates = st.sampled_from([parse(text, Known(baseline=True)) for text in (*ABSOLUTE, *AGAINST_BASE)])
EARLIER = [a_result(tally=Second(300, 0, 0, 0, latency_ns).tally) for latency_ns in (4 * MS, 5 * MS, 6 * MS)]


def earlier_of(gate: Gate, count: int) -> list[Sample]:
    return [of_run(gate, EARLIER[number % 3]) for number in range(count)]


@settings(max_examples=60)
@given(courses(), st.lists(gates, min_size=4, max_size=8, unique=True), st.sampled_from([1, 5]))
def test_a_run_that_passes_in_the_end_was_never_hopeless(
    course: Course, asked: list[Gate], count: int
) -> None:
    result = course.result
    baselines = [EARLIER[number % 3] for number in range(count)]
    for gate in asked:
        if judge_run(gate, result, baselines).verdict == Verdict.FAIL:
            continue
        for so_far, got_faster in zip(course.so_far, course.got_faster, strict=True):
            outlook = Outlook(so_far)
            # That a worker got faster than it had ever been, nobody could have known.
            if not (got_faster and outlook.is_likely):
                assert hopeless(gate, outlook, earlier_of(gate, count)) == ""


@settings(max_examples=40)
@given(courses(exhausted=True), st.lists(gates, min_size=4, max_size=8, unique=True), st.sampled_from([1, 5]))
def test_where_nothing_is_left_a_gate_is_hopeless_just_when_it_fails(
    course: Course, asked: list[Gate], count: int
) -> None:
    assume(course.total.completed)
    result = course.result
    outlook = Outlook(course.so_far[-1])
    assert outlook.rest == 0
    for gate in asked:
        if gate.expression in TOLD_AT_THE_END:
            continue
        verdict = judge_run(gate, result, [EARLIER[number % 3] for number in range(count)]).verdict
        assert bool(hopeless(gate, outlook, earlier_of(gate, count))) is (verdict == Verdict.FAIL), gate


def outlook_of(plan: Plan, *seconds: Second, **changes: Any) -> Outlook:
    """After some seconds of one worker."""
    tallies = [msgspec.structs.replace(second.tally, **changes) for second in seconds]
    return Outlook(SoFar(plan, (sum(tallies, Tally()),), (float(max(second.ended for second in seconds)),)))


GOOD = Second(100, 0, 0, 0, MS)
BAD = Second(60, 20, 15, 5, 50 * MS)
CLOSED = a_plan()
PACED = a_plan(pace=Pace(Constant(100.0)))
AMOUNT = a_plan(stop=Stop(amount=1_000))
AT_FASTEST = ", at the pace of its fastest second,"


@pytest.mark.parametrize(
    ("text", "plan", "seconds", "reason"),
    [
        ("errors == 0", CLOSED, [BAD], "errors had come to 20"),
        ("errors < 20", CLOSED, [BAD], "errors had come to 20"),
        ("errors < 21", CLOSED, [BAD], ""),
        ("timeouts <= 4", CLOSED, [BAD], "timeouts had come to 5"),
        ("non2xx < 3", CLOSED, [GOOD, BAD], "non2xx had come to 20"),
        ("max < 1s", CLOSED, [BAD], "max had come to 2.00 s"),
        ("errors > 3", CLOSED, [GOOD], ""),
        (
            "errors < 1%",
            PACED,
            [BAD],
            "errors could not come below 2 %, even if 900 more had gone as well as can be",
        ),
        ("errors <= 2%", PACED, [BAD], ""),
        (
            "errors < 1%",
            AMOUNT,
            [BAD],
            "errors could not come below 2 %, even if 900 more had gone as well as can be",
        ),
        (
            "errors < 1%",
            CLOSED,
            [BAD],
            f"errors could not come below 1.98 %, even if 910 more{AT_FASTEST} had gone as well as can be",
        ),
        (
            "p95 < 20ms",
            PACED,
            [BAD],
            "p95 could not come below 50.0 ms, even if 900 more had gone as well as can be",
        ),
        ("p90 < 20ms", PACED, [BAD], ""),
        (
            "mean < 10ms",
            PACED,
            [BAD],
            "mean could not come below 14.2 ms, even if 900 more had gone as well as can be",
        ),
        (
            "rps > 97/s",
            PACED,
            [BAD],
            "rps could not come above 96/s, even if 900 more had gone as well as can be",
        ),
        ("rps > 95/s", PACED, [BAD], ""),
        (
            "rps > 150/s",
            CLOSED,
            [GOOD],
            f"rps could not come above 101/s, even if 910 more{AT_FASTEST} had gone as well as can be",
        ),
        ("rps < 10/s", CLOSED, [GOOD], ""),
        ("p99.9 < 1s", PACED, [GOOD], "p99.9 takes 20,000 samples, and no more than 1,000 could come"),
        (
            "p99 < 1s",
            CLOSED,
            [GOOD],
            f"p99 takes 2,000 samples, and{AT_FASTEST} no more than 1,010 could come",
        ),
        ("late < 1s", PACED, [GOOD], "late takes 2,000 samples, and no more than 1,000 could come"),
        ("cpu < 1us", CLOSED, [BAD], ""),
    ],
)
def test_what_can_no_longer_pass_is_told_in_a_line(
    text: str, plan: Plan, seconds: list[Second], reason: str
) -> None:
    assert hopeless(parse(text), outlook_of(plan, *seconds)) == reason


def test_a_server_that_has_not_answered_yet_is_given_time() -> None:
    silent = Outlook(SoFar(CLOSED, (Tally(sent=10, row=Row(3 * SECOND_NS)),), (0.0,)))
    for text in ("p99 < 1s", "rps > 100/s", "errors < 1%", "max < 1ms", "errors == 0"):
        assert hopeless(parse(text), silent) == ""


def test_while_cannon_is_the_limit_what_it_may_have_brought_about_ends_nothing() -> None:
    busy = outlook_of(PACED, BAD, **BUSY)
    for text in ("errors == 0", "p95 < 20ms", "rps > 97/s", "max < 1s"):
        assert hopeless(parse(text), busy) == ""
    assert hopeless(parse("bytes < 3B"), busy) != "", "a response is as long as it is"


def test_a_gate_against_baselines_is_judged_as_at_the_end() -> None:
    gate = parse("p95 < base + 10%", Known(baseline=True))
    outlook = outlook_of(PACED, BAD)
    told = "p95 could not come below 50.0 ms, even if 900 more had gone as well as can be"
    for told_ms, reason in (
        ((11.0,), told),
        ((60.0,), ""),
        ((10.0, 11.0, 12.0, 10.5, 11.5), told),
        # How far chance takes the next one, between runs like these, nobody can tell.
        ((20.0, 300.0, 2.0, 40.0, 90.0), ""),
    ):
        assert hopeless(gate, outlook, [Sample((value,)) for value in told_ms]) == reason


def test_a_baseline_that_tells_nothing_of_it_ends_nothing() -> None:
    gate = parse("p95 < base + 10%", Known(baseline=True))
    for earlier in ((), (Sample((1.0,)), Sample(reason="too few"))):
        assert hopeless(gate, outlook_of(PACED, BAD), earlier) == ""


# One run that is looked at.


def told_every(interval_ns: int, *counts: int, plan: Plan = CLOSED) -> list[SoFar]:
    """What one worker has told after each tick: so many resets came in each."""
    sums = accumulate(
        (
            Tally(
                sent=1 + count,
                status={200: 1},
                errors={Fault.RESET: count},
                row=Row(interval_ns, 1, 1, count),
            )
        )
        for count in counts
    )
    return [SoFar(plan, (each,), (1.0,)) for each in sums]


def looked_at(after_ns: int, seconds: Sequence[SoFar], *texts: str) -> tuple[Abort, int | None]:
    """Of a run that is told of these: when it is ended, by number."""
    abort = Abort([parse(text) for text in texts], (), after_ns)
    return abort, next((number for number, so_far in enumerate(seconds) if abort(so_far)), None)


@pytest.mark.parametrize(
    ("after_s", "number"), [(0, 0), (1, 0), (3, 2), (3.5, 3), (9, 8), (10, None), (60, None)]
)
def test_it_is_not_looked_at_before_its_time_nor_when_the_run_is_over(
    after_s: float, number: int | None
) -> None:
    seconds = told_every(SECOND_NS, *[1] * 10)
    assert looked_at(round(after_s * SECOND_NS), seconds, "errors == 0")[1] == number


def test_a_tick_that_a_timer_rounded_is_in_time() -> None:
    seconds = told_every(SECOND_NS - 100_000, *[1] * 3)
    assert looked_at(2 * SECOND_NS, seconds, "errors == 0")[1] == 1


def test_it_is_looked_at_no_more_than_once_a_second() -> None:
    ticks = told_every(SECOND_NS // 20, *[0] * 8, *[1] * 40)
    assert looked_at(SECOND_NS // 4, ticks, "errors == 0")[1] == 4 + 18


def test_a_run_without_an_end_in_time_is_over_with_its_amount() -> None:
    ticks = told_every(SECOND_NS, *[1] * 4, plan=a_plan(stop=Stop(amount=10), connections=1))
    assert looked_at(4 * SECOND_NS, ticks, "errors == 0")[1] == 3
    ticks = told_every(SECOND_NS, *[1] * 5, plan=a_plan(stop=Stop(amount=10), connections=1))
    assert looked_at(5 * SECOND_NS, ticks, "errors == 0")[1] is None


def judged(*verdicts: tuple[str, str], **changes: Any) -> Result:
    """Of 7 seconds, with these verdicts and reasons."""
    gates = [GateVerdict("g", verdict, 1.0, 2.0, None, None, "", reason) for verdict, reason in verdicts]
    return a_result(gates=gates, **({"duration_s": 7.0} | changes))


ENDED = told_every(SECOND_NS, 3)
WORDS = ("errors == 0", "errors < 3", "errors < 4", "rps > 1/s")


def test_what_it_was_ended_for_fails_and_what_was_open_then_is_open() -> None:
    abort, _ = looked_at(0, ENDED, *WORDS)
    result = judged(("pass", ""), ("fail", "errors was 3"), ("fail", "errors was 5"), ("pass", ""))
    assert [(gate.verdict, gate.reason) for gate in abort.told(result).gates] == [
        ("fail", "stopped after 7.00 s: errors had come to 3"),
        ("fail", "stopped after 7.00 s: errors had come to 3"),
        ("inconclusive", "errors was 5; the run was stopped after 7.00 s, and it might still have held"),
        ("pass", ""),
    ]


def test_where_cannon_became_the_limit_only_then_it_is_open() -> None:
    abort, _ = looked_at(0, ENDED, "errors == 0")
    result = saturated(judged(("inconclusive", "errors was 3, and cannon was the limit")))
    (gate,) = abort.told(result).gates
    assert (gate.verdict, gate.reason) == (
        "inconclusive",
        "stopped after 7.00 s: errors had come to 3; errors was 3, and cannon was the limit",
    )


def test_a_run_that_was_not_ended_is_told_as_it_was_judged() -> None:
    abort, _ = looked_at(0, ENDED, "errors < 4")
    result = judged(("fail", "errors was 5"))
    assert abort.told(result) is result
