"""What this cannon is: its version, read by the build and sent as User-Agent, and whether it was compiled."""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES

__version__ = "0.1.0"

__all__ = ["__version__", "is_compiled"]


def is_compiled() -> bool:
    """Whether the hot modules of the native engine are machine code; all of them are, or none.

    An extension module beside a source goes before it, so looking for one tells, and imports nothing.
    """
    loop = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engine", "loop")
    return any(os.path.exists(loop + suffix) for suffix in EXTENSION_SUFFIXES)
