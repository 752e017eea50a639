"""What one side has for itself: the groups of --side, `[ NAME -H 'X: y' -k --proxy URL ... ]`.

Law: what a side says for itself stands instead of what is said for all; a header, instead of those of its name. No
group is repeated in a message: a header's value may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import click

from cannon.cli.arguments import arrange, group_words
from cannon.cli.messages import refuse_extra, usage_error
from cannon.cli.options import GROUPED, Options, grammar_of
from cannon.cli.options.request import REQUEST
from cannon.cli.options.tls import TLS
from cannon.cli.options.way import WAY
from cannon.cli.sending import header_of
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["SIDE", "Settings", "names_of", "settings_of", "with_settings"]

_EXAMPLE = f"--side {GROUPED['--side']}"
_SHOWN = 60

SIDE = click.Command(
    "--side",
    params=[
        *(option for option in REQUEST if option.name == "headers"),
        *TLS,
        *(option for option in WAY if option.name != "on_port"),
    ],
    add_help_option=False,
)
"""What a side may say for itself."""

Settings = Mapping[str, object]
"""Fields of Options, and their values."""


def settings_of(groups: Sequence[str], names: Sequence[str]) -> Mapping[str, Settings]:
    """By name, what sides say for themselves. UsageError, naming --side, for a group that cannot be followed."""
    found: dict[str, Settings] = {}
    for group in groups:
        try:
            name, settings = _read(group, names)
            if name in found:
                raise UsageError(f"the side '{name}' has two groups; write all of it in one, e.g. {_EXAMPLE}")
        except UsageError as error:
            raise UsageError(f"--side: {error.message}") from None
        found[name] = settings
    return found


def with_settings(options: Options, settings: Settings) -> Options:
    """The options of one side."""
    own = dict(settings)
    if "headers" in own:
        mine = _texts(own["headers"])
        replaced = set(names_of(mine))
        common = zip(options.headers, names_of(options.headers), strict=True)
        own["headers"] = (*(header for header, name in common if name not in replaced), *mine)
    return replace(options, **own)  # type: ignore[arg-type]  # fields of Options, as its table has them


def _read(group: str, names: Sequence[str]) -> tuple[str, Settings]:
    try:
        words = group_words(group, GROUPED["--side"])
    except UsageError:
        raise UsageError(f"a quote in the group is not closed; e.g. {_EXAMPLE}") from None
    if words is None:
        raise UsageError(f"a group is needed, with the name of a side; e.g. {_EXAMPLE}")
    arguments = arrange(words, grammar_of({"": SIDE}, default=""))
    if arguments.tail or arguments.version:
        raise UsageError(f"a side has headers, TLS and a way; e.g. {_EXAMPLE}")
    try:
        context = SIDE.make_context("--side", list(arguments.words), allow_extra_args=True)
    except click.NoSuchOption as error:
        raise UsageError(
            f"there is no option {clean(error.option_name, _SHOWN)} for one side alone, which has -H and those of TLS"
            f" and of the way; e.g. {_EXAMPLE}"
        ) from None
    except click.UsageError as error:
        raise usage_error(error, SIDE) from None
    plain = context.args
    if not plain:
        raise UsageError(f"the name of the side is missing; e.g. {_EXAMPLE}")
    refuse_extra(plain[1:], "cannon compare --help")
    if plain[0] not in names:
        raise UsageError(
            f"'{clean(plain[0], _SHOWN)}' is none of the sides {', '.join(names)}; e.g. {_EXAMPLE}"
        )
    settings = {name: value for name, value in context.params.items() if value not in (None, ())}
    if not settings:
        raise UsageError(f"nothing is set for '{plain[0]}'; e.g. {_EXAMPLE}")
    names_of(settings.get("headers", ()))
    return plain[0], settings


def names_of(headers: object) -> list[str]:
    """The names of the headers of -H, in lower case. UsageError for one that has none."""
    return [header_of(number, header)[0].lower() for number, header in enumerate(_texts(headers), start=1)]


def _texts(headers: object) -> tuple[str, ...]:
    assert isinstance(headers, tuple)
    return headers
