"""How much may still come to a run, by each thing that sets a limit, and between which values a metric then ends."""

from __future__ import annotations

import math
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.errors import Fault
from cannon.gate_grammar import parse
from cannon.outlook import Outlook
from cannon.pace import Arrivals, Pace, Scope
from cannon.plan import Limits, Plan, Stop
from cannon.profile import Constant, Ramp
from cannon.progress import SoFar
from cannon.tally import Histogram, Row, Tally
from tests.results import a_plan
from tests.strategies import profiles

SECOND_NS = 1_000_000_000
MS = 1_000_000


def a_second(requests: int = 100, latency_ns: int = MS, **changes: Any) -> Tally:
    """One in which so many requests were sent and answered well."""
    counted: dict[str, Any] = {
        "sent": requests,
        "succeeded": requests,
        "status": {200: requests} if requests else {},
        "whole": Histogram.of(*[latency_ns] * requests),
        "received_bytes": 50 * requests,
        "row": Row(SECOND_NS, requests, requests, 0, 50 * requests),
    }
    return Tally(**(counted | changes))


def after(*sums: Tally, plan: Plan | None = None, fastest: tuple[float, ...] | None = None) -> Outlook:
    """The outlook of a run whose workers have told this; each was at its fastest on the average."""
    if fastest is None:
        fastest = tuple(
            tally.row.requests * SECOND_NS / tally.row.window_ns if tally.row.window_ns else 0.0
            for tally in sums
        )
    return Outlook(SoFar(a_plan() if plan is None else plan, sums, fastest))


def between(outlook: Outlook, text: str) -> tuple[float, float] | None:
    return outlook.between(parse(text))


# How much.


def test_an_amount_is_the_most() -> None:
    outlook = after(a_second(), plan=a_plan(stop=Stop(amount=250)))
    assert (outlook.most, outlook.rest, outlook.is_likely) == (250, 150, False)


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (Limits(overall=300), 300),
        (Limits(per_connection=20), 200),
        (Limits(per_connection=20, overall=7), 200),
    ],
)
def test_so_are_limits(limits: Limits, most: int) -> None:
    assert after(a_second(), plan=a_plan(limits=limits)).most == most


def test_under_a_rate_it_is_what_is_due() -> None:
    for pace, most in (
        (Pace(Constant(100.0)), 1_000),
        (Pace(Constant(0.25)), 3),
        (Pace(Ramp(0.0, 100.0, 10 * SECOND_NS)), 500),
        (Pace(Constant(5.0), scope=Scope.CONNECTION), 500),
    ):
        outlook = after(Tally(row=Row(SECOND_NS)), plan=a_plan(pace=pace))
        assert (outlook.most, outlook.is_likely) == (most, False)


@settings(max_examples=40)
@given(profiles(), st.sampled_from(Arrivals), st.sampled_from(Scope), st.integers(0, 2**32))
def test_no_pace_ever_has_more_due_than_that(
    profile: Any, arrivals: Arrivals, scope: Scope, seed: int
) -> None:
    duration_ns = min(10 * SECOND_NS, round(500 / profile.highest_per_s * SECOND_NS))
    pace = Pace(profile, arrivals, seed, scope)
    outlook = after(
        Tally(), plan=a_plan(pace=pace, connections=3, stop=Stop(duration_ns=max(1, duration_ns)))
    )
    of_each = [pace.connection_due_ns(index, 3) for index in range(3)]
    dues = [pace.due_ns()] if scope is Scope.TOOL else of_each
    counted = sum(1 for each in dues for _ in takewhile(lambda due_ns: due_ns < duration_ns, each))
    assert outlook.most is not None
    assert counted <= outlook.most


def test_in_a_closed_loop_it_is_the_fastest_second_kept_up_and_what_is_in_flight() -> None:
    outlook = after(a_second(100), plan=a_plan(pipelining=2), fastest=(120.0,))
    assert (outlook.most, outlook.is_likely) == (100 + 9 * 120 + 10 * 2, True)


def test_each_worker_has_its_own_fastest_second_and_its_own_time_left() -> None:
    behind = Tally(row=Row(2 * SECOND_NS, 50), status={200: 50}, sent=50)
    outlook = after(a_second(100), behind, fastest=(100.0, 30.0))
    assert outlook.most == 150 + 9 * 100 + 8 * 30 + 10
    assert outlook.elapsed_ns == 2 * SECOND_NS


def test_nobody_knows_while_a_worker_of_a_closed_loop_has_told_of_nothing() -> None:
    for outlook in (after(Tally(row=Row(SECOND_NS))), after(a_second(), Tally())):
        assert (outlook.most, outlook.rest, outlook.is_likely) == (None, None, False)


def test_what_is_certain_goes_before_what_is_likely_where_it_is_less() -> None:
    plan = a_plan(limits=Limits(overall=300))
    assert after(a_second(), plan=plan).is_likely is False
    outlook = after(a_second(10), plan=plan)
    assert (outlook.most, outlook.is_likely) == (10 + 9 * 10 + 10, True)


def test_it_is_never_less_than_what_was_sent() -> None:
    assert after(a_second(1_200), plan=a_plan(pace=Pace(Constant(100.0)))).most == 1_200


@pytest.mark.parametrize(
    ("plan", "tally", "is_over"),
    [
        (a_plan(), a_second(), False),
        (a_plan(), a_second(row=Row(10 * SECOND_NS)), True),
        (a_plan(stop=Stop(amount=101)), a_second(row=Row(99 * SECOND_NS)), False),
        (a_plan(stop=Stop(amount=100)), a_second(), True),
    ],
)
def test_a_run_whose_time_or_amount_is_up_is_over(plan: Plan, tally: Tally, is_over: bool) -> None:
    assert after(tally, plan=plan).is_over is is_over


# Between which values.

OF_400 = a_plan(stop=Stop(amount=400))
"""300 are left."""


def told(text: str, tally: Tally | None = None, plan: Plan = OF_400) -> tuple[float, float]:
    found = between(after(a_second() if tally is None else tally, plan=plan), text)
    assert found is not None
    return found


def test_a_percentile_ends_between_the_rest_in_no_time_and_the_rest_for_ever() -> None:
    low, high = told("p50 < 1ms")
    assert (low < 0.001, high) == (True, math.inf)
    low, high = told("p90 < 1ms", a_second(400))
    assert low == high == pytest.approx(1.0, rel=2e-3)
    low, high = told("p80 < 1ms")
    assert low == pytest.approx(1.0, rel=2e-3), "the 100 that took a millisecond are the slowest fourth"
    low, high = told("p20 < 1ms")
    assert high == pytest.approx(1.0, rel=2e-3)


def test_the_greatest_can_only_grow() -> None:
    low, high = told("max < 1ms")
    assert low == pytest.approx(1.0, rel=2e-3)
    assert high == math.inf
    assert told("max < 1ms", a_second(400))[1] == pytest.approx(1.0, rel=2e-3)


def test_a_mean_ends_above_that_with_the_rest_in_no_time() -> None:
    low, high = told("mean < 1ms")
    assert low == pytest.approx(0.25, rel=2e-3)
    assert high == math.inf


@pytest.mark.parametrize("metric", ["errors", "timeouts", "non2xx"])
def test_a_count_can_only_grow_and_a_share_is_of_all_there_may_be(metric: str) -> None:
    bad = a_second(
        80, errors={Fault.TIMEOUT: 12}, status={200: 80, 500: 8}, connect_errors={Fault.TIMEOUT: 8}
    )
    count = {"errors": 20, "timeouts": 20, "non2xx": 8}[metric]
    # Of responses those alone that may still be some.
    of = {"errors": 408, "timeouts": 408, "non2xx": 388}[metric]
    assert told(f"{metric} < 5", bad) == (count, math.inf)
    low, high = told(f"{metric} < 5%", bad)
    assert low == pytest.approx(100 * count / of)
    assert high == 100.0
    assert told(f"{metric} < 5%") == (0.0, 100.0)


def test_a_body_that_was_not_expected_is_an_error() -> None:
    assert told("errors < 5", a_second(mismatched=7))[0] == 7


def test_successes_a_second_are_of_the_whole_time() -> None:
    plan = a_plan(pace=Pace(Constant(100.0)))
    assert told("rps > 1/s", plan=plan) == (0.0, 100.0)
    assert told("rps > 1/s", a_second(60), plan=plan) == (0.0, 100.0)
    assert told("rps > 1/s", a_second(60, errors={Fault.RESET: 40}), plan=plan) == (0.0, 96.0)


def test_where_requests_end_a_run_nobody_knows_how_soon() -> None:
    assert told("rps > 1/s") == (0.0, 400.0)


def test_bytes_of_a_response_are_at_least_those_that_came_over_all_there_may_be() -> None:
    assert told("bytes < 1kB") == (50 * 100 / 400, math.inf)


def test_lateness_is_of_those_that_were_sent() -> None:
    plan = a_plan(pace=Pace(Constant(100.0)))
    tally = a_second(late=Histogram.of(*[5 * MS] * 100))
    low, high = told("late < 1ms", tally, plan)
    assert low == pytest.approx(5.0, rel=2e-3), (
        "a tenth of them were that late, and the 99th percentile is among them"
    )
    assert high == math.inf
    assert after(tally, plan=plan).samples(parse("late < 1ms").metric) == 1_000


def test_where_nobody_knows_how_much_comes_all_but_counts_and_the_greatest_may_be_anything() -> None:
    outlook = after(a_second(errors={Fault.RESET: 3}), fastest=(0.0,))
    assert between(outlook, "p99 < 1s") == between(outlook, "mean < 1s") == (0.0, math.inf)
    assert between(outlook, "errors < 1%") == (0.0, 100.0)
    assert between(outlook, "errors < 1") == (3.0, math.inf)
    assert between(outlook, "rps > 1/s") is None
    low, _ = between(outlook, "max < 1s") or (0.0, 0.0)
    assert low == pytest.approx(1.0, rel=2e-3)


def test_of_nothing_that_was_measured_there_are_no_latencies() -> None:
    outlook = after(Tally(), plan=a_plan(stop=Stop(amount=10)))
    assert between(outlook, "max < 1s") is None
    assert between(outlook, "errors < 1%") == (0.0, 100.0)


def test_the_cpu_is_told_at_the_end_alone() -> None:
    assert between(after(a_second()), "cpu < 5us") is None


def test_cannon_is_the_limit_where_it_had_no_cpu_to_spare() -> None:
    assert not after(a_second()).limited
    assert after(a_second(cpu_ns=SECOND_NS)).limited
