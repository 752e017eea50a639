"""The folder listing is the architecture: data flows one way, and each package from outside has one door."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import cannon

ROOT = Path(cannon.__file__).parent

LAYERS = (
    ("version", "errors"),
    ("units", "text", "defects", "placeholders", "scenario_report", "toml_faults"),
    (
        "project",
        "host",
        "pace",
        "profile",
        "tls",
        "route",
        "sequence",
        "documents",
        "encoded_histogram",
        "foreign",
    ),
    ("target", "plan"),
    ("request", "shard", "tally", "settings", "form", "har"),
    ("durations", "series", "plan_match"),
    ("engine", "progress", "evidence", "doubts", "validity", "result", "metrics", "gates", "gate_grammar"),
    ("autocannon_saved", "result_sums"),
    ("signed_rank", "power", "rounds", "scenario"),
    ("slots", "verdict", "totals"),
    (
        "rows",
        "diagnostics",
        "facets",
        "equivalence",
        "compression",
        "capacity",
        "comparison",
        "appraisal",
        "handshakes",
        "standing",
        "plausible",
        "saved",
        "baselines",
        "merging",
    ),
    ("prediction", "samples", "weighing", "ruling", "judging", "search", "outlook", "abort"),
    ("phrases", "served", "outage", "side_phrases", "run_phrases", "finding"),
    ("fleets", "preflight", "keeper", "services", "probe", "consumption", "counters", "errand", "programs"),
    ("certificate", "catalogue", "filling", "spread", "scenario_file"),
    ("rig", "events"),
    ("runner", "reports", "origin", "answers"),
    ("gunner", "comparer"),
    ("staged",),
    ("cli",),
)
"""A module imports from its own layer and from those above it, never from those below. Folders count as one."""

DOORS = {
    "click": {"cli"},
    "rich": {"reports.page"},
    "httptools": {"engine.framing"},
    "h11": {"engine.strict"},
    "httpcore": {"engine.client", "engine.network", "probe"},
    "httpx": {"engine.client", "probe"},
    "hdrh": {"tally"},
    "psutil": {"host"},
    "uvicorn": {"origin"},
}
"""The only modules (or folders) that may import a package from outside. msgspec is the type system: everywhere."""


@cache
def _modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))
    }


@cache
def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "cannon"}
    return names


def _layer(module: str) -> int | None:
    top = module.partition(".")[0]
    return next((level for level, names in enumerate(LAYERS) if top in names), None)


@pytest.mark.parametrize("module", _modules())
def test_imports_point_one_way(module: str) -> None:
    own = _layer(module)
    if own is None:
        assert module in ("__init__", "__main__"), f"{module} has no layer: give it one"
        return
    for name in _imports(_modules()[module]):
        package, _, rest = name.partition(".")
        if package == "cannon" and rest and (layer := _layer(rest)) is not None:
            assert layer <= own, f"{module} imports {name}, which lies below it"


@pytest.mark.parametrize("module", _modules())
def test_each_package_from_outside_has_one_door(module: str) -> None:
    for name in _imports(_modules()[module]):
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names or package in ("cannon", "msgspec", "__future__"):
            continue
        doors = DOORS.get(package)
        assert doors is not None, f"{module} imports {package}, which no door is made for"
        assert any(module == door or module.startswith(f"{door}.") for door in doors), (
            f"{module} imports {package}"
        )


@pytest.mark.parametrize(
    "module",
    [found.name for found in pkgutil.walk_packages([str(ROOT)], "cannon.") if "__main__" not in found.name],
)
def test_what_a_module_promises_is_there(module: str) -> None:
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", ()):
        assert hasattr(loaded, name), f"{module}.__all__ names {name}"


@pytest.mark.parametrize("module", [name for name in _modules() if "__" not in name])
def test_every_module_says_what_it_makes_public(module: str) -> None:
    tree = ast.parse(_modules()[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{module} has no docstring"
    targets = [
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name)
    ]
    assert "__all__" in targets, f"{module} has no __all__"


@pytest.mark.parametrize("module", _modules())
def test_no_module_holds_two_nouns(module: str) -> None:
    assert len(_modules()[module].read_text(encoding="utf-8").splitlines()) <= 400


def test_importing_cannon_loads_nothing_heavy() -> None:
    heavy = ("httpx", "plotly", "uvicorn", "distributed", "rich", "click", "httptools", "psutil")
    code = f"import sys, cannon; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
