"""The options of `cannon compare`: those of a plain run that apply to all sides, and its own.

Law: an option of a plain run either is one here, or is refused with the reason: none is taken and not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from cannon.cli import compare_values, values
from cannon.cli.options import GROUPED, OPTIONS
from cannon.cli.values import Option

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["COMPARE", "REFUSED", "CompareOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """What the command line said of the comparison itself. None: not given, and the plan's default holds.

    `sides`: the groups of --side, as they came. `rate`: a number a second, or "auto".
    """

    aa: bool = False
    compression: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    rounds: int | None = None
    order: str | None = None
    margin: Fraction | None = None
    precision: Fraction | None = None
    most_rounds: int | None = None
    rate: Fraction | str | None = None
    capacity: bool = True
    before_slot: tuple[str, ...] = ()
    processes: tuple[tuple[str, int], ...] = ()
    allowed: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, object]) -> CompareOptions:
        """The options of what click read, which is None for what was not given."""
        known = {field.name for field in fields(cls)}
        present = {name: value for name, value in given.items() if name in known and value is not None}
        return cls(**cast("dict[str, Any]", present))


_WHAT = "What is compared"
_ROUNDS = "Rounds"
_RATE = "Rate (open loop)"

_SIDES: tuple[Option, ...] = (
    Option(
        ("--compression",),
        "compression",
        compare_values.codings,
        "compare answers in these codings with answers in none: gzip, deflate, br, zstd",
        section=_WHAT,
        example="--compression gzip,br",
        metavar="LIST",
    ),
    Option(
        ("--proxy",),
        "proxy",
        values.proxy,
        "compare going through this forward proxy with going direct",
        section=_WHAT,
        example="--proxy http://127.0.0.1:3128",
        metavar="URL",
    ),
    Option(
        ("--aa",),
        "aa",
        None,
        "compare a URL with itself: what this machine cannot tell apart",
        section=_WHAT,
    ),
    Option(
        ("--side",),
        "sides",
        values.raw,
        "settings of one side alone, [ NAME -H 'X: y' -k --proxy URL ... ]: headers, TLS, way; once for each side",
        section=_WHAT,
        example=f"--side {GROUPED['--side']}",
        metavar="GROUP",
        multiple=True,
    ),
    Option(
        ("--allow",),
        "allowed",
        compare_values.allowed,
        "compare although the sides differ in: tls, encoding, status, body, reuse",
        section=_WHAT,
        example="--allow body,status",
        metavar="LIST",
        multiple=True,
    ),
)

_PASSES: tuple[Option, ...] = (
    Option(
        ("--rounds",),
        "rounds",
        values.count,
        "rounds of a pass; in each, every side is fired once. 6 or more give intervals  [10]",
        section=_ROUNDS,
        example="--rounds 10",
        metavar="N",
    ),
    Option(
        ("--precision",),
        "precision",
        compare_values.percent,
        "half-width that intervals shall have: rounds are added for it, once",
        section=_ROUNDS,
        example="--precision 3%",
        metavar="PERCENT",
    ),
    Option(
        ("--max-rounds",),
        "most_rounds",
        values.count,
        "how many rounds --precision may come to  [40]",
        section=_ROUNDS,
        example="--max-rounds 40",
        metavar="N",
    ),
    Option(
        ("--margin",),
        "margin",
        compare_values.percent,
        "the change that matters  [5%]",
        section=_ROUNDS,
        example="--margin 5%",
        metavar="PERCENT",
    ),
    Option(
        ("--order",),
        "order",
        compare_values.order,
        "of the sides in a round: shuffled, or abba, by turns  [shuffled]",
        section=_ROUNDS,
        example="--order abba",
        metavar="NAME",
    ),
    Option(
        ("--seed",),
        "seed",
        values.seed,
        "have the same order and arrivals again; drawn, and told, where it is not given",
        section=_ROUNDS,
        example="--seed 1",
        metavar="N",
    ),
    Option(
        ("--before-slot",),
        "before_slot",
        compare_values.command,
        "a command to run before each slot, such as one that starts the proxy anew; no shell",
        section=_ROUNDS,
        example="--before-slot 'systemctl restart haproxy'",
        metavar="COMMAND",
    ),
    Option(
        ("--pid",),
        "processes",
        compare_values.process,
        "tell the CPU that this process and its descendants use; may be repeated",
        section=_ROUNDS,
        example="--pid haproxy=1234",
        metavar="NAME=PID",
        multiple=True,
    ),
    Option(
        ("--rate",),
        "rate",
        compare_values.rate,
        "requests due a second when latency is measured; auto: half of what the slowest side can take  [auto]",
        section=_RATE,
        example="--rate 500",
        metavar="N",
    ),
    Option(
        ("--capacity/--no-capacity",),
        "capacity",
        None,
        "measure latency alone; takes a --rate",
        section=_RATE,
    ),
    Option(
        ("-R", "--overallRate"),
        "overall_rate",
        values.rate,
        "the same as --rate N --no-capacity",
        section=_RATE,
        example="-R 500",
        metavar="N",
    ),
)

_OTHERWISE: tuple[Option, ...] = (
    Option(
        ("-d", "--duration"),
        "duration_ns",
        values.duration_ns,
        "measured time of each side in each pass, divided among its rounds  [10s]",
        section="Load",
        example="-d 10",
        metavar="TIME",
    ),
    Option(
        ("-W", "--warmup"),
        "warmup",
        values.raw,
        "how long a slot is fired before it is measured  [a fifth of it, 1s at most]",
        section="Load",
        example="-W 0.5s",
        metavar="TIME",
    ),
    Option(
        ("--har",),
        "har",
        values.path,
        "the requests of a HAR file that went to the origin of a side, in order; every side is sent the same",
        section="Request",
        example="--har session.har",
        metavar="FILE",
    ),
    Option(
        ("--engine",),
        "engine",
        values.engine,
        "how a connection is driven: native or h11  [native]",
        section="Run",
        example="--engine h11",
        metavar="NAME",
    ),
    Option(
        ("-o", "--output"),
        "outputs",
        values.path,
        "write the comparison to a file, format from its suffix: .json, .md, .csv, .xml (JUnit); may be repeated",
        section="Output",
        example="-o comparison.json",
        metavar="FILE",
        multiple=True,
    ),
    Option(
        ("-j", "--json"),
        "json",
        None,
        "the comparison as JSON on stdout, and nothing else there",
        section="Output",
    ),
    Option(
        ("--format",),
        "format",
        values.schema,
        "whose JSON -j writes: cannon's; autocannon has none for it  [cannon]",
        section="Output",
        example="--format cannon",
        metavar="NAME",
    ),
    Option(
        ("--debug",),
        "debug",
        None,
        "show the traceback of an internal error",
        section="Other",
    ),
)
"""Those of a plain run that mean something else here."""

_ONE_RATE = "a comparison measures latency at one rate for all sides; give --rate, e.g. --rate 500"
_FOR_A_TIME = "a comparison fires every slot for the same time; give -d, e.g. -d 10"
_REASONS: Mapping[str, str] = {
    "-a": _FOR_A_TIME,
    "-M": _FOR_A_TIME,
    "-O": _FOR_A_TIME,
    "-f": "a comparison ends when its rounds are over; give --rounds, e.g. --rounds 40",
    "-r": _ONE_RATE,
    "--ramp": _ONE_RATE,
    "--steps": _ONE_RATE,
    "--find-rate": f"{_ONE_RATE}, or search each side alone, without compare",
    "-C": "it changes the JSON of autocannon alone, which has none for a comparison; leave it out",
    "--on-port": "cannon compare starts no server; start them first, and name their URLs",
    "--abort-on-fail": "a comparison is judged when its rounds are over; leave it out",
    "--preflight": "every side is asked whether it answers before anything is measured; leave it out",
    "-L": "a comparison keeps the figures of every slot, and no samples; leave it out",
    "-l": "a comparison shows what became of each percentile anyway; leave it out",
    "--statusCodes": "a comparison says where statuses differ anyway; leave it out",
    "--verbose": "a comparison is its table; for the figures alone write -j",
    "--stream": "a comparison has no samples to be told as they come; -o comparison.json has every slot",
    "--log": "a comparison keeps the distribution of every slot, which -o comparison.json has; leave it out",
}
"""By the first of its names, why an option of a plain run is none here, and what to do instead."""

REFUSED: Mapping[str, str] = {
    name: f"{option.label}: {_REASONS[option.names[0]]}"
    for option in OPTIONS
    if option.names[0] in _REASONS
    for name in option.names
}
"""What is said of each name of an option that is refused."""

_OWN = {option.name: option for option in (*_SIDES, *_PASSES, *_OTHERWISE)}

COMPARE: tuple[Option, ...] = (
    *_SIDES,
    *_PASSES,
    *(
        _OWN.get(option.name, option)
        for option in OPTIONS
        if option.names[0] not in _REASONS and _OWN.get(option.name) not in (*_SIDES, *_PASSES)
    ),
)
"""Every option of the command, as its help has them."""
