"""What is shipped: the package, its types and the scenarios; no tests, no reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The names in a built wheel, and the texts of its metadata."""
    folder = tmp_path_factory.mktemp("wheel")
    script = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", script, folder], cwd=ROOT, check=True, capture_output=True, timeout=60
    )
    (built,) = folder.glob("*.whl")
    with ZipFile(built) as wheel:
        return {name: wheel.read(name).decode() if ".dist-info/" in name else "" for name in wheel.namelist()}


def test_every_scenario_is_shipped(shipped: dict[str, str]) -> None:
    here = {f"cannon/{path.relative_to(ROOT)}" for path in (ROOT / "scenarios").rglob("*") if path.is_file()}
    assert here
    assert here <= shipped.keys()


def test_every_module_is_shipped_with_its_types(shipped: dict[str, str]) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "cannon").rglob("*.py")}
    assert modules <= shipped.keys()
    assert "cannon/py.typed" in shipped


def test_nothing_else_is_shipped(shipped: dict[str, str]) -> None:
    assert {name.split("/")[0] for name in shipped} == {"cannon", "cannon_load-0.1.0.dist-info"}


def test_the_program_and_the_licence_are_named(shipped: dict[str, str]) -> None:
    texts = {name.partition(".dist-info/")[2]: text for name, text in shipped.items()}
    assert "cannon = cannon.__main__:main" in texts["entry_points.txt"]
    assert "License-Expression: MIT" in texts["METADATA"]
