"""What GitHub's runner is told: annotations for gates that do not hold, and the page of the step.

Law: only where GITHUB_ACTIONS is `true`. An annotation is one line, escaped as the runner unescapes it, and at most ten
of a kind, which is as many as it keeps. The page is whole or shorter, never beyond what the runner takes. What else
goes to its log is text: a line that the runner would take for an order is changed so that it is none.

Source: GitHub's page on workflow commands; the runner's ActionCommand.cs for what it takes for one, and how it
unescapes: `::name key=value::text` at the beginning of a line, `##[name]text` anywhere.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cannon.errors import InvalidRun
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.comparison import Comparison
    from cannon.result import Result

__all__ = ["MOST_BYTES", "annotations_of", "disarmed", "disarmed_json", "is_there", "page", "write_page"]

MOST_BYTES = 1024 * 1024
"""Of the page of one step, however many wrote to it; one that is larger is not shown at all."""

_MOST = 10
_LONGEST = 1000
_PAGE_LONGEST = 200

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})

_ORDER = re.compile(r"(\A|(?<=[\r\n]))([^\S\r\n]*)::")
_OLD_ORDER = "##["


class _Kind(StrEnum):
    """How much it matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class _Annotation(NamedTuple):
    kind: _Kind
    title: str
    text: str

    def __str__(self) -> str:
        title = _disarmed(clean(self.title, _LONGEST)).translate(_PROPERTY)
        text = _disarmed(clean(self.text, _LONGEST)).translate(_DATA)
        return f"::{self.kind} title={title}::{text}"


_VERDICTS = {"fail": (_Kind.ERROR, "failed"), "inconclusive": (_Kind.WARNING, "is inconclusive")}


def is_there(environment: Mapping[str, str] | None = None) -> bool:
    """Whether this is a step of a job of GitHub's."""
    return (os.environ if environment is None else environment).get("GITHUB_ACTIONS") == "true"


def annotations_of(measured: Result | Comparison) -> str:
    """A line for each gate that does not hold, and for a run that is not valid; "" where all is well."""
    found = [*_of_validity(measured), *_of_gates(measured)]
    lines: list[str] = []
    for kind in _Kind:
        own = [each for each in found if each.kind is kind]
        if len(own) > _MOST:
            rest = own[_MOST - 1 :]
            more = _Annotation(kind, f"{len(rest)} more", "; ".join(each.title for each in rest))
            own = [*own[: _MOST - 1], more]
        lines += map(str, own)
    return "".join(f"{line}\n" for line in lines)


def _of_validity(measured: Result | Comparison) -> Iterator[_Annotation]:
    """A doubt is told where no gate says more: what it may have brought about is inconclusive there."""
    validity, reasons = measured.validity, "; ".join(measured.validity.reasons)
    if validity.verdict == "invalid":
        yield _Annotation(_Kind.ERROR, "cannon: not valid", reasons)
    elif validity.verdict == "suspect" and not measured.gates:
        yield _Annotation(_Kind.NOTICE, "cannon: suspect", reasons)


def _of_gates(measured: Result | Comparison) -> Iterator[_Annotation]:
    for gate in measured.gates:
        if gate.verdict in _VERDICTS:
            kind, words = _VERDICTS[gate.verdict]
            yield _Annotation(kind, f"{gate.expression} {words}", gate.reason)


def page(measured: Result | Comparison, room_bytes: int = MOST_BYTES) -> bytes:
    """The page of the step, as Markdown: all there is to say where there is room for it, else the verdicts, else
    nothing.
    """
    for told in (_whole, _short):
        data = told(measured).encode()
        if len(data) <= room_bytes:
            return data
    return b""


def _whole(measured: Result | Comparison) -> str:
    from cannon.comparison import Comparison
    from cannon.reports import comparison_markdown, result_markdown

    if isinstance(measured, Comparison):
        return comparison_markdown.render(measured)
    return result_markdown.render(measured)


def _short(measured: Result | Comparison) -> str:
    from cannon.reports.markdown import Markdown, escaped

    def shown(text: str) -> str:
        return escaped(clean(text, _PAGE_LONGEST))

    document = Markdown()
    document.heading("cannon", 1)
    document.paragraph(f"This run is {shown(measured.validity.verdict)}.")
    document.items([shown(reason) for reason in measured.validity.reasons])
    document.items(
        [f"{shown(gate.verdict)}: {shown(gate.expression)} {shown(gate.reason)}" for gate in measured.gates]
    )
    document.paragraph("All of it is more than a page takes here; write it to a file, with `-o result.md`.")
    return document.text()


def write_page(path: str, measured: Result | Comparison) -> None:
    """Add the page to the file of the step, behind what stands there. InvalidRun where it cannot be written; then that
    is as it was.
    """
    try:
        _append(path, measured)
    except OSError as error:
        raise InvalidRun(f"cannot write the summary of the step: {error.strerror or error}") from None


def _append(path: str, measured: Result | Comparison) -> None:
    from cannon.reports.places import write_whole

    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o666)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidRun("cannot write the summary of the step: GITHUB_STEP_SUMMARY is no file")
        before = b"\n" if found.st_size else b""
        data = page(measured, MOST_BYTES - found.st_size - len(before))
        if not data:
            raise InvalidRun("cannot write the summary of the step: the page is full")
        try:
            write_whole(descriptor, before + data)
        except OSError:
            os.ftruncate(descriptor, found.st_size)
            raise
    finally:
        os.close(descriptor)


def disarmed(text: str) -> str:
    """Lines for the log, none of which is an order to the runner: a space more stands where one would begin."""
    return _ORDER.sub(r"\2: :", _disarmed(text))


def disarmed_json(data: bytes) -> bytes:
    """The same document, written so that no line of it is an order. Within JSON only a string can hold one."""
    return data.replace(b"##[", rb"#\u0023[")


def _disarmed(text: str) -> str:
    return text.replace(_OLD_ORDER, "# #[")
