"""How the values of options are read, and how an Option shows itself in help and in messages.

Law: a value is read once, here, into what the Plan holds; what is wrong with it becomes one line that names the option
and shows a right value. Quantities are read by cannon.units alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from cannon.cli.arguments import group_words
from cannon.errors import UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from fractions import Fraction

    from cannon.gates import Gate
    from cannon.profile import Ramp, Steps
    from cannon.route import Proxy

__all__ = [
    "Option",
    "WrongValue",
    "address",
    "arrivals",
    "connect_to",
    "count",
    "count_or_none",
    "duration_ns",
    "engine",
    "gate",
    "host_name",
    "line",
    "method",
    "one_of",
    "path",
    "paths",
    "pipelining",
    "port",
    "proxy",
    "ramp",
    "rate",
    "raw",
    "sample_ns",
    "schema",
    "seed",
    "socket_path",
    "statuses",
    "steps",
    "text",
    "timestamps",
    "tls_session",
    "workers",
]

_SHOWN = 60
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
_BARE_NUMBER = re.compile(r"[0-9.]+", re.ASCII)
_FINAL_STATUS = re.compile(r"[2-9][0-9]{2}", re.ASCII)
_PORT_DIGITS = re.compile(r"[0-9]{1,5}", re.ASCII)
_LARGEST_PORT = 65535
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)
_LARGEST_SEED = 2**32 - 1
_MOST_IN_FLIGHT = 10_000
_LINE_ENDS = re.compile(r"[\r\n\0]")


class WrongValue(Exception):
    """What is wrong with a value; the option adds its name and its example."""


class Option(click.Option):
    """An option: `section` of the help it stands in, `example` of its use, `read` for its value; None is a flag.

    `elsewhere` is added to what is said of a wrong value: what other tools mean by a name like this one's.
    """

    def __init__(
        self,
        names: Sequence[str],
        field: str,
        read: Callable[[str], object] | None,
        help: str,
        *,
        section: str,
        example: str = "",
        metavar: str | None = None,
        multiple: bool = False,
        elsewhere: str = "",
    ) -> None:
        self.section = section
        self.example = example
        self.read = read
        self.elsewhere = f" ({elsewhere})" if elsewhere else ""
        super().__init__(
            [field, *names],
            help=help,
            type=bool if read is None else str,
            metavar=metavar,
            multiple=multiple,
            is_flag=read is None,
            default=None,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by, with its dashes."""
        return (*self.opts, *self.secondary_opts)

    @property
    def label(self) -> str:
        """How messages call it, by its first short and its first long name: `-c/--connections`."""
        return "/".join(self._shown())

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """The row of the help: names and value, then what it means."""
        names = ", ".join(self._shown())
        return (f"{names} {self.metavar}" if self.metavar else names, self.help or "")

    def type_cast_value(self, ctx: click.Context, value: object) -> object:
        """The value, or each of several, as it was read."""
        cast = super().type_cast_value(ctx, value)
        if isinstance(cast, str):
            return self._read(cast)
        return tuple(self._read(each) for each in cast) if isinstance(cast, tuple) else cast

    def _read(self, given: str) -> object:
        if self.read is None:
            return given
        try:
            return self.read(given)
        except WrongValue as wrong:
            raise UsageError(f"{self.label}: {wrong}; e.g. {self.example}{self.elsewhere}") from None
        except UsageError as error:
            named = "" if error.message.startswith(self.names) else f"{self.label}: "
            raise UsageError(f"{named}{error.message}{self.elsewhere}") from None

    def _shown(self) -> list[str]:
        # A flag that is there to be denied is known by its denial: --no-progress, not --progress.
        names = self.secondary_opts or self.opts
        shorts = [name for name in names if not name.startswith("--")]
        longs = [name for name in names if name.startswith("--")]
        return shorts[:1] + longs[:1]


def one_of(*names: str) -> Callable[[str], str]:
    """What reads a value that is one of these names."""

    def read(given: str) -> str:
        if given not in names:
            raise WrongValue(f"'{clean(given, _SHOWN)}' is none of {', '.join(names)}")
        return given

    return read


engine = one_of("native", "h11", "httpx")
tls_session = one_of("resume", "fresh")
arrivals = one_of("even", "poisson")
timestamps = one_of("auto", "kernel", "loop")
schema = one_of("cannon", "autocannon")
inconclusive = one_of("warn", "fail")
mismatch = one_of("warn", "fail")


def count(given: str) -> int:
    """A whole number of 1 or more."""
    from cannon.units import parse_count

    return parse_count(given)


def count_or_none(given: str) -> int:
    """A whole number; 0 stands for never."""
    from cannon.units import parse_count

    return parse_count(given, least=0)


def pipelining(given: str) -> int:
    """A whole number of 1 or more, and no more than a connection could ever have in flight."""
    number = count(given)
    if number > _MOST_IN_FLIGHT:
        raise WrongValue(f"'{clean(given, _SHOWN)}' is too many in flight, the most is {_MOST_IN_FLIGHT:,}")
    return number


def workers(given: str) -> int:
    """A whole number; 0 stands for 1: the process that fires is never the one that draws."""
    from cannon.units import parse_count

    return max(1, parse_count(given, least=0))


def duration_ns(given: str) -> int:
    """A duration; a bare number is seconds."""
    from cannon.units import parse_duration

    return parse_duration(given)


def sample_ns(given: str) -> int:
    """A duration; a bare number is milliseconds."""
    try:
        return duration_ns(f"{given}ms" if _BARE_NUMBER.fullmatch(given) else given)
    except UsageError:
        # What is said of other durations would call a bare number seconds.
        shown = clean(given, _SHOWN)
        raise WrongValue(f"'{shown}' is no interval (a bare number is milliseconds)") from None


def rate(given: str) -> Fraction:
    """How many a second; more than none."""
    from cannon.units import parse_rate

    per_s = parse_rate(given)
    if not per_s:
        raise WrongValue(f"'{clean(given, _SHOWN)}' would never send anything")
    return per_s


def ramp(given: str) -> Ramp:
    """A rate that changes steadily."""
    from cannon.profile import parse_ramp

    return parse_ramp(given)


def steps(given: str) -> Steps:
    """Rates one after the other."""
    from cannon.profile import parse_steps

    return parse_steps(given)


def gate(given: str) -> Gate:
    """What has to hold of one run, which is set against no other."""
    from cannon.gate_grammar import ALONE, parse

    return parse(given, ALONE)


def seed(given: str) -> int:
    """What chance begins with: 32 bits."""
    if not _DIGITS.fullmatch(given) or int(given) > _LARGEST_SEED:
        raise WrongValue(f"'{clean(given, _SHOWN)}' is no whole number from 0 to {_LARGEST_SEED}")
    return int(given)


def raw(given: str) -> str:
    """As it is: whoever takes it will look at it."""
    return given


def text(given: str) -> str:
    """Any text that can be written down."""
    try:
        given.encode()
    except UnicodeEncodeError:
        raise WrongValue(f"'{clean(given, _SHOWN)}' is not UTF-8") from None
    return given


def line(given: str) -> str:
    """Text of one line."""
    if _LINE_ENDS.search(given):
        raise WrongValue("a CR, LF or NUL is in it, and it is one line")
    return text(given)


def path(given: str) -> str:
    """The path of a file, as the system takes it."""
    if not given or "\0" in given:
        raise WrongValue("the name of a file is missing")
    return text(given)


def paths(given: str) -> tuple[str, ...]:
    """The path of a file, or those of a `[ … ]` group."""
    group = group_words(given, "[ a.pem b.pem ]")
    if group is None:
        return (path(given),)
    if not group:
        raise WrongValue("the name of a file is missing")
    return tuple(path(each) for each in group)


def host_name(given: str) -> str:
    """A host's name, as certificates have it: in ASCII, without a dot at its end."""
    from cannon.tls import is_host_name

    if given.endswith(".lua"):
        raise WrongValue(f"'{clean(given, _SHOWN)}' is a script, and no name of a host")
    try:
        name = given.encode("ascii" if given.isascii() else "idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        name = ""
    if not is_host_name(name):
        raise WrongValue(f"'{clean(given, _SHOWN)}' is no name of a host")
    return name


def socket_path(given: str) -> str:
    """The path of a unix socket."""
    from cannon.route import parse_socket_path

    return parse_socket_path(line(given))


def proxy(given: str) -> Proxy:
    """The URL of a forward proxy."""
    from cannon.route import Proxy

    return Proxy.parse(given)


def connect_to(given: str) -> tuple[str, int]:
    """A host and a port."""
    from cannon.route import parse_connect_to

    return parse_connect_to(given)


def address(given: str) -> str:
    """A numeric address of this machine."""
    from cannon.route import parse_bind

    return parse_bind(line(given))


def method(given: str) -> str:
    """A method. HTTP's own are all capitals, and methods are told apart by case (RFC 9110, section 9.1)."""
    if given not in _METHODS and given.upper() in _METHODS:
        raise WrongValue(f"'{given}' is not written in capitals")
    return text(given)


def statuses(given: str) -> tuple[int, ...]:
    """Final statuses, each once."""
    parts = [part.strip() for part in given.split(",")]
    if not all(_FINAL_STATUS.fullmatch(part) for part in parts):
        raise WrongValue(f"'{clean(given, _SHOWN)}' is no list of statuses from 200 to 999")
    return tuple(dict.fromkeys(int(part) for part in parts))


def port(given: str) -> int:
    """A port; 0 stands for any that is free."""
    if not _PORT_DIGITS.fullmatch(given) or int(given) > _LARGEST_PORT:
        raise WrongValue(f"'{clean(given, _SHOWN)}' is no port from 0 to {_LARGEST_PORT}")
    return int(given)
