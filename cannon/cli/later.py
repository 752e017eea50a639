"""Names that this version knows of and does not have: options to come.

Law: asking for one is told apart from a slip of the fingers. A name leaves this table when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LATER_OPTIONS"]

_OPTIONS = (
    "--http2",
    "--streams",
    "--requests",
    "--data",
    "--hooks",
    "--cluster",
)

LATER_OPTIONS: Mapping[str, str] = {name: names for names in _OPTIONS for name in names.split("/")}
"""From a name to how the option is called in messages."""
