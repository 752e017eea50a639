"""The command of --before-slot: run, waited for, and judged by its exit code, before each slot.

Law: the words of the user and nothing else: no shell, unless the words ask for one. It is told what comes by
CANNON_SIDE, CANNON_PASS and CANNON_ROUND in its environment. What it prints goes to standard error. Who interrupts
cannon ends it too, as Ctrl-C in a terminal does.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from cannon.errors import InvalidRun
from cannon.text import clean

__all__ = ["LIMIT_S", "run_errand"]

LIMIT_S = 60.0
"""What it is granted: whoever restarts a server waits for it."""


_END_WITHIN_S = 1.0
"""What it is granted that was told to end."""

_LONGEST_PAUSE_S = 0.05


def run_errand(words: Sequence[str], side: str, of: str, number: int, control: int | None = None) -> None:
    """Run the command to its end. InvalidRun where it cannot be run, fails, or takes too long, or once the `control`
    can be read, a descriptor.
    """
    told = {"CANNON_SIDE": side, "CANNON_PASS": of, "CANNON_ROUND": str(number)}
    name = clean(words[0], 60)
    try:
        with subprocess.Popen(
            list(words),
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno() if _has_descriptor() else subprocess.DEVNULL,
        ) as process:
            code = _waited_for(process, name, control)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InvalidRun(f"--before-slot {name} cannot be run: {clean(reason)}") from None
    if code:
        how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        raise InvalidRun(f"--before-slot {name} {how}")


def _waited_for(process: subprocess.Popen[bytes], name: str, control: int | None) -> int:
    """Its exit code. It has ended in any case, though what it has started may not."""
    until_s = time.monotonic() + LIMIT_S
    pause_s = 0.001
    try:
        while (code := process.poll()) is None:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise InvalidRun(f"--before-slot {name} took longer than {LIMIT_S:g} s")
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            if select.select([] if control is None else [control], (), (), min(pause_s, left_s))[0]:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_END_WITHIN_S)
                raise InvalidRun(f"--before-slot {name} was ended: somebody interrupted")
        return code
    except BaseException:
        process.kill()
        raise


def _has_descriptor() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.fileno() >= 0
    except (OSError, ValueError):
        return False
