"""The target: one nginx, pinned to a core, with a response for each case, over http and https.

Law: what it counted itself (stub_status, on a port of its own) is the measure of what clients say.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients import Fault

__all__ = [
    "CASES",
    "CERTIFICATE",
    "SCHEMES",
    "Counts",
    "Target",
    "free_ports",
    "nginx",
    "nginx_program",
    "on_core",
    "read_status",
]

CASES: Final = {
    "plain": "12 bytes, always the same head",
    "heads": "12 bytes, every head differs (a request id)",
    "chunked": "16 KB, chunked",
}
SCHEMES: Final = ("http", "https")
CERTIFICATE: Final = "TLS 1.3, ECDSA P-256"

_HOST = "127.0.0.1"
_LIMIT_S = 15.0
_TLS = "ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; ssl_protocols TLSv1.3;"
_CONFIGURATION = """
daemon off; worker_processes 1; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections {connections}; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type text/plain;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {tls}
  server {{
    {listens}
    location = /plain {{ return 200 "hello, world"; }}
    location = /heads {{ add_header X-Request-Id $request_id; return 200 "hello, world"; }}
    location = /chunked {{ ssi on; ssi_types text/plain; alias {folder}/body; }}
  }}
  server {{ listen 127.0.0.1:{status_port}; location / {{ stub_status; }} }}
}}
"""


@dataclass(frozen=True)
class Counts:
    """What nginx has counted since its start: connections accepted, requests begun, connections open now."""

    accepted: int
    requests: int
    active: int


def read_status(text: str) -> Counts:
    """Read a page of stub_status. ValueError where it is something else."""
    numbers = re.fullmatch(r"Active connections: (\d+) \nserver[^\n]*\n (\d+) \d+ (\d+) \n.*\n?", text)
    if numbers is None:
        raise ValueError(f"this is no page of stub_status: {text[:200]!r}")
    return Counts(accepted=int(numbers[2]), requests=int(numbers[3]), active=int(numbers[1]))


class Target:
    """A running nginx. `ca` is whom a client has to trust over https, `pid` its one process."""

    def __init__(self, folder: Path, ports: dict[str, int], status_port: int) -> None:
        self._ports = ports
        self._status_port = status_port
        self._looks = 0
        self.pid = 0
        self.folder = folder
        self.ca = folder / "ca.pem"

    def url(self, scheme: str, case: str) -> str:
        return f"{scheme}://{_HOST}:{self._ports[scheme]}/{case}"

    def look(self) -> Counts:
        """What it has counted so far without the looks, each of which is a connection and a request."""
        asked = http.client.HTTPConnection(_HOST, self._status_port, timeout=_LIMIT_S)
        try:
            asked.request("GET", "/", headers={"Connection": "close"})
            counts = read_status(asked.getresponse().read().decode())
        finally:
            asked.close()
        self._looks += 1
        return Counts(counts.accepted - self._looks, counts.requests - self._looks, counts.active - 1)

    def stand_still(self, seconds: float) -> float:
        """Have nginx do nothing for a while (SIGSTOP); how long it was, in s."""
        os.kill(self.pid, signal.SIGSTOP)
        began_s = time.monotonic()
        try:
            time.sleep(seconds)
        finally:
            stood_s = time.monotonic() - began_s
            os.kill(self.pid, signal.SIGCONT)
        return stood_s

    def rest(self) -> Counts:
        """What it has counted once it has heard that every client is gone, so that nothing is left to count."""
        until_s = time.monotonic() + _LIMIT_S
        try:
            while (counts := self.look()).active:
                if time.monotonic() > until_s:
                    raise Fault(
                        f"nginx still has {counts.active} connections, {_LIMIT_S:.0f} s after the client's end"
                    )
                time.sleep(0.02)
        except OSError as error:
            raise Fault(f"nginx does not answer: {error}") from error
        return counts


def on_core(core: int, command: list[str]) -> list[str]:
    """Return the command that runs another on one core; taskset becomes that other, so its costs are all it has."""
    return ["taskset", "-c", str(core), *command]


def nginx_program() -> str:
    """Return where nginx is; Debian keeps it where an ordinary user does not look."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Fault("nginx is needed: apt-get install nginx")
    return program


@contextmanager
def nginx(*, core: int, schemes: list[str], connections: int) -> Iterator[Target]:
    """Run nginx on a core, for so many connections at once. It ends with the block."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="cannon-peers-")))
        *ports, status_port = free_ports(len(schemes) + 1)
        target = Target(folder, dict(zip(schemes, ports, strict=True)), status_port)
        (folder / "body").write_bytes(b"0123456789abcdef" * 1024)
        if "https" in schemes:
            _certify(folder)
        listens = (
            f"listen {_HOST}:{target_port} {'ssl ' if scheme == 'https' else ''}backlog=65535;"
            for scheme, target_port in zip(schemes, ports, strict=True)
        )
        (folder / "nginx.conf").write_text(
            _CONFIGURATION.format(
                folder=folder,
                tls=_TLS.format(folder=folder) if "https" in schemes else "",
                listens=" ".join(listens),
                status_port=status_port,
                connections=connections,
            )
        )
        said = held.enter_context((folder / "said").open("w"))
        command = on_core(core, [nginx_program(), "-c", str(folder / "nginx.conf"), "-p", str(folder)])
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        held.callback(_end, server)
        target.pid = server.pid
        _wait_until_it_answers(target, server)
        yield target


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_LIMIT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_until_it_answers(target: Target, server: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + _LIMIT_S
    while True:
        with suppress(OSError):
            target.look()
            return
        if server.poll() is not None or time.monotonic() > until_s:
            raise Fault(f"nginx did not start: {(target.folder / 'said').read_text()}")
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((_HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def _certify(folder: Path) -> None:
    """Write a CA of our own into the folder, and a certificate of it for this host."""
    try:
        import trustme
    except ImportError as missing:
        raise Fault("https needs a CA to be made: pip install trustme, or --scheme http") from missing
    ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
    certificate = ca.issue_cert(_HOST, key_type=trustme.KeyType.ECDSA)
    ca.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(folder / "server.pem", append=number > 0)
