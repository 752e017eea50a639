"""Names that this version knows of and does not have: options to come, and commands whose words are kept free.

Law: asking for one is told apart from a slip of the fingers. A name leaves this table when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LATER_COMMANDS", "LATER_OPTIONS"]

LATER_COMMANDS = frozenset({"check", "merge", "report"})

_OPTIONS = (
    "--http2",
    "--streams",
    "--requests",
    "--data",
    "--hooks",
    "--cluster",
    "--gate",
    "--baseline",
    "--inconclusive",
    "--abort-on-fail",
)

LATER_OPTIONS: Mapping[str, str] = {name: names for names in _OPTIONS for name in names.split("/")}
"""From a name to how the option is called in messages."""
