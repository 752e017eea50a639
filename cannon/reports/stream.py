"""The series as it happens: `--stream FILE.ndjson`, one JSON line per row, there for `tail -f` at once.

Law: the stream never disturbs the run. A write that fails (disk full, reader gone or too slow) is remembered, ends the
stream and is told when the run is over; what was written before it stays, every line whole.
"""

from __future__ import annotations

import os
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from cannon.errors import InvalidRun, UsageError
from cannon.reports.places import check_place, is_file, open_through, reason, write_whole
from cannon.series import SeriesRow
from cannon.text import clean

__all__ = ["Stream"]

_OPTION = "--stream"
_CLOSED = -1


class Stream:
    """A context manager around the run: `write(row)` as each row closes. Without a path it does nothing.

    Entering opens the file, empty: UsageError where that fails. Leaving raises InvalidRun for a write that failed,
    unless something else is being raised. Reports belong inside the `with`, so that they are written all the same.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._descriptor = _CLOSED
        self._whole_bytes: int | None = None
        self.failure: InvalidRun | None = None

    def __enter__(self) -> Self:
        if self._path is not None:
            check_place(self._path, _OPTION)
            try:
                self._open(self._path)
            except OSError as error:
                raise UsageError(
                    f"{_OPTION} {clean(self._path)} cannot be opened: {reason(error)}; e.g. {_OPTION} rows.ndjson"
                ) from None
        return self

    def write(self, row: SeriesRow) -> None:
        """Add one line. Never raises: the first failure ends the stream."""
        if self._descriptor == _CLOSED:
            return
        line = msgspec.json.encode(row) + b"\n"
        try:
            write_whole(self._descriptor, line)
        except OSError as error:
            self.failure = InvalidRun(f"cannot write {clean(self._path or '')}: {reason(error)}")
            self._cut_torn_line()
            self._close()
        else:
            if self._whole_bytes is not None:
                self._whole_bytes += len(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if self.failure is not None and error is None:
            raise self.failure

    def _open(self, path: str) -> None:
        if is_file(path):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o666)
            self._whole_bytes = 0
        else:
            self._descriptor = open_through(path)

    def _cut_torn_line(self) -> None:
        if self._whole_bytes is not None:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._whole_bytes)

    def _close(self) -> None:
        if self._descriptor != _CLOSED:
            descriptor, self._descriptor = self._descriptor, _CLOSED
            try:
                os.close(descriptor)
            except OSError as error:
                # Network file systems tell of a full disk only here.
                self.failure = self.failure or InvalidRun(
                    f"cannot write {clean(self._path or '')}: {reason(error)}"
                )
