"""`python -m cannon`."""

from __future__ import annotations

import sys

from cannon.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
