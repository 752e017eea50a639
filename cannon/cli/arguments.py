"""The one pass over the command line before click: what click cannot be told becomes what it can.

Law: pure, words in and words out; it knows which options take a value (the Grammar), never what a value means, and
raises nothing but UsageError. Understood here: the command's name wherever its options stand, `--` and what follows it,
`-c=10` and `-lc10`, `[ … ]` groups after the options that take them, and such an option without any value.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cannon.cli.elsewhere import ELSEWHERE, FLAGS_ELSEWHERE
from cannon.errors import UsageError

__all__ = ["EMPTY_GROUP", "Arguments", "Grammar", "arrange", "group_words"]

EMPTY_GROUP = "[ ]"
"""What stands for an option that may come without a value, and came without one."""

_HELP = frozenset({"-h", "--help"})
_VERSION = frozenset({"-v", "--version"})
_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_NO_URL = re.compile(r"\d+[A-Za-z]", re.ASCII)
_DURATION = re.compile(rf"(?:{_NUMBER}(?:h|m|s|ms|us|µs|μs|ns))+|{_NUMBER}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Names, with their dashes. `grouped`, some of the valued: a `[ … ]` group may follow, and how one is written.
    `bare`, some of the grouped: a group, a duration (or what may be meant as one), or nothing may follow, and
    whatever else is no value of theirs.
    """

    commands: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    grouped: Mapping[str, str] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was asked for: `command` None is the default one; `tail` is what followed `--`."""

    command: str | None = None
    words: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    help: bool = False
    version: bool = False


@dataclass(slots=True)
class _Pass:
    grammar: Grammar
    rest: list[str]
    words: list[str] = field(default_factory=list)
    command: str | None = None
    plain_seen: bool = False
    help: bool = False
    version: bool = False

    def run(self) -> None:
        while self.rest:
            word = self.rest.pop(0)
            if word.startswith("--") and len(word) > 2:
                self._long(word)
            elif word.startswith("-") and len(word) > 1:
                self._short(word)
            else:
                self._plain(word)

    def _plain(self, word: str) -> None:
        if not self.plain_seen and word in self.grammar.commands:
            self.command = word
        else:
            self.words.append(word)
        self.plain_seen = True

    def _long(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if name in self.grammar.valued:
            self._valued(name, value if equals else None)
        elif word in _VERSION:
            self.version = True
        else:
            self.words.append(word)

    def _short(self, word: str) -> None:
        long = f"-{word.partition('=')[0]}"
        if ELSEWHERE.get(long) in self.grammar.valued:
            raise UsageError(f"{long[1:]} is not an option; cannon's is {ELSEWHERE[long]}")
        if len(long) > 3 and (long in self.grammar.valued or long in self.grammar.flags):
            raise UsageError(f"{long[1:]} is not an option; write {long}, with two dashes")
        for place, letter in enumerate(word[1:], start=2):
            name, value = f"-{letter}", word[place:]
            if name in self.grammar.valued:
                self._valued(name, value.removeprefix("=") if value else None)
                return
            if name not in self.grammar.flags and name not in _HELP | _VERSION:
                self.words.append(f"-{word[place - 1 :]}")
                return
            if value.startswith("=") or value[:1].isdecimal():
                raise UsageError(f"{name} takes no value; write {name} alone{FLAGS_ELSEWHERE.get(name, '')}")
            self._flag(name)

    def _flag(self, name: str) -> None:
        if name in _HELP:
            self.help = True
        elif name in _VERSION:
            self.version = True
        else:
            self.words.append(name)

    def _valued(self, name: str, value: str | None) -> None:
        self.words.append(name)
        if value is None and name in self.grammar.bare and not self._value_follows():
            value = EMPTY_GROUP
        elif value is None and self.rest:
            value = self.rest.pop(0)
        if value is not None:
            example = self.grammar.grouped.get(name)
            self.words.append(value if example is None else self._folded(name, value, example))

    def _value_follows(self) -> bool:
        return bool(self.rest) and (
            self.rest[0].startswith("[")
            or _DURATION.fullmatch(self.rest[0]) is not None
            or _NO_URL.fullmatch(self.rest[0]) is not None
        )

    def _folded(self, name: str, value: str, example: str) -> str:
        """A group that came in several words as one word; whatever else as it is."""
        if not value.startswith("[") or value.endswith(" ]") or _closes(value[1:]):
            return value
        inside = [value[1:]]
        while not _closes(inside[-1]):
            if not self.rest:
                # Nothing of what is in it: that may be a secret.
                raise UsageError(f"{name} [ has no closing ]; e.g. {name} {example}")
            inside.append(self.rest.pop(0))
        inside[-1] = inside[-1][:-1]
        return f"[ {shlex.join(word for word in inside if word)} ]" if any(inside) else EMPTY_GROUP


def _closes(word: str) -> bool:
    """Whether a group ends with this word: a ] does that has no [ in it, and the one of http://[::1] does not."""
    return word.endswith("]") and word.count("]") > word.count("[")


def arrange(argv: Sequence[str], grammar: Grammar) -> Arguments:
    """The arguments, arranged so that click takes them as they were meant.

    `-h` and `--help` ask for help wherever they stand, even where a value is due (a body that says so is written
    `-b=-h`). Raises UsageError for a group that is not closed, a flag with a value, and `-duration`.
    """
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    head, tail = words[:end], tuple(words[end + 1 :])
    asked = any(word in _HELP for word in head)
    passed = _Pass(grammar, [word for word in head if word not in _HELP])
    passed.run()
    return Arguments(passed.command, tuple(passed.words), tail, passed.help or asked, passed.version)


def group_words(group: str, example: str) -> tuple[str, ...] | None:
    """The words of a `[ … ]` group, or None for a value that is no group. Raises UsageError for an open quote."""
    if not (group.startswith("[") and group.endswith("]") and len(group) > 1):
        return None
    try:
        return tuple(shlex.split(group[1:-1]))
    except ValueError as error:
        raise UsageError(f"{group} cannot be read: {error}; e.g. {example}") from None
