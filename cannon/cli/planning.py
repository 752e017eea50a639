"""From Options to a Plan: where options die.

Law: a contradiction between two options is found here, before anything is sent. Nothing is repeated in a message that
may be a secret: headers are counted, URLs redacted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cannon.cli import values
from cannon.cli.arguments import arrange, group_words
from cannon.cli.load import limits_of, pace_of, stop_of
from cannon.cli.messages import refuse_extra, usage_error
from cannon.cli.notes import notes_of
from cannon.cli.options import GROUPED, WARMUP, Options, grammar_of
from cannon.cli.sending import sending_of
from cannon.cli.urls import targets_of
from cannon.errors import UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.plan import Plan, Stop, Warmup
    from cannon.route import Route
    from cannon.tls import Tls

__all__ = ["Planned", "planned"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A Plan, and what is odd about its command line: a line each, for the user."""

    plan: Plan
    notes: tuple[str, ...]


def planned(
    options: Options, urls: Sequence[str], port: int | None = None, recorded_at: Sequence[str] | None = None
) -> Planned:
    """The Plan of these options; the files of bodies are read, each once. `port`: where a server that was started
    listens, for URLs that are only a path. `recorded_at`: the URLs whose requests of a HAR file are sent, where they
    are not these. Raises UsageError for whatever could not be sent.
    """
    from cannon.plan import Engine, Plan, Stop, Timestamps

    _check_words(options)
    targets = targets_of(urls, port=port, has_socket=options.socket_path is not None)
    sending = sending_of(options, targets if recorded_at is None else targets_of(recorded_at))
    stop = stop_of(options, Stop())
    settings: dict[str, Any] = {
        "connections": options.connections,
        "pipelining": options.pipelining,
        "workers": options.workers,
        "timeout_ns": options.timeout_ns,
        "drain_ns": options.drain_ns,
        "sample_ns": options.sample_ns,
        "engine": Engine(options.engine) if options.engine else None,
        "timestamps": Timestamps(options.timestamps) if options.timestamps else None,
    }
    plan = Plan(
        targets=targets,
        method=sending.method,
        headers=sending.headers,
        body=sending.body,
        sequence=sending.sequence,
        ids=options.ids,
        compressed=options.compressed,
        expect_body=None if options.expect_body is None else os.fsencode(options.expect_body),
        stop=stop,
        limits=limits_of(options),
        pace=pace_of(options),
        warmup=_warmup(options.warmup, stop),
        tls=_tls(options),
        route=_route(options),
        expect_status=options.expect_status,
        excludes_errors=options.excludes_errors,
        preflight=options.preflight,
        title=options.title,
        log=options.log,
        trace=options.debug,
        **{name: value for name, value in settings.items() if value is not None},
    )
    _check_plan(plan)
    _check_warmup(plan)
    _check_places(options)
    if options.ca or options.cert:
        # Whether the files serve: found out now, and not by the workers.
        plan.tls.context()
    return Planned(plan, notes_of(options, plan, sending.other_origins))


def _check_words(options: Options) -> None:
    """What contradicts itself, whatever the files and the URLs are."""
    for wrong, message in (
        (
            options.forever and (options.workers or 1) > 1,
            "-f begins the run again in the same process, and -w fires from several; leave one of them out",
        ),
        (
            options.forever and options.find_rate is not None,
            "--find-rate ends when it has found the rate, and -f never; leave one of them out",
        ),
        (
            options.expect_body is not None and options.har is not None,
            "-E expects one body of every request, and those of --har have each their own; leave one of them out",
        ),
        (
            options.expect_body is not None and options.compressed,
            "-E compares what came over the wire, and --compressed has it encoded; leave one of them out",
        ),
        (
            options.find_rate is not None and options.engine == "httpx",
            "--engine httpx fires at no rate, so --find-rate has nothing to try; give --engine native",
        ),
        (
            options.find_rate is not None and options.amount is not None,
            "--find-rate fires each rate for a time; give -d instead of -a, e.g. -d 10",
        ),
    ):
        if wrong:
            raise UsageError(message)


def _check_plan(plan: Plan) -> None:
    """What cannot be sent, or not so."""
    from cannon.plan import Engine
    from cannon.request import Request

    Request.build_all(plan)
    if plan.compressed and any(name.lower() == "accept-encoding" for name, _ in plan.headers):
        raise UsageError(
            "--compressed and -H Accept-Encoding both say what may be answered; leave one of them out"
        )
    if plan.pace is not None:
        plan.pace.check(plan.connections)
    _check_timestamps(plan)
    if plan.engine is Engine.HTTPX:
        from cannon.engine.client import check

        check(plan)


def _check_timestamps(plan: Plan) -> None:
    """The kernel's stamps are to be had for what a plain socket of TCP receives, on Linux."""
    from cannon.plan import Timestamps

    if plan.timestamps is not Timestamps.KERNEL:
        return
    for wrong, where in (
        (sys.platform != "linux", "only on Linux"),
        (
            any(target.scheme == "https" for target in plan.targets),
            "and those of https are TLS's, not the answer's",
        ),
        (plan.route.socket_path is not None, "and not for those of a unix socket"),
    ):
        if wrong:
            raise UsageError(
                f"--timestamps kernel: the kernel stamps the bytes of plain TCP, {where}; give --timestamps auto"
            )


def _tls(options: Options) -> Tls:
    from cannon.tls import Sessions, Tls

    if options.engine == "httpx" and options.tls_session == "resume":
        raise UsageError(
            "--engine httpx resumes no TLS sessions; give --tls-session fresh, or --engine native"
        )
    sessions = "fresh" if options.engine == "httpx" else options.tls_session
    settings: dict[str, Any] = {
        "server_name": options.servername,
        "cert": options.cert,
        "key": options.key,
        "sessions": Sessions(sessions) if sessions else None,
    }
    return Tls(
        verify=not options.insecure,
        ca=_ca(options),
        **{name: value for name, value in settings.items() if value is not None},
    )


def _route(options: Options) -> Route:
    from cannon.route import Route

    return Route(
        connect_to=options.connect_to,
        bind=options.bind,
        socket_path=options.socket_path,
        proxy=options.proxy,
    )


def _ca(options: Options) -> tuple[str, ...]:
    """The files of all --ca, each once."""
    return tuple(dict.fromkeys(path for paths in options.ca for path in paths))


def _warmup(given: str | None, stop: Stop) -> Warmup | None:
    """The run before the run: a duration, or what the group says and, where it says nothing, what the run has."""
    from cannon.plan import Stop, Warmup

    if given is None:
        return None
    try:
        words = group_words(given, GROUPED["-W"])
        if words is None:
            return Warmup(Stop(duration_ns=values.duration_ns(given)))
        options = Options.of(_read_group(words))
        return Warmup(stop_of(options, stop), options.connections)
    except UsageError as error:
        raise UsageError(f"-W/--warmup: {error.message}") from None


def _read_group(words: Sequence[str]) -> dict[str, Any]:
    arguments = arrange(words, grammar_of({"": WARMUP}, default=""))
    if arguments.tail or arguments.help or arguments.version:
        raise UsageError("a warm-up takes -c, -d and -a; e.g. -W [ -c 1 -d 3 ]")
    try:
        context = WARMUP.make_context("-W", list(arguments.words), allow_extra_args=True)
    except click.UsageError as error:
        raise usage_error(error, WARMUP) from None
    refuse_extra(context.args, "-W [ -c 1 -d 3 ]")
    return context.params


def _check_warmup(plan: Plan) -> None:
    try:
        plan.for_warmup()
    except UsageError as error:
        raise UsageError(f"-W/--warmup: {error.message}") from None


def _check_places(options: Options) -> None:
    """Two options that lead to the same file would destroy each other's, unless both only read it."""
    used: dict[str, str] = {}
    read = [
        ("-i", options.input),
        ("--har", options.har),
        *(("--ca", path) for path in _ca(options)),
        ("--cert", options.cert),
        ("--key", options.key),
    ]
    written = [
        *(("-o", output) for output in options.outputs),
        ("--stream", options.stream),
        ("--log", options.log),
    ]
    for option, path in (*read, *written):
        if path is None or path.startswith("/dev/"):
            continue
        other = used.setdefault(os.path.realpath(path), option)
        if other != option and (option, path) in written:
            raise UsageError(f"{other} and {option} both name '{clean(path)}'; give each a file of its own")
    if options.json and options.stream is not None and _is_stdout(options.stream):
        raise UsageError("-j/--json and --stream both go to stdout; e.g. --stream rows.ndjson")


def _is_stdout(path: str) -> bool:
    return path in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
