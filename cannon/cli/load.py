"""From Options to how much is sent and when: the stop, the limits, the pace.

Law: of the options that say how fast, one alone is followed. What chance is to do is drawn here, once, and stands in
the plan, so that a run can be had again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cannon.errors import UsageError

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.pace import Pace, Scope
    from cannon.plan import Limits, Stop
    from cannon.profile import Profile

__all__ = ["limits_of", "pace_of", "stop_of"]


def stop_of(options: Options, default: Stop) -> Stop:
    """An amount sets the duration aside, and a duration an amount that was not given beside it. A rate that changes
    is gone through once.
    """
    from cannon.plan import Stop

    if options.amount is not None:
        return Stop(amount=options.amount)
    profile = options.ramp or options.steps
    length_ns = options.duration_ns or (
        profile.length_ns if profile and options.duration_ns is None else None
    )
    if length_ns is None and options.duration_ns is None:
        return default
    return Stop(duration_ns=length_ns or 0)


def limits_of(options: Options) -> Limits:
    """What ends a connection or the run before its time."""
    from cannon.plan import Limits

    return Limits(
        per_connection=options.per_connection,
        overall=options.overall,
        reconnect_after=options.reconnect_after or None,
        bailout=options.bailout,
    )


def pace_of(options: Options) -> Pace | None:
    """When requests are due; None: as soon as a connection is free, or as a search will find."""
    from cannon.pace import Arrivals, Pace

    names = _names(options)
    if not names:
        for name, given in (("--arrivals", options.arrivals), ("--seed", options.seed)):
            if given is not None:
                raise UsageError(
                    f"{name} says how the requests of a rate are spaced, and there is none; e.g. -R 1000"
                )
        if options.ignore_omission:
            raise UsageError(
                "-C/--ignoreCoordinatedOmission is about a rate, and there is none; e.g. -R 1000"
            )
    found = _profile(options)
    if found is None:
        return None
    profile, scope = found
    arrivals = Arrivals(options.arrivals or "even")
    return Pace(profile, arrivals, _seed(options, arrivals), scope)


def _names(options: Options) -> list[str]:
    """The options that say how fast. UsageError for two that contradict each other; -r goes before -R."""
    given = {
        "-r": options.connection_rate,
        "-R": options.overall_rate if options.connection_rate is None else None,
        "--ramp": options.ramp,
        "--steps": options.steps,
        "--find-rate": options.find_rate,
    }
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise UsageError(
            f"{', '.join(names[:-1])} and {names[-1]} each say how fast to fire; leave all but one of them out"
        )
    return names


def _profile(options: Options) -> tuple[Profile, Scope] | None:
    from cannon.pace import Scope
    from cannon.profile import Constant

    if options.connection_rate is not None:
        return Constant(float(options.connection_rate)), Scope.CONNECTION
    if options.overall_rate is not None:
        return Constant(float(options.overall_rate)), Scope.TOOL
    changing = options.ramp or options.steps
    return None if changing is None else (changing, Scope.TOOL)


def _seed(options: Options, arrivals: str) -> int:
    if options.seed is not None:
        return options.seed
    return 0 if arrivals == "even" else int.from_bytes(os.urandom(4), "big")
