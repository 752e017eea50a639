"""The exact interval of Wilcoxon's signed-rank test around the Hodges-Lehmann estimate.

Law: pure. Walsh averages w = (x_i + x_j) / 2, i <= j, sorted; the estimate is their median, the interval [w_(k),
w_(N+1-k)] with the largest k for which 2 P(W+ <= k - 1) <= alpha, by counting (dynamic programming), no approximation.
It is closed, so ties only make it wider. Fewer than six values have no interval of 95 %.

A bound that holds on one side with 95 % is an end of the two-sided interval of 90 %.

Source: Hodges and Lehmann, "Estimates of location based on rank tests" (1963); Hollander and Wolfe, "Nonparametric
Statistical Methods", 3.1 and 3.3.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

import msgspec

__all__ = ["Interval", "estimate", "interval", "level", "rank"]

_MOST_COUNTED = 100
"""Values up to which the ways are counted one by one. Beyond, the count grows with the cube of their number, and the
same probability is the finite sum of `_inverted`, which is quick.
"""

_NOTHING = 1e-20
"""Terms of that sum below this change no digit of it."""


class Interval(msgspec.Struct, frozen=True):
    """The estimate, the ends of its closed interval, and the true level of that: not less than what was asked.

    `low`, `high`, `level`: None where the values are too few for any interval of the level that was asked.
    """

    estimate: float
    low: float | None = None
    high: float | None = None
    level: float | None = None


def estimate(values: Sequence[float]) -> float:
    """The median of the Walsh averages: half of the pairs lie above. ValueError without values."""
    return _middle(_walsh(values))


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The estimate of these differences, and the interval that contains the true one with this confidence (0 to 1).

    ValueError without values.
    """
    walsh = _walsh(values)
    middle = _middle(walsh)
    k = rank(len(values), confidence)
    if not k:
        return Interval(middle)
    return Interval(middle, walsh[k - 1], walsh[-k], level(len(values), k))


@lru_cache(maxsize=1024)
def rank(n: int, confidence: float) -> int:
    """Which Walsh average of `n` values, counted from either end, is an end of the interval; 0: there is none."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, and this is {confidence}")
    # The largest k with P(W+ <= k - 1) <= tail is the number of w with P(W+ <= w) <= tail.
    if n <= _MOST_COUNTED:
        return bisect_right(_ways_up_to(n), (1 - Fraction(confidence)) * 2**n / 2)
    return bisect_right(range(n * (n + 1) // 4), (1 - confidence) / 2, key=lambda most: _inverted(n, most))


@lru_cache(maxsize=1024)
def level(n: int, k: int) -> float:
    """How often the k-th Walsh averages from either end enclose the true value; 1 at k = 0, the whole line."""
    if not 0 <= k <= (n * (n + 1) // 2 + 1) // 2:
        raise ValueError(f"{n} values have no pair of {k}-th Walsh averages")
    if not k:
        return 1.0
    outside = _ways_up_to(n)[k - 1] / 2**n if n <= _MOST_COUNTED else _inverted(n, k - 1)
    return 1 - 2 * outside


def _walsh(values: Sequence[float]) -> list[float]:
    # In order first: then each run of averages is in order, and what is left to sort is a merge.
    ordered = sorted(values)
    walsh = [(low + high) / 2 for place, low in enumerate(ordered) for high in ordered[place:]]
    walsh.sort()
    return walsh


def _middle(ordered: Sequence[float]) -> float:
    if not ordered:
        raise ValueError("there is no estimate without values")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@lru_cache(maxsize=64)
def _ways_up_to(n: int) -> tuple[int, ...]:
    """For w = 0, 1, ... n(n+1)/2: in how many of the 2**n ways to sign the ranks 1..n those above sum to w or less."""
    ways = [1]
    for each in range(1, n + 1):
        below, above = ways + [0] * each, [0] * each + ways
        ways = [without + with_it for without, with_it in zip(below, above, strict=True)]
    return tuple(accumulate(ways))


def _inverted(n: int, most: int) -> float:
    """P(W+ <= most) of `n` values, from the characteristic function of W+.

    On a lattice the inversion is no integral but a finite sum: its discrete Fourier transform. About the mean,
    n(n+1)/4, the function is the product of cos(j t / 2), which is next to nothing but near t = 0.
    """
    points, middle = n * (n + 1) // 2 + 1, n * (n + 1) / 4
    total = (most + 1) / points
    for number, product in enumerate(_products(n), start=1):
        half = math.pi * number / points
        # The sum of cos(2 half (w - middle)) over w = 0 .. most, in closed form.
        cosines = math.sin(half * (most + 1)) / math.sin(half) * math.cos(half * (most - 2 * middle))
        total += 2 * product * cosines / points
    return total


@lru_cache(maxsize=16)
def _products(n: int) -> tuple[float, ...]:
    """The terms of the sum that are not next to nothing; the others mirror them, or are."""
    points = n * (n + 1) // 2 + 1
    products: list[float] = []
    while not products or abs(products[-1]) > _NOTHING:
        half = math.pi * (len(products) + 1) / points
        products.append(math.prod(math.cos(each * half) for each in range(1, n + 1)))
    return tuple(products)
