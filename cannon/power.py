"""How many rounds a comparison takes: to find a change that matters, or to come as close to one as was asked.

Law: pure, and for planning alone: no interval and no verdict is made of what stands here. Student's t is exact as far
as a float goes where it is a finite sum (whole degrees of freedom, up to a hundred), and beyond that its expansion
about the normal, right to eight digits at the usual probabilities.

Source: Student's t is 26.7.3, 26.7.4 and 26.7.5 of Abramowitz and Stegun, "Handbook of Mathematical Functions". The
second stage is Stein, "A two-sample test for a linear hypothesis whose power is independent of the variance" (1945).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

__all__ = ["LEAST_ROUNDS", "rounds_for", "rounds_needed", "student_quantile"]

LEAST_ROUNDS = 6
"""Fewer have no interval of 95 %, however clear they are."""

_SIGNIFICANCE = 0.05
_POWER = 0.8
_MOST_SUMMED = 100
_HALVINGS = 60


def rounds_needed(sd: float, change: float) -> int:
    """How many rounds find this change four times in five, where the differences of the rounds have this SD.

    Both in one unit. The normal says 7.85 (SD / change)^2; a few rounds know their SD badly, so Student's t at that
    number asks for some more. Never under 6. ValueError for a change that is none.
    """
    if not change > 0 or sd < 0:
        raise ValueError("a change to be found is more than nothing, and no SD is less")
    squared = (sd / change) ** 2
    normal = NormalDist()
    factor = normal.inv_cdf(1 - _SIGNIFICANCE / 2) + normal.inv_cdf(_POWER)
    rounds = max(LEAST_ROUNDS, math.ceil(factor**2 * squared))
    while rounds < _factor(rounds) ** 2 * squared:
        rounds += 1
    return rounds


def rounds_for(half_width: float, wanted: float, rounds: int, most: int) -> int:
    """How many rounds there shall be in all, for an interval that was so wide after `rounds` to be as narrow as wanted.

    Both half-widths in one unit. Not less than `rounds`, and not more than `most` if that is more. It looks at the
    spread alone, never at the effect, so to go on by it pulls no estimate. ValueError for a width that is none.
    """
    if not wanted > 0 or half_width < 0:
        raise ValueError("a half-width that is wanted is more than nothing, and none is less")
    needed = min(rounds * (half_width / wanted) ** 2, max(most, rounds))
    return max(rounds, math.ceil(needed))


@lru_cache(maxsize=1024)
def student_quantile(probability: float, degrees: int) -> float:
    """Below which value Student's t with so many degrees of freedom lies with this probability (0 to 1)."""
    if not 0 < probability < 1 or degrees < 1:
        raise ValueError("a probability lies between 0 and 1, and there is a degree of freedom at least")
    if probability < 0.5:
        return -student_quantile(1 - probability, degrees)
    return (
        _inverted(2 * probability - 1, degrees)
        if degrees <= _MOST_SUMMED
        else _expanded(probability, degrees)
    )


def _factor(rounds: int) -> float:
    """By how many standard errors a change must stand out, to be found as often as it shall be."""
    return student_quantile(1 - _SIGNIFICANCE / 2, rounds - 1) + student_quantile(_POWER, rounds - 1)


def _inverted(within: float, degrees: int) -> float:
    """The t for which P(-t < T < t) is this: its angle, atan(t / sqrt(degrees)), halved in on."""
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        angle = (low + high) / 2
        if _within(angle, degrees) < within:
            low = angle
        else:
            high = angle
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def _within(angle: float, degrees: int) -> float:
    """P(-t < T < t), by the angle of t: a finite sum of powers of its cosine."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(1 + odd, degrees, 2):
        total += term
        term *= cosine * cosine * power / (power + 1)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _expanded(probability: float, degrees: int) -> float:
    """Student's t, from that of infinitely many degrees of freedom."""
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / degrees + second / degrees**2 + third / degrees**3 + fourth / degrees**4
