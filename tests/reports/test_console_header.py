"""The header says what is about to be fired, before anything is."""

from __future__ import annotations

import io

import pytest

from cannon.pace import Pace, Scope
from cannon.plan import Plan, Stop
from cannon.profile import Constant, Profile, Ramp, Steps
from cannon.reports.console import header
from cannon.target import Target
from tests.results import a_plan


def said(plan: Plan) -> str:
    stream = io.StringIO()
    header(plan, stream)
    return stream.getvalue()


def test_the_header_says_what_is_about_to_be_fired() -> None:
    assert said(a_plan()) == "Running 10s test @ http://localhost:4000/\n10 connections\n\n"


def test_the_header_of_a_run_by_amount_with_workers() -> None:
    plan = a_plan(stop=Stop(amount=1_000), connections=2, workers=2)
    assert said(plan) == "Running 1,000 requests test @ http://localhost:4000/\n2 connections\n2 workers\n\n"


def test_the_header_keeps_secrets_and_cuts_a_long_list() -> None:
    plan = a_plan(
        targets=tuple(Target.parse(f"http://user:secret@localhost:{port}/") for port in range(1, 6))
    )
    first = said(plan).splitlines()[0]
    assert "secret" not in first
    assert first.endswith(" and 2 more")


def test_the_header_tells_how_many_requests_a_connection_has_in_flight() -> None:
    assert said(a_plan(pipelining=4)).splitlines()[1] == "10 connections, 4 requests in flight on each"


@pytest.mark.parametrize(
    ("profile", "scope", "line"),
    [
        (Constant(500), Scope.TOOL, "open loop, 500/s"),
        (Constant(12.5), Scope.CONNECTION, "open loop, 125/s"),
        (Ramp(0, 500, 30 * 10**9), Scope.TOOL, "open loop, 0..500/s over 30 s"),
        (Steps((100, 200), 10**9), Scope.TOOL, "open loop, 100, 200/s for 1 s each"),
    ],
)
def test_the_header_tells_the_rate(profile: Profile, scope: Scope, line: str) -> None:
    assert said(a_plan(pace=Pace(profile, scope=scope))).splitlines()[2] == line
