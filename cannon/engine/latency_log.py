"""Every latency, raw (--log): a line each, nanoseconds and the status, or `timeout`.

Several workers write to one file: each write is whole lines, appended by the system. A disk that is full costs the
log and never the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["LatencyLog"]


class LatencyLog:
    """Appends to a file. `lost`: whether something could not be written; then nothing more is."""

    def __init__(self, path: str) -> None:
        self.lost = False
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError:
            self.lost = True

    def write(self, durations_ns: Iterable[int], ended: object) -> None:
        """A line for each duration; `ended` is how they ended: their status, or `timeout`."""
        if self._descriptor is None:
            return
        rest = memoryview(
            "".join([f"{duration_ns},{ended}\n" for duration_ns in durations_ns]).encode("ascii")
        )
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self.lost = True
            self.close()

    def close(self) -> None:
        """Write no more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
