"""The scenarios that come with cannon: where their files are, by name.

Law: a name is that of a file without its ending; whatever holds a slash or ends in .toml is a path of the user's.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["folder", "located", "shipped"]

_SUFFIX = ".toml"
_PACKAGE = Path(__file__).parent


def folder() -> Path:
    """Where the scenarios are: inside the package that was installed, or beside it in a tree of sources."""
    inside = _PACKAGE / "scenarios"
    return inside if inside.is_dir() else _PACKAGE.parent / "scenarios"


def shipped() -> Mapping[str, Path]:
    """The scenarios that come with cannon, by name, in the order of the alphabet."""
    return {path.stem: path for path in sorted(folder().glob(f"*{_SUFFIX}"))}


def located(name: str) -> Path:
    """The file of a scenario, by its name or path. UsageError where there is none."""
    if "/" in name or name.endswith(_SUFFIX):
        # Nor a device or a pipe, which may never end.
        if not os.path.isfile(name):
            why = "it is no file" if os.path.exists(name) else "no such file"
            raise UsageError(f"there is no scenario '{clean(name)}': {why}")
        return Path(name)
    known = shipped()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; cannon scenario list names them all"
        raise UsageError(f"there is no scenario '{clean(name, 60)}'{hint}")
    return known[name]
