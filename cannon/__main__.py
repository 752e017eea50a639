"""The program: `cannon`, and `python -m cannon`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; an interrupt while it is still being loaded ends it as one later does."""
    try:
        from cannon.cli import main as run_command_line

        return run_command_line()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
