"""Run phrases: what stands for a placeholder of a run, by the name of the placeholder.

Law: pure. A percentile is told where enough samples lie beyond it, as everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from cannon.durations import PERCENTILES
from cannon.metrics import Metric, Unit, value_of
from cannon.outage import outage, recovery
from cannon.phrases import missing, share, value
from cannon.result import Result
from cannon.scenario_report import ScenarioReport
from cannon.side_phrases import spread
from cannon.text import clean

__all__ = ["RUN_PHRASES", "RunAsked"]

_LEAST_BEYOND = 20
_PERCENTILES = ("p50", "p90", "p99", "p99_9")
_NAME_CHARACTERS = 60


class RunAsked(msgspec.Struct, frozen=True):
    """Of what a placeholder is: a run, a service where it names one, and a status or how many-th where it does."""

    result: Result
    report: ScenarioReport
    service: str = ""
    number: int = 1


def _rate(asked: RunAsked) -> str:
    per_s = asked.result.plan.rate
    return "no set rate" if per_s is None else f"{per_s:,.10g}/s"


def _rps(asked: RunAsked) -> str:
    return _shown("/s", value_of(asked.result, Metric.RPS, None, Unit.PER_S))


def _bytes(asked: RunAsked) -> str:
    return _shown("B", asked.result.bytes.per_response)


def _shown(unit: str, found: float | None) -> str:
    return missing() if found is None else value(unit, found)


def _percentile(key: str) -> Callable[[RunAsked], str]:
    percentile = PERCENTILES[key]
    # Rounded: in floats 99.9 leaves a hair less than 0.1.
    least = math.ceil(float(f"{_LEAST_BEYOND * 100 / (100 - percentile):.9g}"))

    def told(asked: RunAsked) -> str:
        durations = asked.result.latency_ms
        if durations.count < least:
            return missing(
                f"{key.replace('_', '.')} takes {least:,} requests, and there were {durations.count:,}"
            )
        return _shown("ms", getattr(durations, key))

    return told


def _mean(asked: RunAsked) -> str:
    return _shown("ms", asked.result.latency_ms.mean)


def _max(asked: RunAsked) -> str:
    return _shown("ms", asked.result.latency_ms.max)


def _errors(asked: RunAsked) -> str:
    requests, dials = asked.result.requests, asked.result.connects.failed
    failed = requests.failed + requests.mismatched
    if not requests.sent and not dials:
        return missing()
    told = []
    if failed:
        errors = "1 error" if failed == 1 else f"{failed:,} errors"
        told.append(f"{errors} in {requests.sent:,} requests ({share(failed, requests.sent)})")
    if dials:
        told.append(f"{dials:,} failed dial{'' if dials == 1 else 's'}")
    return " and ".join(told) or "no errors"


def _status(asked: RunAsked) -> str:
    sent, count = asked.result.requests.sent, asked.result.status.get(str(asked.number), 0)
    if not sent:
        return missing()
    return f"{count:,} of {sent:,} requests ({share(count, sent)})" if count else "no request"


def _cpu(asked: RunAsked) -> str:
    return _cpu_of_these(asked, [service.cpu_s for service in asked.report.services])


def _cpu_of(asked: RunAsked) -> str:
    own = [service.cpu_s for service in asked.report.services if service.name == asked.service]
    told = _cpu_of_these(asked, own)
    return told if told == missing() else f"{told} in {clean(asked.service, _NAME_CHARACTERS)}"


def _cpu_of_these(asked: RunAsked, used_s: list[float | None]) -> str:
    """Whatever was sent has cost some, on the clock or not."""
    outside = asked.result.outside
    sent = asked.result.requests.sent + outside.preflight + outside.warmup
    known = [each for each in used_s if each is not None]
    if not sent or not known or len(known) < len(used_s):
        return missing()
    return f"{value('us', 1e6 * math.fsum(known) / sent)} of CPU per request"


def _spread(asked: RunAsked) -> str:
    return spread(asked.report.spread)


def _outage(asked: RunAsked) -> str:
    return outage(asked.result.series, asked.report.events, asked.service, asked.number)


def _recovery(asked: RunAsked) -> str:
    return recovery(asked.result.series, asked.report.events, asked.service, asked.number)


RUN_PHRASES: Mapping[str, Callable[[RunAsked], str]] = {
    "rate": _rate,
    "rps": _rps,
    **{key: _percentile(key) for key in _PERCENTILES},
    "mean": _mean,
    "max": _max,
    "bytes": _bytes,
    "errors": _errors,
    "status.N": _status,
    "cpu": _cpu,
    "cpu.SERVICE": _cpu_of,
    "spread": _spread,
    "outage.SERVICE": _outage,
    "outage.SERVICE.N": _outage,
    "recovery.SERVICE": _recovery,
    "recovery.SERVICE.N": _recovery,
}
"""By the placeholder, where SERVICE stands for a service and N for a number."""
