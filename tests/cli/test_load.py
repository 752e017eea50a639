from __future__ import annotations

import pytest

from cannon.cli.load import limits_of, pace_of, stop_of
from cannon.errors import UsageError
from cannon.pace import Arrivals, Pace, Scope
from cannon.plan import Limits, Stop
from cannon.profile import Constant, Ramp, Steps
from tests.cli.reading import read

SECOND_NS = 1_000_000_000
DEFAULT = Stop(duration_ns=7 * SECOND_NS)


@pytest.mark.parametrize(
    ("line", "stop"),
    [
        ("", DEFAULT),
        ("-d 3", Stop(duration_ns=3 * SECOND_NS)),
        ("-a 100", Stop(amount=100)),
        ("-a 100 -d 3", Stop(amount=100)),
        ("-R 100", DEFAULT),
        ("--ramp 0..500/s:30s", Stop(duration_ns=30 * SECOND_NS)),
        ("--steps 100,200,400/s:10s", Stop(duration_ns=30 * SECOND_NS)),
        ("--steps 100,200,400/s:10s -d 3", Stop(duration_ns=3 * SECOND_NS)),
        ("--ramp 1..2/s:30s -a 100", Stop(amount=100)),
    ],
)
def test_a_run_ends_by_what_was_said_of_it(line: str, stop: Stop) -> None:
    assert stop_of(read(*line.split()), DEFAULT) == stop


def test_a_duration_of_nothing_is_refused_under_a_ramp_too() -> None:
    with pytest.raises(UsageError, match="-d/--duration must be longer than nothing"):
        stop_of(read("--ramp", "1..2/s:30s", "-d", "0"), DEFAULT)


def test_limits_are_those_given() -> None:
    assert limits_of(read()) == Limits()
    assert limits_of(read("-M", "1", "-O", "2", "-D", "3", "-B", "4")) == Limits(
        per_connection=1, overall=2, reconnect_after=3, bailout=4
    )


def test_a_reconnect_rate_of_0_is_no_limit() -> None:
    assert limits_of(read("-D", "0")) == Limits()


@pytest.mark.parametrize(
    ("line", "pace"),
    [
        ("", None),
        ("-R 1000", Pace(Constant(1000.0))),
        ("-R 90/m", Pace(Constant(1.5))),
        ("-r 10", Pace(Constant(10.0), scope=Scope.CONNECTION)),
        ("-r 10 -R 1000", Pace(Constant(10.0), scope=Scope.CONNECTION)),
        ("--ramp 0..500/s:30s", Pace(Ramp(0.0, 500.0, 30 * SECOND_NS))),
        ("--steps 100,200/s:10s", Pace(Steps((100.0, 200.0), 10 * SECOND_NS))),
        ("--find-rate p99<50ms", None),
        ("--find-rate p99<50ms --arrivals poisson --seed 3", None),
        ("-R 1000 --arrivals even", Pace(Constant(1000.0))),
        ("-R 1000 --arrivals poisson --seed 3", Pace(Constant(1000.0), Arrivals.POISSON, 3)),
        ("-R 1000 -C", Pace(Constant(1000.0))),
    ],
)
def test_a_rate_becomes_a_pace(line: str, pace: Pace | None) -> None:
    assert pace_of(read(*line.split())) == pace


def test_a_seed_that_is_not_given_is_drawn_and_stands_in_the_plan() -> None:
    options = read("-R", "10", "--arrivals", "poisson")
    seeds = {pace.seed for pace in (pace_of(options) for _ in range(20)) if pace}
    assert len(seeds) > 1
    assert all(0 <= seed < 2**32 for seed in seeds)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-R 10 --ramp 1..2/s:3s", "-R and --ramp each say how fast to fire; leave all but one of them out"),
        ("-r 10 --steps 1/s:3s", "-r and --steps each say how fast"),
        ("-R 10 --find-rate p99<1ms", "-R and --find-rate each say how fast"),
        ("--ramp 1..2/s:3s --steps 1/s:3s --find-rate p99<1ms", "--ramp, --steps and --find-rate each say"),
        (
            "--arrivals even",
            "--arrivals says how the requests of a rate are spaced, and there is none; e.g. -R 1000",
        ),
        ("--seed 3", "--seed says how the requests of a rate are spaced, and there is none; e.g. -R 1000"),
        ("-C", "-C/--ignoreCoordinatedOmission is about a rate, and there is none; e.g. -R 1000"),
    ],
)
def test_a_rate_that_contradicts_itself_or_is_missing_is_refused(line: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        pace_of(read(*line.split()))
    assert raised.value.message.startswith(message)
