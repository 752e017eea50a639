"""How fast, over time: one rate, a ramp, or steps; and the two forms in which a user writes those that change.

Law: a profile is a few stages in which the rate stays or changes steadily, so how many requests are due by a moment,
and at which moment a number is reached, are two formulas. Rates are per second, times ns since the window opened.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from cannon.errors import UsageError
from cannon.text import clean
from cannon.units import parse_duration, parse_rate

__all__ = [
    "MOST_PER_S",
    "Constant",
    "Profile",
    "Ramp",
    "Stage",
    "Steps",
    "check_rates",
    "parse_ramp",
    "parse_steps",
]

MOST_PER_S = 1_000_000
"""Of the whole tool: far beyond what any one machine fires, and due times still lie a thousand ns apart."""

_NS_PER_S = 1_000_000_000
_RAMP_EXAMPLE = "0..500/s:30s"
_STEPS_EXAMPLE = "100,200,400/s:10s"
_SHOWN = 60


class Stage(msgspec.Struct, frozen=True):
    """A part of a profile, in which the rate stays or changes steadily. `position`: how many are due before it."""

    begin_ns: int
    position: float
    from_per_s: float
    to_per_s: float
    length_ns: float

    @property
    def end(self) -> float:
        """How many are due before it ends."""
        if not self.from_per_s and not self.to_per_s:
            return self.position
        return self.position + (self.from_per_s + self.to_per_s) * self.length_ns / (2 * _NS_PER_S)

    def expected(self, at_ns: float) -> float:
        """How many of its own are due before this moment of the run."""
        within_s = min(max(0.0, at_ns - self.begin_ns), self.length_ns) / _NS_PER_S
        return self.from_per_s * within_s + self._slope * within_s**2 / 2

    def clock(self) -> Callable[[float], int]:
        """The function from a position before its end to the moment (ns) at which the count passes it.

        Rounded to the nearest ns: what is exact in decimals would else fall short by one now and then.
        """
        begin_ns, first, from_per_s, slope = self.begin_ns, self.position, self.from_per_s, self._slope
        if not slope:
            return lambda position: begin_ns + int((position - first) * _NS_PER_S / from_per_s + 0.5)

        def when_ns(position: float) -> int:
            own = position - first
            if own <= 0:
                return begin_ns
            # The root of slope/2 t^2 + from t = own, in the form that does not lose its digits where slope is small.
            root = math.sqrt(max(0.0, from_per_s**2 + 2 * slope * own))
            return begin_ns + int(2 * own * _NS_PER_S / (from_per_s + root) + 0.5)

        return when_ns

    @property
    def _slope(self) -> float:
        """How many per second more, each second."""
        if self.from_per_s == self.to_per_s:
            return 0.0
        return (self.to_per_s - self.from_per_s) / (self.length_ns / _NS_PER_S)


class _Shape(msgspec.Struct, frozen=True):
    """What all profiles have, made of their stages."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order; the last has no end."""
        raise NotImplementedError  # each shape has its own

    def expected(self, at_ns: float) -> float:
        """How many requests are due before this moment of the run."""
        return sum(stage.expected(at_ns) for stage in self.stages)

    @property
    def length_ns(self) -> int | None:
        """How long the rate changes; None: it never does."""
        last = self.stages[-1]
        return last.begin_ns or None

    @property
    def highest_per_s(self) -> float:
        """The highest rate there is."""
        return max(max(stage.from_per_s, stage.to_per_s) for stage in self.stages)


class Constant(_Shape, frozen=True, tag="constant"):
    """One rate, without end."""

    per_s: float

    @property
    def stages(self) -> tuple[Stage, ...]:
        """One that has no end."""
        return _stages((self.per_s, self.per_s, math.inf))


class Ramp(_Shape, frozen=True, tag="ramp"):
    """A rate that changes steadily from one to another, and stays there."""

    from_per_s: float
    to_per_s: float
    over_ns: int

    def __post_init__(self) -> None:
        check_rates((self.from_per_s, self.to_per_s), self.over_ns, "--ramp", _RAMP_EXAMPLE)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The ramp, and what stays."""
        return _stages(
            (self.from_per_s, self.to_per_s, self.over_ns), (self.to_per_s, self.to_per_s, math.inf)
        )


class Steps(_Shape, frozen=True, tag="steps"):
    """Several rates, one after the other, each for the same time; the last stays."""

    per_s: tuple[float, ...]
    each_ns: int

    def __post_init__(self) -> None:
        check_rates(self.per_s, self.each_ns, "--steps", _STEPS_EXAMPLE)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """One for each rate, and one more for the last, when its time is over."""
        last = self.per_s[-1]
        return _stages(*((per_s, per_s, self.each_ns) for per_s in self.per_s), (last, last, math.inf))


Profile = Constant | Ramp | Steps


def parse_ramp(text: str) -> Ramp:
    """The Ramp of `0..500/s:30s`: from one rate to another, over a time. UsageError for anything else."""
    rates, over_ns = _parts(text, "ramp", _RAMP_EXAMPLE)
    begin, dots, end = rates.partition("..")
    if not dots:
        raise _refused(text, "has no '..' between two rates", _RAMP_EXAMPLE)
    from_per_s, to_per_s = _rates(text, (begin, end), _RAMP_EXAMPLE)
    _refuse(text, _fault((from_per_s, to_per_s), over_ns), _RAMP_EXAMPLE)
    return Ramp(from_per_s, to_per_s, over_ns)


def parse_steps(text: str) -> Steps:
    """The Steps of `100,200,400/s:10s`: rates, each for the same time. UsageError for anything else."""
    rates, each_ns = _parts(text, "list of steps", _STEPS_EXAMPLE)
    per_s = _rates(text, tuple(rates.split(",")), _STEPS_EXAMPLE)
    _refuse(text, _fault(per_s, each_ns), _STEPS_EXAMPLE)
    return Steps(per_s, each_ns)


def _stages(*parts: tuple[float, float, float]) -> tuple[Stage, ...]:
    """Stages one behind the other, of (from, to, length in ns)."""
    stages: list[Stage] = []
    begin_ns, position = 0, 0.0
    for from_per_s, to_per_s, length_ns in parts:
        stage = Stage(begin_ns, position, from_per_s, to_per_s, length_ns)
        stages.append(stage)
        if length_ns != math.inf:
            begin_ns, position = begin_ns + int(length_ns), stage.end
    return tuple(stages)


def check_rates(per_s: tuple[float, ...], length_ns: int, option: str, example: str) -> None:
    """Raise UsageError, in the name of the option, for rates that cannot be fired, or no time to fire them in."""
    fault = _fault(per_s, length_ns)
    if fault is not None:
        raise UsageError(f"{option} {fault}; e.g. {option.partition('/')[0]} {example}")


def _fault(per_s: tuple[float, ...], length_ns: int) -> str | None:
    """What is wrong with rates and with how long each, or all together, take."""
    if any(not math.isfinite(rate) or rate < 0 for rate in per_s):
        return "has a rate that is less than nothing, or no number"
    if not any(per_s):
        return "must be more than 0/s" if len(per_s) == 1 else "has no rate that is more than 0/s"
    if max(per_s) > MOST_PER_S:
        return f"is more than the {MOST_PER_S:,}/s that cannon may fire in all"
    if length_ns <= 0:
        return "takes no time at all"
    return None


def _parts(text: str, noun: str, example: str) -> tuple[str, int]:
    """The rates and the time of `RATES:TIME`."""
    if not text.strip():
        raise UsageError(f"a {noun} is missing; write for example {example}")
    rates, colon, time = text.rpartition(":")
    if not colon or not time.strip():
        raise _refused(text, "has no ':' and a time at its end", example)
    try:
        return rates, parse_duration(time)
    except UsageError as error:
        raise _refused(text, f"has a wrong time: {_reason(error)}", example) from None


def _rates(text: str, parts: tuple[str, ...], example: str) -> tuple[float, ...]:
    """Each rate per second; the unit behind the last is that of all that have none: `60,90/m` is 1 and 1.5 a second."""
    _, slash, unit = parts[-1].rpartition("/")
    shared = f"{slash}{unit}" if slash else ""
    try:
        return tuple(
            float(parse_rate(part if "/" in part or not part.strip() else part + shared)) for part in parts
        )
    except UsageError as error:
        raise _refused(text, f"has a wrong rate: {_reason(error)}", example) from None


def _reason(error: UsageError) -> str:
    """What it says, without the values that it would show."""
    return error.message.rpartition("; write ")[0]


def _refuse(text: str, fault: str | None, example: str) -> None:
    if fault is not None:
        raise _refused(text, fault, example)


def _refused(text: str, reason: str, example: str) -> UsageError:
    return UsageError(f"'{clean(text, _SHOWN)}' {reason}; write for example {example}")
