"""From Options to a Plan: where options die.

Law: a contradiction between two options is found here, before anything is sent. Nothing is repeated in a message that
may be a secret: headers are counted, URLs redacted.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cannon.cli import values
from cannon.cli.arguments import arrange, group_words
from cannon.cli.messages import refuse_extra, usage_error
from cannon.cli.options import GROUPED, WARMUP, Options, grammar_of
from cannon.errors import UsageError
from cannon.text import clean, redact_url

if TYPE_CHECKING:
    from cannon.plan import Plan, Stop, Target, Warmup
    from cannon.tls import Tls

__all__ = ["MOST_BODY_BYTES", "notes_of", "plan_of"]

MOST_BODY_BYTES = 256 * 1024**2
"""A body is held in memory, and written again with every request."""


def plan_of(options: Options, urls: Sequence[str]) -> Plan:
    """The Plan of these options; the body's file is read. Raises UsageError for whatever could not be sent."""
    from cannon.plan import Engine, Plan, Stop
    from cannon.request import Request

    target = _target(urls)
    headers = tuple(_header(number, given) for number, given in enumerate(options.headers, start=1))
    stop = _stop(options, Stop())
    settings: dict[str, Any] = {
        "method": options.method,
        "connections": options.connections,
        "workers": options.workers,
        "timeout_ns": options.timeout_ns,
        "drain_ns": options.drain_ns,
        "sample_ns": options.sample_ns,
        "engine": Engine(options.engine) if options.engine else None,
    }
    plan = Plan(
        targets=(target,),
        headers=headers,
        body=_body(options),
        stop=stop,
        warmup=_warmup(options.warmup, stop),
        tls=_tls(options),
        expect_status=options.expect_status,
        preflight=options.preflight,
        title=options.title,
        log=options.log,
        trace=options.debug,
        **{name: value for name, value in settings.items() if value is not None},
    )
    for step in plan.steps:
        Request.build(plan, step)
    if plan.engine is Engine.HTTPX:
        from cannon.engine.client import check

        check(plan)
    _check_warmup(plan)
    _check_places(options)
    if options.ca or options.cert:
        # Whether the files serve: found out now, and not by the workers.
        plan.tls.context()
    return plan


def notes_of(options: Options, plan: Plan) -> tuple[str, ...]:
    """What is odd about a command line, and yet no error."""
    notes = (*options.notes, *_crowded(plan))
    given = {
        "-k": options.insecure,
        "--ca": options.ca,
        "-s": options.servername,
        "--cert": options.cert,
        "--key": options.key,
        "--tls-session": options.tls_session,
    }
    for_tls = [name for name, value in given.items() if value]
    if for_tls and all(target.scheme != "https" for target in plan.targets):
        verb = "is" if len(for_tls) == 1 else "are"
        return (*notes, f"{', '.join(for_tls)} {verb} not looked at: no URL is of https")
    if options.insecure and options.ca:
        return (*notes, "--ca is not looked at: with -k, nothing is verified")
    return notes


def _crowded(plan: Plan) -> tuple[str, ...]:
    """That workers will wait for each other."""
    if plan.workers == 1:
        return ()
    from cannon.host import this_host

    cores = this_host().cores
    if plan.workers <= cores:
        return ()
    usable = "1 usable core" if cores == 1 else f"{cores} usable cores"
    return (f"{plan.workers} workers hold each other up on {usable}; try -w {cores}",)


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


def _ca(options: Options) -> tuple[str, ...]:
    """The files of all --ca, each once."""
    return tuple(dict.fromkeys(path for paths in options.ca for path in paths))


def _target(urls: Sequence[str]) -> Target:
    from cannon.plan import Target

    if not urls:
        raise UsageError("a URL is missing; e.g. cannon http://127.0.0.1:4000/")
    if len(urls) > 1:
        raise UsageError(
            f"{len(urls)} URLs, and this version fires at one: {', '.join(clean(redact_url(url), 60) for url in urls)}"
        )
    url = urls[0] if "://" in urls[0] else f"http://{urls[0]}"
    try:
        url.encode()
        target = Target.parse(url)
    except UnicodeEncodeError:
        raise UsageError(f"URL '{clean(redact_url(url))}' is not UTF-8; write other bytes as %FF") from None
    except UsageError as error:
        raise UsageError(error.message.replace(repr(url), f"'{clean(redact_url(url))}'")) from None
    return target


def _header(number: int, given: str) -> tuple[str, str]:
    """Name and value: the first of `:` and `=` parts them. Messages count the headers: a value may be a secret."""
    places = [place for place in (given.find(":"), given.find("=")) if place > 0]
    if not places:
        raise UsageError(
            f"-H/--headers: header {number} has no ':' or '=' after its name; e.g. -H 'Accept: text/html'"
        )
    name, value = given[: min(places)], given[min(places) + 1 :].strip(" \t")
    if any(character in name for character in ' \t\r\n\0"(),/;<>?@[\\]{}') or not name.isascii():
        raise UsageError(f"-H/--headers: header {number} has no valid name; e.g. -H 'Accept: text/html'")
    return name, value


def _stop(options: Options, default: Stop) -> Stop:
    """An amount sets the duration aside, and a duration an amount that was not given beside it."""
    from cannon.plan import Stop

    if options.amount is not None:
        return Stop(amount=options.amount)
    return default if options.duration_ns is None else Stop(duration_ns=options.duration_ns)


def _body(options: Options) -> bytes:
    if options.body is not None and options.input is not None:
        raise UsageError("-b/--body and -i/--input both give the body; leave one of them out")
    if options.body is not None:
        # The bytes of the command line, whatever they are.
        return os.fsencode(options.body)
    return b"" if options.input is None else _read(options.input)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            body = file.read(MOST_BODY_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"-i/--input: '{clean(path)}' cannot be read: {error.strerror or error}; e.g. -i body.json"
        ) from None
    if len(body) > MOST_BODY_BYTES:
        raise UsageError(f"-i/--input: '{clean(path)}' is larger than a body may be, {MOST_BODY_BYTES} bytes")
    return body


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
        return Warmup(_stop(options, stop), options.connections)
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
