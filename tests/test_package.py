"""The public API: what `import cannon` gives."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import FunctionType

import pytest

import cannon


def test_the_public_names_are_these() -> None:
    assert sorted(cannon.__all__) == [
        "CannonError",
        "Comparison",
        "ComparisonPlan",
        "InvalidRun",
        "Plan",
        "Result",
        "Side",
        "Stop",
        "Target",
        "UsageError",
        "__version__",
        "compare",
        "run",
    ]


@pytest.mark.parametrize("name", cannon.__all__)
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(cannon, name) is not None
    assert name in dir(cannon)


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'shoot'"):
        _ = cannon.shoot


def test_run_stays_a_function_when_its_module_is_imported() -> None:
    module = importlib.import_module("cannon.runner")
    assert isinstance(cannon.run, FunctionType)
    assert cannon.run is module.run


def test_importing_cannon_imports_none_of_its_own_modules() -> None:
    code = "import sys, cannon; print([name for name in sys.modules if name.startswith('cannon.')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
