"""What there is to say about a result beside its tables: one fact, one line, each None or absent where all is well.

Law: sentences state what the result holds; they judge nothing. Text that came from outside is cleaned again here: a
saved result may be anybody's.
"""

from __future__ import annotations

from cannon.result import Result
from cannon.settings import PlanSettings
from cannon.text import clean
from cannon.units import format_bytes, format_count, format_duration, format_seconds

__all__ = [
    "LEAST_BEYOND",
    "asked",
    "connects",
    "conservation",
    "counted",
    "excess",
    "excluded",
    "interruption",
    "keeping_up",
    "loop",
    "mismatches",
    "pace",
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
_RATES_SHOWN = 4
_WHOLE_FROM_PER_S = 9_999.95
_FEW = 0.01


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
    untold = requests.never_sent and result.plan.pace is None
    never_sent = f"; {requests.never_sent:,} due but never sent" if untold else ""
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
    """That some connection got nothing, when others got much. Under a rate no more are needed than it takes."""
    least, most = result.connects.answered_min, result.connects.answered_max
    if result.plan.pace is not None or least is None or most is None or least > 0 or most < MANY_ANSWERED:
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
    """How many responses were 2xx, or of the statuses that were expected, when some were not."""
    if expected := result.plan.expect_status:
        good = sum(result.status.get(str(status), 0) for status in expected)
        other = sum(result.status.values()) - good
        return f"{good:,} responses with an expected status, {other:,} with others" if other else None
    good = sum(count for status, count in result.status.items() if status.startswith("2"))
    other = sum(result.status.values()) - good
    return f"{good:,} 2xx responses, {other:,} non 2xx responses" if other else None


def mismatches(result: Result) -> str | None:
    """How many responses were whole but not what was expected."""
    count = result.requests.mismatched
    return f"{counted(count, 'response')} did not match what was expected" if count else None


def excluded(result: Result) -> str | None:
    """That errors are kept out of latencies and bytes a second, when there were some."""
    requests = result.requests
    if not result.plan.excludes_errors or requests.succeeded == requests.sent:
        return None
    return f"latencies and bytes a second are of the {requests.succeeded:,} successes alone (-x)"


def loop(result: Result) -> list[str]:
    """From when latencies count, and what that means."""
    plan = result.plan
    if plan.pace is None:
        keeps = (
            "each connection waits for its answer before it asks again"
            if plan.pipelining == 1
            else f"each connection keeps {plan.pipelining} requests in flight, never more"
        )
        return [f"closed loop: {keeps} (see -R)"]
    lines = ["Response is timed from when a request was due: a stall cannot hide the wait"]
    own = result.client.late_ms
    if own is not None and own.p99 is not None:
        lines.append(
            f"Late is from due to sent; where cannon itself was late, p99 is {format_duration(own.p99 * 1e6)}"
        )
    return lines


def pace(result: Result) -> str | None:
    """Under a rate: what was asked, and what came of it."""
    wanted, achieved_per_s = asked(result.plan), result.requests.per_s
    if wanted is None:
        return None
    parts = [f"{wanted} asked{_on_average(result)}"]
    if achieved_per_s is not None:
        parts.append(f"{_rate(achieved_per_s)}/s achieved")
    if result.requests.never_sent:
        parts.append(f"{result.requests.never_sent:,} never sent")
    return f"open loop: {', '.join(parts)}"


def _on_average(result: Result) -> str:
    """What a rate that changes came to: only this can be set beside what was achieved."""
    pace, due = result.plan.pace, result.requests.due
    if pace is None or len(pace.per_s) < 2 or not due or not result.duration_s:
        return ""
    return f" ({_rate(due / result.duration_s)}/s on average)"


def asked(plan: PlanSettings) -> str | None:
    """The rate that all connections together were asked for, and how it changes; None in a closed loop."""
    pace = plan.pace
    if pace is None:
        return None
    rates = [_rate(per_s) for per_s in (pace.per_s if plan.rate is None else [plan.rate])]
    each = "" if pace.each_s is None else f"{pace.each_s:g} s"
    if pace.profile == "ramp":
        text = f"{'..'.join(rates)}/s over {each}"
    elif len(rates) > 1:
        shown = rates if len(rates) <= _RATES_SHOWN else [*rates[: _RATES_SHOWN - 2], "...", rates[-1]]
        text = f"{', '.join(shown)}/s for {each} each"
    else:
        text = f"{rates[0]}/s"
    return text if pace.arrivals == "even" else f"{text} ({clean(pace.arrivals)})"


def _rate(per_s: float) -> str:
    """With as many digits as tell a rate from the one that was asked."""
    if per_s >= _WHOLE_FROM_PER_S:
        return f"{per_s:,.0f}"
    return f"{per_s:.3g}" if per_s < 1 else f"{per_s:,.1f}".removesuffix(".0")


def keeping_up(result: Result) -> str | None:
    """That requests were due and never sent, and who could not keep up."""
    requests = result.requests
    if not requests.due or not requests.never_sent or not requests.completed:
        return None
    if requests.never_sent <= result.plan.connections and requests.never_sent < _FEW * requests.due:
        # With all connections busy for a moment, whoever is due waits; a target that falls behind leaves more.
        waited = counted(requests.never_sent, "request")
        return (
            f"{waited} waited for a free connection when it ended, and {_were(requests.never_sent)} not sent"
        )
    count = f"{requests.never_sent:,} of {counted(requests.due, 'request')} were never sent"
    if result.client.saturated:
        return f"cannon itself could not keep up: {count}; this is not the target's limit"
    return f"the target could not keep up: {count}; percentiles are lower bounds"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


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
