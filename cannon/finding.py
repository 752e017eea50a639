"""Finding: the answer of a scenario, a sentence in which each placeholder becomes what was measured, in words.

Law: pure. The words are those that the verdicts of the rows allow, and nothing is called a difference that may be
none. What was not measured says so; no placeholder that was checked ever raises, or stays in the sentence.

In a comparison, where SIDE is the name of a side, and SERVICE that of a service:

    {rate}                      "500/s": the common rate of the latency pass
    {SIDE.rps}                  "8,120/s": of the capacity pass; "at least 8,120/s" where cannon was the limit
    {SIDE.rps.change}           "28 % fewer requests per second [21, 35 %]", "as many requests per second (within 5 %)"
    {SIDE.p50}                  "1.23 ms"; p90, p99, p99_9 and mean likewise
    {SIDE.p50.added}            "0.15 ms more at p50 [0.10, 0.20]"; of the mean: "0.15 ms more on average [0.10, 0.20]"
    {SIDE.p50.change}           "38 % more time at p50 [36, 41 %]"
    {SIDE.bytes}                "20.2 kB": of one response, on the wire
    {SIDE.bytes.change}         "80 % fewer bytes per response"
    {SIDE.ratio}                "bodies 5.0 times smaller"; "responses ..." where the comparison is not one of codings
    {SIDE.break_even}           "pays off on links slower than 320 Mbit/s [291, 356]"
    {SIDE.cpu}                  "75.2 us of CPU per request": of all services together, and not of cannon
    {SIDE.cpu.change}           "34 % more CPU per request [30, 38 %]": of all services together
    {SIDE.cpu.SERVICE}          "34.0 us of CPU per request in haproxy"
    {SIDE.cpu.SERVICE.change}   "12 % more CPU per request in node [9, 15 %]"
    {SIDE.errors}               "no errors", "0.31 % errors": of the latency pass, a 503 is none
    {SIDE.goodput}              "1,985/s [1,960, 2,010]": answers of 2xx in the latency pass
    {SIDE.refused}              "34 % answered 503, 12 % cut off", "none": requests of that pass without a 2xx
    {SIDE.handshake}            "2.31 ms [2.24, 2.40] for a new handshake and 0.62 ms [0.58, 0.66] for a resumed one"
    {SIDE.spread}               "101 and 99 of 200 answers", "between 31 and 46 of 200 answers over 5 values of pid"

What is of a change (.change, .added, ratio, break_even) is against the base, the first side, which has none itself.
The words of a change follow a verb such as "takes", "has", "needs": "HAProxy takes {haproxy.rps.change}".

In a run:

    {rate}                      "500/s": what was asked for; "no set rate" in a closed loop
    {rps}                       "8,120/s": successes
    {p50}                       "1.23 ms"; p90, p99, p99_9, mean and max likewise
    {bytes}                     "20.2 kB": of one response, on the wire
    {errors}                    "no errors", "8 errors in 1,000 requests (0.8 %)", "... and 13 failed dials"
    {status.503}                "no request", "7 of 1,000 requests (0.7 %)": how many were answered so
    {cpu}                       "75.2 us of CPU per request": of all services together
    {cpu.SERVICE}               "34.0 us of CPU per request in haproxy"
    {spread}                    as in a comparison
    {outage.SERVICE}            "no request failed", "3 requests failed, all within 1 s of the stop",
                                "requests failed for up to 4 s (310 of 4,000)", "requests failed to the end (...)"
    {recovery.SERVICE}          "back at 90 % of the rate before within 2 s of its start, in rows of 1 s",
                                "never below 90 % of the rate before, in rows of 1 s"
    {outage.SERVICE.2}          the same of its second stop; {recovery.SERVICE.2} of its second start

In both:

    {counter.SERVICE.OF.FIGURE} "12 ms", of {counter.haproxy.web.qtime_ms}: what a proxy said of itself in the end
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence

import msgspec

from cannon.comparison import Comparison
from cannon.errors import UsageError
from cannon.phrases import missing, value
from cannon.result import Result
from cannon.run_phrases import RUN_PHRASES, RunAsked
from cannon.scenario import Kind
from cannon.scenario_report import ScenarioReport
from cannon.side_phrases import AGAINST_BASE, SIDE_PHRASES, SideAsked, rate
from cannon.text import clean

__all__ = ["check_finding", "finding_of"]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")
_BEGINS = re.compile(r"(?:^|[.!?] )$")
_NO_BRACES = str.maketrans("{}", "()")
_RATE, _COUNTER = "rate", "counter"
_SERVICE, _OTHER = "SERVICE", "N"
_COUNTER_SHOWN = "{counter.SERVICE.OF.FIGURE}"
_UNITS = {"ms": " ms", "pct": " %"}
_SHOWN = 60
_LONGEST = 2000
_REASON_CHARACTERS = 300


class _Asked(msgspec.Struct, frozen=True):
    """A placeholder, read. `key`: as the tables have it; `of`, `figure`: of a counter."""

    key: str
    side: str = ""
    service: str = ""
    number: int = 1
    of: str = ""
    figure: str = ""


def check_finding(
    template: str, kind: Kind, sides: Sequence[str], services: Sequence[str], where: str
) -> None:
    """UsageError, which begins with `where`, for a placeholder that stands for nothing, with all that there are.

    `sides`: by name, the base first; `services`: likewise.
    """
    rest = _PLACEHOLDER.sub("", template)
    if "{" in rest or "}" in rest:
        raise UsageError(f"{where}: a brace stands alone; a placeholder is written {{rate}}")
    for name in _PLACEHOLDER.findall(template):
        if _read(name, kind, sides, services) is None:
            shown = f"{where}: {{{clean(name, _SHOWN)}}} stands for nothing"
            base = next(iter(sides), "")
            # Whether any other side has it.
            if name.startswith(f"{base}.") and _read(name, kind, [f"not {base}", base], services) is not None:
                raise UsageError(
                    f"{shown}: {clean(base, _SHOWN)} is the base, which the others are set against"
                )
            raise UsageError(f"{shown}; {_all(kind, sides, services)}")


def finding_of(template: str, measured: Comparison | Result, report: ScenarioReport) -> str:
    """The sentence of a template that was checked, its placeholders in words; one line. Where nobody may build on the
    figures, it says so behind them.
    """
    told = " ".join(template.split())
    answer = _answers(measured, report)

    def words(found: re.Match[str]) -> str:
        # What a file says may hold braces, and no sentence has any.
        text = clean(answer(found[1]), _LONGEST).translate(_NO_BRACES)
        return text[:1].upper() + text[1:] if _BEGINS.search(told[: found.start()]) else text

    return clean(f"{_PLACEHOLDER.sub(words, told)}{_caveat(measured)}", _LONGEST)


def _answers(measured: Comparison | Result, report: ScenarioReport) -> Callable[[str], str]:
    """From the name of a placeholder to its words."""
    services = [service.name for service in report.services]

    def of_side(name: str) -> str:
        assert isinstance(measured, Comparison)
        asked = _read(name, Kind.COMPARE, [side.name for side in measured.sides], services)
        if asked is None or asked.key == _COUNTER:
            return _counter(report, asked)
        if asked.key == _RATE:
            return rate(measured)
        return SIDE_PHRASES[asked.key](SideAsked(measured, report, asked.side, asked.service))

    def of_run(name: str) -> str:
        assert isinstance(measured, Result)
        asked = _read(name, Kind.RUN, [], services)
        if asked is None or asked.key == _COUNTER:
            return _counter(report, asked)
        return RUN_PHRASES[asked.key](RunAsked(measured, report, asked.service, asked.number))

    return of_side if isinstance(measured, Comparison) else of_run


def _read(name: str, kind: Kind, sides: Sequence[str], services: Sequence[str]) -> _Asked | None:
    """What a placeholder asks for; None: nothing that there is."""
    first, *rest = name.split(".")
    if first == _COUNTER and len(rest) > 2 and rest[0] in services and rest[1] and rest[-1]:
        return _Asked(_COUNTER, service=rest[0], of=".".join(rest[1:-1]), figure=rest[-1])
    if kind is Kind.RUN:
        return _matched(name, RUN_PHRASES, services)
    if name == _RATE:
        return _Asked(_RATE)
    asked = _matched(".".join(rest), SIDE_PHRASES, services) if first in sides else None
    if asked is None or (first == sides[0] and asked.key in AGAINST_BASE):
        return None
    return msgspec.structs.replace(asked, side=first)


def _matched(name: str, known: Container[str], services: Sequence[str]) -> _Asked | None:
    """What a table knows by this name: as it stands, or with a service or a number in it."""
    words, service, number = name.split("."), "", 1
    if name in known and _SERVICE not in words and _OTHER not in words:
        return _Asked(name)
    if len(words) > 1 and words[1] in services:
        service, words[1] = words[1], _SERVICE
    elif _SERVICE in words:
        return None
    if len(words) > 1 and _NUMBER.fullmatch(words[-1]):
        number, words[-1] = int(words[-1]), _OTHER
    elif _OTHER in words:
        return None
    key = ".".join(words)
    return _Asked(key, service=service, number=number) if key in known else None


def _all(kind: Kind, sides: Sequence[str], services: Sequence[str]) -> str:
    """Every placeholder that there is."""
    told = f"SERVICE is one of {', '.join(services)}" if services else "there is no service"
    if kind is Kind.RUN:
        names = " ".join(f"{{{name}}}" for name in RUN_PHRASES)
        return f"there are {names} {_COUNTER_SHOWN}, where {told}"
    names = " ".join(f"{{SIDE.{name}}}" for name in SIDE_PHRASES)
    shown = ", ".join(clean(side, _SHOWN) for side in sides)
    return f"there are {{rate}} {names} {_COUNTER_SHOWN}, where SIDE is one of {shown}, and {told}"


def _counter(report: ScenarioReport, asked: _Asked | None) -> str:
    """What a proxy said, in the unit that its name ends in."""
    found = None
    for row in report.counters:
        if asked is not None and (row.service, row.of) == (asked.service, asked.of):
            found = row.figures.get(asked.figure)
    if asked is None or found is None:
        return missing()
    if asked.figure.endswith("_bytes"):
        return value("B", found)
    return f"{found:,.10g}{_UNITS.get(asked.figure.rpartition('_')[2], '')}"


def _caveat(measured: Comparison | Result) -> str:
    """That nobody may build on it, if so."""
    if measured.validity.verdict != "invalid":
        return ""
    what = "comparison" if isinstance(measured, Comparison) else "run"
    # Without the advice behind it, which stands above.
    told = next(iter(measured.validity.reasons), "").partition("; ")[0]
    reason = clean(told, _REASON_CHARACTERS).translate(_NO_BRACES)
    return f" But the {what} is invalid{f': {reason}' if reason else ''}."
