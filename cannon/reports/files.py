"""Reports as files: which format a name asks for, whether it can be written, and the writing.

Law: what cannot be written is found before anything is sent. A report appears whole under its name or not at all:
it is written beside it, brought to the disk and renamed, so an old report outlives a failure. A format is one line of
a table.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from cannon.errors import InvalidRun, UsageError
from cannon.reports import autocannon_file, json_file
from cannon.reports.places import check_place, is_file, open_through, reason, status, write_whole
from cannon.result import Result
from cannon.text import clean

__all__ = ["RENDERERS", "Renderer", "check", "render", "write", "write_all"]

Renderer = Callable[[Result], bytes]

RENDERERS: Mapping[str, Renderer] = {
    ".json": json_file.render,
    ".autocannon.json": autocannon_file.render,
}
"""The formats, by the end of the file's name; where two fit, the longer one."""

_OPTION = "-o/--output"


def check(paths: Sequence[str], taken: Sequence[str] = ()) -> None:
    """Refuse, before anything is sent, reports that could not be written. UsageError says which and why.

    `taken` are files that something else writes: the stream, the log.
    """
    seen = {os.path.realpath(path) for path in taken}
    for path in paths:
        check_place(path, _OPTION)
        _renderer(path)
        target = os.path.realpath(path)
        if target in seen and is_file(path):
            raise UsageError(f"{_OPTION} {clean(path)} is given twice; give each report a name of its own")
        seen.add(target)


def render(path: str, result: Result, renderers: Mapping[str, Renderer] = RENDERERS) -> bytes:
    """The report that a file of this name holds. UsageError for a name that tells no format.

    `renderers`: others than those of the table, where an option changes what a format holds.
    """
    return _renderer(path, renderers)(result)


def write_all(result: Result, paths: Sequence[str], renderers: Mapping[str, Renderer] = RENDERERS) -> None:
    """Write every report. One that fails does not cost the others: InvalidRun comes at the end and names them all."""
    failures: list[str] = []
    for path in paths:
        try:
            write(path, render(path, result, renderers))
        except InvalidRun as failure:
            failures.append(failure.message)
    if failures:
        raise InvalidRun("; ".join(failures))


def write(path: str, data: bytes) -> None:
    """Put the data under this name, whole; an existing file keeps its permissions. A device or a pipe is written to.

    Raises InvalidRun with the path and the reason; then an old file stands as it was, and nothing is left beside it.
    """
    try:
        if is_file(path):
            _replace(os.path.realpath(path), data)
        else:
            _write_through(path, data)
    except OSError as error:
        raise InvalidRun(f"cannot write {clean(path)}: {reason(error)}") from None


def _renderer(path: str, renderers: Mapping[str, Renderer] = RENDERERS) -> Renderer:
    name = os.path.basename(path).lower()
    for suffix in sorted(renderers, key=len, reverse=True):
        if name.endswith(suffix):
            return renderers[suffix]
    if not is_file(path) and "." not in name:
        # /dev/stdout, a pipe of the shell: the name cannot tell, and programs read JSON.
        return renderers[".json"]
    known = " ".join(sorted(renderers))
    raise UsageError(f"{_OPTION} {clean(path)}: the end of the name tells the format, and it may be: {known}")


def _replace(target: str, data: bytes) -> None:
    before = status(target)
    # A name that nobody can guess and that must be new: nobody can have put a link there.
    temporary = os.path.join(os.path.dirname(target), f".cannon-{os.urandom(12).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666 if before is None else 0o600)
    try:
        try:
            write_whole(descriptor, data)
            if before is not None:
                _keep_permissions(descriptor, before)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _keep_permissions(descriptor: int, before: os.stat_result) -> None:
    with suppress(PermissionError):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & 0o777)


def _write_through(path: str, data: bytes) -> None:
    descriptor = open_through(path)
    try:
        os.set_blocking(descriptor, True)
        write_whole(descriptor, data)
    finally:
        os.close(descriptor)
