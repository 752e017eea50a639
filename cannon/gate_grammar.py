"""The grammar of gates: from one line to a Gate.

    gate      = metric [ "@" side ] op bound
    metric    = "p" NUM | "mean" | "max" | "rps" | "errors" | "timeouts" | "non2xx" | "bytes" | "cpu" | "late"
    side      = a side's name; of cpu also a process's. Left out: the last side of a comparison, or the only target
    op        = "<" | "<=" | ">" | ">=" | "=="
    bound     = literal | reference [ ( "+" | "-" ) ( literal | NUM "%" ) ]       up to 1000 %, and not all of it off
    reference = a side's name | "base"          the same metric of that side, or of the baselines
    literal   = NUM UNIT                        UNIT = us ms s % /s B kB MB; none for counts, which are whole

Behind a reference a percentage is of what is referred to; of errors, timeouts and non2xx, which are percentages
themselves, it is added as it is. Law: pure, and read before anything is sent; what is wrong is told with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

import msgspec

from cannon.errors import UsageError
from cannon.gates import BASE, Allowance, Gate, Operator, Reference
from cannon.metrics import EXAMPLES, SHARES, UNITS, Literal, Metric, Unit, bound_of, unit_of
from cannon.text import clean
from cannon.units import parse_percent

__all__ = ["ALONE", "RUN", "Known", "parse"]

_LONGEST = 120


class Known(msgspec.Struct, frozen=True):
    """What a gate may name. `sides`: of a comparison, none of a run; `processes`: whose CPU is measured; `baseline`:
    whether there is any; `no_baseline`: what to say where there is none.
    """

    sides: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    baseline: bool = False
    no_baseline: str = "there is no baseline; name the file of an earlier run with --baseline FILE"


RUN = Known()
"""One run without a baseline."""

ALONE = Known(no_baseline="there can be no baseline here; give a value")
"""Runs that are set against nothing but a value."""


def parse(text: str, known: Known = RUN) -> Gate:
    """The gate of `p99 < 50ms`. UsageError, which points at the character, for anything else."""
    return _Reader(text, known).gate()


class _Reader:
    """One line, from left to right."""

    def __init__(self, text: str, known: Known) -> None:
        self._text = text
        self._known = known
        self._at = 0
        self._example = "p99 < 50ms"

    def gate(self) -> Gate:
        if not self._text.strip():
            raise UsageError(f"a gate is missing; write for example {self._example}")
        if len(self._text) > _LONGEST:
            self._at = _LONGEST
            self._refuse("nobody can read so long a line")
        self._take(_SPACE)
        begin = self._at
        metric, percentile = self._metric()
        name = self._text[begin : self._at]
        self._take(_SPACE)
        side, process = self._side(metric)
        operation = self._operator()
        self._take(_SPACE)
        bound, unit = self._bound(metric, name, side)
        self._take(_SPACE)
        if self._at < len(self._text):
            self._refuse(f"'{self._rest()}' stands behind the bound")
        expression = " ".join(self._text.split())
        return Gate(expression, metric, percentile, side, process, operation, bound, unit)

    def _metric(self) -> tuple[Metric, float | None]:
        begin = self._at
        word = self._take(_METRIC)
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

    def _side(self, metric: Metric) -> tuple[str | None, str | None]:
        """Whose, as a side or as a process; None, None where it is not said."""
        at_sign = self._at
        if not self._take(_AT_SIGN):
            return None, None
        self._take(_SPACE)
        begin = self._at
        word = self._take(_NAME)
        self._take(_SPACE)
        processes = self._known.processes if metric is Metric.CPU else ()
        if word in processes:
            return None, word
        if not self._known.sides:
            self._refuse("a side is of a comparison, and this is one run; leave it out", at_sign)
        if word not in self._known.sides:
            noun = "side or process" if processes else "side"
            names = ", ".join((*self._known.sides, *processes))
            self._refuse(f"{self._unknown(word, noun)}; there are {names}", begin)
        return word, None

    def _operator(self) -> Operator:
        begin = self._at
        sign = self._take(_SIGN)
        if sign not in _OPERATORS:
            self._refuse(f"{self._unknown(sign, 'comparison')}; there are {' '.join(_OPERATORS)}", begin)
        return Operator(sign)

    def _bound(self, metric: Metric, name: str, side: str | None) -> tuple[Literal | Reference, Unit]:
        begin = self._at
        word = self._take(_NAME)
        if not word:
            found = self._literal(metric, name, "bound")
            return found, found.unit
        self._check_reference(word, side, begin)
        self._take(_SPACE)
        sign = self._take(_PLUS_MINUS)
        if not sign:
            return Reference(word, Allowance(0.0, is_relative=False)), unit_of(metric)
        self._take(_SPACE)
        factor = -1.0 if sign == "-" else 1.0
        percent = None if metric in SHARES else self._percent(sign)
        if percent is not None:
            return Reference(word, Allowance(factor * percent, is_relative=True)), unit_of(metric)
        found = self._literal(metric, name, "margin")
        return Reference(word, Allowance(factor * found.value, is_relative=False)), found.unit

    def _check_reference(self, word: str, side: str | None, begin: int) -> None:
        if word == BASE:
            if not self._known.baseline:
                self._refuse(self._known.no_baseline, begin)
            return
        sides = self._known.sides
        if not sides:
            self._refuse(
                f"'{clean(word)}' is no value, and one run has no other side to be set against", begin
            )
        if word not in sides:
            self._refuse(f"{self._unknown(word, 'side')}; there are {', '.join((*sides, BASE))}", begin)
        if word == (side or sides[-1]):
            self._refuse(f"{word} is set against itself; name another side", begin)

    def _percent(self, sign: str) -> float | None:
        """A margin in percent of what is referred to; None: it is none."""
        begin = self._at
        word = self._take(_PERCENT)
        if not word:
            return None
        try:
            share = parse_percent(word)
        except UsageError as error:
            self._refuse(_reason(error), begin)
        if sign == "-" and share >= 1:
            self._refuse(f"'{clean(word)}' less leaves nothing", begin)
        return float(100 * share)

    def _literal(self, metric: Metric, name: str, noun: str) -> Literal:
        begin = self._at
        number = self._take(_NUMBER)
        if not number:
            self._refuse(self._unknown("", noun))
        self._take(_SPACE)
        unit_begin = self._at
        unit = self._take(_UNIT)
        try:
            found = bound_of(metric, number, unit)
        except UsageError as error:
            self._refuse(_reason(error), begin)
        if found is None:
            share = "% or " if noun == "margin" and metric not in SHARES else ""
            self._refuse(f"{self._unknown(unit, 'unit')}; {name} takes {share}{UNITS[metric]}", unit_begin)
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


def _reason(error: UsageError) -> str:
    """Without the right values it shows: those of a gate follow."""
    return error.message.rpartition("; write ")[0]


_METRICS = tuple(metric.value for metric in Metric)
_OPERATORS: Mapping[str, Operator] = {sign.value: sign for sign in Operator}
_SPACE = re.compile(r"[ \t]*")
_METRIC = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PERCENTILE = re.compile(r"p([0-9]+(?:\.[0-9]+)?)", re.ASCII)
_AT_SIGN = re.compile("@")
_SIGN = re.compile(r"[<>=!~]+")
_PLUS_MINUS = re.compile(r"[+-]")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)", re.ASCII)
_PERCENT = re.compile(rf"(?:{_NUMBER.pattern})[ \t]*%", re.ASCII)
_UNIT = re.compile(r"[^\W\d]+(?:/[a-z]*)?|/[a-z]*|%")
