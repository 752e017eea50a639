"""A named command that takes the options of a plain run: how it is written, and which of them it has no use for.

Law: an option that a plain run has and this command does not is refused with the reason and what to write instead,
never as a slip of the fingers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import click

__all__ = ["Command"]


class Command(click.Command):
    """`usages`: what follows its name, a line each; `model`: a whole command line. `refused`: from an option's name to
    the whole of what is said. `takes_all`: options that are not its own are handed on among its words.
    """

    def __init__(
        self,
        name: str,
        callback: Callable[..., int],
        help: str,
        params: Sequence[click.Parameter],
        usages: Sequence[str],
        model: str,
        refused: Mapping[str, str],
        takes_all: bool = False,
    ) -> None:
        super().__init__(
            name,
            callback=callback,
            add_help_option=False,
            help=help,
            params=list(params),
            context_settings={"ignore_unknown_options": takes_all},
        )
        self.usages = tuple(usages)
        self.model = model
        self.refused = refused
