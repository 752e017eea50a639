from __future__ import annotations

import importlib
import os
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from cannon.version import is_compiled

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
MEANT = os.environ.get("TEST_COMPILED_MODULES") == "yes"
"""Set by tox's `compiled`. Everywhere else the sources are to be tested."""


def test_what_is_tested_is_compiled_exactly_where_that_is_meant() -> None:
    wheel = tomllib.loads(PYPROJECT.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for path in wheel["hooks"]["custom"]["modules"]:
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        assert str(module.__file__).endswith(tuple(EXTENSION_SUFFIXES)) is MEANT, module.__file__


def test_cannon_knows_whether_it_was_compiled() -> None:
    assert is_compiled() is MEANT
