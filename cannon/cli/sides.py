"""From Options to a ComparisonPlan: the plan of each side, and of the comparison.

Law: a contradiction is found here, before anything is sent, and the plan of a side is made as that of any run. What
chance is to do is drawn here, once. A message about one side names it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cannon.cli import values
from cannon.cli.compare_notes import INTERVAL_ROUNDS, notes_of
from cannon.cli.compare_values import AUTO
from cannon.cli.load import stop_of
from cannon.cli.planning import Planned, planned
from cannon.cli.running import check
from cannon.cli.side_names import NamedSide, sides_of
from cannon.cli.side_settings import Settings, names_of, settings_of, with_settings
from cannon.cli.urls import targets_of
from cannon.errors import UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.cli.options.compare import CompareOptions
    from cannon.rounds import ComparisonPlan

__all__ = ["PlannedComparison", "compared"]

_SEED_BYTES = 2
"""A seed that is drawn is short enough to be typed again."""

_ACCEPT_ENCODING = "accept-encoding"
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class PlannedComparison:
    """A ComparisonPlan, and what is odd about its command line: a line each, for the user."""

    plan: ComparisonPlan
    notes: tuple[str, ...]


def compared(options: Options, given: CompareOptions, words: Sequence[str]) -> PlannedComparison:
    """The plan of a comparison: `options` are those of every side, `words` name the sides or are the one URL.

    Raises UsageError for whatever could not be fired, compared or written.
    """
    from cannon.consumption import check as check_processes
    from cannon.pace import Arrivals
    from cannon.plan import Stop
    from cannon.reports.files import COMPARISON_RENDERERS
    from cannon.rounds import Allowed, ComparisonPlan, Order, Side

    _check_words(options, given)
    mode, named = sides_of(options, given, words)
    found = settings_of(given.sides, [side.name for side in named])
    if given.compression:
        _check_codings(options, found)
    rate = _rate(options, given)
    sides = _planned(named, found)
    settings: dict[str, Any] = {
        "rounds": given.rounds,
        "order": Order(given.order) if given.order else None,
        "margin": _share(given.margin),
        "precision": _share(given.precision),
        "most_rounds": given.most_rounds,
        "arrivals": Arrivals(options.arrivals) if options.arrivals else None,
    }
    plan = ComparisonPlan(
        sides=tuple(Side(name, side.plan) for name, side in sides.items()),
        mode=mode,
        seed=_seed() if options.seed is None else options.seed,
        duration_ns=stop_of(options, Stop()).duration_ns,
        lead_in_ns=_lead_in_ns(options.warmup),
        capacity=given.capacity and options.overall_rate is None,
        rate_per_s=rate,
        before_slot=given.before_slot,
        processes=given.processes,
        allowed=frozenset(Allowed(name) for names in given.allowed for name in names),
        **{name: value for name, value in settings.items() if value is not None},
    )
    check_processes(plan.processes)
    _check_command(plan.before_slot)
    for side in plan.sides:
        check(side.plan, options, COMPARISON_RENDERERS)
    return PlannedComparison(plan, notes_of(plan, options, given, sides, found))


def _check_words(options: Options, given: CompareOptions) -> None:
    """What contradicts itself, whatever the sides are."""
    for wrong, message in (
        (
            options.engine == "httpx",
            "--engine httpx fires at no rate, and latency is compared at one; give --engine native",
        ),
        (
            options.format == "autocannon",
            "--format autocannon: autocannon knows no comparison; leave it out, -j writes cannon's own JSON",
        ),
        (
            options.overall_rate is not None and given.rate is not None,
            "-R/--overallRate is --rate without the capacity pass, and --rate is given too; leave one of them out",
        ),
        (
            bool(given.compression) and options.expect_body is not None,
            "-E compares what came over the wire, and --compression has it encoded; leave one of them out",
        ),
        (
            given.precision is not None and given.rounds is not None and given.rounds < INTERVAL_ROUNDS,
            f"--precision is that of intervals, which take {INTERVAL_ROUNDS} rounds; give --rounds {INTERVAL_ROUNDS}",
        ),
    ):
        if wrong:
            raise UsageError(message)


def _check_codings(options: Options, found: Mapping[str, Settings]) -> None:
    """What is under test is nobody's to set."""
    headers = [options.headers, *(settings.get("headers", ()) for settings in found.values())]
    if options.compressed or any(_ACCEPT_ENCODING in names_of(each) for each in headers):
        raise UsageError(
            "--compression gives each side its Accept-Encoding; leave"
            f" {'--compressed' if options.compressed else '-H Accept-Encoding'} out"
        )


def _rate(options: Options, given: CompareOptions) -> float | None:
    """Of the latency pass; None: it is to be found."""
    from cannon.profile import check_rates

    name, rate = ("-R/--overallRate", options.overall_rate) if given.rate is None else ("--rate", given.rate)
    if rate is None or isinstance(rate, str):
        assert rate in (None, AUTO)
        return None
    check_rates((float(rate),), 1, name, "500")
    return float(rate)


def _lead_in_ns(given: str | None) -> int | None:
    """How long each slot is fired before it is measured; None: as the plan has it."""
    if given is None:
        return None
    if given.startswith("["):
        raise UsageError(
            "-W/--warmup: a slot is warmed up on its own connections, so a comparison takes a time alone; e.g. -W 0.5s"
        )
    try:
        return values.duration_ns(given)
    except UsageError as error:
        raise UsageError(f"-W/--warmup: {error.message}") from None


def _planned(named: Sequence[NamedSide], found: Mapping[str, Settings]) -> dict[str, Planned]:
    """By name, the plan of each side: what each of its slots fires, but for how long and how fast."""
    import msgspec

    several = len({side.url for side in named}) > 1
    recorded_at = _recorded_at(named)
    sides: dict[str, Planned] = {}
    for side in named:
        own = found.get(side.name, {})
        options = _of_a_slot(with_settings(side.options, own))
        with _about(side.name if several else ""):
            targets_of([side.url], has_socket=options.socket_path is not None)
        with _about(side.name if own else ""):
            each = planned(options, [side.url], recorded_at=recorded_at)
        # It was made at a rate, so that whatever cannot be fired at one is found out now.
        sides[side.name] = replace(each, plan=msgspec.structs.replace(each.plan, pace=None))
    return sides


def _of_a_slot(options: Options) -> Options:
    """The same without what is the comparison's own, and at some rate."""
    return replace(
        options,
        overall_rate=Fraction(1),
        arrivals=None,
        seed=None,
        duration_ns=None,
        warmup=None,
        preflight=True,
        debug=False,
    )


def _recorded_at(named: Sequence[NamedSide]) -> tuple[str, ...] | None:
    """The URL whose recorded requests every side is sent: that of the first side that a HAR file knows. None: no file.

    UsageError where it knows none of them.
    """
    from cannon.har import read_har

    har = named[0].options.har
    if har is None:
        return None
    refused: list[UsageError] = []
    for url in dict.fromkeys(side.url for side in named):
        try:
            read_har(har, targets_of([url]))
        except UsageError as error:
            refused.append(error)
        else:
            return (url,)
    raise refused[0]


@contextmanager
def _about(name: str) -> Iterator[None]:
    """A block whose UsageErrors are about one side, if it is named."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"side '{name}': {error.message}" if name else error.message) from None


def _check_command(words: Sequence[str]) -> None:
    """It would fail before the first slot."""
    if words and shutil.which(words[0]) is None:
        raise UsageError(
            f"--before-slot: there is no program '{clean(words[0], _SHOWN)}' to be run;"
            " e.g. --before-slot 'systemctl restart haproxy'"
        )


def _seed() -> int:
    return int.from_bytes(os.urandom(_SEED_BYTES), "big")


def _share(given: Fraction | None) -> float | None:
    return None if given is None else float(given)
