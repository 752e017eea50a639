"""cannon: a load tester for HTTP servers. What stands here is the public API; everything else may change.

    import cannon

    plan = cannon.Plan(targets=(cannon.Target.parse("http://127.0.0.1:4000/"),), stop=cannon.Stop(amount=1000))
    result = cannon.run(plan)
    print(result.latency_ms.p99)

Names are loaded when they are first used (PEP 562): importing cannon costs nothing of what it does not need.
"""

from __future__ import annotations

from importlib import import_module

# Not that of typing, which takes longer to load than all else before the program can be interrupted without a word.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from cannon.errors import CannonError as CannonError
    from cannon.errors import InvalidRun as InvalidRun
    from cannon.errors import UsageError as UsageError
    from cannon.plan import Plan as Plan
    from cannon.plan import Stop as Stop
    from cannon.result import Result as Result
    from cannon.runner import run as run
    from cannon.target import Target as Target
    from cannon.version import __version__ as __version__

__all__ = [
    "CannonError",
    "InvalidRun",
    "Plan",
    "Result",
    "Stop",
    "Target",
    "UsageError",
    "__version__",
    "run",
]

_HOMES = {
    "CannonError": "cannon.errors",
    "InvalidRun": "cannon.errors",
    "Plan": "cannon.plan",
    "Result": "cannon.result",
    "Stop": "cannon.plan",
    "Target": "cannon.target",
    "UsageError": "cannon.errors",
    "__version__": "cannon.version",
    "run": "cannon.runner",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
