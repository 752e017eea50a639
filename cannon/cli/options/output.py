"""Options that say what is shown and written, and of what the figures are made."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["DEBUG", "OUTPUT"]

_SECTION = "Output"

DEBUG = Option(
    ("--debug",),
    "debug",
    None,
    "trace requests and responses on stderr; show the traceback of an internal error",
    section="Other",
)

OUTPUT: tuple[Option, ...] = (
    Option(
        ("-L", "--sampleInt"),
        "sample_ns",
        values.sample_ns,
        "interval of the samples and of the series, in ms  [1000]",
        section=_SECTION,
        example="-L 1000",
        metavar="MS",
        elsewhere="wrk2's -L is -l here",
    ),
    Option(
        ("-x", "--excludeErrorStats"),
        "excludes_errors",
        None,
        "latency and bytes a second of successes alone",
        section=_SECTION,
    ),
    Option(
        ("-l", "--latency", "--renderLatencyTable"),
        "latency",
        None,
        "show the whole latency distribution",
        section=_SECTION,
    ),
    Option(
        ("--statusCodes", "--renderStatusCodes"),
        "status_codes",
        None,
        "show how often each status came",
        section=_SECTION,
    ),
    Option(
        ("--verbose/--no-verbose", "-V"),
        "verbose",
        None,
        "no tables, only the lines under them",
        section=_SECTION,
    ),
    Option(
        ("-T", "--title"),
        "title",
        values.line,
        "a title for the results",
        section=_SECTION,
        example="-T 'with cache'",
        metavar="TEXT",
    ),
    Option(
        ("-j", "--json"),
        "json",
        None,
        "the result as JSON on stdout, and nothing else there",
        section=_SECTION,
    ),
    Option(
        ("--format",),
        "format",
        values.schema,
        "whose JSON -j writes: cannon's, or autocannon's  [cannon]",
        section=_SECTION,
        example="--format autocannon",
        metavar="NAME",
    ),
    Option(
        ("--progress/--no-progress", "--renderProgressBar/--no-renderProgressBar", " /-n"),
        "progress",
        None,
        "no live display",
        section=_SECTION,
    ),
    Option(
        ("-o", "--output"),
        "outputs",
        values.path,
        "write the result to a file, format from its suffix: .json, .md, .csv, .xml (JUnit), .hgrm,"
        " .autocannon.json; may be repeated",
        section=_SECTION,
        example="-o result.json",
        metavar="FILE",
        multiple=True,
    ),
    Option(
        ("--stream",),
        "stream",
        values.path,
        "write a line of JSON per sample while it runs",
        section=_SECTION,
        example="--stream rows.ndjson",
        metavar="FILE",
    ),
    Option(
        ("--log",),
        "log",
        values.path,
        "write every latency, raw",
        section=_SECTION,
        example="--log latencies.log",
        metavar="FILE",
    ),
    DEBUG,
)
