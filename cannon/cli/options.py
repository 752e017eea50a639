"""The options of the default command: one entry of a table each, and one field of Options.

Law: names and meanings are autocannon's where it has them. What they come to is told by cannon.cli.planning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import click

from cannon.cli import values
from cannon.cli.arguments import Grammar
from cannon.cli.values import Option

__all__ = ["BARE", "DEBUG", "GROUPED", "OPTIONS", "WARMUP", "Options", "grammar_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line said, each value read. None: not given, and the Plan's default holds."""

    connections: int | None = None
    workers: int | None = None
    duration_ns: int | None = None
    amount: int | None = None
    method: str | None = None
    headers: tuple[str, ...] = ()
    body: str | None = None
    input: str | None = None
    expect_status: tuple[int, ...] = ()
    timeout_ns: int | None = None
    drain_ns: int | None = None
    warmup: str | None = None
    engine: str | None = None
    preflight: bool = True
    insecure: bool = False
    servername: str | None = None
    ca: tuple[tuple[str, ...], ...] = ()
    cert: str | None = None
    key: str | None = None
    tls_session: str | None = None
    sample_ns: int | None = None
    title: str = ""
    latency: bool = False
    status_codes: bool = False
    json: bool = False
    progress: bool = True
    outputs: tuple[str, ...] = ()
    stream: str | None = None
    log: str | None = None
    debug: bool = False

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Options:
        """The Options of what click read, which is None for what was not given."""
        known = {field.name for field in fields(cls)}
        # The functions in the table give the types of the fields; tests hold the two together.
        present = {name: value for name, value in given.items() if name in known and value is not None}
        return cls(**cast("dict[str, Any]", present))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the options, and yet no error."""
        if self.amount is not None and self.duration_ns is not None:
            return (f"-d is not looked at: -a {self.amount} tells when the run ends",)
        return ()


_LOAD, _REQUEST, _RUN, _TLS, _OUTPUT, _OTHER = "Load", "Request", "Run", "TLS", "Output", "Other"

CONNECTIONS = Option(
    ("-c", "--connections"),
    "connections",
    values.count,
    "concurrent connections  [10]",
    section=_LOAD,
    example="-c 10",
    metavar="N",
)
DURATION = Option(
    ("-d", "--duration"),
    "duration_ns",
    values.duration_ns,
    "how long to send: 10, 1m30s, 500ms  [10s]",
    section=_LOAD,
    example="-d 10",
    metavar="TIME",
)
AMOUNT = Option(
    ("-a", "--amount"),
    "amount",
    values.count,
    "how many requests to send, instead of how long",
    section=_LOAD,
    example="-a 1000",
    metavar="N",
)
DEBUG = Option(
    ("--debug",),
    "debug",
    None,
    "trace requests and responses on stderr; show the traceback of an internal error",
    section=_OTHER,
)

OPTIONS: tuple[Option, ...] = (
    CONNECTIONS,
    DURATION,
    AMOUNT,
    Option(
        ("-w", "--workers"),
        "workers",
        values.workers,
        "processes that fire, sharing connections and amount; one uses one core  [1]",
        section=_LOAD,
        example="-w 2",
        metavar="N",
    ),
    Option(
        ("-W", "--warmup"),
        "warmup",
        values.raw,
        "a run before the run, never in the figures: 3s, or [ -c 1 -d 3 ]; alone it repeats the whole run",
        section=_LOAD,
        example="-W 3s",
        metavar="[TIME]",
    ),
    Option(
        ("-m", "--method"),
        "method",
        values.method,
        "method of the request  [GET]",
        section=_REQUEST,
        example="-m POST",
        metavar="METHOD",
    ),
    Option(
        ("-H", "--headers", "--header"),
        "headers",
        values.text,
        "a header, 'NAME: VALUE' or NAME=VALUE; may be repeated",
        section=_REQUEST,
        example="-H 'Accept: text/html'",
        metavar="K:V",
        multiple=True,
    ),
    Option(
        ("-b", "--body"),
        "body",
        values.raw,
        "body of the request",
        section=_REQUEST,
        example="-b 'a=1&b=2'",
        metavar="TEXT",
    ),
    Option(
        ("-i", "--input"),
        "input",
        values.path,
        "body of the request from a file, byte for byte",
        section=_REQUEST,
        example="-i body.json",
        metavar="FILE",
    ),
    Option(
        ("--expect-status",),
        "expect_status",
        values.statuses,
        "statuses that count as success  [2xx and 3xx]",
        section=_REQUEST,
        example="--expect-status 200,404",
        metavar="LIST",
    ),
    Option(
        ("-t", "--timeout"),
        "timeout_ns",
        values.duration_ns,
        "how long a response may take  [10s]",
        section=_RUN,
        example="-t 10",
        metavar="TIME",
    ),
    Option(
        ("--drain",),
        "drain_ns",
        values.duration_ns,
        "how long to read on when sending has ended, at most -t  [2s]",
        section=_RUN,
        example="--drain 2s",
        metavar="TIME",
    ),
    Option(
        ("--engine",),
        "engine",
        values.engine,
        "how a connection is driven: native, h11 or httpx  [native]",
        section=_RUN,
        example="--engine h11",
        metavar="NAME",
    ),
    Option(
        ("--preflight/--no-preflight",),
        "preflight",
        None,
        "send nothing before the clock starts",
        section=_RUN,
    ),
    Option(("-k", "--insecure"), "insecure", None, "do not verify the server's certificate", section=_TLS),
    Option(
        ("--ca",),
        "ca",
        values.paths,
        "trust these certificates too, besides the system's; may be repeated",
        section=_TLS,
        example="--ca ca.pem",
        metavar="FILE",
        multiple=True,
    ),
    Option(
        ("-s", "--servername"),
        "servername",
        values.host_name,
        "name to ask for (SNI) and to verify, instead of the URL's host",
        section=_TLS,
        example="-s www.example.com",
        metavar="NAME",
    ),
    Option(
        ("--cert",),
        "cert",
        values.path,
        "certificate to show to the server, PEM; its key may stand in the same file",
        section=_TLS,
        example="--cert client.pem",
        metavar="FILE",
    ),
    Option(
        ("--key",),
        "key",
        values.path,
        "key of that certificate, PEM, not encrypted",
        section=_TLS,
        example="--key client.key",
        metavar="FILE",
    ),
    Option(
        ("--tls-session",),
        "tls_session",
        values.tls_session,
        "on a connection made again: resume the session, or make a fresh one  [resume]",
        section=_TLS,
        example="--tls-session fresh",
        metavar="NAME",
    ),
    Option(
        ("-L", "--sampleInt"),
        "sample_ns",
        values.sample_ns,
        "interval of the samples and of the series, in ms  [1000]",
        section=_OUTPUT,
        example="-L 1000",
        metavar="MS",
    ),
    Option(
        ("-l", "--latency", "--renderLatencyTable"),
        "latency",
        None,
        "show the whole latency distribution",
        section=_OUTPUT,
    ),
    Option(
        ("--statusCodes", "--renderStatusCodes"),
        "status_codes",
        None,
        "show how often each status came",
        section=_OUTPUT,
    ),
    Option(
        ("-T", "--title"),
        "title",
        values.text,
        "a title for the results",
        section=_OUTPUT,
        example="-T 'with cache'",
        metavar="TEXT",
    ),
    Option(
        ("-j", "--json"),
        "json",
        None,
        "the result as JSON on stdout, and nothing else there",
        section=_OUTPUT,
    ),
    Option(
        ("--progress/--no-progress", "--renderProgressBar", " /-n"),
        "progress",
        None,
        "no live display",
        section=_OUTPUT,
    ),
    Option(
        ("-o", "--output"),
        "outputs",
        values.path,
        "write the result to a file, format from its suffix: .json; may be repeated",
        section=_OUTPUT,
        example="-o result.json",
        metavar="FILE",
        multiple=True,
    ),
    Option(
        ("--stream",),
        "stream",
        values.path,
        "write a line of JSON per sample while it runs",
        section=_OUTPUT,
        example="--stream rows.ndjson",
        metavar="FILE",
    ),
    Option(
        ("--log",),
        "log",
        values.path,
        "write every latency, raw",
        section=_OUTPUT,
        example="--log latencies.log",
        metavar="FILE",
    ),
    DEBUG,
)

_WARMUP_GROUP = "[ -c 1 -d 3 ]"
GROUPED = {"-W": _WARMUP_GROUP, "--warmup": _WARMUP_GROUP, "--ca": "[ a.pem b.pem ]"}
"""The options that take a group, and one that is right."""

BARE = frozenset({"-W", "--warmup"})
"""Those of them that may come without a value."""

WARMUP = click.Command("-W", params=[CONNECTIONS, DURATION, AMOUNT], add_help_option=False)
"""What a warm-up may say for itself."""


def grammar_of(commands: Mapping[str, click.Command], default: str) -> Grammar:
    """What the pass before click must know of these commands. `default` is the one that is not named."""
    options = [
        parameter
        for command in commands.values()
        for parameter in command.params
        if isinstance(parameter, Option)
    ]
    return Grammar(
        commands=frozenset(commands) - {default},
        valued=frozenset(name for option in options if option.read is not None for name in option.names),
        grouped=GROUPED,
        bare=BARE,
        flags=frozenset(name for option in options if option.read is None for name in option.names),
    )
