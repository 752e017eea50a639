"""What is shipped: the package, its types and the scenarios; no tests, no reports. Compiled or not, it is whole.

The wheels here are those of machines that cannot compile. The compiled one is built by tox's `compiled`, which runs
the tests of the engine on it.
"""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
NOT_COMPILED = "cannon is built without compiled modules, and slower for it: "


class Shipped(NamedTuple):
    """A wheel, and what was said on stderr while it was built."""

    path: Path
    said: str

    @property
    def names(self) -> set[str]:
        with ZipFile(self.path) as wheel:
            return set(wheel.namelist())


def build(folder: Path, compiler: str) -> Shipped:
    script = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", script, folder],
        cwd=ROOT,
        env={**os.environ, "CC": compiler},
        check=True,
        capture_output=True,
        text=True,
        timeout=110,
    )
    (built,) = folder.glob("*.whl")
    return Shipped(built, done.stderr)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return build(tmp_path_factory.mktemp("wheel"), "/nonexistent/cc")


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The build hook, which is no module of the package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hook_table() -> dict[str, Any]:
    """The hook's settings."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    table: dict[str, Any] = wheel["hooks"]["custom"]
    return table


def test_every_scenario_is_shipped(shipped: Shipped) -> None:
    here = {f"cannon/{path.relative_to(ROOT)}" for path in (ROOT / "scenarios").rglob("*") if path.is_file()}
    assert here
    assert here <= shipped.names


def test_every_module_is_shipped_with_its_types(shipped: Shipped) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "cannon").rglob("*.py")}
    assert modules <= shipped.names
    assert "cannon/py.typed" in shipped.names


def test_nothing_else_is_shipped(shipped: Shipped) -> None:
    assert {name.split("/")[0] for name in shipped.names} == {"cannon", "cannon_load-0.1.0.dist-info"}


def test_the_program_and_the_licence_are_named(shipped: Shipped) -> None:
    with ZipFile(shipped.path) as wheel:
        assert b"cannon = cannon.__main__:main" in wheel.read("cannon_load-0.1.0.dist-info/entry_points.txt")
        assert b"License-Expression: MIT" in wheel.read("cannon_load-0.1.0.dist-info/METADATA")


def test_without_a_compiler_the_wheel_is_plain_and_one_line_says_so(shipped: Shipped) -> None:
    assert shipped.path.name == "cannon_load-0.1.0-py3-none-any.whl"
    assert not {name for name in shipped.names if name.endswith(".so")}
    assert shipped.said == f"{NOT_COMPILED}no C compiler, /nonexistent/cc is not to be found\n"


def run_installed(shipped: Shipped, folder: Path, code: str, *words: str) -> str:
    """What a script prints, given these words, where the wheel is installed in a folder and nothing beside it."""
    with ZipFile(shipped.path) as wheel:
        wheel.extractall(folder)
    # Not measured: these are copies of the sources, and would be counted beside them.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        env={**unmeasured, "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def test_a_plain_wheel_works_and_knows_that_it_is_plain(shipped: Shipped, tmp_path: Path) -> None:
    code = (
        "import cannon.engine.native as native; from cannon.__main__ import main;"
        "print(native.__file__, flush=True); main()"
    )
    printed = run_installed(shipped, tmp_path, code, "--version")
    assert printed == f"{tmp_path}/cannon/engine/native.py\ncannon 0.1.0 (plain Python)\n"


def test_the_scenarios_are_listed_and_shown_where_only_the_wheel_is(shipped: Shipped, tmp_path: Path) -> None:
    code = "from cannon.__main__ import main; main()"
    listed = run_installed(shipped, tmp_path, code, "scenario", "list").splitlines()
    names = sorted(path.stem for path in (ROOT / "scenarios").glob("*.toml"))
    assert [line.split()[0] for line in listed] == names
    for name in ("haproxy-reverse-proxy", "nginx-static"):
        # With the files that stand beside it.
        shown = run_installed(shipped, tmp_path, code, "scenario", "show", name)
        assert f"{tmp_path}/cannon/scenarios/node/" in shown
        assert str(ROOT) not in shown


def test_a_compilation_that_fails_costs_speed_and_nothing_else(tmp_path: Path) -> None:
    failed = build(tmp_path, "false")
    assert failed.path.name == "cannon_load-0.1.0-py3-none-any.whl"
    assert failed.said.startswith(NOT_COMPILED)
    assert failed.said.count("\n") == 1


def test_an_editable_installation_is_never_compiled(hook: ModuleType) -> None:
    build_data: dict[str, Any] = {"pure_python": True, "infer_tag": False, "force_include": {}}
    made = hook.CompiledModules(str(ROOT), hook_table(), None, None, "", "wheel")
    made.initialize("editable", build_data)
    assert build_data == {"pure_python": True, "infer_tag": False, "force_include": {}}


def test_where_nothing_can_be_compiled_nothing_is_fetched_for_it(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "/nonexistent/cc")
    assert hook.CompiledModules(str(ROOT), hook_table(), None, None, "", "wheel").dependencies() == []


def test_every_module_that_is_to_be_compiled_exists() -> None:
    modules = hook_table()["modules"]
    assert modules
    assert [module for module in modules if not (ROOT / module).is_file()] == []


def test_whatever_names_a_compiled_module_is_run_on_the_compiled_wheel() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    again = [
        ROOT / path.replace("{/}", "/") for path in re.findall(r"{tox_root}{/}(\S+)", tox["wheel"]["tests"])
    ]
    assert all(path.exists() for path in again)
    compiled = [module.removesuffix(".py").replace("/", ".") for module in hook_table()["modules"]]
    named = re.compile("|".join(rf"{re.escape(module)}\b" for module in compiled))
    tests = [
        path for path in (ROOT / "tests").rglob("test_*.py") if named.search(path.read_text(encoding="utf-8"))
    ]
    assert len(tests) > len(compiled)
    assert [path for path in tests if not any(path.is_relative_to(folder) for folder in again)] == []
