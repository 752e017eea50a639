"""Made-up comparisons for the tests of everything that reads one.

`a_comparison()` is one of an origin and HAProxy in front of it: ten rounds of a second a side in each pass. Slots and
rounds stand by themselves too, for what is computed from them: `a_slot(p50_ms=1.2)`, `a_round(slots={...})`,
`some_rounds(Pass.LATENCY, 10, {"direct": 0.81, "haproxy": 1.12})`. Nothing is computed here: rows say what they are
told to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from cannon.comparison import SCHEMA, CommonRate, Comparison, Compression, Handshake, SideReport, Worth
from cannon.equivalence import Equivalence
from cannon.plan import Plan
from cannon.result import Cannon
from cannon.rounds import ComparisonPlan, Mode, Pass, Side
from cannon.rows import Change, Noise, Row, Verdict
from cannon.settings import PlanSettings
from cannon.slots import Dropped, Round, Slot
from cannon.tally import Histogram
from cannon.target import Target
from cannon.validity import Validity
from tests.results import HOST, a_plan, latencies_ns

__all__ = [
    "BASE",
    "MIDDLES_MS",
    "RATES",
    "SIDE",
    "TOTALS",
    "a_change",
    "a_comparison",
    "a_comparison_plan",
    "a_compression",
    "a_compression_comparison",
    "a_dropped",
    "a_handshake",
    "a_histogram",
    "a_round",
    "a_row",
    "a_side",
    "a_side_report",
    "a_slot",
    "a_tls_comparison",
    "no_row",
    "some_noise",
    "some_rounds",
    "some_rows",
]

BASE, SIDE = "direct", "haproxy"
PORTS: Mapping[str, int] = {BASE: 8000, SIDE: 8080}

MIDDLES_MS: Mapping[str, float] = {BASE: 0.81, SIDE: 1.12}
"""The p50 of each side in the latency pass."""

RATES: Mapping[str, float] = {BASE: 9_810.0, SIDE: 7_420.0}
"""The successes a second of each side in the capacity pass."""

TOTALS = "totals of all rounds, without an interval"
"""Why rows of bytes and of errors have none."""

_COMMON_PER_S = 3_700.0
_LEVEL = 0.951171875


@cache
def a_histogram(middle_ms: float = 0.81, count: int = 3_700) -> str:
    """The latencies of a slot as its file has them."""
    return Histogram.of(*latencies_ns(count, round(middle_ms * 1e6))).encode()


def a_slot(middle_ms: float = 0.81, rps: float = _COMMON_PER_S, **changes: Any) -> Slot:
    """A second of one side, `rps` responses of which half took less than `middle_ms`: all well. Any field of Slot can
    be changed; there is no histogram but by `histogram=a_histogram(middle_ms)`.
    """
    count = round(rps * changes.get("seconds", 1.0))
    found: dict[str, Any] = {
        "seconds": 1.0,
        "rps": float(rps),
        "p50_ms": middle_ms,
        "p90_ms": middle_ms * 1.8,
        "p99_ms": middle_ms * 4.8,
        "p99_9_ms": middle_ms * 14.0,
        "mean_ms": middle_ms * 1.2,
        "count": count,
        "bytes_per_response": 178.0,
        "body_bytes_per_response": 14.0,
        "status": {"200": count},
        "errors": {},
        "sent": count,
        "outside": round(count * 0.2),
        "completed": count,
        "in_flight": 0,
        "due": None,
        "never_sent": 0,
        "made": 10,
        "reconnects": 0,
        "connects_failed": 0,
        "negotiated": {},
        "cpu_us": {"cannon": 41.0},
        "busy": 0.31,
        "late_p99_ms": None,
        "own_delay_p99_ms": 0.06,
        "steal": 0.0,
        "saturated": False,
        "cpu_bound": False,
        "reasons": [],
        "histogram": None,
    }
    return Slot(**(found | changes))


def a_round(
    of: Pass = Pass.LATENCY,
    number: int = 1,
    slots: Mapping[str, Slot] | None = None,
    order: Sequence[str] | None = None,
) -> Round:
    """A round of the slots of these sides, in their order if no other is told; of the usual two without any."""
    if slots is None:
        slots = {name: _usual_slot(of, name, MIDDLES_MS[name]) for name in (BASE, SIDE)}
    return Round(of=of, number=number, order=list(order or slots), slots=dict(slots))


def some_rounds(of: Pass, count: int, middles: Mapping[str, float] | None = None) -> list[Round]:
    """`count` rounds that differ a little, the order turned in every second one.

    `middles`: for each side its p50 in ms, or in a capacity pass its successes a second.
    """
    usual = RATES if of is Pass.CAPACITY else MIDDLES_MS
    middles = usual if middles is None else middles
    found = []
    for number in range(1, count + 1):
        wobble = 1 + 0.01 * ((number * 7) % 5 - 2)
        names = [*middles] if number % 2 else [*middles][::-1]
        slots = {name: _usual_slot(of, name, middle * wobble) for name, middle in middles.items()}
        found.append(a_round(of, number, slots, names))
    return found


def _usual_slot(of: Pass, name: str, middle: float) -> Slot:
    if of is Pass.CAPACITY:
        return a_slot(10_000 / middle, middle)
    return a_slot(middle, due=round(_COMMON_PER_S), late_p99_ms=0.08)


def a_change(estimate: float, low: float | None = None, high: float | None = None) -> Change:
    """An estimate, and its interval where both ends are told."""
    return Change(estimate, low, high)


def a_row(
    metric: str = "p50",
    values: tuple[float | None, float | None] = (0.81, 1.12),
    added: tuple[float, ...] | None = (0.31, 0.29, 0.33),
    change_pct: tuple[float, ...] | None = (38.1, 36.2, 41.3),
    verdict: Verdict = Verdict.HIGHER,
    **changes: Any,
) -> Row:
    """A row of ten rounds. `added`, `change_pct`: estimate, low, high, or the estimate alone."""
    found: dict[str, Any] = {
        "of": Pass.CAPACITY.value if metric == "rps" else Pass.LATENCY.value,
        "metric": metric,
        "side": SIDE,
        "base": BASE,
        "unit": _UNITS.get(metric.partition("@")[0], "ms"),
        "base_value": values[0],
        "side_value": values[1],
        "added": None if added is None else a_change(*added),
        "change_pct": None if change_pct is None else a_change(*change_pct),
        "rounds": 10,
        "level": None if added is None or len(added) == 1 else _LEVEL,
        "at_least": [],
        "verdict": verdict,
        "reason": "",
    }
    return Row(**(found | changes))


_UNITS: Mapping[str, str] = {"rps": "/s", "cpu": "us", "bytes": "B", "errors": "%"}


def no_row(metric: str, reason: str, **changes: Any) -> Row:
    """A row that the slots could not support."""
    return a_row(metric, (None, None), None, None, Verdict.INCONCLUSIVE, **({"reason": reason} | changes))


def some_rows(side: str = SIDE) -> list[Row]:
    """Those of one side beyond the base."""
    cpu = a_row("cpu", (41.2, 41.6), (0.4, -0.3, 1.2), (1.0, -0.7, 2.9), Verdict.EQUIVALENT)
    rows = [
        a_row(
            "rps", (RATES[BASE], RATES[SIDE]), (-2_390, -2_560, -2_250), (-24.4, -26.1, -22.9), Verdict.LOWER
        ),
        a_row(),
        a_row("p90", (1.46, 1.98), (0.52, 0.44, 0.6), (35.6, 30.1, 41.2)),
        a_row("p99", (3.9, 4.71), (0.8, 0.42, 1.21), (20.5, 10.8, 31.1)),
        no_row("p99_9", "needs 20,000 requests per slot, had 3,700; -d 55 would do"),
        a_row("mean", (0.97, 1.3), (0.33, 0.3, 0.36), (34.0, 31.2, 37.5)),
        cpu,
        a_row("bytes", (178.0, 178.0), (0.0,), (0.0,), Verdict.EQUIVALENT, reason=TOTALS),
        a_row("errors", (0.0, 0.0), (0.0,), (0.0,), Verdict.EQUIVALENT, reason=TOTALS),
    ]
    return [msgspec.structs.replace(row, side=side) for row in rows]


def some_noise(side: str = SIDE) -> list[Noise]:
    """What the usual comparison could have seen."""
    return [
        Noise(of=of, metric=metric, side=side, resolvable_pct=resolvable_pct)
        for of, metric, resolvable_pct in (
            ("capacity", "rps", 1.6),
            ("latency", "p50", 2.5),
            ("latency", "p90", 5.5),
            ("latency", "p99", 9.1),
            ("latency", "mean", 3.1),
        )
    ]


def a_dropped(of: Pass = Pass.LATENCY, number: int = 3, **changes: Any) -> Dropped:
    """A round that is none, for HAProxy was not there."""
    found: dict[str, Any] = {
        "of": of,
        "number": number,
        "side": SIDE,
        "reason": "127.0.0.1:8080 refused the connection",
    }
    return Dropped(**(found | changes))


def a_side(name: str = BASE, **changes: Any) -> Side:
    """A side on this machine. Changes are of its plan."""
    return Side(name, a_plan(**({"targets": (Target.parse(_url(name)),)} | changes)))


def a_comparison_plan(*names: str, **changes: Any) -> ComparisonPlan:
    """`cannon compare direct=http://127.0.0.1:8000/ haproxy=http://127.0.0.1:8080/`, with changes."""
    found: dict[str, Any] = {"sides": tuple(a_side(name) for name in names or (BASE, SIDE)), "seed": 4127}
    return ComparisonPlan(**(found | changes))


def a_side_report(name: str = BASE, plan: Plan | None = None, **changes: Any) -> SideReport:
    """A side as the file has it."""
    plan = a_side(name).plan if plan is None else plan
    url = plan.targets[0].url
    found: dict[str, Any] = {"name": name, "url": url, "settings": PlanSettings.of(plan), "outside": 14_204}
    return SideReport(**(found | changes))


def _url(name: str) -> str:
    return f"http://127.0.0.1:{PORTS.get(name, 9000)}/"


def a_comparison(**changes: Any) -> Comparison:
    """The usual one, with any of its fields changed."""
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "cannon": Cannon(
            "0.1.0",
            "native",
            True,
            "3.11.2",
            "cannon compare direct=http://127.0.0.1:8000/ haproxy=http://127.0.0.1:8080/",
        ),
        "host": HOST,
        "started": "2026-01-02T03:04:05.000Z",
        "finished": "2026-01-02T03:05:01.250Z",
        "mode": Mode.NAMED.value,
        "plan": PlanSettings.of(a_side().plan),
        "sides": [a_side_report(BASE), a_side_report(SIDE)],
        "seed": 4127,
        "order": "shuffled",
        "margin_pct": 5.0,
        "rounds_asked": 10,
        "slot_s": 1.0,
        "lead_in_s": 0.2,
        "rate": CommonRate(
            per_s=_COMMON_PER_S, asked=None, reason="50 % of the capacity of the slowest side, haproxy"
        ),
        "rounds": [*_usual_rounds()],
        "dropped": [],
        "rows": some_rows(),
        "noise": some_noise(),
        "equivalence": Equivalence(same=True, differences=[], allowed=[], varies=[]),
        "compression": None,
        "handshakes": [],
        "warnings": [],
        "gates": [],
        "validity": Validity("valid", []),
        "interrupted": None,
    }
    return Comparison(**(found | changes))


@cache
def _usual_rounds() -> tuple[Round, ...]:
    return (*some_rounds(Pass.CAPACITY, 10), *some_rounds(Pass.LATENCY, 10))


def a_compression(**changes: Any) -> Compression:
    """80 kB saved for 2 ms."""
    found: dict[str, Any] = {
        "wire_bytes": {"identity": 100_000.0, "gzip": 20_000.0},
        "decoded_bytes": {"identity": 100_000, "gzip": 100_000},
        "ratio": {"gzip": 5.0},
        "break_even_mbit_s": {"gzip": a_change(320.0, 291.0, 356.0)},
        "worth": {"gzip": Worth.BREAK_EVEN},
    }
    return Compression(**(found | changes))


def a_compression_comparison(**changes: Any) -> Comparison:
    """`cannon compare --compression gzip http://127.0.0.1:9000/`."""
    rows = [
        a_row("rps", (1_905.0, 861.0), (-1_044, -1_110, -980), (-54.8, -58.1, -51.3), Verdict.LOWER),
        a_row("p50", (1.21, 3.22), (2.01, 1.8, 2.2), (166.0, 149.0, 181.0)),
        a_row("p90", (1.91, 4.4), (2.5, 2.1, 2.9), (130.0, 110.0, 152.0)),
        no_row("p99", "needs 2,000 requests per slot, had 430; -d 47 would do"),
        a_row("mean", (1.3, 3.3), (2.0, 1.8, 2.2), (154.0, 139.0, 170.0)),
        a_row("bytes", (100_164.0, 20_188.0), (-79_976.0,), (-79.8,), Verdict.LOWER, reason=TOTALS),
    ]
    found: dict[str, Any] = {
        "mode": Mode.COMPRESSION.value,
        "sides": [a_side_report("identity"), a_side_report("gzip")],
        "rounds": [
            *some_rounds(Pass.CAPACITY, 10, {"identity": 1_905.0, "gzip": 861.0}),
            *some_rounds(Pass.LATENCY, 10, {"identity": 1.21, "gzip": 3.22}),
        ],
        "rate": CommonRate(per_s=430.0, asked=None, reason="50 % of the capacity of the slowest side, gzip"),
        "rows": [msgspec.structs.replace(row, base="identity", side="gzip") for row in rows],
        "noise": some_noise("gzip"),
        "equivalence": Equivalence(
            same=True, differences=[], allowed=["gzip: Content-Encoding gzip, not identity"], varies=[]
        ),
        "compression": a_compression(),
    }
    return a_comparison(**(found | changes))


def a_handshake(side: str = "tls", **changes: Any) -> Handshake:
    """A side over TLS."""
    found: dict[str, Any] = {
        "side": side,
        "connect_ms": a_change(0.09, 0.08, 0.1),
        "fresh_ms": a_change(2.31, 2.24, 2.4),
        "resumed_ms": a_change(0.62, 0.58, 0.66),
    }
    return Handshake(**(found | changes))


def a_tls_comparison(**changes: Any) -> Comparison:
    """`cannon compare plain=http://127.0.0.1:9000/ tls=https://127.0.0.1:9000/`."""
    rows = [msgspec.structs.replace(row, base="plain", side="tls") for row in some_rows()]
    secured = a_plan(targets=(Target.parse("https://127.0.0.1:9000/"),))
    found: dict[str, Any] = {
        "sides": [a_side_report("plain"), a_side_report("tls", secured)],
        "rounds": [
            *some_rounds(Pass.CAPACITY, 10, {"plain": 9_810.0, "tls": 7_420.0}),
            *some_rounds(Pass.LATENCY, 10, {"plain": 0.81, "tls": 1.12}),
        ],
        "rate": CommonRate(per_s=3_700.0, asked=None, reason="50 % of the capacity of the slowest side, tls"),
        "rows": rows,
        "noise": some_noise("tls"),
        "equivalence": Equivalence(
            same=True, differences=[], allowed=["tls: TLSv1.3, direct: no TLS"], varies=[]
        ),
        "handshakes": [
            a_handshake("plain", fresh_ms=None, resumed_ms=None),
            a_handshake("tls"),
        ],
    }
    return a_comparison(**(found | changes))
