"""What a coding saves, and the speed of a link at which that is worth its time: the closed formula, end for end."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.comparison import Compression, Worth
from cannon.compression import compression_of
from cannon.equivalence import Probe
from cannon.rounds import Mode, Pass
from cannon.rows import Change
from cannon.slots import Round
from tests.comparisons import a_comparison_plan, a_round, a_row, a_slot, no_row

PLAN = a_comparison_plan("identity", "gzip", mode=Mode.COMPRESSION)
PLAIN, PACKED = 100_000.0, 20_000.0


def a_probe(wire_bytes: float, encoding: str = "") -> Probe:
    return Probe(
        status=200,
        protocol="HTTP/1.1",
        tls=None,
        cipher=None,
        encoding=encoding,
        wire_bytes=round(wire_bytes),
        body_bytes=round(PLAIN),
        digest="d",
    )


PROBES = {"identity": a_probe(PLAIN), "gzip": a_probe(PACKED, "gzip")}


def some_rounds(wire_bytes: Mapping[str, float | None], count: int = 3) -> list[Round]:
    """Rounds in which each side's bodies have so many bytes."""
    slots = {name: a_slot(body_bytes_per_response=size) for name, size in wire_bytes.items()}
    return [a_round(Pass.LATENCY, number, slots) for number in range(1, count + 1)]


def found(
    added: tuple[float, ...] | None, plain: float | None = PLAIN, packed: float | None = PACKED
) -> Compression:
    """What is made of a mean that grew by so many ms: estimate, low, high, or the estimate alone."""
    rows = [
        a_row("p50", side="gzip", base="identity", added=(77.0, 76.0, 78.0)),
        a_row("mean", side="gzip", base="identity", added=added),
    ]
    return compression_of(PLAN, PROBES, some_rounds({"identity": plain, "gzip": packed}), rows)


def test_eighty_kilobytes_for_two_milliseconds_break_even_at_320_mbit_s() -> None:
    compression = found((2.0, 1.6, 2.5))
    assert compression.break_even_mbit_s == {"gzip": Change(320.0, 256.0, 400.0)}
    assert compression.worth == {"gzip": Worth.BREAK_EVEN}


def test_bytes_are_those_of_the_wire_and_of_the_decoded_body() -> None:
    compression = found((2.0, 1.6, 2.5))
    assert compression.wire_bytes == {"identity": PLAIN, "gzip": PACKED}
    assert compression.decoded_bytes == {"identity": 100_000, "gzip": 100_000}
    assert compression.ratio == {"gzip": 5.0}


@pytest.mark.parametrize(
    ("added", "worth", "speed"),
    [
        ((2.0,), Worth.BREAK_EVEN, Change(320.0, None, None)),
        ((-0.1,), Worth.UNKNOWN, None),
        ((0.0,), Worth.UNKNOWN, None),
        ((0.5, -0.1, 2.0), Worth.AT_LEAST, Change(320.0, 320.0, None)),
        ((1.0, 0.0, 2.0), Worth.AT_LEAST, Change(320.0, 320.0, None)),
        ((-0.5, -1.0, 2.0), Worth.AT_LEAST, Change(320.0, 320.0, None)),
        ((-1.0, -2.0, -0.5), Worth.FREE, None),
        ((-1.0, -2.0, 0.0), Worth.FREE, None),
        (None, Worth.UNKNOWN, None),
    ],
    ids=[
        "no interval",
        "none, faster",
        "none, nothing",
        "touches",
        "begins at 0",
        "faster",
        "free",
        "ends at 0",
        "none",
    ],
)
def test_where_its_time_is_not_to_be_told_from_none_no_speed_is_made_up(
    added: tuple[float, ...] | None, worth: Worth, speed: Change | None
) -> None:
    compression = found(added)
    assert compression.worth == {"gzip": worth}
    assert compression.break_even_mbit_s == {"gzip": speed}


@pytest.mark.parametrize("packed", [PLAIN, PLAIN + 20])
@pytest.mark.parametrize("added", [(2.0, 1.6, 2.5), (-2.0, -2.5, -1.6), None])
def test_what_saves_nothing_gains_nowhere(packed: float, added: tuple[float, ...] | None) -> None:
    compression = found(added, packed=packed)
    assert compression.worth == {"gzip": Worth.LARGER}
    assert compression.break_even_mbit_s == {"gzip": None}
    assert compression.ratio["gzip"] <= 1


@given(
    saved=st.floats(1, 1e9),
    ends=st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3).map(sorted),
)
def test_at_the_break_even_speed_the_bytes_saved_take_as_long_as_the_coding(
    saved: float, ends: list[float]
) -> None:
    low, estimate, high = ends
    speed = found((estimate, low, high), plain=saved + 10, packed=10.0).break_even_mbit_s["gzip"]
    assert speed is not None and speed.low is not None and speed.high is not None
    assert speed.low <= speed.estimate <= speed.high
    for mbit_s, added_ms in ((speed.low, high), (speed.estimate, estimate), (speed.high, low)):
        assert saved * 8 / (mbit_s * 1e6) * 1e3 == pytest.approx(added_ms)


def test_bytes_that_are_constant_are_exact_whatever_was_in_flight_at_one_end() -> None:
    rounds = [
        *some_rounds({"identity": PLAIN, "gzip": PACKED}, 5),
        *some_rounds({"identity": PLAIN + 3.7, "gzip": PACKED - 0.2}, 1),
    ]
    assert compression_of(PLAN, PROBES, rounds, []).wire_bytes == {"identity": PLAIN, "gzip": PACKED}


def test_without_a_round_the_probes_tell_the_bytes_and_nobody_the_time() -> None:
    compression = compression_of(PLAN, PROBES, [], [])
    assert compression.wire_bytes == {"identity": PLAIN, "gzip": PACKED}
    assert compression.worth == {"gzip": Worth.UNKNOWN}


def test_slots_without_responses_tell_no_bytes() -> None:
    compression = found((2.0, 1.6, 2.5), packed=None)
    assert compression.wire_bytes == {"identity": PLAIN, "gzip": PACKED}, "as the probe had it"


def test_sides_that_nobody_asked_are_left_out() -> None:
    compression = compression_of(PLAN, {}, [], [])
    assert compression.wire_bytes == compression.decoded_bytes == compression.ratio == {}
    assert compression.break_even_mbit_s == {"gzip": None}


def test_bodies_of_no_bytes_have_no_ratio() -> None:
    compression = found((2.0, 1.6, 2.5), plain=0.0, packed=0.0)
    assert compression.ratio == {}
    assert compression.worth == {"gzip": Worth.LARGER}


def test_a_mean_that_the_slots_could_not_support_is_no_time() -> None:
    rows = [no_row("mean", "nothing came", side="gzip", base="identity")]
    rounds = some_rounds({"identity": PLAIN, "gzip": PACKED})
    assert compression_of(PLAN, PROBES, rounds, rows).worth == {"gzip": Worth.UNKNOWN}


def test_each_coding_is_set_against_identity() -> None:
    plan = a_comparison_plan("identity", "gzip", "br", mode=Mode.COMPRESSION)
    rows = [
        a_row("mean", side="gzip", base="identity", added=(2.0, 1.6, 2.5)),
        a_row("mean", side="br", base="identity", added=(3.0, 2.0, 4.0)),
    ]
    rounds = some_rounds({"identity": PLAIN, "gzip": PACKED, "br": 10_000.0})
    compression = compression_of(plan, PROBES | {"br": a_probe(10_000.0, "br")}, rounds, rows)
    assert compression.ratio == {"gzip": 5.0, "br": 10.0}
    assert compression.break_even_mbit_s == {
        "gzip": Change(320.0, 256.0, 400.0),
        "br": Change(240.0, 180.0, 360.0),
    }
