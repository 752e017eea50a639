"""What everybody who reads a result or a comparison relies on, checked in one that came out of a file.

Law: whatever passes can be judged, merged and rendered in every format, and no number of it is negative that counts
something. Each refusal is one line that names the file and the dotted key. Whether the figures are true nobody can
tell; that a histogram holds as many samples as are told can be, in bounded time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from cannon.comparison import Comparison
from cannon.durations import Durations
from cannon.encoded_histogram import weighed
from cannon.errors import UsageError
from cannon.foreign import refuse_negative
from cannon.gates import Verdict
from cannon.result import INTERRUPTED, GateVerdict, Result
from cannon.rounds import Mode, Order, Pass
from cannon.settings import PlanSettings
from cannon.text import clean
from cannon.validity import Validity

__all__ = ["check_comparison", "check_result"]

_SIGNED = frozenset({"seed", "figures", "value", "bound", "low", "high", "estimate"})
"""Numbers that may well be negative: of gates and of changes, of proxies, and what chance was drawn from."""

_STATUS = re.compile(r"[1-9][0-9]{2}")
_VALIDITY = ("valid", "suspect", "invalid")

_SHORTEST_S = 1e-9
"""Of a time that something is counted in: nothing shorter is measured, and a rate over it is beyond all numbers."""

_MOST_UNPACKED_BYTES = 32 * 1024**2
"""Of all histograms of a file: those of four thousand slots, and seconds to look at."""

_Told = Sequence[tuple[str, int, str | None]]
"""Of histograms: the key of what they are of, how many samples that tells, and the histogram."""


def check_result(result: Result, where: str) -> None:
    """UsageError for a result that nobody could have measured, or that something could not show."""
    refuse_negative(result, where, signed=_SIGNED)
    _check_common(result.validity, result.gates, result.interrupted, where)
    _check_plan(result.plan, where, "plan")
    _check_statuses(result.status, where, "status")
    _check_time(result.duration_s, where, "duration_s")
    for position, row in enumerate(result.series):
        _check_time(row.window_s, where, f"series[{position}].window_s")
    for key, told, counts in (
        ("requests.completed", result.requests.completed, result.status),
        ("requests.failed", result.requests.failed, result.errors),
    ):
        found = sum(counts.values())
        if told != found:
            raise UsageError(f"{where}: {key} is {told:,}, and what it is made of adds up to {found:,}")
    for position, target in enumerate(result.targets):
        _check_statuses(target.status, where, f"targets[{position}].status")
    _check_histograms(_histograms_of(result), where)


def check_comparison(comparison: Comparison, where: str) -> None:
    """The same of a comparison: beyond that, each round has a slot of every side, and rows are of sides."""
    refuse_negative(comparison, where, signed=_SIGNED)
    _check_common(comparison.validity, comparison.gates, comparison.interrupted, where)
    _one_of(comparison.mode, tuple(Mode), where, "mode")
    _one_of(comparison.order, tuple(Order), where, "order")
    _check_plan(comparison.plan, where, "plan")
    names = [side.name for side in comparison.sides]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        raise UsageError(f"{where}: sides: a comparison has two or more, each with a name of its own")
    for position, side in enumerate(comparison.sides):
        _check_plan(side.settings, where, f"sides[{position}].settings")
    for position, found in enumerate(comparison.rounds):
        key = f"rounds[{position}]"
        if found.slots.keys() != set(names) or sorted(found.order) != sorted(names):
            raise UsageError(f"{where}: {key}: a round has one slot of each side, {clean(', '.join(names))}")
        for name, slot in found.slots.items():
            _check_statuses(slot.status, where, f"{key}.slots.{name}.status")
            _check_time(slot.seconds, where, f"{key}.slots.{name}.seconds")
    others = names[1:]
    for position, row in enumerate(comparison.rows):
        key = f"rows[{position}]"
        _one_of(row.of, tuple(Pass), where, f"{key}.pass")
        _one_of(row.base, names[:1], where, f"{key}.base")
        _one_of(row.side, others, where, f"{key}.side")
    for position, noise in enumerate(comparison.noise):
        _one_of(noise.of, tuple(Pass), where, f"noise[{position}].pass")
        _one_of(noise.side, others, where, f"noise[{position}].side")
    told: _Told = [
        (f"rounds[{position}].slots.{name}", slot.count, slot.histogram)
        for position, found in enumerate(comparison.rounds)
        for name, slot in found.slots.items()
    ]
    _check_histograms(told, where)


def _check_common(
    validity: Validity, gates: Sequence[GateVerdict], interrupted: str | None, where: str
) -> None:
    _one_of(validity.verdict, _VALIDITY, where, "validity.verdict")
    for position, gate in enumerate(gates):
        _one_of(gate.verdict, tuple(Verdict), where, f"gates[{position}].verdict")
    if interrupted is not None:
        _one_of(interrupted, tuple(INTERRUPTED), where, "interrupted")


def _check_plan(plan: PlanSettings, where: str, key: str) -> None:
    if not plan.urls:
        raise UsageError(f"{where}: {key}.urls is empty")
    if plan.pace is not None and not plan.pace.per_s:
        raise UsageError(f"{where}: {key}.pace.per_s is empty")
    for name, value in (
        ("connections", plan.connections),
        ("pipelining", plan.pipelining),
        ("workers", plan.workers),
        ("sample_s", plan.sample_s),
    ):
        if not value:
            raise UsageError(f"{where}: {key}.{name} is 0, and that is nothing")


def _check_time(told_s: float, where: str, key: str) -> None:
    if 0 < told_s < _SHORTEST_S:
        raise UsageError(
            f"{where}: {key} is {told_s:.3g} s, and that is shorter than anything that is measured"
        )


def _check_statuses(statuses: Mapping[str, int], where: str, key: str) -> None:
    for status in statuses:
        if not _STATUS.fullmatch(status):
            raise UsageError(f"{where}: {key}: '{clean(status, 40)}' is no status of HTTP; e.g. 200")


def _one_of(told: str, known: Collection[str], where: str, key: str) -> None:
    if told not in known:
        listed = clean(", ".join(map(str, known)))
        raise UsageError(f"{where}: {key}: '{clean(told, 40)}' is none of {listed}")


def _histograms_of(result: Result) -> _Told:
    durations: Mapping[str, Durations | None] = {
        "latency_ms": result.latency_ms,
        "service_ms": result.service_ms,
        "late_ms": result.late_ms,
        "connect_ms": result.connect_ms,
        "tls_ms": result.tls_ms,
        "tls_resumed_ms": result.tls_resumed_ms,
        "ttfb_ms": result.ttfb_ms,
        **{
            f"targets[{position}].latency_ms": target.latency_ms
            for position, target in enumerate(result.targets)
        },
    }
    return [(key, found.count, found.histogram) for key, found in durations.items() if found is not None]


def _check_histograms(told: _Told, where: str) -> None:
    """Each one that is there. Where none is, there may still be a count: autocannon's is all that it tells."""
    left_bytes = _MOST_UNPACKED_BYTES
    for key, count, encoded in told:
        if encoded is None:
            continue
        try:
            found = weighed(encoded)
        except ValueError as error:
            raise UsageError(f"{where}: {key}.histogram: {error}") from None
        if found.samples != count:
            raise UsageError(
                f"{where}: {key}.histogram holds {found.samples:,} samples, and {key}.count is {count:,}"
            )
        left_bytes -= found.unpacked_bytes
        if left_bytes < 0:
            raise UsageError(f"{where}: {key}.histogram: all of them together are more than they may be")
