"""Real servers on free ports: nginx, Node and HAProxy, from Debian's packages.

Each counts requests by its own means: an access log, a counter, a stats socket. Reading the count of nginx or Node
ends the server, gracefully: only then is the count known to be whole. All three speak TLS where they are given a
`Secure`.
"""

from __future__ import annotations

import csv
import os
import resource
import signal
import socket
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.servers.ports import HOST
from tests.servers.process import Secure, ServerProcess

__all__ = ["HAProxy", "Nginx", "Node", "Secure", "Seen", "Visit"]


class Visit(NamedTuple):
    """A line of nginx's access log. `connection` and `ordinal`: which of its connections, which request on it, from 1.

    Over TLS: the version as `TLSv1.3`, whether the session was resumed, and the name that was asked for; else "-".
    """

    status: int
    version: str
    resumed: bool
    name: str
    connection: int
    ordinal: int


class Nginx(ServerProcess):
    """nginx with one worker. `/` answers itself, `/file` a file; with `upstream`, `/` is a proxy for it.

    `keepalive_requests`: after how many requests it closes a connection. `upstream_http`: "1.0" is how nginx
    proxies unasked, with a new connection each; "1.1" keeps them. Requests of which a client sent nothing, or
    only a part, are not in the count.
    """

    binary = package = "nginx"

    def __init__(
        self,
        *,
        upstream: str | None = None,
        upstream_http: str = "1.0",
        keepalive_requests: int = 1_000_000,
        secure: Secure | None = None,
    ) -> None:
        super().__init__(secure)
        self._upstream = upstream
        self._upstream_http = upstream_http
        self._keepalive_requests = keepalive_requests

    @property
    def socket_path(self) -> str:
        """The path of the unix socket on which it listens as well."""
        return str(self._folder / "nginx.sock")

    def count(self) -> int:
        """The lines of its access log, written whole: nginx ends with this call."""
        return sum(self.statuses().values())

    def statuses(self) -> dict[int, int]:
        """The same by status."""
        return dict(Counter(visit.status for visit in self.visits()))

    def resumed(self) -> Counter[bool]:
        """The connections on which something was asked for, by whether their session was resumed."""
        return Counter(visit.resumed for visit in self.visits() if visit.ordinal == 1)

    def visits(self) -> list[Visit]:
        """The lines of its access log; nginx ends with this call."""
        self._quit(signal.SIGQUIT)
        return [_visit(line) for line in (self._folder / "access.txt").read_text().splitlines()]

    def _start(self) -> None:
        port = self._reserve()
        (self._folder / "root").mkdir()
        (self._folder / "root" / "file").write_bytes(b"hello from nginx\n" * 512)
        (self._folder / "nginx.conf").write_text(self._configuration(port))
        self._spawn("-p", str(self._folder), "-c", "nginx.conf", "-e", "error.log")
        # It listens on its ports one after the other, on the unix socket last.
        self._until(lambda: _accepts(port) and _accepts_at(self.socket_path))

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
                log_format count
                    "$status $ssl_protocol $ssl_session_reused $ssl_server_name $connection $connection_requests";
                access_log access.txt count;
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                client_max_body_size 64m;
                keepalive_requests {self._keepalive_requests};
                gzip on; gzip_min_length 1; gzip_types *;
                root root;
                {upstream}
                server {{
                    listen {HOST}:{port} backlog=1024{" ssl" if self._secure else ""};
                    listen unix:{self.socket_path} backlog=1024{" ssl" if self._secure else ""};
                    {self._secured()}
                    location / {{ {proxied if self._upstream else 'return 200 "hello";'} }}
                    location = /file {{ }}
                    location = /missing {{ return 404; }}
                    location = /no-content {{ return 204; }}
                    location = /not-modified {{ return 304; }}
                }}
            }}
        """

    def _secured(self) -> str:
        secure = self._secure
        if secure is None:
            return ""
        asks = f"ssl_client_certificate {secure.client_ca}; ssl_verify_client on;" if secure.client_ca else ""
        return f"""
                    ssl_certificate {secure.certificate};
                    ssl_certificate_key {secure.certificate};
                    ssl_protocols {" ".join(secure.versions)};
                    ssl_session_tickets {"on" if secure.resumes else "off"};
                    {asks}
        """


def _visit(line: str) -> Visit:
    status, version, resumed, name, connection, ordinal = line.split()
    return Visit(int(status), version, resumed == "r", name, int(connection), int(ordinal))


class Seen(msgspec.Struct, frozen=True, rename="camel"):
    """What the Node server counted. `secured`: handshakes of TLS that were made, `resumed` of them; `refused`: not."""

    requests: int
    body_bytes: int
    connections: int
    secured: int
    resumed: int
    refused: int


class Node(ServerProcess):
    """The server of counting.js: `/`, `/chunked`, `/gzip`, `/no-content`, `/not-modified`, `/upload`."""

    binary = "node"
    package = "nodejs"

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
            self._spawn(str(script), *self._secured(), stdout=output.fileno())
        self._until(lambda: said.read_text().endswith("\n"))
        self.port = int(said.read_text())

    def _secured(self) -> tuple[str, ...]:
        secure = self._secure
        if secure is None:
            return ()
        settings = {
            "certificate": secure.certificate,
            "clientCa": secure.client_ca,
            "minVersion": secure.versions[0],
            "maxVersion": secure.versions[-1],
        }
        return (msgspec.json.encode(settings).decode(),)


class HAProxy(ServerProcess):
    """HAProxy in front of one server, in http mode with kept connections."""

    binary = package = "haproxy"

    def __init__(self, upstream: str, *, secure: Secure | None = None) -> None:
        super().__init__(secure)
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
    bind {HOST}:{port} {self._secured()}
    default_backend back
backend back
    http-reuse safe
    server upstream {self._authority}
"""
        )
        self._spawn("-db", "-f", "haproxy.cfg")
        self._until(self._answers)

    def _secured(self) -> str:
        secure = self._secure
        if secure is None:
            return ""
        asks = f"ca-file {secure.client_ca} verify required" if secure.client_ca else ""
        tickets = "" if secure.resumes else "no-tls-tickets"
        versions = f"ssl-min-ver {secure.versions[0]} ssl-max-ver {secure.versions[-1]}"
        return f"ssl crt {secure.certificate} {versions} alpn h2,http/1.1 {tickets} {asks}"

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


def _accepts_at(path: str) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as dialling:
        dialling.settimeout(1)
        dialling.connect(path)
        return True
    return False
