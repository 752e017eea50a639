"""Options of what has to hold: gates, the baselines they are set against, and what becomes of an open verdict."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["GATES"]

_SECTION = "Gates"

GATES: tuple[Option, ...] = (
    Option(
        ("--gate",),
        "gates",
        values.line,
        "what has to hold, or the exit code is 4; may be repeated",
        section=_SECTION,
        example="--gate 'p99 < 200ms'",
        metavar="EXPR",
        multiple=True,
    ),
    Option(
        ("--baseline",),
        "baselines",
        values.path,
        "an earlier result that 'base' in a gate stands for; may be repeated, and 5 tell chance from change",
        section=_SECTION,
        example="--baseline main.json --gate 'p99 < base + 10%'",
        metavar="FILE",
        multiple=True,
    ),
    Option(
        ("--baseline-mismatch",),
        "baseline_mismatch",
        values.mismatch,
        "a baseline of another machine or plan: fail, with exit code 3, or warn  [fail]",
        section=_SECTION,
        example="--baseline-mismatch warn",
        metavar="WHAT",
    ),
    Option(
        ("--inconclusive",),
        "inconclusive",
        values.inconclusive,
        "a gate that nobody can decide: warn, or fail, with exit code 5  [warn]",
        section=_SECTION,
        example="--inconclusive fail",
        metavar="WHAT",
    ),
    Option(
        ("--abort-on-fail",),
        "abort_on_fail_ns",
        values.duration_ns,
        "after this time end a run that can no longer pass",
        section=_SECTION,
        example="--abort-on-fail 5s",
        metavar="TIME",
    ),
)
