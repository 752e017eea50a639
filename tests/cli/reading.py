"""Reading a command line as the program does, as far as its Options, or the plan of its comparison."""

from __future__ import annotations

from cannon.cli.arguments import arrange
from cannon.cli.compare import compare
from cannon.cli.fire import fire
from cannon.cli.options import Options, grammar_of
from cannon.cli.options.compare import CompareOptions
from cannon.cli.sides import PlannedComparison, compared

__all__ = ["read", "read_comparison"]


def read(*words: str) -> Options:
    """The Options of these words."""
    arranged = arrange([*words], grammar_of({"": fire}, default=""))
    return Options.of(fire.make_context("cannon", list(arranged.words)).params)


def read_comparison(*words: str) -> PlannedComparison:
    """What these words of `cannon compare` come to."""
    arranged = arrange([*words], grammar_of({"": compare}, default=""))
    given = compare.make_context("compare", list(arranged.words)).params
    return compared(Options.of(given), CompareOptions.of(given), given["words"])
