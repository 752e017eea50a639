"""Options that say how a connection is driven, and for how long a response is waited for."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["RUN"]

_SECTION = "Run"

RUN: tuple[Option, ...] = (
    Option(
        ("-t", "--timeout"),
        "timeout_ns",
        values.duration_ns,
        "how long a response may take  [10s]",
        section=_SECTION,
        example="-t 10",
        metavar="TIME",
        elsewhere="wrk's -t, its threads, is -w here",
    ),
    Option(
        ("--drain",),
        "drain_ns",
        values.duration_ns,
        "how long to read on when sending has ended, at most -t  [2s]",
        section=_SECTION,
        example="--drain 2s",
        metavar="TIME",
    ),
    Option(
        ("--engine",),
        "engine",
        values.engine,
        "how a connection is driven: native, h11 or httpx  [native]",
        section=_SECTION,
        example="--engine h11",
        metavar="NAME",
    ),
    Option(
        ("--preflight/--no-preflight",),
        "preflight",
        None,
        "send nothing before the clock starts",
        section=_SECTION,
    ),
)
