"""What becomes of a defect, an error that nobody foresaw: its traceback goes to a file, and one line says where.

Law: a traceback shown to a user is a bug; secrets are taken out of what is kept. Never raises.
"""

from __future__ import annotations

import os

from cannon.text import clean, redact_text

__all__ = ["keep", "traceback_of", "what_of"]

_SHOWN = 120


def what_of(error: Exception) -> str:
    """The error in a few words: its kind, and what it says."""
    return f"{type(error).__name__}: {clean(redact_text(str(error)), _SHOWN)}"


def traceback_of(error: Exception) -> str:
    """The whole traceback, many lines."""
    import traceback

    return redact_text("".join(traceback.format_exception(error)))


def keep(told: str) -> str | None:
    """Write this to a file of its own; its path, or None where no file can be had."""
    import tempfile

    try:
        descriptor, path = tempfile.mkstemp(prefix="cannon-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(told)
    except OSError:
        return None
    return path
