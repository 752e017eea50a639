"""What the scripts that measure have in common: their words on stderr, numbers as arguments, and the two cores."""

from __future__ import annotations

import argparse
import os
import sys

__all__ = ["positive", "say", "two_cores"]


def say(text: str) -> None:
    """Tell a watcher; stdout is the table's."""
    print(text, file=sys.stderr, flush=True)


def positive(text: str) -> int:
    """Read a number of 1 or more, as argparse wants it read."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def two_cores() -> tuple[int, int]:
    """Return a core for the server and one for the client. Ends the script where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed, one for the server and one for the client")
    return cores[0], cores[1]
