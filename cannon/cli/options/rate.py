"""Options of the open loop: when requests are due, whatever the server does, and where answers are stamped."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["RATE"]

_SECTION = "Rate (open loop)"

RATE: tuple[Option, ...] = (
    Option(
        ("-R", "--overallRate"),
        "overall_rate",
        values.rate,
        "requests due a second, over the whole tool; timed from when they were due",
        section=_SECTION,
        example="-R 1000",
        metavar="N",
    ),
    Option(
        ("-r", "--connectionRate"),
        "connection_rate",
        values.rate,
        "the same for each connection; goes before -R",
        section=_SECTION,
        example="-r 100",
        metavar="N",
    ),
    Option(
        ("--ramp",),
        "ramp",
        values.ramp,
        "a rate that changes steadily: FROM..TO:TIME",
        section=_SECTION,
        example="--ramp 0..500/s:30s",
        metavar="RAMP",
    ),
    Option(
        ("--steps",),
        "steps",
        values.steps,
        "rates one after the other, each for a time: RATE,RATE,...:TIME",
        section=_SECTION,
        example="--steps 100,200,400/s:10s",
        metavar="STEPS",
    ),
    Option(
        ("--find-rate",),
        "find_rate",
        values.gate,
        "search the highest rate at which this still holds",
        section=_SECTION,
        example="--find-rate 'p99 < 50ms'",
        metavar="EXPR",
    ),
    Option(
        ("--arrivals",),
        "arrivals",
        values.arrivals,
        "how due times are spaced: even, or poisson, as of many independent users  [even]",
        section=_SECTION,
        example="--arrivals poisson",
        metavar="NAME",
    ),
    Option(
        ("--seed",),
        "seed",
        values.seed,
        "have the same poisson arrivals again; drawn, and recorded, where it is not given",
        section=_SECTION,
        example="--seed 1",
        metavar="N",
    ),
    Option(
        ("--timestamps",),
        "timestamps",
        values.timestamps,
        "what stamps the end of a response: kernel, loop, or auto  [auto]",
        section=_SECTION,
        example="--timestamps kernel",
        metavar="NAME",
    ),
    Option(
        ("-C", "--ignoreCoordinatedOmission"),
        "ignore_omission",
        None,
        "in autocannon's JSON, time from the send; elsewhere both times are told anyway",
        section=_SECTION,
    ),
)
