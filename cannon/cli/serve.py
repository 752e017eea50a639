"""`cannon serve`: the bundled origin, in the foreground, until it is stopped."""

from __future__ import annotations

import click

from cannon.cli import values
from cannon.cli.options import DEBUG
from cannon.cli.session import print_text
from cannon.cli.values import Option

__all__ = ["serve"]

_HOST, _PORT = "127.0.0.1", 4000


@click.pass_obj
def _serve(session: object, /, host: str | None, port: int | None, debug: bool | None) -> int:
    from cannon import origin

    name = host or _HOST
    shown = f"[{name}]" if ":" in name else name
    origin.serve(
        name,
        _PORT if port is None else port,
        lambda listening: print_text(f"listening on http://{shown}:{listening}/\n"),
    )
    return 0


serve = click.Command(
    "serve",
    callback=_serve,
    add_help_option=False,
    help="Start the bundled origin server, a target to try things on.",
    params=[
        Option(
            ("--host",),
            "host",
            values.text,
            f"address to listen on  [{_HOST}]",
            section="Options",
            example="--host 127.0.0.1",
            metavar="ADDRESS",
        ),
        Option(
            ("--port",),
            "port",
            values.port,
            f"port to listen on; 0 takes a free one  [{_PORT}]",
            section="Options",
            example="--port 4000",
            metavar="PORT",
        ),
        DEBUG,
    ],
)
