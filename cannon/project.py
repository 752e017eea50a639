"""The gates of a project: the table [tool.cannon] of the pyproject.toml in the current folder.

    [tool.cannon]
    gates = ["p99 < base + 10%", "errors < 0.1%"]
    baselines = ["baselines/1.json", "baselines/2.json"]
    inconclusive = "fail"
    baseline-mismatch = "warn"

Law: in this table nothing is taken silently; the rest of the file is somebody else's. One that cannot be read stops
nothing, unless the table stands in it: gates that are not looked at would be taken for gates that hold.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable
from enum import StrEnum

import msgspec

from cannon.errors import UsageError
from cannon.text import clean
from cannon.toml_faults import of_syntax, of_type

__all__ = ["NAME", "Choice", "Project", "place", "read"]

NAME = "pyproject.toml"
"""The file."""

_LARGEST_BYTES = 1024 * 1024
"""Nobody writes a longer one; a device that never ends is none."""

_TABLE = re.compile(
    r"^[ \t]*\[?[ \t]*(?:tool|[\"']tool[\"'])[ \t]*\.[ \t]*[\"']?cannon(?![\w-])", re.MULTILINE
)
_LINE_ENDS = re.compile(r"[\r\n\0]")
_EXAMPLES = {
    "gates": 'gates = ["p99 < 200ms"]',
    "baselines": 'baselines = ["main.json"]',
    "inconclusive": 'inconclusive = "fail"',
    "baseline-mismatch": 'baseline-mismatch = "warn"',
}


class Choice(StrEnum):
    """What becomes of what is not as it should be."""

    WARN = "warn"
    FAIL = "fail"


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What the table says. None: nothing, and the default of the option of that name holds."""

    gates: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    inconclusive: Choice | None = None
    baseline_mismatch: Choice | None = None


class _Tool(msgspec.Struct, frozen=True):
    cannon: Project


class _File(msgspec.Struct, frozen=True):
    tool: _Tool


_TABLE_KEY = "tool.cannon"
_WORDS = {f"{_TABLE_KEY}.{key}": tuple(Choice) for key in ("inconclusive", "baseline-mismatch")}


def place(name: str, position: int | None = None) -> str:
    """How a value is called in messages: `pyproject.toml: tool.cannon.gates[0]`."""
    return f"{NAME}: {_TABLE_KEY}.{name}{'' if position is None else f'[{position}]'}"


def read(note: Callable[[str], None], path: str = NAME) -> Project | None:
    """The table of this file; None where there is none. `note` is told of a file that nobody can read.

    UsageError, which names the file and the dotted key, for whatever is wrong with the table.
    """
    text = _text(path, note)
    if text is None:
        return None
    try:
        tool = tomllib.loads(text).get("tool")
    except tomllib.TOMLDecodeError as error:
        _pass_over(text, of_syntax(error, text), note)
        return None
    except RecursionError:
        _pass_over(text, "it is nested too deep", note)
        return None
    except ValueError:
        # Python reads no number of thousands of digits.
        _pass_over(text, "a number in it is too long", note)
        return None
    if not isinstance(tool, dict) or "cannon" not in tool:
        return None
    try:
        found = msgspec.convert({"tool": {"cannon": tool["cannon"]}}, _File).tool.cannon
    except msgspec.ValidationError as error:
        told = of_type(error, _WORDS, f"of cannon's; there are {', '.join(_EXAMPLES)}")
        raise UsageError(f"{NAME}: {told}{_such_as(told)}") from None
    _check(found)
    return found


def _such_as(told: str) -> str:
    """A right value, where the message is of the type of one."""
    examples = [example for name, example in _EXAMPLES.items() if told.startswith(f"{_TABLE_KEY}.{name}")]
    return f"; write for example {examples[0]}" if examples and "expected" in told else ""


def _check(found: Project) -> None:
    for name, values in (("gates", found.gates), ("baselines", found.baselines)):
        for position, value in enumerate(values):
            if not value.strip():
                raise UsageError(f"{place(name, position)} is empty; write for example {_EXAMPLES[name]}")
            if _LINE_ENDS.search(value):
                raise UsageError(f"{place(name, position)}: a CR, LF or NUL is in it, and it is one line")
    if found.gates:
        return
    for name, given in (
        ("baselines", found.baselines),
        ("inconclusive", found.inconclusive),
        ("baseline-mismatch", found.baseline_mismatch),
    ):
        if given:
            raise UsageError(f"{place(name)} is of gates, and there is none; add {_EXAMPLES['gates']}")


def _text(path: str, note: Callable[[str], None]) -> str | None:
    """What the file holds; None, and a note where it is called for, if there is none or it cannot be read."""
    try:
        # A pipe of that name would be waited for.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        _pass_over("", clean(error.strerror or str(error)), note)
        return None
    text = data.decode(errors="replace")
    if len(data) > _LARGEST_BYTES:
        _pass_over(text, f"it is longer than {_LARGEST_BYTES // 1024} KiB", note)
        return None
    try:
        # TOML has no byte order mark, and some editors write one.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        _pass_over(text, "it is no text in UTF-8", note)
        return None


def _pass_over(text: str, reason: str, note: Callable[[str], None]) -> None:
    """A note of a file that cannot be read. UsageError where the table stands in it."""
    if _TABLE.search(text):
        raise UsageError(f"{NAME}: {reason}; the gates in it cannot be read")
    note(f"{NAME} is not looked at: {reason}")
