"""Evidence for the tests of what is made of it: of a run in which nothing is wrong, with changes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cannon.doubts import doubts
from cannon.durations import Durations, OwnDelay
from cannon.evidence import Evidence, Lateness, Place, WorkerLoad
from cannon.plan import Engine

__all__ = ["LATENCY", "a_load", "a_share", "evidences", "latency", "reason", "reasons", "some_evidence"]

SECOND_NS = 1_000_000_000
MS = 1_000_000


def a_load(busy: float = 0.3, waiting: float = 0.01, window_ns: int = 10 * SECOND_NS) -> WorkerLoad:
    """A worker that used so much of a core, and waited so much for it."""
    return WorkerLoad(window_ns, round(busy * window_ns), round(waiting * window_ns))


def latency(p50_ms: float = 1.0, p99_ms: float = 2.0, count: int = 10_000) -> Durations:
    """A distribution of which only these are looked at."""
    figures = dict.fromkeys(Durations.__struct_fields__)
    return Durations(**(figures | {"p50": p50_ms, "p99": p99_ms, "count": count}))  # type: ignore[arg-type]  # of all types


LATENCY = latency()


def some_evidence(*workers: WorkerLoad, **changes: Any) -> Evidence:
    """Ten seconds with ten connections, on four cores, of a worker that was idle most of the time."""
    numbers: dict[str, Any] = {
        "workers": workers or (a_load(),),
        "connections": 10,
        "cores": 4,
        "engine": Engine.NATIVE,
        "own_delay": OwnDelay(0.02, 0.1, 3.0),
        "latency": LATENCY,
        "standstill_ns": 3 * MS,
        "steal": 0.0,
        "place": Place.ELSEWHERE,
    }
    return Evidence(**(numbers | changes))


def reasons(evidence: Evidence) -> list[str]:
    """What is said of it."""
    return [str(doubt) for doubt in doubts(evidence)]


def reason(evidence: Evidence) -> str:
    """The one thing that is said of it."""
    (only,) = reasons(evidence)
    return only


a_share = st.floats(0, 1)
_loads = st.builds(a_load, a_share, a_share, st.integers(0, 60 * SECOND_NS))
_milliseconds = st.integers(1, 5 * SECOND_NS).map(lambda duration_ns: duration_ns / MS)
_own_delays = st.builds(OwnDelay, *[st.none() | _milliseconds] * 3)
evidences = st.builds(
    Evidence,
    workers=st.lists(_loads, min_size=1, max_size=8).map(tuple),
    connections=st.integers(8, 10_000),
    cores=st.integers(1, 64),
    engine=st.sampled_from(Engine),
    own_delay=_own_delays,
    latency=st.builds(latency, _milliseconds, _milliseconds, st.integers(0, 10**7)),
    standstill_ns=st.integers(0, 5 * SECOND_NS),
    steal=st.none() | a_share,
    place=st.sampled_from(Place),
    pipelining=st.integers(1, 20),
    stamped=a_share,
    lateness=st.none() | st.builds(Lateness, _own_delays, st.integers(0, 10**7)),
)
