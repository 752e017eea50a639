"""Hypothesis strategies for the values that flow through cannon."""

from __future__ import annotations

from hypothesis import strategies as st

from cannon.errors import Fault
from cannon.pace import Arrivals, Pace, Scope
from cannon.plan import Engine, Plan, Stop
from cannon.profile import Constant, Profile, Ramp, Steps
from cannon.tally import Example, Histogram, Row, Tally
from cannon.target import Target

__all__ = ["histograms", "paces", "plans", "profiles", "tallies"]

_counts = st.integers(0, 1 << 40)
_faults = st.sampled_from(list(Fault))

histograms = st.builds(
    Histogram, st.dictionaries(st.integers(0, 1 << 42), st.integers(1, 1 << 30), max_size=8)
)
_fault_counts = st.dictionaries(_faults, st.integers(1, 1 << 30), max_size=3)

tallies = st.builds(
    Tally,
    sent=_counts,
    succeeded=_counts,
    in_flight=_counts,
    oldest_in_flight_ns=_counts,
    status=st.dictionaries(st.integers(100, 999), st.integers(1, 1 << 30), max_size=3),
    errors=_fault_counts,
    connect_errors=_fault_counts,
    negotiated=st.dictionaries(
        st.sampled_from(["TLSv1.2 A", "TLSv1.3 B"]), st.integers(1, 1 << 30), max_size=2
    ),
    fewest_answered=st.none() | _counts,
    most_answered=st.none() | _counts,
    examples=st.dictionaries(
        _faults,
        st.builds(Example, st.integers(0, 5), st.sampled_from(["reset", "closed", "refused"])),
        max_size=3,
    ),
    received_bytes=_counts,
    whole=histograms,
    own_delay=histograms,
    row=st.builds(Row, _counts, _counts, _counts, _counts, _counts),
    longest_pause_ns=_counts,
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Scripted plans of up to 200 requests or 3 s."""
    connections = draw(st.integers(1, 12))
    amount = draw(st.one_of(st.none(), st.integers(connections, 200)))
    return Plan(
        targets=(Target.parse("http://127.0.0.1:4000/"),),
        connections=connections,
        workers=1,
        stop=Stop(duration_ns=draw(st.integers(1_000_000, 3_000_000_000)), amount=amount),
        engine=Engine.SCRIPTED,
        script_ns=tuple(draw(st.lists(st.integers(20_000_000, 900_000_000), min_size=1, max_size=7))),
    )


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Rates from one in two minutes to the most there may be; some of them nothing, for a while or for ever."""
    rates = st.sampled_from((0, 0.1, 1, 3, 100, 333.3, 1000)) | st.floats(0.01, 1_000_000)
    times_ns = st.integers(1_000_000, 60_000_000_000)
    kind = draw(st.sampled_from((Constant, Ramp, Steps)))
    if kind is Constant:
        return Constant(draw(rates.filter(bool)))
    if kind is Ramp:
        return Ramp(*draw(st.tuples(rates, rates).filter(any)), draw(times_ns))
    return Steps(tuple(draw(st.lists(rates, min_size=1, max_size=5).filter(any))), draw(times_ns))


paces = st.builds(
    Pace, profiles(), st.sampled_from(Arrivals), st.integers(-(2**63), 2**63 - 1), st.sampled_from(Scope)
)
