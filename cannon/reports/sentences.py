"""What there is to say about a result beside its tables: one fact, one line, each None or absent where all is well.

Law: sentences state what the result holds; they judge nothing. Text that came from outside is cleaned again here: a
saved result may be anybody's.
"""

from __future__ import annotations

from cannon.result import Result
from cannon.text import clean
from cannon.units import format_bytes, format_count, format_duration, format_seconds

__all__ = [
    "LEAST_BEYOND",
    "connects",
    "conservation",
    "counted",
    "excess",
    "interruption",
    "mismatches",
    "responses",
    "starved",
    "summary",
    "supported",
    "tls",
    "validity",
]

LEAST_BEYOND = 20
"""How many samples must lie beyond a percentile before its value says something of the server, not of chance."""

MANY_ANSWERED = 10
"""How many responses one connection must have had before it is worth a word that another had none."""

_REASON_CHARACTERS = 400
_NEGOTIATED_SHOWN = 3
_ROUNDED_FROM = 100_000


def supported(percentile: float, count: int) -> bool:
    """Whether enough of `count` samples lie beyond the percentile: above it, or below one under the median."""
    return min(percentile, 100 - percentile) * count >= LEAST_BEYOND * 100 - 1e-6


def counted(count: int, noun: str) -> str:
    """`1 worker`, `12 workers`, `1,200 requests`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def summary(result: Result) -> str:
    """The last line: what was sent, how long it took, what was read."""
    sent = result.requests.sent
    requests = f"{format_count(sent)} requests" if sent >= _ROUNDED_FROM else counted(sent, "request")
    return f"{requests} in {format_seconds(round(result.duration_s * 1e9))}, {format_bytes(result.bytes.received)} read"


def conservation(result: Result) -> str | None:
    """Where the requests went, when not every one was answered."""
    requests = result.requests
    parts = [f"{requests.completed:,} completed"]
    if requests.failed:
        parts.append(f"{requests.failed:,} failed")
    if requests.in_flight:
        age_ms = requests.oldest_in_flight_ms
        age = f" (the oldest for {format_duration(age_ms * 1e6)})" if age_ms else ""
        parts.append(f"{requests.in_flight:,} in flight{age}")
    never_sent = f"; {requests.never_sent:,} due but never sent" if requests.never_sent else ""
    if len(parts) == 1 and not never_sent:
        return None
    return f"sent {requests.sent:,} = {' + '.join(parts)}{never_sent}"


def connects(result: Result) -> str | None:
    """What became of the dials, when one failed or a server closed connections that were idle."""
    dials = result.connects
    if not dials.failed and not dials.closed_idle:
        return None
    parts = [f"{dials.made:,} made"]
    if dials.failed:
        parts.append(f"{dials.failed:,} failed")
    if dials.in_progress:
        parts.append(f"{dials.in_progress:,} in progress")
    idle = f"; {dials.closed_idle:,} closed by the server while idle" if dials.closed_idle else ""
    return f"connects {dials.attempted:,} = {' + '.join(parts)}{idle}"


def starved(result: Result) -> str | None:
    """That some connection got nothing, when others got much."""
    least, most = result.connects.answered_min, result.connects.answered_max
    if least is None or most is None or least > 0 or most < MANY_ANSWERED:
        return None
    return f"the busiest connection got {most:,} responses, the idlest {least:,}"


def tls(result: Result) -> list[str]:
    """What was negotiated, the commonest first and how often a session was resumed; that nothing was verified."""
    lines = []
    found = sorted(result.connects.negotiated.items(), key=lambda entry: (-entry[1], entry[0]))
    if found:
        parts = [
            f"{', '.join(clean(name).split())}: {counted(count, 'connection')}"
            for name, count in found[:_NEGOTIATED_SHOWN]
        ]
        if more := sum(count for _, count in found[_NEGOTIATED_SHOWN:]):
            parts.append(f"others: {counted(more, 'connection')}")
        if resumed := result.tls_resumed_ms.count:
            # Which of them is not counted apart.
            made = sum(count for _, count in found)
            parts[-1] += (
                f", {resumed:,} of them resumed" if len(found) == 1 else f"; {resumed:,} of {made:,} resumed"
            )
        lines.append("; ".join(parts))
    if result.plan.tls is not None and not result.plan.tls.verify:
        lines.append("TLS was not verified (-k)")
    return lines


def responses(result: Result) -> str | None:
    """How many responses were 2xx, when some were not."""
    good = sum(count for status, count in result.status.items() if status.startswith("2"))
    other = sum(result.status.values()) - good
    return f"{good:,} 2xx responses, {other:,} non 2xx responses" if other else None


def mismatches(result: Result) -> str | None:
    """How many responses were whole but not what was expected."""
    count = result.requests.mismatched
    return f"{counted(count, 'response')} did not match what was expected" if count else None


def excess(result: Result) -> str | None:
    """How many responses nobody had asked for."""
    count = result.excess_responses
    return f"{counted(count, 'response')} came that no request had asked for" if count else None


def interruption(result: Result) -> str | None:
    """That the run was stopped from outside."""
    if not result.interrupted:
        return None
    took = format_seconds(round(result.duration_s * 1e9))
    return f"interrupted by {clean(result.interrupted)}: these figures are of the {took} until then"


def validity(result: Result) -> list[str]:
    """One line per reason why the figures may mislead: `suspect: ...`, `invalid: ...`."""
    verdict = clean(result.validity.verdict)
    return [f"{verdict}: {clean(reason, _REASON_CHARACTERS)}" for reason in result.validity.reasons]
