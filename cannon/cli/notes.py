"""What is odd about a command line, and yet no error: a line each, said before the run.

Law: an option that is not looked at is told; so is whatever autocannon did in silence and cannon does otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cannon.text import clean

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.plan import Plan

__all__ = ["notes_of"]

_MOST_NAMED = 5


def notes_of(options: Options, plan: Plan, other_origins: Sequence[str]) -> tuple[str, ...]:
    """What is odd about a command line, and yet no error. `other_origins`: those of a HAR file that nothing goes to."""
    return (
        *_of_the_load(options, plan),
        *_of_the_requests(options, other_origins),
        *_crowded(plan),
        *_of_tls(options, plan),
    )


def _of_the_load(options: Options, plan: Plan) -> Iterator[str]:
    profile = options.ramp or options.steps
    if options.amount is not None and options.duration_ns is not None:
        yield f"-d is not looked at: -a {options.amount} tells when the run ends"
    if options.connection_rate is not None and options.overall_rate is not None:
        yield "-R is not looked at: -r gives each connection its rate"
    if options.per_connection is not None and options.overall is not None:
        yield "-O is not looked at: -M tells when each connection is done"
    if options.seed is not None and options.arrivals != "poisson":
        yield "--seed is not looked at: even arrivals leave nothing to chance; give --arrivals poisson"
    if options.ignore_omission:
        yield "-C only changes the JSON of autocannon: service time is told beside response time anyway"
    length_ns = profile.length_ns if profile else None
    if options.duration_ns and length_ns and options.amount is None and options.duration_ns < length_ns:
        name = "--ramp" if options.ramp else "--steps"
        yield f"-d ends the run before {name} has been gone through; leave it out for the whole of it"
    targets, connections = len(plan.targets), plan.connections
    if connections < targets:
        yield f"{targets - connections} of {targets} URLs get no connection; give -c {targets} or more"


def _of_the_requests(options: Options, others: Sequence[str]) -> Iterator[str]:
    if options.har is not None:
        given = {"-m": options.method, "-F": options.form, "-i": options.input, "-b": options.body}
        yield from _ignored(
            [name for name, value in given.items() if value is not None], "--har says what is sent"
        )
        if others:
            more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
            named = ", ".join(clean(other, 60) for other in others[:_MOST_NAMED])
            yield f"--har: its requests to {named}{more} are left out: no URL has that origin"
    elif options.form is not None and _gives_content_type(options):
        yield "-H Content-Type is not looked at: -F sets it, with the boundary of its parts"


def _gives_content_type(options: Options) -> bool:
    from cannon.cli.sending import sets_content_type

    return sets_content_type(options)


def _crowded(plan: Plan) -> Iterator[str]:
    """That workers will wait for each other."""
    if plan.workers == 1:
        return
    from cannon.host import this_host

    cores = this_host().cores
    if plan.workers > cores:
        usable = "1 usable core" if cores == 1 else f"{cores} usable cores"
        yield f"{plan.workers} workers hold each other up on {usable}; try -w {cores}"


def _of_tls(options: Options, plan: Plan) -> Iterator[str]:
    given = {
        "-k": options.insecure,
        "--ca": options.ca,
        "-s": options.servername,
        "--cert": options.cert,
        "--key": options.key,
        "--tls-session": options.tls_session,
    }
    if all(target.scheme != "https" for target in plan.targets):
        yield from _ignored([name for name, value in given.items() if value], "no URL is of https")
    elif options.insecure and options.ca:
        yield "--ca is not looked at: with -k, nothing is verified"


def _ignored(names: list[str], reason: str) -> Iterator[str]:
    if names:
        yield f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not looked at: {reason}"
