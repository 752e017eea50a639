"""From Options to a Plan that is fired, where need be at a server that is started for it and ends with it.

Law: what is wrong with the command line is found before the server is started. It is offered the port that PORT in the
environment says, else a free one, and where it listens is found out from outside: bare paths go there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cannon.cli.options import Options
from cannon.cli.planning import plan_of
from cannon.cli.session import say, tell
from cannon.errors import InvalidRun, UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.plan import Plan
    from cannon.services import Listening, Service

__all__ = ["launch"]

_EXAMPLE = "cannon / -- node server.js"
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_LARGEST_PORT = 65535
_LAST_MOMENT_S = 0.2


def launch(
    command: Sequence[str],
    options: Options,
    urls: Sequence[str],
    check: Callable[[Plan], None],
    fire: Callable[[Plan], int],
) -> int:
    """Make the Plan and fire it, at a server of its own if there is a command; returns the exit code.

    `check` is asked about the Plan before the server is started. UsageError: nothing was sent. InvalidRun: there was
    nothing to fire at, and what the server said last has been told.
    """
    if command:
        return _fire_at_own(command, options, urls, check, fire)
    if options.on_port:
        raise UsageError(f"--on-port starts the command that follows --, and none does; e.g. {_EXAMPLE}")
    return fire(plan_of(options, urls))


def _fire_at_own(
    command: Sequence[str],
    options: Options,
    urls: Sequence[str],
    check: Callable[[Plan], None],
    fire: Callable[[Plan], int],
) -> int:
    from cannon.services import Service, free_port

    if options.socket_path is not None:
        raise UsageError(
            "a command after -- is waited for until it listens for TCP, and -S/--socketPath leads to a unix socket;"
            " leave -S out, or start the server first"
        )
    port = _port_of_environment() or free_port()
    plan = plan_of(options, urls, port)
    check(plan)
    where = None
    service = Service(command, port)
    try:
        with service:
            where = service.wait()
            if where.others:
                ports = ", ".join(map(str, (where.port, *where.others)))
                say(f"the server '{service.name}' listens on {ports}; a bare path is of {where.port}")
            try:
                code = fire(_moved(plan, urls, where))
            except InvalidRun:
                service.lost_within(_LAST_MOMENT_S)
                raise
    except InvalidRun:
        if where is None:
            _tell_output(service)
        else:
            _tell_loss(service)
        raise
    return (code or InvalidRun.exit_code) if _tell_loss(service) else code


def _port_of_environment() -> int | None:
    given = os.environ.get("PORT")
    if not given:
        return None
    if _PORT.fullmatch(given) is None or not 0 < int(given) <= _LARGEST_PORT:
        raise UsageError(
            f"PORT in the environment is '{clean(given, 60)}', and no port from 1 to {_LARGEST_PORT}; e.g. PORT=4000"
        )
    return int(given)


def _moved(plan: Plan, urls: Sequence[str], where: Listening) -> Plan:
    """The Plan with its bare paths led to where the server listens, which need not be the port it was offered."""
    import msgspec

    host = f"[{where.host}]" if ":" in where.host else where.host
    targets = tuple(
        target.parse(f"http://{host}:{where.port}{url}") if url.startswith("/") else target
        for url, target in zip(urls or ("/",), plan.targets, strict=True)
    )
    return msgspec.structs.replace(plan, targets=targets)


def _tell_output(service: Service) -> None:
    """The end of what a server has said, on stderr."""
    for line in service.output:
        tell(f"  {line}\n")


def _tell_loss(service: Service) -> bool:
    """Whether the server has ended by itself; then that has been said."""
    if service.lost is None:
        return False
    _tell_output(service)
    last = "; its last words stand above" if service.output else ", without a word"
    say(f"the server '{service.name}' {service.lost} before the run was over{last}")
    return True
