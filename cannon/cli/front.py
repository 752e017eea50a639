"""HAProxy in front of a server, for the demo: found, told what to do, started, ended.

Law: nothing of it outlives the block, nor a cannon that is killed (cannon.services), and it listens on this machine
alone. Its configuration is gone as soon as it has been read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cannon.cli.session import tell
from cannon.errors import InvalidRun
from cannon.programs import path_of

__all__ = ["PACKAGE", "Front", "fronted", "program"]

PACKAGE = "haproxy"
"""Of Debian, Ubuntu, Fedora and Homebrew: all call it so."""

_BINARY = "haproxy"
_HOST = "127.0.0.1"
_CONFIGURATION = """\
global
    maxconn 256
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind {host}:{port}
    default_backend back
backend back
    server origin {authority}
"""


@dataclass(frozen=True, slots=True)
class Front:
    """What stands in front: its URL without a path, and the id of its process."""

    url: str
    pid: int


def program() -> str | None:
    """The path of HAProxy's program; None where it is not installed."""
    return path_of(_BINARY)


@contextmanager
def fronted(path: str, url: str) -> Iterator[Front]:
    """Run this program in front of a URL such as `http://127.0.0.1:4321`. InvalidRun where it does not listen: what it
    said has been told.
    """
    from cannon.services import Service, free_port

    port = free_port()
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="cannon-") as folder:
        configuration = Path(folder) / "haproxy.cfg"
        configuration.write_text(
            _CONFIGURATION.format(host=_HOST, port=port, authority=url.removeprefix("http://"))
        )
        service = stack.enter_context(Service([path, "-db", "-f", os.fspath(configuration)], port))
        try:
            service.wait()
        except InvalidRun:
            for line in service.output:
                tell(f"  {line}\n")
            raise
        started = stack.pop_all()
    with started:
        assert service.pid is not None
        yield Front(f"http://{_HOST}:{port}", service.pid)
