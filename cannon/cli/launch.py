"""From Options to a Plan that is fired, where need be at a server that is started for it and ends with it.

Law: what is wrong with the command line is found before the server is started. It is offered the port that PORT in the
environment says, else a free one, and where it listens is found out from outside: bare paths go there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from cannon.cli.options import Options
from cannon.cli.planning import Planned, planned
from cannon.cli.session import say, tell
from cannon.cli.urls import port_of_environment, targets_of
from cannon.errors import InvalidRun, UsageError

if TYPE_CHECKING:
    from cannon.plan import Plan
    from cannon.services import Listening, Service

__all__ = ["launch"]

_EXAMPLE = "cannon / -- node server.js"
_LAST_MOMENT_S = 0.2

_Prepared = TypeVar("_Prepared")


def launch(
    command: Sequence[str],
    options: Options,
    urls: Sequence[str],
    prepare: Callable[[Plan], _Prepared],
    fire: Callable[[Planned, _Prepared], int],
) -> int:
    """Make the Plan and fire it, at a server of its own if there is a command; returns the exit code.

    `prepare` is asked about the Plan before the server is started, and what it gives is handed to `fire`. UsageError:
    nothing was sent. InvalidRun: there was nothing to fire at, and what the server said last has been told.
    """
    if command:
        return _fire_at_own(command, options, urls, prepare, fire)
    if options.on_port:
        raise UsageError(f"--on-port starts the command that follows --, and none does; e.g. {_EXAMPLE}")
    plan = planned(options, urls)
    return fire(plan, prepare(plan.plan))


def _fire_at_own(
    command: Sequence[str],
    options: Options,
    urls: Sequence[str],
    prepare: Callable[[Plan], _Prepared],
    fire: Callable[[Planned, _Prepared], int],
) -> int:
    from cannon.services import START_LIMIT_S, Service, free_port

    if options.socket_path is not None:
        raise UsageError(
            "a command after -- is waited for until it listens for TCP, and -S/--socketPath leads to a unix socket;"
            " leave -S out, or start the server first"
        )
    port = port_of_environment() or free_port()
    offered = planned(options, urls, port)
    prepared = prepare(offered.plan)
    where = None
    service = Service(command, port)
    try:
        with service:
            where = service.wait(
                slow=lambda: say(
                    f"the server '{service.name}' does not listen yet; waiting {START_LIMIT_S:g} s at most"
                )
            )
            if where.others:
                ports = ", ".join(map(str, (where.port, *where.others)))
                say(f"the server '{service.name}' listens on {ports}; a bare path is of {where.port}")
            try:
                code = fire(replace(offered, plan=_moved(offered.plan, urls, where)), prepared)
            except InvalidRun:
                service.lost_within(_LAST_MOMENT_S)
                raise
    except InvalidRun:
        if where is None:
            _tell_output(service)
        else:
            _tell_loss(service)
        raise
    except KeyboardInterrupt:
        if where is None:
            # Whoever loses patience with it wants to know why it does not listen.
            _tell_output(service)
        raise
    return (code or InvalidRun.exit_code) if _tell_loss(service) else code


def _moved(plan: Plan, urls: Sequence[str], where: Listening) -> Plan:
    """The Plan with its bare paths led to where the server listens, which need not be the port it was offered."""
    import msgspec

    targets = targets_of(urls, port=where.port, host=where.host)
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
