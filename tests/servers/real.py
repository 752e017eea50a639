"""Real servers on free ports: nginx, Node and HAProxy, from Debian's packages.

Each runs in a folder of its own, is waited for until it answers, counts requests by its own means (an access
log, a counter, a stats socket), and is ended by its process id when its block is left. Reading the count of
nginx or Node ends the server, gracefully: only then is the count known to be whole.
"""

from __future__ import annotations

import csv
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tests.servers.ports import HOST, reserve

__all__ = ["HAProxy", "Nginx", "Node", "Seen"]

_PACKAGES = {"nginx": "nginx", "node": "nodejs", "haproxy": "haproxy"}
_START_LIMIT_S = 15.0
_END_LIMIT_S = 10.0


class _Server:
    """What the three have in common: a folder, a port, a process."""

    binary = ""

    def __init__(self) -> None:
        self._held = ExitStack()
        self.port = 0

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._end)
            self._folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="cannon-")))
            self._log = self._held.enter_context((self._folder / "process.log").open("w+"))
            self._start()
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def process_id(self) -> int:
        """Of its first process, and of the session and group that all its processes are in."""
        return self._process.pid

    def url(self, path: str = "/") -> str:
        """The URL of a path."""
        return f"http://{HOST}:{self.port}{path}"

    def _start(self) -> None:
        """Spawn the server and wait until it listens."""
        raise NotImplementedError  # each server has a way of its own

    def _spawn(self, *arguments: str, stdout: int | None = None) -> None:
        path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
        program = shutil.which(self.binary, path=path)
        if program is None:
            raise FileNotFoundError(f"{self.binary} is missing: apt-get install {_PACKAGES[self.binary]}")
        self._process = subprocess.Popen(
            [program, *arguments],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log if stdout is None else stdout,
            stderr=self._log,
            start_new_session=True,
        )
        self._held.callback(self._kill)

    def _reserve(self) -> int:
        """A port that is this server's alone until it ends."""
        holder = self._held.enter_context(reserve())
        self.port = holder.getsockname()[1]
        return self.port

    def _until(self, ready: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + _START_LIMIT_S
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"{self.binary} did not start: {self._said()}")
            time.sleep(0.005)

    def _said(self) -> str:
        logs = (path.read_text(errors="replace") for path in sorted(self._folder.glob("*.log")))
        return " ".join("".join(logs).split())[-2000:]

    def _quit(self, number: signal.Signals) -> None:
        """End gracefully and wait: what the server wrote is whole then."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.wait(_END_LIMIT_S)

    def _kill(self) -> None:
        """End the process and its children, which are of its own session."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_LIMIT_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_END_LIMIT_S)

    def _end(self) -> None:
        self._held.close()


class Nginx(_Server):
    """nginx with one worker. `/` answers itself, `/file` a file; with `upstream`, `/` is a proxy for it.

    `keepalive_requests`: after how many requests it closes a connection. `upstream_http`: "1.0" is how nginx
    proxies unasked, with a new connection each; "1.1" keeps them. Requests of which a client sent nothing, or
    only a part, are not in the count.
    """

    binary = "nginx"

    def __init__(
        self, *, upstream: str | None = None, upstream_http: str = "1.0", keepalive_requests: int = 1_000_000
    ) -> None:
        super().__init__()
        self._upstream = upstream
        self._upstream_http = upstream_http
        self._keepalive_requests = keepalive_requests

    def count(self) -> int:
        """The lines of its access log, written whole: nginx ends with this call."""
        return sum(self.statuses().values())

    def statuses(self) -> dict[int, int]:
        """The same by status."""
        self._quit(signal.SIGQUIT)
        counts: dict[int, int] = {}
        for line in (self._folder / "access.txt").read_text().splitlines():
            counts[int(line)] = counts.get(int(line), 0) + 1
        return counts

    def _start(self) -> None:
        port = self._reserve()
        (self._folder / "root").mkdir()
        (self._folder / "root" / "file").write_bytes(b"hello from nginx\n" * 512)
        (self._folder / "nginx.conf").write_text(self._configuration(port))
        self._spawn("-p", str(self._folder), "-c", "nginx.conf", "-e", "error.log")
        self._until(lambda: _accepts(port))

    def _configuration(self, port: int) -> str:
        kept = 'proxy_http_version 1.1; proxy_set_header Connection "";'
        proxied = f"proxy_pass http://upstream; {kept if self._upstream_http == '1.1' else ''}"
        authority = (self._upstream or "").removeprefix("http://").rstrip("/")
        upstream = f"upstream upstream {{ server {authority}; keepalive 64; }}" if self._upstream else ""
        return f"""
            {"user root;" if os.geteuid() == 0 else ""}
            worker_processes 1;
            daemon off;
            pid nginx.pid;
            events {{ worker_connections 1024; }}
            http {{
                log_format count "$status";
                access_log access.txt count;
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                client_max_body_size 64m;
                keepalive_requests {self._keepalive_requests};
                gzip on; gzip_min_length 1; gzip_types *;
                root root;
                {upstream}
                server {{
                    listen {HOST}:{port} backlog=1024;
                    location / {{ {proxied if self._upstream else 'return 200 "hello";'} }}
                    location = /file {{ }}
                    location = /missing {{ return 404; }}
                    location = /no-content {{ return 204; }}
                    location = /not-modified {{ return 304; }}
                }}
            }}
        """


class Seen(msgspec.Struct, frozen=True, rename="camel"):
    """What the Node server counted."""

    requests: int
    body_bytes: int
    connections: int


class Node(_Server):
    """The server of counting.js: `/`, `/chunked`, `/gzip`, `/no-content`, `/not-modified`, `/upload`."""

    binary = "node"

    def count(self) -> int:
        """The requests it saw; Node ends with this call."""
        return self.seen().requests

    def seen(self) -> Seen:
        """All that it counted; Node ends with this call."""
        self._quit(signal.SIGTERM)
        return msgspec.json.decode((self._folder / "said.txt").read_text().splitlines()[-1], type=Seen)

    def _start(self) -> None:
        script = Path(__file__).with_name("counting.js")
        said = self._folder / "said.txt"
        with said.open("w") as output:
            self._spawn(str(script), stdout=output.fileno())
        self._until(lambda: said.read_text().endswith("\n"))
        self.port = int(said.read_text())


class HAProxy(_Server):
    """HAProxy in front of one server, in http mode with kept connections."""

    binary = "haproxy"

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self._authority = upstream.removeprefix("http://").partition("/")[0]

    def count(self) -> int:
        """The requests its frontend received, from its stats socket."""
        rows = csv.DictReader(self._ask("show stat").removeprefix("# ").splitlines())
        return next(int(row["req_tot"]) for row in rows if row["svname"] == "FRONTEND")

    def _start(self) -> None:
        port = self._reserve()
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        (self._folder / "haproxy.cfg").write_text(
            f"""
global
    maxconn {max(8, min(1000, (limit - 64) // 3))}
    stats socket {self._folder}/stats mode 600 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind {HOST}:{port}
    default_backend back
backend back
    http-reuse safe
    server upstream {self._authority}
"""
        )
        self._spawn("-db", "-f", "haproxy.cfg")
        self._until(self._answers)

    def _answers(self) -> bool:
        with suppress(OSError):
            return "FRONTEND" in self._ask("show stat")
        return False

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as stats:
            stats.settimeout(5)
            stats.connect(str(self._folder / "stats"))
            stats.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: stats.recv(65536), b"")).decode()


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False
