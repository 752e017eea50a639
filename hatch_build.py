"""Compiles the hot modules of the engine when a wheel is built, with mypyc; or builds a plain wheel and says why.

Law: a wheel always comes out, and it does the same whether it was compiled or not. Which modules are compiled
stands in pyproject.toml. Nothing is written into the source tree, and an editable installation is never compiled:
an extension module goes before the source of the same name, and would hide what is edited.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["CompiledModules"]

_GROUP = "cannon.engine.compiled"
"""The extension module that holds the code of all of them; those named like the sources only lead into it."""

_MYPY_OPTIONS = (
    "--config-file=",  # that of the project is for judging; here types only have to be found
    "--no-site-packages",  # the same machine code, whatever happens to be installed
    "--ignore-missing-imports",
    "--follow-imports=silent",
    f"--cache-dir={os.devnull}",
)


class CompiledModules(BuildHookInterface[Any]):
    """Puts extension modules beside their sources. `modules` and `requires` are the hook's table in pyproject.toml."""

    _folder: TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """What compiling needs; nothing is fetched for a machine that cannot compile."""
        return [] if _obstacle() else [str(name) for name in self.config["requires"]]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and hand what came of it to the wheel."""
        if version != "standard":
            return
        self._folder = TemporaryDirectory(prefix="cannon-build-")
        tree = Path(self._folder.name).resolve()
        why = _obstacle() or self._compile(tree)
        if why is not None:
            self.app.display_warning(f"cannon is built without compiled modules, and slower for it: {why}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for path in _extensions(tree):
            build_data["force_include"][str(path)] = str(path.relative_to(tree))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is written; the folder it was compiled in can go."""
        if self._folder is not None:
            self._folder.cleanup()

    def _compile(self, tree: Path) -> str | None:
        """Compile in a copy of the sources; returns why it could not be done, or None."""
        for package in ("mypyc", "setuptools"):
            if find_spec(package) is None:
                return f"{package} is not installed"
        # Extension modules that somebody left are none of this wheel's.
        leftovers = shutil.ignore_patterns("__pycache__", *(f"*{suffix}" for suffix in EXTENSION_SUFFIXES))
        shutil.copytree(Path(self.root, "cannon"), tree / "cannon", ignore=leftovers)
        done = subprocess.run(
            [sys.executable, os.path.abspath(__file__), *self.config["modules"]],
            cwd=tree,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        self.app.display_debug(done.stdout)
        made = {path.name.partition(".")[0] for path in _extensions(tree)}
        if done.returncode == 0 and made >= {Path(module).stem for module in self.config["modules"]}:
            return None
        told = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        named = [line for line in told if "error" in line.lower()]
        return f"the compilation failed: {(named or told or ['it said nothing'])[0]}"


def _extensions(tree: Path) -> list[Path]:
    return sorted(tree.glob(f"cannon/**/*{EXTENSION_SUFFIXES[0]}"))


def _obstacle() -> str | None:
    """What this machine lacks for compiling, or None."""
    if platform.python_implementation() != "CPython":
        return f"mypyc compiles for CPython, and this is {platform.python_implementation()}"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"no C compiler, {compiler} is not to be found"
    headers = sysconfig.get_path("include")
    if not os.path.exists(os.path.join(headers, "Python.h")):
        return f"no Python headers, {headers}/Python.h is not to be found"
    return None


def _build_here(modules: list[str]) -> None:
    """Compile these files of the current folder, each extension module to stand beside its source."""
    from mypyc.build import mypycify
    from setuptools import setup

    setup(
        name="cannon",
        ext_modules=mypycify(
            [*_MYPY_OPTIONS, *modules], opt_level="2", debug_level="0", target_dir="c", group_name=_GROUP
        ),
        script_args=["build_ext", "--inplace"],
    )


if __name__ == "__main__":
    _build_here(sys.argv[1:])
