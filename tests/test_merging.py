"""Results of one plan, added up: the parts of a run are the run, and what cannot be added is refused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cannon.durations import Durations, OwnDelay
from cannon.errors import Fault, UsageError
from cannon.host import Host
from cannon.merging import merged
from cannon.plan import Plan
from cannon.result import GateVerdict, Outside, Result
from cannon.series import SeriesRow
from cannon.settings import PlanSettings
from cannon.tally import Example, Histogram, Row, StepTally, Tally
from cannon.target import Target
from cannon.validity import Validity
from tests.comparisons import a_comparison
from tests.results import HOST, a_failing_tally, a_paced_plan, a_paced_tally, a_plan, a_result, a_tally
from tests.schemas import assert_valid
from tests.strategies import tallies

SECOND_NS = 1_000_000_000


def a_part(number: int, tally: Tally | None = None, **changes: Any) -> Result:
    """A run of the same plan from another machine."""
    host = msgspec.structs.replace(HOST, hostname=f"m{number}")
    return a_result(tally=a_tally([400_000 + number] * 50) if tally is None else tally, host=host, **changes)


def counted(durations: Durations) -> Histogram:
    return Histogram.decode(durations.histogram) if durations.histogram else Histogram()


def possible(tally: Tally) -> Tally:
    """Nothing is the oldest of none in flight."""
    return tally if tally.in_flight else msgspec.structs.replace(tally, oldest_in_flight_ns=0)


def assert_same_durations(one: Durations, other: Durations) -> None:
    assert counted(one) == counted(other)
    for name in Durations.__struct_fields__:
        if name != "histogram":
            assert getattr(one, name) == pytest.approx(getattr(other, name)), name


DISTRIBUTIONS = ("latency_ms", "service_ms", "connect_ms", "tls_ms", "tls_resumed_ms", "ttfb_ms")
COUNTS = ("requests", "connects", "status", "errors", "bytes", "outside", "excess_responses", "duration_s")


# Shrinking takes minutes: every step unpacks dozens of histograms.
@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(tallies.map(possible), min_size=2, max_size=3))
def test_the_parts_of_a_tally_add_up_to_the_whole(parts: list[Tally]) -> None:
    """Whatever was counted, and however it was split."""
    found = merged([a_part(number, part, series=[]) for number, part in enumerate(parts)])
    whole = a_result(tally=reduce(add, parts), series=[], outside=Outside(preflight=len(parts)))
    for name in COUNTS:
        assert getattr(found, name) == getattr(whole, name), name
    assert found.error_examples.keys() == whole.error_examples.keys()
    for name in DISTRIBUTIONS:
        assert_same_durations(getattr(found, name), getattr(whole, name))
    assert found.client.window_cpu_s == pytest.approx(whole.client.window_cpu_s)
    assert found.client.longest_pause_ms == whole.client.longest_pause_ms
    assert found.client.own_delay_ms.max == whole.client.own_delay_ms.max


@settings(max_examples=5)
@given(st.permutations(range(4)))
def test_the_order_makes_no_difference_to_what_was_counted(order: list[int]) -> None:
    runs = [a_part(number) for number in range(4)]
    first, other = merged(runs), merged([runs[number] for number in order])
    for name in (*COUNTS, *DISTRIBUTIONS, "series"):
        assert getattr(first, name) == getattr(other, name), name


def test_sums_add_up_like_runs() -> None:
    runs = [a_part(number) for number in range(3)]
    nested, flat = merged([merged(runs[:2]), runs[2]]), merged(runs)
    for name in (*COUNTS, "latency_ms"):
        assert getattr(nested, name) == getattr(flat, name), name


def test_runs_side_by_side_have_the_sum_of_their_rates() -> None:
    runs = [a_part(number) for number in range(3)]
    found = merged(runs)
    assert found.duration_s == 10.0
    assert found.requests.per_s == pytest.approx(sum(run.requests.per_s or 0 for run in runs))
    assert found.bytes.per_s == pytest.approx(sum(run.bytes.per_s or 0 for run in runs))


def test_the_window_is_the_longest() -> None:
    short = a_part(
        1, a_tally([10**6] * 80, row=Row(window_ns=8 * SECOND_NS, requests=80)), duration_ns=8 * SECOND_NS
    )
    found = merged([a_part(0, a_tally([10**6] * 20)), short])
    assert (found.duration_s, found.requests.per_s) == (10.0, 10.0)


def test_what_is_written_fits_the_schema_and_reads_back() -> None:
    found = merged([a_part(0, a_failing_tally()), a_part(1)])
    assert assert_valid(found.to_json())
    assert Result.from_json(found.to_json()) == found


def test_under_a_rate_response_late_and_due_add_up() -> None:
    plan = a_paced_plan()
    parts = [a_paced_tally([400_000] * 40, never_sent=2), a_paced_tally([900_000] * 60, never_sent=1)]
    found = merged([a_part(number, part, plan=plan) for number, part in enumerate(parts)])
    whole = a_result(plan=plan, tally=reduce(add, parts))
    assert found.late_ms is not None and whole.late_ms is not None
    assert_same_durations(found.late_ms, whole.late_ms)
    assert_same_durations(found.latency_ms, whole.latency_ms)
    assert (found.requests.due, found.requests.never_sent) == (103, 3)
    assert (found.client.stamped, found.client.timestamps) == (100, "kernel")


def test_targets_add_up_step_by_step() -> None:
    plan = a_plan(targets=(Target.parse("http://h/a"), Target.parse("http://h/b")))

    def part(number: int, counts: tuple[int, int]) -> Result:
        steps = {
            position: StepTally({200: count}, Histogram.of(*[10**6] * count))
            for position, count in enumerate(counts)
        }
        return a_part(number, a_tally([10**6] * sum(counts), steps=steps), plan=plan)

    found = merged([part(0, (3, 4)), part(1, (5, 6))])
    assert [(share.name, share.requests, share.status) for share in found.targets] == [
        ("/a", 8, {"200": 8}),
        ("/b", 10, {"200": 10}),
    ]
    assert [share.latency_ms.count for share in found.targets] == [8, 10]


# The series.


def rows_of(*ends_s: float, requests: int = 10, **changes: Any) -> list[SeriesRow]:
    """Rows that end then, one after the other."""
    found: dict[str, Any] = {
        "succeeded": requests,
        "failed": 0,
        "bytes": 100 * requests,
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "max_ms": 3.0,
    }
    return [
        SeriesRow(t_s=end_s, window_s=end_s - began_s, requests=requests, **(found | changes))
        for began_s, end_s in zip((0.0, *ends_s), ends_s, strict=False)
    ]


def merged_rows(*series: list[SeriesRow], plan: Plan | None = None) -> list[SeriesRow]:
    return merged(
        [a_part(number, series=rows, plan=plan or a_plan()) for number, rows in enumerate(series)]
    ).series


def test_rows_of_the_same_interval_add_up_and_their_percentiles_are_unknown() -> None:
    found = merged_rows(rows_of(1.0001, 2.0002), rows_of(1.0003, 2.0001, requests=7, max_ms=9.0))
    assert [(row.t_s, row.requests, row.bytes) for row in found] == [(1.0001, 17, 1700), (2.0002, 17, 1700)]
    assert {(row.p50_ms, row.p99_ms, row.max_ms) for row in found} == {(None, None, 9.0)}
    assert sum(row.window_s for row in found) == pytest.approx(2.0002)


def test_a_row_of_one_run_alone_keeps_its_percentiles() -> None:
    found = merged_rows(rows_of(1.0, 2.0), rows_of(1.0))
    assert [(row.requests, row.p50_ms) for row in found] == [(20, None), (10, 1.0)]


def test_a_run_that_was_held_up_takes_no_time_of_others() -> None:
    found = merged_rows(rows_of(1.0, 4.0, 5.0), rows_of(1.0, 2.0, 3.0, 4.0, 5.0))
    assert [(row.t_s, row.requests) for row in found] == [
        (1.0, 20),
        (2.0, 20),
        (3.0, 10),
        (4.0, 10),
        (5.0, 20),
    ]


_ENDS = st.lists(st.floats(0.01, 3.0), min_size=1, max_size=8)


@settings(max_examples=40)
@given(st.lists(_ENDS, min_size=2, max_size=4))
def test_rows_add_up_to_the_run_however_workers_were_held_up(windows: Sequence[Sequence[float]]) -> None:
    series = []
    for lengths in windows:
        ends = [sum(lengths[: position + 1]) for position in range(len(lengths))]
        series.append(rows_of(*ends))
    found = merged_rows(*series)
    assert sum(row.requests for row in found) == sum(row.requests for rows in series for row in rows)
    assert sum(row.window_s for row in found) == pytest.approx(max(rows[-1].t_s for rows in series))
    assert all(row.window_s > 0 for row in found)
    assert [row.t_s for row in found] == sorted(row.t_s for row in found)


def test_runs_without_rows_have_none() -> None:
    assert merged_rows([], []) == []


# What is not counted.


def test_times_machines_and_workers_of_all_are_told() -> None:
    one = a_part(0, started="2026-01-02T03:04:05.000Z", finished="2026-01-02T03:04:15.250Z")
    two = a_part(1, started="2026-01-02T03:04:04.000Z", finished="2026-01-02T03:04:15.000Z")
    found = merged([one, two])
    assert (found.started, found.finished) == ("2026-01-02T03:04:04.000Z", "2026-01-02T03:04:15.250Z")
    assert found.host == Host(cpu=HOST.cpu, cores=8, kernel=HOST.kernel, hostname="m0, m1")
    assert [worker.index for worker in found.workers] == [0, 1]
    assert found.plan == one.plan
    assert found.outside.preflight == 2


def test_cores_of_one_machine_count_once_and_other_models_are_all_named() -> None:
    one, two = a_part(0), a_part(1)
    here = msgspec.structs.replace(two, host=one.host, outside=Outside(preflight=2))
    assert merged([one, here]).host.cores == 4
    other = msgspec.structs.replace(two, host=msgspec.structs.replace(two.host, cpu="Other"))
    assert merged([one, other]).host.cpu == f"{HOST.cpu}, Other"


def test_of_what_cannon_cost_sums_are_sums_and_the_worst_is_the_worst() -> None:
    runs = [a_part(0), a_part(1)]
    worse = msgspec.structs.replace(
        runs[1].client,
        cpu_s=3.0,
        busy=0.99,
        own_delay_ms=OwnDelay(1.0, 2.0, 50.0),
        longest_pause_ms=900.0,
        saturated=True,
    )
    found = merged([runs[0], msgspec.structs.replace(runs[1], client=worse)]).client
    assert found.cpu_s == pytest.approx(runs[0].client.cpu_s + 3.0)
    assert found.cpu_us_per_request == pytest.approx(found.cpu_s * 1e6 / 100)
    assert (found.busy, found.longest_pause_ms) == (0.99, 900.0)
    assert (found.saturated, found.cpu_bound) == (True, runs[0].client.cpu_bound)
    assert found.own_delay_ms == OwnDelay(None, None, 50.0), "percentiles are never averaged"


def test_the_verdict_is_the_worst_and_reasons_name_their_run() -> None:
    good, bad = a_part(0), a_part(1, interrupted="SIGTERM")
    suspect = msgspec.structs.replace(bad, validity=Validity("suspect", ["cannon was the limit"]))
    found = merged([good, suspect], ["a.json", "b.json"])
    assert found.validity == Validity("suspect", ["b.json: cannon was the limit"])
    assert found.interrupted == "SIGTERM"
    both = [msgspec.structs.replace(run, validity=Validity("invalid", ["x"])) for run in (good, bad)]
    assert merged(both).validity == Validity("invalid", ["x"])


def test_examples_are_those_of_the_first_that_has_one() -> None:
    tallied = [
        a_tally(
            [10**6] * 5,
            sent=6,
            errors={fault: 1},
            examples={fault: Example(1, text), Fault.RESET: Example(1, text)},
        )
        for fault, text in ((Fault.TIMEOUT, "one"), (Fault.TRUNCATED, "two"))
    ]
    found = merged([a_part(number, tally) for number, tally in enumerate(tallied)])
    assert found.error_examples == {"timeout": "one", "truncated": "two", "reset": "one"}


def test_runs_one_after_the_other_are_told_since_their_rates_do_not_add_up() -> None:
    later = a_part(1, started="2026-01-03T03:04:05.000Z", finished="2026-01-03T03:04:15.000Z")
    found = merged([later, a_part(0)], ["b.json", "a.json"])
    assert found.validity.verdict == "suspect"
    assert found.validity.reasons == [
        "b.json began when a.json had ended: their rates are added as if they had been fired at the same time"
    ]


def test_a_time_that_is_none_is_passed_over() -> None:
    assert merged([a_part(0), a_part(1, started="soon")]).validity.verdict == "valid"


def test_gates_are_dropped_since_they_were_of_each_alone() -> None:
    gate = GateVerdict("p99 < 2ms", "pass", 1.0, 2.0, None, None, "ms", "")
    assert merged([a_part(0, gates=[gate]), a_part(1)]).gates == []


# What cannot be added up.


def refusal_of(*runs: Any, names: Sequence[str] = ()) -> str:
    with pytest.raises(UsageError) as raised:
        merged(runs, names)
    return raised.value.message


def test_it_takes_two() -> None:
    for runs in ((), (a_part(0),)):
        assert refusal_of(*runs).startswith("it takes two results to add up; e.g. cannon merge a.json b.json")


def test_a_comparison_is_refused() -> None:
    assert refusal_of(a_part(0), a_comparison()) == "result 2 is a comparison, and only runs can be added up"


def test_the_same_run_is_refused_though_it_was_judged_since() -> None:
    gate = GateVerdict("p99 < 2ms", "pass", 1.0, 2.0, None, None, "ms", "")
    told = refusal_of(a_part(0), a_part(1), a_part(0, gates=[gate]), names=["a.json", "b.json", "c.json"])
    assert told == "c.json is the same run as a.json, and a run counts once"


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"connections": 50, "title": "x"}, "connections 50, there 10"),
        (
            {"targets": (Target.parse("http://other:4000/"),)},
            "URL http://other:4000/, there http://localhost:4000/",
        ),
        ({"sample_ns": 500_000_000}, "sample interval 0.5 s, there 1 s"),
    ],
)
def test_another_plan_is_refused_with_the_first_difference(changes: dict[str, Any], difference: str) -> None:
    other = a_part(1, plan=a_plan(**changes))
    told = refusal_of(a_part(0), other, names=["a.json", "b.json"])
    assert told == f"b.json is of another plan than a.json: {difference}"


def test_a_title_makes_no_other_plan() -> None:
    assert merged([a_part(0), a_part(1, plan=a_plan(title="second"))]).plan == PlanSettings.of(a_plan())


def test_targets_of_other_names_are_refused() -> None:
    plan = a_plan(targets=(Target.parse("http://h/a"), Target.parse("http://h/b")))
    one, two = a_part(0, plan=plan), a_part(1, plan=plan)
    short = msgspec.structs.replace(two, targets=two.targets[:1])
    assert refusal_of(one, short) == "result 2 is of another plan than result 1: targets has other names"


def test_a_result_without_histograms_is_refused() -> None:
    run = a_part(1)
    bare = msgspec.structs.replace(run, ttfb_ms=msgspec.structs.replace(run.ttfb_ms, histogram=None))
    assert refusal_of(a_part(0), bare) == "result 2: ttfb_ms has no histogram, so it cannot be added up"
    partial = msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, engine="autocannon"))
    assert refusal_of(partial, a_part(0)) == (
        "result 1 is of autocannon, which keeps no histogram, so it cannot be added up"
    )
