"""From the words that name where to fire to Targets: URLs, and paths of a server on this machine whose port is known.

Law: what is said of a URL shows no secret of it. Of the environment only PORT is read, and only for a path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cannon.cli.elsewhere import FLAGS_ELSEWHERE
from cannon.errors import UsageError
from cannon.text import clean, redact_url

if TYPE_CHECKING:
    from cannon.target import Target

__all__ = ["port_of_environment", "targets_of"]

_BARE_NUMBER = re.compile(r"[0-9.]+[A-Za-z]?", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_LARGEST_PORT = 65535


def targets_of(
    urls: Sequence[str], *, port: int | None = None, host: str = "localhost", has_socket: bool = False
) -> tuple[Target, ...]:
    """A target for each, in order, the same one as often as it is named.

    `port`, `host`: whose the paths are, for one where a server was found to listen; without a port, that of PORT in the
    environment. `has_socket`: a unix socket leads to the server, so a path needs no port. Raises UsageError for what
    cannot be fired at, and for nothing at all, unless a server was started: then it is fired at its root.
    """
    from cannon.target import Target

    if not urls and port is None:
        raise UsageError("a URL is missing; e.g. cannon http://127.0.0.1:4000/")
    host = f"[{host}]" if ":" in host else host
    return tuple(Target.parse(_full(url, host, port, has_socket)) for url in urls or ("/",))


def _full(url: str, host: str, port: int | None, has_socket: bool) -> str:
    """The URL, of a path too."""
    shown = clean(redact_url(url), 60)
    try:
        url.encode()
    except UnicodeEncodeError:
        raise UsageError(f"URL '{shown}' is not UTF-8; write other bytes as %FF") from None
    if not url.startswith("/"):
        if _BARE_NUMBER.fullmatch(url) and "." not in url:
            raise UsageError(
                f"'{shown}' is no URL{FLAGS_ELSEWHERE['-n']}; e.g. cannon -a 1000 http://127.0.0.1:4000/"
            )
        return url
    if url.startswith("//"):
        raise UsageError(f"URL '{shown}' has no scheme before its //; e.g. http://127.0.0.1:4000/path")
    if port is None:
        port = port_of_environment()
    if port is None and has_socket:
        return f"http://{host}{url}"
    if port is None:
        raise UsageError(
            f"'{shown}' is a path, and no PORT in the environment says whose; write the whole URL,"
            " e.g. http://127.0.0.1:4000/, or let a server be started, e.g. cannon / -- node server.js"
        )
    return f"http://{host}:{port}{url}"


def port_of_environment() -> int | None:
    """What PORT says; None where it says nothing. UsageError for what is no port."""
    given = os.environ.get("PORT")
    if not given:
        return None
    if _PORT.fullmatch(given) is None or not 0 < int(given) <= _LARGEST_PORT:
        raise UsageError(
            f"PORT in the environment is '{clean(given, 60)}', and no port from 1 to {_LARGEST_PORT}; e.g. PORT=4000"
        )
    return int(given)
