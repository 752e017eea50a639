"""A tool of autocannon's own reads two of our files as two of its: autocannon-compare 0.4.0, from the npm registry.

It is installed once, with what its lock file in tests/data/autocannon-compare names, into .tox: 5 packages, 2 MB.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cannon.reports import autocannon_file
from cannon.result import Result
from tests.results import a_result, a_tally, latencies_ns

ROOT = Path(__file__).resolve().parents[2]
WANTED = ROOT / "tests" / "data" / "autocannon-compare"
INSTALLED = ROOT / ".tox" / "autocannon-compare-0.4.0"
SCRIPT = Path("node_modules", "autocannon-compare", "compare.js")
INSTALL_LIMIT_S = 120


def program(name: str) -> str:
    """The path of a program; an error that names its package, where it is missing."""
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is missing: apt-get install {'nodejs' if name == 'node' else name}")
    return found


@pytest.fixture(scope="session")
def script() -> Path:
    """The script of autocannon-compare, installed where it is not yet: beside its place, and moved there whole."""
    if not (INSTALLED / SCRIPT).exists():
        INSTALLED.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=INSTALLED.parent) as folder:
            made = Path(folder, "made")
            shutil.copytree(WANTED, made)
            subprocess.run(
                [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=made,
                check=True,
                timeout=INSTALL_LIMIT_S,
            )
            try:
                os.rename(made, INSTALLED)
            except OSError:
                # Another process of the tests was quicker.
                assert (INSTALLED / SCRIPT).exists()
    return INSTALLED / SCRIPT


def compared(script: Path, folder: Path, one: Result, other: Result) -> dict[str, Any]:
    """What the tool says of two of our files."""
    for name, result in (("a", one), ("b", other)):
        (folder / name).write_bytes(autocannon_file.render(result))
    done = subprocess.run(
        [program("node"), str(script), "a", "b"], cwd=folder, capture_output=True, check=True, timeout=30
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_result_compared_with_itself_is_equal(script: Path, tmp_path: Path) -> None:
    found = compared(script, tmp_path, a_result(), a_result())
    assert (found["equal"], found["aWins"], found["bWins"]) == (True, False, False)
    assert [found[name]["difference"] for name in ("requests", "throughput", "latency")] == ["0%"] * 3
    # A figure that is missing, or no number, would show as null here.
    assert all(
        isinstance(found[name]["pValue"], float | int) for name in ("requests", "throughput", "latency")
    )


def test_a_server_twice_as_fast_wins(script: Path, tmp_path: Path) -> None:
    slow = a_tally(latencies_ns(10_000, middle_ns=400_000))
    fast = a_tally(latencies_ns(20_000, middle_ns=200_000))
    found = compared(script, tmp_path, a_result(tally=fast), a_result(tally=slow))
    assert (found["equal"], found["aWins"], found["bWins"]) == (False, True, False)
    assert found["requests"]["difference"] == found["throughput"]["difference"] == "100%"
    assert found["latency"]["difference"].startswith("-")
    assert found["latency"]["significant"] == "***"


def test_what_is_installed_is_the_version_that_is_wanted() -> None:
    wanted = msgspec.json.decode((WANTED / "package-lock.json").read_bytes())
    tool = wanted["packages"]["node_modules/autocannon-compare"]
    assert INSTALLED.name == f"autocannon-compare-{tool['version']}"
    assert all("integrity" in each for name, each in wanted["packages"].items() if name)
