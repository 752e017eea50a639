"""Reports as files: which format a name asks for, whether it can be written, and the writing.

Law: what cannot be written is found before anything is sent. A report appears whole under its name or not at all:
it is written beside it, brought to the disk and renamed, so an old report outlives a failure. A format is one line of
a table: one for runs, one for comparisons.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from cannon.errors import InvalidRun, LostReports, UsageError
from cannon.reports import autocannon_file, csv_file, hgrm_file, json_file
from cannon.reports.places import check_place, is_file, open_through, reason, shown, status, write_whole
from cannon.result import Result

if TYPE_CHECKING:
    from cannon.comparison import Comparison

__all__ = [
    "COMPARISON_RENDERERS",
    "RENDERERS",
    "ComparisonRenderer",
    "Renderer",
    "check",
    "render",
    "write",
    "write_all",
]

Renderer = Callable[[Result], bytes]
ComparisonRenderer = Callable[["Comparison"], bytes]

_Measured = TypeVar("_Measured", Result, "Comparison")


def _markdown(result: Result) -> bytes:
    from cannon.reports import result_markdown

    return result_markdown.render(result).encode()


def _comparison_markdown(comparison: Comparison) -> bytes:
    from cannon.reports import comparison_markdown

    return comparison_markdown.render(comparison).encode()


def _junit(measured: Result | Comparison) -> bytes:
    from cannon.reports import junit_file

    return junit_file.render(measured)


RENDERERS: Mapping[str, Renderer] = {
    ".json": json_file.render,
    ".md": _markdown,
    ".csv": csv_file.render,
    ".xml": _junit,
    ".hgrm": hgrm_file.render,
    ".autocannon.json": autocannon_file.render,
}
"""The formats of a run, by the end of the file's name; where two fit, the longer one."""

COMPARISON_RENDERERS: Mapping[str, ComparisonRenderer] = {
    ".json": lambda comparison: comparison.to_json(),
    ".md": _comparison_markdown,
    ".csv": csv_file.render_comparison,
    ".xml": _junit,
}
"""Those of a comparison."""

_RUNS_ALONE: Mapping[str, str] = {
    ".hgrm": "such a file holds one distribution, and a comparison has one for each side and round",
    ".autocannon.json": "autocannon knows no comparison",
}
"""Why a comparison has no such file."""

_OPTION = "-o/--output"


def check(
    paths: Sequence[str], taken: Sequence[str] = (), renderers: Mapping[str, object] = RENDERERS
) -> None:
    """Refuse, before anything is sent, reports that could not be written. UsageError says which and why.

    `taken` are files that something else writes: the stream, the log. `renderers`: the formats that there are.
    """
    seen = {os.path.realpath(path) for path in taken}
    for path in paths:
        check_place(path, _OPTION)
        _suffix(path, renderers)
        target = os.path.realpath(path)
        if target in seen and is_file(path):
            raise UsageError(f"{_OPTION} {shown(path)} is given twice; give each report a name of its own")
        seen.add(target)


def render(
    path: str, measured: _Measured, renderers: Mapping[str, Callable[[_Measured], bytes]] | None = None
) -> bytes:
    """The report that a file of this name holds. UsageError for a name that tells no format.

    `renderers`: others than those of the table, where an option changes what a format holds.
    """
    table = _table_of(measured) if renderers is None else renderers
    return table[_suffix(path, table)](measured)


def write_all(
    measured: _Measured,
    paths: Sequence[str],
    renderers: Mapping[str, Callable[[_Measured], bytes]] | None = None,
) -> None:
    """Write every report. One that fails does not cost the others: LostReports comes at the end and names them all. A
    defect in one comes then as well. A KeyboardInterrupt has a line for each that there is not as its arguments.
    """
    failures: list[str] = []
    defects: list[Exception] = []
    for number, path in enumerate(paths):
        try:
            write(path, render(path, measured, renderers))
        except InvalidRun as failure:
            failures.append(failure.message)
        except KeyboardInterrupt:
            failures += [f"cannot write {shown(each)}: interrupted" for each in paths[number:]]
            raise KeyboardInterrupt(*failures) from None
        except Exception as defect:  # noqa: BLE001 - it is raised, when the others have been written
            defects.append(defect)
    if defects:
        raise defects[0]
    if failures:
        raise LostReports(failures)


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
        raise InvalidRun(f"cannot write {shown(path)}: {reason(error)}") from None


def _table_of(measured: Result | Comparison) -> Mapping[str, Callable[..., bytes]]:
    return RENDERERS if isinstance(measured, Result) else COMPARISON_RENDERERS


def _suffix(path: str, renderers: Mapping[str, object]) -> str:
    """The end of the name that tells the format. UsageError where there is no such format."""
    name = os.path.basename(path).lower()
    for suffix in sorted({*renderers, *_RUNS_ALONE}, key=len, reverse=True):
        if name.endswith(suffix):
            if suffix in renderers:
                return suffix
            raise UsageError(
                f"{_OPTION} {shown(path)}: {_RUNS_ALONE[suffix]}; e.g. {_OPTION[:2]} comparison.json"
            )
    if not is_file(path) and "." not in name:
        # /dev/stdout, a pipe of the shell: the name cannot tell, and programs read JSON.
        return ".json"
    known = " ".join(sorted(renderers))
    raise UsageError(f"{_OPTION} {shown(path)}: the end of the name tells the format, and it may be: {known}")


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
