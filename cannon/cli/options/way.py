"""Options that say how to get to the server, where its address is not simply that of the URL."""

from __future__ import annotations

from cannon.cli import values
from cannon.cli.values import Option

__all__ = ["WAY"]

_SECTION = "Way to the server"

WAY: tuple[Option, ...] = (
    Option(
        ("-S", "--socketPath"),
        "socket_path",
        values.socket_path,
        "a unix socket to connect to; Host and path are still the URL's",
        section=_SECTION,
        example="-S /run/app.sock",
        metavar="PATH",
    ),
    Option(
        ("--on-port", "--onPort"),
        "on_port",
        None,
        "start the command after --, with PORT in its environment, and fire when it listens",
        section=_SECTION,
    ),
    Option(
        ("--proxy",),
        "proxy",
        values.proxy,
        "go through a forward proxy: http://, with CONNECT for https, or socks5://",
        section=_SECTION,
        example="--proxy http://127.0.0.1:3128",
        metavar="URL",
    ),
    Option(
        ("--connect-to",),
        "connect_to",
        values.connect_to,
        "dial this instead of the URL's host and port; Host and SNI stay the URL's",
        section=_SECTION,
        example="--connect-to 127.0.0.1:8080",
        metavar="HOST:PORT",
    ),
    Option(
        ("--bind",),
        "bind",
        values.address,
        "the local address to dial from",
        section=_SECTION,
        example="--bind 127.0.0.2",
        metavar="ADDRESS",
    ),
)
