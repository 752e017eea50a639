"""Options that say what is sent, and what counts as a right answer to it."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["REQUEST"]

_SECTION = "Request"

REQUEST: tuple[Option, ...] = (
    Option(
        ("-m", "--method"),
        "method",
        values.method,
        "method of the request  [GET, with -F POST]",
        section=_SECTION,
        example="-m POST",
        metavar="METHOD",
    ),
    Option(
        ("-H", "--headers", "--header"),
        "headers",
        values.text,
        "a header, 'NAME: VALUE' or NAME=VALUE; may be repeated",
        section=_SECTION,
        example="-H 'Accept: text/html'",
        metavar="K:V",
        multiple=True,
    ),
    Option(
        ("-b", "--body"),
        "body",
        values.raw,
        "body of the request",
        section=_SECTION,
        example="-b 'a=1&b=2'",
        metavar="TEXT",
    ),
    Option(
        ("-i", "--input"),
        "input",
        values.path,
        "body of the request from a file, byte for byte",
        section=_SECTION,
        example="-i body.json",
        metavar="FILE",
    ),
    Option(
        ("-F", "--form"),
        "form",
        values.raw,
        "a multipart form, as JSON or the path of a JSON file",
        section=_SECTION,
        example='-F \'{"name": {"type": "text", "value": "cannon"}}\'',
        metavar="JSON",
    ),
    Option(
        ("--har",),
        "har",
        values.path,
        "the requests of a HAR file that went to the origins of the URLs, in order",
        section=_SECTION,
        example="--har session.har",
        metavar="FILE",
    ),
    Option(
        ("-I", "--idReplacement"),
        "ids",
        None,
        "put an id of its own in each request, wherever path or body has [<id>]",
        section=_SECTION,
    ),
    Option(
        ("--compressed",),
        "compressed",
        None,
        "ask for compressed answers; bytes are counted as they come, nothing is decoded",
        section=_SECTION,
    ),
    Option(
        ("-E", "--expectBody"),
        "expect_body",
        values.raw,
        "what every body must be; others are mismatched, and count for -B",
        section=_SECTION,
        example="-E OK",
        metavar="TEXT",
    ),
    Option(
        ("--expect-status",),
        "expect_status",
        values.statuses,
        "statuses that count as success  [2xx and 3xx]",
        section=_SECTION,
        example="--expect-status 200,404",
        metavar="LIST",
    ),
)
