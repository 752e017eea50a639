"""The program: `cannon`, and `python -m cannon`."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> int:
    """Run the command line; an interrupt while it is still being loaded ends it as one later does."""
    try:
        import signal

        before = signal.getsignal(signal.SIGINT)
        # An exception raised amid an import may be swallowed, or told by whatever was being loaded. One who asked
        # for SIGINT to be ignored still has that.
        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, _leave)
        try:
            from cannon.cli import main as run_command_line
        finally:
            if before is signal.default_int_handler:
                signal.signal(signal.SIGINT, before)

        return run_command_line()
    except KeyboardInterrupt:
        return _INTERRUPTED


def _leave(number: int, frame: object) -> None:
    """End without a word: nothing has been begun that would have to be ended."""
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
