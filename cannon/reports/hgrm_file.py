"""The distribution of the latencies as text that HdrHistogram's plotter reads: a line for each percentile, in ms.

Law: values are those of the histogram, upper edges of its buckets, to the nanosecond. The percentiles are where every
other implementation has them, five to each halving of what is left up to 100 %: the plotter lays files side by side
line by line, and looks at the percentiles of the first alone.

Source: the percentile output of HdrHistogram (Java), and its plotFiles.html. hdrhistogram for Python writes this format
as well, with steps of its own, to the microsecond, and a deviation in another unit than the mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count

from cannon.errors import InvalidRun
from cannon.result import Result
from cannon.tally import Histogram

__all__ = ["render"]

_TICKS = 5
"""Of each half."""


def render(result: Result) -> bytes:
    """The file. InvalidRun where a result has percentiles and no distribution, as those of other programs may."""
    found = result.latency_ms
    if found.count and found.histogram is None:
        raise InvalidRun(
            "a .hgrm file takes the whole histogram, and the result has percentiles and no histogram"
        )
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    lines += _lines(result.latency)
    lines += [
        f"#[Mean    = {found.mean or 0:12.6f}, StdDeviation   = {found.stddev or 0:12.6f}]",
        f"#[Max     = {found.max or 0:12.6f}, TotalCount     = {found.count:12d}]",
    ]
    return ("\n".join(lines) + "\n").encode()


def _lines(histogram: Histogram) -> Iterator[str]:
    """Value, percentile (of 1), samples up to there; and 1 / (1 - percentile), which the last line has not."""
    steps = _steps()
    left, total = next(steps), histogram.count
    seen, value = 0, 0.0
    for upper_ns, samples in histogram.buckets_ns:
        seen, value = seen + samples, upper_ns / 1e6
        while total - seen <= left * total:
            yield f"{value:12.6f} {float(1 - left):14.12f} {seen:10d} {float(1 / left):14.2f}"
            left = next(steps)
            if seen == total:
                break
    if total:
        yield f"{value:12.6f} {1:14.12f} {seen:10d}"


def _steps() -> Iterator[Fraction]:
    """How much is left to 1: 1, 0.9 ... 0.6, 0.5, 0.45 ... 0.3, 0.25 ..."""
    for halvings in count():
        for tick in range(_TICKS):
            yield Fraction(2 * _TICKS - tick, 2 * _TICKS << halvings)
