"""Plans are validated where they are made, and a wrong one says what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.plan import Plan, Stop, Warmup
from cannon.sequence import FilePiece, Step, Streamed
from cannon.target import Target

TARGET = Target.parse("http://127.0.0.1:4000/")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"targets": ()}, "a URL is needed"),
        ({"connections": 0}, "-c/--connections"),
        ({"workers": 0}, "-w/--workers"),
        ({"workers": 11}, "need a connection each"),
        ({"timeout_ns": 0}, "-t/--timeout"),
        ({"drain_ns": -1}, "--drain"),
        ({"sample_ns": 1_000_000}, "-L must be"),
        ({"stop": Stop(amount=9)}, "-a 9 is less than -c 10"),
        ({"expect_status": (100,)}, "--expect-status"),
        ({"pipelining": 0}, "-p/--pipelining"),
        ({"pipelining": 2, "headers": (("connection", "te, Close"),)}, "-p sends requests behind each other"),
        (
            {"pipelining": 2, "body": Streamed((FilePiece("a", 1),))},
            "-p sends requests behind each other, and a body that is streamed",
        ),
    ],
)
def test_a_wrong_plan_names_the_option_and_shows_a_right_value(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Plan(**{"targets": (TARGET,), **settings})


def a_step(target: int) -> Step:
    return Step(name=f"step {target}", target=target, method="GET", path="/")


@pytest.mark.parametrize(
    ("urls", "targets", "said"),
    [
        (["a"], [0, 1], "step 'step 1' has no target 1; the last URL is 0"),
        (["a", "b"], [1, 7], "step 'step 7' has no target 7; the last URL is 1"),
        (
            ["a", "http://u:canary@b/"],
            [0, 0],
            r"^no step goes to http://\*\*\*@b/; leave the URL out, or give it a step$",
        ),
    ],
)
def test_a_sequence_that_leaves_a_url_out_or_goes_beyond_them_is_refused(
    urls: list[str], targets: list[int], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Plan(targets=tuple(map(Target.parse, urls)), sequence=tuple(map(a_step, targets)))


def test_a_sequence_may_go_to_its_urls_in_any_order() -> None:
    steps = tuple(map(a_step, (1, 0, 1)))
    assert Plan(targets=(TARGET, TARGET), sequence=steps).steps == steps


@pytest.mark.parametrize(("duration_ns", "amount"), [(0, None), (-1, None), (1, -1)])
def test_a_run_that_ends_before_it_begins_is_refused(duration_ns: int, amount: int | None) -> None:
    with pytest.raises(UsageError):
        Stop(duration_ns, amount)


@given(st.integers(10_000_000, 10**11))
def test_ticks_are_at_most_a_second_and_add_up_to_a_sample(sample_ns: int) -> None:
    plan = Plan(targets=(TARGET,), sample_ns=sample_ns)
    ticks = sample_ns // plan.tick_ns
    assert plan.tick_ns <= 1_000_000_000
    assert abs(ticks * plan.tick_ns - sample_ns) <= ticks


def test_the_drain_is_never_longer_than_a_response_may_take() -> None:
    assert Plan(targets=(TARGET,), timeout_ns=500).drain_limit_ns == 500
    assert Plan(targets=(TARGET,)).drain_limit_ns == 2_000_000_000


def test_success_is_2xx_and_3xx_or_what_is_expected() -> None:
    plan = Plan(targets=(TARGET,))
    assert [plan.succeeds(status) for status in (200, 304, 404, 500, 700)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    expecting = Plan(targets=(TARGET,), expect_status=(404,))
    assert [expecting.succeeds(status) for status in (200, 404)] == [False, True]


@pytest.mark.parametrize(
    ("method", "amount"), [("GET", 1), ("HEAD", 1), ("OPTIONS", 1), ("POST", 0), ("DELETE", 0)]
)
def test_the_preflight_sends_only_what_changes_nothing(method: str, amount: int) -> None:
    plan = Plan(targets=(TARGET,), method=method, log="latencies").for_preflight()
    assert (plan.stop.amount, plan.connections, plan.workers, plan.log) == (amount, 1, 1, None)
    assert plan.drain_limit_ns == 0, "whoever interrupts it waits for nothing"


def test_a_warm_up_is_a_plan_of_its_own() -> None:
    assert Plan(targets=(TARGET,)).for_warmup() is None
    warm = Plan(targets=(TARGET,), workers=4, warmup=Warmup(Stop(duration_ns=5), connections=2)).for_warmup()
    assert warm is not None
    assert (warm.connections, warm.workers, warm.stop.duration_ns, warm.warmup) == (2, 2, 5, None)
