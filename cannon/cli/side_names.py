"""Which sides a comparison has: from the words of its command line, and the mode that an option asks for.

Law: a name is a word of its own before the first `=`; a URL may hold any number of them. What is said of a URL shows no
secret of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cannon.cli.compare_values import NAME
from cannon.errors import UsageError
from cannon.text import clean, redact_url

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.cli.options.compare import CompareOptions
    from cannon.rounds import Mode

__all__ = ["EXAMPLE", "NamedSide", "sides_of"]

EXAMPLE = "cannon compare direct=http://127.0.0.1:4000/ proxied=http://127.0.0.1:4001/"

_URL = "http://127.0.0.1:4000/"
_SHOWN = 60
_IN_A_URL = frozenset("/?#:@[]")
_PROXY_OF_ONE = "--side [ NAME --proxy URL ]"


@dataclass(frozen=True, slots=True)
class NamedSide:
    """One side: `options` are those of all sides, and what the mode makes of them for this one."""

    name: str
    url: str
    options: Options


def sides_of(
    options: Options, given: CompareOptions, words: Sequence[str]
) -> tuple[Mode, tuple[NamedSide, ...]]:
    """The mode and the sides, the base first. UsageError for words that name none."""
    from cannon.rounds import Mode

    asked = {
        Mode.COMPRESSION: bool(given.compression),
        Mode.PROXY: options.proxy is not None,
        Mode.AA: given.aa,
    }
    modes = [mode for mode, is_asked in asked.items() if is_asked]
    named = [(word, _named(word)) for word in words]
    if not modes:
        return Mode.NAMED, _by_name(options, named)
    if options.proxy is not None and any(found is not None for _, found in named):
        raise UsageError(
            "--proxy compares one URL, direct and through the proxy; give it to one of the named sides instead:"
            f" {_PROXY_OF_ONE}"
        )
    names = [f"--{mode}" for mode in modes]
    if len(modes) > 1:
        raise UsageError(f"{' and '.join(names)} are comparisons of their own; leave all but one of them out")
    url = _the_url(names[0], named)
    sides = _SIDES[modes[0]](options, given)
    return modes[0], tuple(NamedSide(name, url, changed) for name, changed in sides)


def _compression(options: Options, given: CompareOptions) -> list[tuple[str, Options]]:
    return [
        (coding, replace(options, headers=(*options.headers, f"Accept-Encoding: {coding}")))
        for coding in ("identity", *given.compression)
    ]


def _proxy(options: Options, given: CompareOptions) -> list[tuple[str, Options]]:
    return [("direct", replace(options, proxy=None)), ("proxy", options)]


def _aa(options: Options, given: CompareOptions) -> list[tuple[str, Options]]:
    return [("a", options), ("b", options)]


_SIDES: Mapping[str, Callable[[Options, CompareOptions], list[tuple[str, Options]]]] = {
    "compression": _compression,
    "proxy": _proxy,
    "aa": _aa,
}
"""By mode, the names of the sides and their options."""


def _by_name(options: Options, named: Sequence[tuple[str, tuple[str, str] | None]]) -> tuple[NamedSide, ...]:
    if not named:
        raise UsageError(f"a URL is missing; e.g. {EXAMPLE}")
    if len(named) == 1:
        alone = "one URL" if named[0][1] is None else f"the side '{named[0][1][0]}'"
        raise UsageError(
            f"{alone} alone is compared with nothing; name two, e.g. {EXAMPLE}, or give a URL to --aa,"
            " --compression gzip or --proxy"
        )
    sides: dict[str, NamedSide] = {}
    for word, found in named:
        if found is None:
            raise UsageError(f"URL '{_shown(word)}' has no name before it; e.g. {EXAMPLE}")
        name, url = found
        if name in sides:
            raise UsageError(f"two sides have the name '{name}'; give each its own, e.g. {EXAMPLE}")
        sides[name] = NamedSide(name, url, options)
    return tuple(sides.values())


def _the_url(mode: str, named: Sequence[tuple[str, tuple[str, str] | None]]) -> str:
    """The one URL of a mode that makes its sides itself."""
    example = f"cannon compare {_EXAMPLES[mode]} {_URL}"
    if not named:
        raise UsageError(f"{mode} compares one URL, and none is given; e.g. {example}")
    word, found = named[0]
    if found is not None:
        raise UsageError(
            f"{mode} names its sides itself, so '{clean(found[0], _SHOWN)}=' is no part of the URL; e.g. {example}"
        )
    if len(named) > 1:
        raise UsageError(f"{mode} compares one URL, and '{_shown(named[1][0])}' is a second; e.g. {example}")
    return word


_EXAMPLES: Mapping[str, str] = {
    "--compression": "--compression gzip",
    "--proxy": "--proxy http://127.0.0.1:3128",
    "--aa": "--aa",
}


def _named(word: str) -> tuple[str, str] | None:
    """The name and the URL of a word, None where it is a URL alone. UsageError for a name that is none."""
    from cannon.rounds import BASE

    name, equals, url = word.partition("=")
    if not equals or _IN_A_URL & set(name):
        return None
    shown = clean(name, _SHOWN)
    if name == BASE:
        raise UsageError(f"'{BASE}' is no name for a side: gates call a stored result so; e.g. {EXAMPLE}")
    if not NAME.fullmatch(name):
        raise UsageError(
            f"'{shown}' is no name for a side: it takes letters, digits and _, and begins with no digit; e.g. {EXAMPLE}"
        )
    if not url:
        raise UsageError(f"the side '{shown}' has no URL; e.g. {EXAMPLE}")
    return name, url


def _shown(url: str) -> str:
    return clean(redact_url(url), _SHOWN)
