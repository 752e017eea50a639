"""Realistic results for the tests of everything that reads one: counted in a Tally and made by `result_of`.

`a_result()` is ten seconds against a healthy server. Whatever is changed goes through the same summing as in a run, so
that a result of the tests never holds what a run could not.
"""

from __future__ import annotations

from functools import cache
from inspect import signature
from typing import Any

import msgspec

from cannon.durations import OwnDelay
from cannon.errors import Fault
from cannon.evidence import Place
from cannon.host import Host
from cannon.pace import Pace
from cannon.plan import Plan, Stop
from cannon.profile import Constant
from cannon.result import Cannon, Outside, Result, Worker, result_of
from cannon.series import SeriesRow
from cannon.tally import Example, Histogram, Row, Tally
from cannon.target import Target

__all__ = [
    "HOST",
    "a_failing_tally",
    "a_paced_plan",
    "a_paced_tally",
    "a_plan",
    "a_result",
    "a_row",
    "a_series",
    "a_tally",
    "an_empty_tally",
    "latencies_ns",
]

SECOND_NS = 1_000_000_000
HOST = Host(cpu="Test CPU @ 3.00GHz", cores=4, kernel="Linux 6.1.0", hostname="bench")
RESPONSE_BYTES = 178

_NOT_COUNTED = frozenset(Result.__struct_fields__) - signature(result_of).parameters.keys()
"""The fields of a Result that are no argument of `result_of`: whatever they are, the others stay as they were."""


def a_plan(**changes: Any) -> Plan:
    """`cannon -d 10 -c 10 http://localhost:4000/`, with changes."""
    settings: dict[str, Any] = {
        "targets": (Target.parse("http://localhost:4000/"),),
        "stop": Stop(duration_ns=10 * SECOND_NS),
    }
    return Plan(**(settings | changes))


def a_paced_plan(per_s: float = 1_000, **changes: Any) -> Plan:
    """`cannon -d 10 -c 10 -R 1000 http://localhost:4000/`, with changes."""
    return a_plan(**({"pace": Pace(Constant(per_s))} | changes))


def latencies_ns(count: int = 10_000, middle_ns: int = 400_000) -> list[int]:
    """Durations with the long tail that servers have, the same at each call: half lie below `middle_ns`."""
    return [round(middle_ns * (0.5 + 0.5 * (count / (2 * (count - rank))) ** 0.6)) for rank in range(count)]


@cache
def _histogram(durations_ns: tuple[int, ...]) -> Histogram:
    return Histogram.of(*durations_ns)


def a_tally(durations_ns: list[int] | None = None, **changes: Any) -> Tally:
    """A healthy run of ten seconds: every request answered with 200, in the given times."""
    durations_ns = latencies_ns() if durations_ns is None else durations_ns
    count = len(durations_ns)
    counted: dict[str, Any] = {
        "sent": count,
        "succeeded": count,
        "status": {200: count} if count else {},
        "attempted": 10,
        "made": 10,
        "sent_bytes": 80 * count,
        "received_bytes": RESPONSE_BYTES * count,
        "received_body_bytes": 14 * count,
        "whole": _histogram(tuple(durations_ns)),
        "connect": Histogram.of(*(90_000 + 5_000 * index for index in range(10))),
        "own_delay": _histogram(tuple(range(20_000, 20_000 + 10 * count, 10))),
        "row": Row(
            window_ns=10 * SECOND_NS, requests=count, succeeded=count, received_bytes=RESPONSE_BYTES * count
        ),
        "cpu_ns": 7 * SECOND_NS,
        "run_delay_ns": 12_000_000,
        "longest_pause_ns": 210_000,
    }
    return Tally(**(counted | changes))


def a_paced_tally(durations_ns: list[int] | None = None, **changes: Any) -> Tally:
    """Ten seconds under a rate that the server kept up with: each request sent 30 to 40 us late, by cannon's doing,
    and its response stamped by the kernel.
    """
    durations_ns = latencies_ns() if durations_ns is None else durations_ns
    late_ns = [30_000 + index % 10_000 for index in range(len(durations_ns))]
    paced: dict[str, Any] = {
        "response": Histogram.of(*(sum(both) for both in zip(durations_ns, late_ns, strict=True))),
        "late": Histogram.of(*late_ns),
        "woke_late": Histogram.of(*late_ns),
        "stamped": len(durations_ns),
    }
    return a_tally(durations_ns, **(paced | changes))


def a_failing_tally(messages: dict[Fault, str] | None = None) -> Tally:
    """A run in which every kind of loss came: 1,000 sent = 990 completed + 8 failed + 2 in flight."""
    told = {
        Fault.TIMEOUT: "no response within 10 s",
        Fault.RESET: "the server reset the connection after 512 bytes",
        Fault.REFUSED: "127.0.0.1:4000 refused the connection",
    } | (messages or {})
    durations_ns = latencies_ns(990)
    return a_tally(
        durations_ns,
        sent=1000,
        spread=Histogram.of(*[10 * SECOND_NS] * 6),
        row=Row(
            window_ns=10 * SECOND_NS,
            requests=990,
            succeeded=960,
            failed=8,
            received_bytes=RESPONSE_BYTES * 990,
        ),
        succeeded=960,
        mismatched=3,
        status={200: 963, 404: 20, 503: 7},
        errors={Fault.TIMEOUT: 6, Fault.RESET: 2},
        in_flight=2,
        oldest_in_flight_ns=2_340_000_000,
        excess=1,
        attempted=25,
        made=12,
        connect_errors={Fault.REFUSED: 13},
        examples={
            fault: Example(at_ns=index, message=text) for index, (fault, text) in enumerate(told.items())
        },
    )


def an_empty_tally() -> Tally:
    """A server that refused every connection: ten seconds in which nothing was sent."""
    return Tally(
        attempted=40,
        connect_errors={Fault.REFUSED: 40},
        examples={Fault.REFUSED: Example(at_ns=1_000, message="127.0.0.1:4000 refused the connection")},
        row=Row(window_ns=10 * SECOND_NS),
        cpu_ns=20_000_000,
    )


def a_row(requests: int, window_s: float = 1.0) -> SeriesRow:
    """A row of successes, 100 bytes each, of which no times are known."""
    return SeriesRow(
        t_s=0.0,
        window_s=window_s,
        requests=requests,
        succeeded=requests,
        failed=0,
        bytes=100 * requests,
        p50_ms=None,
        p99_ms=None,
        max_ms=None,
    )


def a_series(tally: Tally, rows: int = 10) -> list[SeriesRow]:
    """Rows of one second whose counts add up to what ended inside the tally's window; the load rises and falls."""
    row = tally.row
    weights = [10 + min(index, rows - 1 - index) for index in range(rows)]
    shares = [sum(weights[: index + 1]) / sum(weights) for index in range(rows)]
    durations = tally.response if tally.response.counts else tally.service
    p50_ns, p99_ns = durations.percentiles_ns((50, 99))

    def part(total: int, index: int) -> int:
        return round(total * shares[index]) - (round(total * shares[index - 1]) if index else 0)

    return [
        SeriesRow(
            t_s=index + 1.0,
            window_s=1.0,
            requests=part(row.requests, index),
            succeeded=part(row.succeeded, index),
            failed=part(row.failed, index),
            bytes=part(row.received_bytes, index),
            p50_ms=None if p50_ns is None else p50_ns / 1e6,
            p99_ms=None if p99_ns is None else p99_ns / 1e6,
            max_ms=None if durations.max_ns is None else durations.max_ns / 1e6,
        )
        for index in range(rows)
    ]


def a_result(**changes: Any) -> Result:
    """A Result of a whole run. Changes are arguments of `result_of`, or fields of the Result itself."""
    if changes.keys() <= _NOT_COUNTED:
        return msgspec.structs.replace(_healthy(), **changes)
    return _counted(changes)


@cache
def _healthy() -> Result:
    """The one that nothing is changed in: it takes a while to make, and hundreds of tests begin with it."""
    return _counted({})


def _counted(changes: dict[str, Any]) -> Result:
    tally: Tally = changes.pop("tally", None) or a_tally()
    plan: Plan = changes.pop("plan", None) or a_plan()
    found: dict[str, Any] = {
        "duration_ns": 10 * SECOND_NS,
        "series": a_series(tally),
        "outside": Outside(preflight=1),
        "cannon": Cannon(
            "0.1.0", plan.engine.value, True, "3.11.2", "cannon -d 10 -c 10 http://localhost:4000/"
        ),
        "host": HOST,
        "started": "2026-01-02T03:04:05.000Z",
        "finished": "2026-01-02T03:04:15.250Z",
        "cpu_s": tally.cpu_ns / 1e9 + 0.2,
        "steal": 0.0,
        "workers": [
            Worker(0, HOST.hostname, tally.sent, tally.completed, OwnDelay.of(tally.own_delay), "ended")
        ],
        "problems": [],
        "interrupted": None,
        "shards": (tally,),
        "place": Place.ELSEWHERE,
    }
    arguments = {name: changes.pop(name) for name in tuple(found) if name in changes}
    result = result_of(plan=plan, tally=tally, **(found | arguments))
    return msgspec.structs.replace(result, **changes)
