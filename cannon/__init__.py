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
    from cannon.comparer import compare as compare
    from cannon.comparison import Comparison as Comparison
    from cannon.errors import CannonError as CannonError
    from cannon.errors import InvalidRun as InvalidRun
    from cannon.errors import UsageError as UsageError
    from cannon.plan import Plan as Plan
    from cannon.plan import Stop as Stop
    from cannon.result import Result as Result
    from cannon.rounds import ComparisonPlan as ComparisonPlan
    from cannon.rounds import Side as Side
    from cannon.runner import run as run
    from cannon.target import Target as Target
    from cannon.version import __version__ as __version__

__all__ = [
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

_HOMES = {
    "CannonError": "cannon.errors",
    "Comparison": "cannon.comparison",
    "ComparisonPlan": "cannon.rounds",
    "InvalidRun": "cannon.errors",
    "Plan": "cannon.plan",
    "Result": "cannon.result",
    "Side": "cannon.rounds",
    "Stop": "cannon.plan",
    "Target": "cannon.target",
    "UsageError": "cannon.errors",
    "__version__": "cannon.version",
    "compare": "cannon.comparer",
    "run": "cannon.runner",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
