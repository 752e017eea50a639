"""Options that say how much is sent, for how long, and what ends it."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["AMOUNT", "CONNECTIONS", "DURATION", "LOAD"]

_SECTION = "Load"

CONNECTIONS = Option(
    ("-c", "--connections"),
    "connections",
    values.count,
    "concurrent connections  [10]",
    section=_SECTION,
    example="-c 10",
    metavar="N",
)
DURATION = Option(
    ("-d", "--duration"),
    "duration_ns",
    values.duration_ns,
    "how long to send: 10, 1m30s, 500ms  [10s]",
    section=_SECTION,
    example="-d 10",
    metavar="TIME",
)
AMOUNT = Option(
    ("-a", "--amount"),
    "amount",
    values.count,
    "how many requests to send, instead of how long",
    section=_SECTION,
    example="-a 1000",
    metavar="N",
)

LOAD: tuple[Option, ...] = (
    CONNECTIONS,
    Option(
        ("-p", "--pipelining"),
        "pipelining",
        values.pipelining,
        "requests in flight on each connection  [1]",
        section=_SECTION,
        example="-p 10",
        metavar="N",
        elsewhere="ab posts a file with -p: that is -m POST -i FILE here",
    ),
    DURATION,
    AMOUNT,
    Option(
        ("-w", "--workers"),
        "workers",
        values.workers,
        "processes that fire, sharing connections, amounts and rates; one uses one core  [1]",
        section=_SECTION,
        example="-w 2",
        metavar="N",
    ),
    Option(
        ("-W", "--warmup"),
        "warmup",
        values.raw,
        "a run before the run, never in the figures: 3s, or [ -c 1 -d 3 ]; alone it repeats the whole run",
        section=_SECTION,
        example="-W 3s",
        metavar="[TIME]",
    ),
    Option(
        ("-M", "--maxConnectionRequests"),
        "per_connection",
        values.count,
        "requests of one connection, after which it is done",
        section=_SECTION,
        example="-M 100",
        metavar="N",
    ),
    Option(
        ("-O", "--maxOverallRequests"),
        "overall",
        values.count,
        "requests of the whole run at most, whatever the time; -M goes before it",
        section=_SECTION,
        example="-O 1000",
        metavar="N",
    ),
    Option(
        ("-D", "--reconnectRate"),
        "reconnect_after",
        values.count_or_none,
        "requests after which a connection is made anew",
        section=_SECTION,
        example="-D 10",
        metavar="N",
        elsewhere="hey and oha read the body from a file with -D: that is -i here",
    ),
    Option(
        ("-B", "--bailout"),
        "bailout",
        values.count,
        "errors, and bodies other than -E, that end the run",
        section=_SECTION,
        example="-B 10",
        metavar="N",
    ),
    Option(
        ("-f", "--forever"),
        "forever",
        None,
        "begin again when the run is over, until Ctrl-C",
        section=_SECTION,
    ),
)
