"""Gates: what a run has to hold, read from one line and judged by its result.

    gate    = metric op bound
    metric  = "p" NUM | "mean" | "max" | "rps" | "errors" | "timeouts" | "non2xx" | "bytes" | "cpu" | "late"
    op      = "<" | "<=" | ">" | ">=" | "=="
    bound   = NUM UNIT                          UNIT = us ms s % /s B kB MB; none for counts, which are whole

Law: pure, and read before anything is sent; what is wrong is told with its place in the line. What was not measured, or
by too few samples, has not held. Saturation only makes a target look worse: what held stands, what did not is open.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NoReturn

import msgspec

from cannon.errors import UsageError
from cannon.metrics import EXAMPLES, UNITS, Literal, Metric, bound_of, shown, value_of
from cannon.result import GateVerdict, Result
from cannon.text import clean

__all__ = ["Gate", "Operator", "Verdict"]

_LEAST_BEYOND = 20
"""How many samples must lie beyond a percentile before its value says something of the server, not of chance."""

_LATE_PERCENTILE = 99.0
_LONGEST = 80


class Verdict(StrEnum):
    """What becomes of a gate."""

    PASS = "pass"  # noqa: S105 - no secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Operator(StrEnum):
    """How a value is set beside its bound."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    EQUAL = "=="

    def holds(self, value: float, bound: float) -> bool:
        """Whether it is so."""
        return _COMPARE[self](value, bound)


class Gate(msgspec.Struct, frozen=True):
    """One line that has to hold. `percentile`: 0 < p < 100, of that metric alone."""

    expression: str
    metric: Metric
    percentile: float | None
    operator: Operator
    bound: Literal

    @classmethod
    def parse(cls, text: str) -> Gate:
        """The gate of `p99 < 50ms`. UsageError, which points at the character, for anything else."""
        return _Reader(text).gate()

    @property
    def name(self) -> str:
        """The metric, as it was written: `p99.9`."""
        return self.metric.value if self.percentile is None else f"p{self.percentile:.12g}"

    @property
    def least_samples(self) -> int:
        """How many latencies it takes to judge this."""
        percentile = _LATE_PERCENTILE if self.metric is Metric.LATE else self.percentile
        if percentile is None:
            return 1
        # Rounded: in floats 99.9 leaves a hair less than 0.1, and would take a sample more.
        beyond = float(f"{min(percentile, 100 - percentile):.9g}")
        return math.ceil(_LEAST_BEYOND * 100 / beyond)

    def told(self, value: float) -> str:
        """`p99 was 61.2 ms`."""
        return f"{self.name} was {shown(value, self.bound.unit)}"

    def judge(self, result: Result) -> GateVerdict:
        """What a plain run says of it."""
        value = value_of(result, self.metric, self.percentile, self.bound.unit)
        reason = self._missing(result, value)
        if reason is None and value is not None:
            if self.operator.holds(value, self.bound.value):
                return self._verdict(Verdict.PASS, value, "")
            reason = self.told(value)
            if result.client.saturated:
                return self._verdict(Verdict.INCONCLUSIVE, value, f"{reason}, and cannon was the limit")
        return self._verdict(Verdict.FAIL, value, reason or "")

    def _missing(self, result: Result, value: float | None) -> str | None:
        """Why there is no value that could be judged."""
        if self.metric is Metric.LATE and result.late_ms is None:
            return "nothing is late without a rate, e.g. -R 1000"
        if value is None:
            return f"nothing was measured of {self.name}"
        samples = (result.late_ms or result.latency_ms) if self.metric is Metric.LATE else result.latency_ms
        if self.least_samples > 1 and samples.count < self.least_samples:
            return f"{self.name} takes {self.least_samples:,} samples, and there were {samples.count:,}"
        return None

    def _verdict(self, verdict: Verdict, value: float | None, reason: str) -> GateVerdict:
        return GateVerdict(
            expression=self.expression,
            verdict=verdict.value,
            value=value,
            bound=self.bound.value,
            low=None,
            high=None,
            unit=self.bound.unit.value,
            reason=reason,
        )


class _Reader:
    """One line, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._example = "p99 < 50ms"

    def gate(self) -> Gate:
        if not self._text.strip():
            raise UsageError(f"a gate is missing; write for example {self._example}")
        if len(self._text) > _LONGEST:
            self._at = _LONGEST
            self._refuse("nobody can read so long a line")
        self._take(_SPACE)
        name_begin = self._at
        metric, percentile = self._metric()
        name = self._text[name_begin : self._at]
        self._take(_SPACE)
        if self._text[self._at : self._at + 1] == "@":
            self._refuse("a side is of a comparison, and this is one run; leave it out")
        operation = self._operator()
        self._take(_SPACE)
        bound = self._bound(metric, name)
        self._take(_SPACE)
        if self._at < len(self._text):
            self._refuse(f"'{self._rest()}' stands behind the bound")
        return Gate(" ".join(self._text.split()), metric, percentile, operation, bound)

    def _metric(self) -> tuple[Metric, float | None]:
        begin = self._at
        word = self._take(_WORD)
        percentile = _PERCENTILE.fullmatch(word)
        if percentile is not None:
            value = float(percentile[1])
            if not 0 < value < 100:
                self._refuse(f"'{word}' is no percentile between 0 and 100; the highest value is max", begin)
            return Metric.PERCENTILE, value
        if word == Metric.PERCENTILE or word not in _METRICS:
            known = ", ".join(_METRICS[1:])
            self._refuse(f"{self._unknown(word, 'metric')}; there are p50, p99, p99.9, ..., {known}", begin)
        metric = Metric(word)
        self._example = EXAMPLES.get(metric, f"{metric} < 50ms")
        return metric, None

    def _operator(self) -> Operator:
        begin = self._at
        sign = self._take(_SIGN)
        if sign not in _OPERATORS:
            self._refuse(f"{self._unknown(sign, 'comparison')}; there are {' '.join(_OPERATORS)}", begin)
        return Operator(sign)

    def _bound(self, metric: Metric, name: str) -> Literal:
        begin = self._at
        number = self._take(_NUMBER)
        if not number:
            if _WORD.match(self._text, self._at):
                self._refuse(
                    f"'{self._rest()}' stands for another run or side, and there is none; give a value"
                )
            self._refuse(self._unknown("", "bound"))
        self._take(_SPACE)
        unit_begin = self._at
        unit = self._take(_UNIT)
        try:
            found = bound_of(metric, number, unit)
        except UsageError as error:
            self._refuse(error.message.rpartition("; write ")[0], begin)
        if found is None:
            self._refuse(f"{self._unknown(unit, 'unit')}; {name} takes {UNITS[metric]}", unit_begin)
        return found

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _unknown(self, word: str, noun: str) -> str:
        found = clean(word) or self._rest()
        return f"'{found}' is no {noun}" if found else f"a {noun} is missing"

    def _rest(self) -> str:
        return clean(self._text[self._at :], _LONGEST)

    def _refuse(self, reason: str, at: int | None = None) -> NoReturn:
        place = (self._at if at is None else at) + 1
        raise UsageError(
            f"'{clean(self._text, _LONGEST)}' at character {place}: {reason}; write for example {self._example}"
        )


_COMPARE: Mapping[Operator, Callable[[float, float], bool]] = {
    Operator.BELOW: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.ABOVE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.EQUAL: operator.eq,
}
_METRICS = tuple(metric.value for metric in Metric)
_OPERATORS = tuple(sign.value for sign in Operator)
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_PERCENTILE = re.compile(r"p([0-9]+(?:\.[0-9]+)?)", re.ASCII)
_SIGN = re.compile(r"[<>=!~]+")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)", re.ASCII)
_UNIT = re.compile(r"[^\W\d]+(?:/[a-z]*)?|/[a-z]*|%")
