"""Reading a command line as the program does, as far as its Options."""

from __future__ import annotations

from cannon.cli.arguments import arrange
from cannon.cli.fire import fire
from cannon.cli.options import Options, grammar_of

__all__ = ["read"]


def read(*words: str) -> Options:
    """The Options of these words."""
    arranged = arrange([*words], grammar_of({"": fire}, default=""))
    return Options.of(fire.make_context("cannon", list(arranged.words)).params)
