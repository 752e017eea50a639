"""From Options to what is sent: method, headers and body of one request, or the requests of a HAR file.

Law: nothing is repeated in a message that may be a secret: headers are counted.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannon.errors import UsageError

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.sequence import Body, Step
    from cannon.target import Target

__all__ = ["MOST_BYTES_WITH_IDS", "Sending", "header_of", "sending_of", "sets_content_type"]

MOST_BYTES_WITH_IDS = 16 * 1024**2
"""So long may a body be that ids go into: it is held, and made anew for each request."""

_BODIES = {"form": "-F/--form", "input": "-i/--input", "body": "-b/--body"}


@dataclass(frozen=True, slots=True)
class Sending:
    """The settings of a Plan that say what is sent. A `sequence` stands instead of the rest; `other_origins`: those of
    a HAR file whose requests are left out.
    """

    method: str
    headers: tuple[tuple[str, str], ...]
    body: Body
    sequence: tuple[Step, ...] = ()
    other_origins: tuple[str, ...] = ()


def sending_of(options: Options, targets: Sequence[Target]) -> Sending:
    """What these options send; files are read. UsageError for whatever cannot be."""
    headers = tuple(header_of(number, given) for number, given in enumerate(options.headers, start=1))
    if options.har is not None:
        from cannon.har import read_har

        recorded = read_har(options.har, targets, headers)
        return Sending("GET", headers, b"", recorded.steps, recorded.other_origins)
    bodies = [label for field, label in _BODIES.items() if getattr(options, field) is not None]
    if len(bodies) > 1:
        raise UsageError(f"{bodies[-1]} and {bodies[-2]} both give the body; leave one of them out")
    if options.form is not None:
        from cannon.form import read_form

        form = read_form(options.form)
        others = tuple(header for header in headers if not _is_content_type(header[0]))
        return Sending(
            "POST" if options.method is None else options.method,
            (*others, ("Content-Type", form.content_type)),
            _with_places(form.body, options),
        )
    return Sending("GET" if options.method is None else options.method, headers, _body(options))


def sets_content_type(options: Options) -> bool:
    """Whether -H has a Content-Type."""
    return any(
        _is_content_type(header_of(number, given)[0]) for number, given in enumerate(options.headers, 1)
    )


def _is_content_type(name: str) -> bool:
    return name.lower() == "content-type"


def header_of(number: int, given: str) -> tuple[str, str]:
    """Name and value of a -H: the first of `:` and `=` parts them. UsageError for what has no valid name: it counts
    the headers, for a value may be a secret.
    """
    places = [place for place in (given.find(":"), given.find("=")) if place > 0]
    if not places:
        raise UsageError(
            f"-H/--headers: header {number} has no ':' or '=' after its name; e.g. -H 'Accept: text/html'"
        )
    name, value = given[: min(places)], given[min(places) + 1 :].strip(" \t")
    if any(character in name for character in ' \t\r\n\0"(),/;<>?@[\\]{}') or not name.isascii():
        raise UsageError(f"-H/--headers: header {number} has no valid name; e.g. -H 'Accept: text/html'")
    return name, value


def _body(options: Options) -> Body:
    if options.body is not None:
        # The bytes of the command line, whatever they are.
        return os.fsencode(options.body)
    if options.input is None:
        return b""
    from cannon.form import file_body

    return _with_places(file_body(options.input), options)


def _with_places(body: Body, options: Options) -> Body:
    """The same, but held where an id goes into it. What has no place for one is streamed all the same."""
    from cannon.form import held, occurs
    from cannon.request import ID_PLACE

    if not options.ids or not (ID_PLACE in body if isinstance(body, bytes) else occurs(ID_PLACE, body)):
        return body
    if len(body) > MOST_BYTES_WITH_IDS:
        raise UsageError(
            f"-I/--idReplacement finds [<id>] in a body of {len(body):,} bytes, and one that ids go into is held:"
            f" {MOST_BYTES_WITH_IDS:,} at most; take the mark out, or make the body smaller"
        )
    return body if isinstance(body, bytes) else held(body)
