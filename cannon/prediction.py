"""How far the next run of the same thing strays from some earlier ones, by chance alone.

Law: pure. Of a new x and n earlier b, with mean m and standard deviation s, x - m has the standard error
s * sqrt(1 + 1 / n), and Student's t with n - 1 degrees of freedom tells how often chance takes it how far.

Source: the one-sided prediction interval of Hahn and Meeker, "Statistical Intervals", 4.8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import stdev

from cannon.power import student_quantile

__all__ = ["LEAST", "reach"]

LEAST = 5
"""Fewer runs do not tell how far the next one may stray."""


def reach(earlier: Sequence[float], confidence: float = 0.95) -> float:
    """How far a new value strays from the mean of the earlier ones to one side, but for 1 - confidence of all cases.

    ValueError for fewer than two, and for a confidence that is not between 0.5 and 1.
    """
    if len(earlier) < 2:
        raise ValueError("one value does not tell how far the next one strays")
    if not 0.5 <= confidence < 1:
        raise ValueError(f"a confidence lies between 0.5 and 1, and this is {confidence}")
    return student_quantile(confidence, len(earlier) - 1) * stdev(earlier) * math.sqrt(1 + 1 / len(earlier))
