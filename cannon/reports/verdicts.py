"""What a row of a comparison is called, and what it says, in words.

Law: a table from metric and verdict to words; of what is better, only the metric knows. "The same" is never said: a
difference that was not seen is one that may be smaller than what could be seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cannon.rows import Row, Verdict
from cannon.text import clean

__all__ = ["TOTALS", "label", "verdict"]

_OF_PROCESS = "cpu@"
_CANNOT_TELL = "cannot tell"
_REASON_CHARACTERS = 300

TOTALS = ("bytes", "errors")
"""Metrics that are counted over all rounds; the heading above their rows says so."""

_WORSE, _BETTER = "red", "green"


class _Words(msgspec.Struct, frozen=True):
    """Of a metric: its name in a table, what it is to have more and less of it, and how these are drawn."""

    label: str
    higher: str
    lower: str
    higher_style: str = _WORSE
    lower_style: str = _BETTER


_METRICS: Mapping[str, _Words] = {
    **{
        metric: _Words(metric.replace("_", "."), "slower", "faster")
        for metric in ("p50", "p90", "p99", "p99_9", "mean")
    },
    "rps": _Words("capacity", "more capacity", "less capacity", _BETTER, _WORSE),
    "cpu": _Words("cannon", "more CPU", "less CPU"),
    "bytes": _Words("bytes", "more bytes", "fewer bytes", "", ""),
    "errors": _Words("errors", "more errors", "fewer errors"),
}


def label(metric: str) -> str:
    """`p99.9`, `capacity`; of CPU the name of the process."""
    if metric.startswith(_OF_PROCESS):
        return clean(metric.removeprefix(_OF_PROCESS))
    return _words(metric).label


def verdict(row: Row, margin_pct: float) -> tuple[str, str]:
    """What the row says against this margin, and how that is drawn."""
    words = _words(row.metric)
    reason = clean(row.reason, _REASON_CHARACTERS)
    if row.verdict is Verdict.INCONCLUSIVE:
        if row.change_pct is None and reason:
            return reason, ""
        return reason if reason.startswith(_CANNOT_TELL) else f"{_CANNOT_TELL}: {reason}".rstrip(": "), ""
    direction, style = (
        (words.lower, words.lower_style) if _is_less(row) else (words.higher, words.higher_style)
    )
    if row.verdict is Verdict.UNCERTAIN:
        # A reason that begins with the direction says no more than the word does, up to a colon.
        _, said, told = reason.partition(": ")
        if row.metric in TOTALS:
            told = told.partition("; ")[0]
        return f"{direction}: {told}" if said else f"{direction}, size uncertain", style
    why = f" ({reason})" if reason and row.metric not in TOTALS else ""
    if row.verdict is Verdict.EQUIVALENT:
        return f"no difference larger than {margin_pct:g} %{why}", ""
    return f"{direction}, by more than {margin_pct:g} %{why}", style


def _words(metric: str) -> _Words:
    name = "cpu" if metric.startswith(_OF_PROCESS) else metric
    return _METRICS.get(name, _Words(clean(metric), "higher", "lower", "", ""))


def _is_less(row: Row) -> bool:
    change = row.added or row.change_pct
    return row.verdict is Verdict.LOWER or (change is not None and change.estimate < 0)
