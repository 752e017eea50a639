"""A search for a rate as text: a line for each trial as it comes, the table of them all, and the answer.

Law: a function from trials to text; figures are as they were measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cannon.gates import Gate, Verdict
from cannon.metrics import shown
from cannon.reports.page import Cell, Page
from cannon.reports.terminal import Terminal
from cannon.search import Finding, Outcome, Trial
from cannon.text import clean

__all__ = ["answer", "line", "render"]

_NOTHING = "-"
_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.PASS: ("holds", "green"),
    Verdict.FAIL: ("fails", "red"),
    Verdict.INCONCLUSIVE: ("cannon's limit", "bold"),
}
_REASON_CHARACTERS = 300


def line(number: int, trial: Trial, gate: Gate) -> str:
    """`trial 3: 400/s asked, 399.8/s sent, p99 1.24 ms: holds`."""
    verdict, _ = _VERDICTS[trial.verdict]
    parts = [f"{_rate(trial.rate)}/s asked"]
    if trial.achieved_per_s is not None:
        parts.append(f"{_rate(trial.achieved_per_s)}/s sent")
    if trial.value is not None:
        parts.append(f"{gate.name} {shown(trial.value, gate.unit)}")
    why = _why(trial, gate)
    reason = f" ({why})" if why else ""
    return f"trial {number}: {', '.join(parts)}: {verdict}{reason}"


def render(trials: Sequence[Trial], finding: Finding, gate: Gate, terminal: Terminal) -> str:
    """The text for stdout: the trials in the order in which they came, and the answer."""
    page = Page(terminal)
    if trials:
        page.table(
            ["Trial", "Asked/s", "Sent/s", gate.name, "Verdict", "Why"],
            [_row(number, trial, gate) for number, trial in enumerate(trials, start=1)],
            (5, 9, 9, 9, 0, 0),
        )
    page.line(Cell(answer(finding, gate), "bold"))
    return page.text()


def answer(finding: Finding, gate: Gate) -> str:
    """One sentence."""
    reason = _cleaned(finding.reason)
    if finding.per_s is None:
        return f"no rate was found at which {gate.expression} holds: {reason}"
    rate = f"{_rate(finding.per_s)}/s"
    if finding.outcome is Outcome.AT_LEAST:
        return f"{gate.expression} holds at {rate} at least: {reason}"
    return f"{rate} is the highest rate at which {gate.expression} holds: {reason}"


def _row(number: int, trial: Trial, gate: Gate) -> list[Cell]:
    verdict, style = _VERDICTS[trial.verdict]
    return [
        Cell(str(number)),
        Cell(_rate(trial.rate), "bold"),
        Cell(_NOTHING if trial.achieved_per_s is None else _rate(trial.achieved_per_s)),
        Cell(_NOTHING if trial.value is None else shown(trial.value, gate.unit)),
        Cell(verdict, style),
        Cell(_why(trial, gate)),
    ]


def _why(trial: Trial, gate: Gate) -> str:
    """The reason, where it says more than the value does."""
    said = trial.value is not None and trial.reason == gate.told(trial.value)
    return "" if said else _cleaned(trial.reason)


def _rate(per_s: float) -> str:
    """With as many digits as tell what was sent from what was asked."""
    if per_s >= 10_000:
        return f"{per_s:,.0f}"
    return f"{per_s:.3g}" if per_s < 1 else f"{per_s:,.1f}".removesuffix(".0")


def _cleaned(reason: str) -> str:
    return clean(reason, _REASON_CHARACTERS)
