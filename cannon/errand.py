"""The command of --before-slot: run, waited for, and judged by its exit code, before each slot.

Law: the words of the user and nothing else: no shell, unless the words ask for one. It is told what comes by
CANNON_SIDE, CANNON_PASS and CANNON_ROUND in its environment. What it prints goes to standard error.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from cannon.errors import InvalidRun
from cannon.text import clean

__all__ = ["LIMIT_S", "run_errand"]

LIMIT_S = 60.0
"""What it is granted: whoever restarts a server waits for it."""


def run_errand(words: Sequence[str], side: str, of: str, number: int) -> None:
    """Run the command to its end. InvalidRun where it cannot be run, fails, or takes too long."""
    told = {"CANNON_SIDE": side, "CANNON_PASS": of, "CANNON_ROUND": str(number)}
    name = clean(words[0], 60)
    try:
        code = subprocess.run(
            list(words),
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno() if _has_descriptor() else subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        raise InvalidRun(f"--before-slot {name} took longer than {LIMIT_S:g} s") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidRun(f"--before-slot {name} cannot be run: {clean(reason)}") from None
    if code:
        how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        raise InvalidRun(f"--before-slot {name} {how}")


def _has_descriptor() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.fileno() >= 0
    except (OSError, ValueError):
        return False
