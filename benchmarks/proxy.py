"""HAProxy in front of a server, on one thread: what a comparison of capacities goes through."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from clients import Fault
from targets import free_ports, on_core

__all__ = ["haproxy"]

_LIMIT_S: Final = 15.0
_CONFIGURATION: Final = """
global
  nbthread 1
  maxconn 400
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen front
  bind 127.0.0.1:{port}
  http-reuse always
  server upstream {upstream}
"""


@contextmanager
def haproxy(url: str, *, core: int) -> Iterator[str]:
    """Run HAProxy on a core; the same URL through it. It ends with the block. Fault where it does not start."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Fault("HAProxy is needed: apt-get install haproxy")
    parts = urlsplit(url)
    (port,) = free_ports(1)
    through = f"http://127.0.0.1:{port}{parts.path}"
    with tempfile.TemporaryDirectory(prefix="cannon-proxy-") as folder:
        path = Path(folder) / "haproxy.cfg"
        path.write_text(_CONFIGURATION.format(port=port, upstream=parts.netloc))
        with (Path(folder) / "said").open("w+") as said:
            server = subprocess.Popen(
                on_core(core, [program, "-db", "-f", str(path)]),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            try:
                _wait_until_it_answers(port, server, Path(said.name))
                yield through
            finally:
                server.terminate()
                try:
                    server.wait(_LIMIT_S)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()


def _wait_until_it_answers(port: int, server: subprocess.Popen[bytes], said: Path) -> None:
    until_s = time.monotonic() + _LIMIT_S
    while True:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            asked.request("GET", "/")
            asked.getresponse().read()
            return
        except (OSError, http.client.HTTPException):
            if server.poll() is not None or time.monotonic() > until_s:
                raise Fault(f"HAProxy did not start: {' '.join(said.read_text().split())[-300:]}") from None
        finally:
            asked.close()
        time.sleep(0.02)
