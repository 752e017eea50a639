"""The options of the default command: one entry of a table each, and one field of Options.

The table has a file for each section of the help. Law: names and meanings are autocannon's where it has them. What they
come to is told by cannon.cli.planning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

import click

from cannon.cli.arguments import Grammar
from cannon.cli.options.gates import GATES
from cannon.cli.options.load import AMOUNT, CONNECTIONS, DURATION, LOAD
from cannon.cli.options.output import DEBUG, OUTPUT
from cannon.cli.options.rate import RATE
from cannon.cli.options.request import REQUEST
from cannon.cli.options.run import RUN
from cannon.cli.options.tls import TLS
from cannon.cli.options.way import WAY
from cannon.cli.values import Option

if TYPE_CHECKING:
    from fractions import Fraction

    from cannon.gates import Gate
    from cannon.profile import Ramp, Steps
    from cannon.route import Proxy

__all__ = ["BARE", "DEBUG", "GROUPED", "OPTIONS", "WARMUP", "Options", "grammar_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line said, each value read. None: not given, and the Plan's default holds."""

    connections: int | None = None
    pipelining: int | None = None
    duration_ns: int | None = None
    amount: int | None = None
    workers: int | None = None
    warmup: str | None = None
    per_connection: int | None = None
    overall: int | None = None
    reconnect_after: int | None = None
    bailout: int | None = None
    forever: bool = False
    overall_rate: Fraction | None = None
    connection_rate: Fraction | None = None
    ramp: Ramp | None = None
    steps: Steps | None = None
    find_rate: Gate | None = None
    arrivals: str | None = None
    seed: int | None = None
    timestamps: str | None = None
    ignore_omission: bool = False
    method: str | None = None
    headers: tuple[str, ...] = ()
    body: str | None = None
    input: str | None = None
    form: str | None = None
    har: str | None = None
    ids: bool = False
    compressed: bool = False
    expect_body: str | None = None
    expect_status: tuple[int, ...] = ()
    socket_path: str | None = None
    on_port: bool = False
    proxy: Proxy | None = None
    connect_to: tuple[str, int] | None = None
    bind: str | None = None
    timeout_ns: int | None = None
    drain_ns: int | None = None
    engine: str | None = None
    preflight: bool = True
    insecure: bool = False
    ca: tuple[tuple[str, ...], ...] = ()
    servername: str | None = None
    cert: str | None = None
    key: str | None = None
    tls_session: str | None = None
    gates: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    baseline_mismatch: str | None = None
    inconclusive: str | None = None
    abort_on_fail_ns: int | None = None
    sample_ns: int | None = None
    excludes_errors: bool = False
    latency: bool = False
    status_codes: bool = False
    verbose: bool = True
    title: str = ""
    json: bool = False
    format: str | None = None
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


OPTIONS: tuple[Option, ...] = (*LOAD, *RATE, *REQUEST, *WAY, *RUN, *TLS, *GATES, *OUTPUT)

_WARMUP_GROUP = "[ -c 1 -d 3 ]"
GROUPED = {
    "-W": _WARMUP_GROUP,
    "--warmup": _WARMUP_GROUP,
    "--ca": "[ a.pem b.pem ]",
    "--side": "[ proxied -H 'X-Team: 1' ]",
}
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
