"""What a request costs the client: cannon beside its peers, in alternating runs at one nginx.

    python benchmarks/peers.py [--rounds 5] [--seconds 10] [--connections 10] [--case plain ...] [--peer wrk ...]

Client on one core, nginx on another. A figure counts the CPU of the client's whole process tree from exec to
exit, with default options, over the requests that nginx logged or the client reported. Ratios are taken pair by
pair, because machines drift; quote medians. Prints Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

NGINX_CORE, CLIENT_CORE = 0, 1

CONFIGURATION = """
daemon off; worker_processes 1; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type text/plain;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /plain {{ return 200 "hello, world"; }}
    location = /heads {{ add_header X-Request-Id $request_id; return 200 "hello, world"; }}
    location = /chunked {{ ssi on; ssi_types text/plain; alias {folder}/body; }}
  }}
}}
"""

CASES = {
    "plain": "12 bytes, always the same head",
    "heads": "12 bytes, every head differs (a request id)",
    "chunked": "16 KB, chunked",
}


@dataclass(frozen=True)
class Run:
    """One run of one client: requests answered, and what it cost."""

    requests: int
    cpu_s: float
    elapsed_s: float

    @property
    def cpu_us(self) -> float:
        return self.cpu_s * 1e6 / self.requests

    @property
    def per_s(self) -> float:
        return self.requests / self.elapsed_s


def _cannon(url: str, seconds: int, connections: int) -> list[str]:
    return [sys.executable, "-m", "cannon", "-d", str(seconds), "-c", str(connections), "-j", url]


def _cannon_requests(output: str) -> tuple[int, float]:
    result = json.loads(output)
    if result["errors"] or result["requests"]["succeeded"] != result["requests"]["completed"]:
        raise RuntimeError(f"cannon saw errors: {result['errors']}")
    return result["requests"]["completed"], result["duration_s"]


def _wrk(url: str, seconds: int, connections: int) -> list[str]:
    return ["wrk", "-t", "1", "-d", str(seconds), "-c", str(connections), url]


def _wrk_requests(output: str) -> tuple[int, float]:
    found = re.search(r"(\d+) requests in ([\d.]+)s", output)
    if found is None or "Socket errors" in output or "Non-2xx" in output:
        raise RuntimeError(f"wrk saw errors:\n{output}")
    return int(found[1]), float(found[2])


@dataclass(frozen=True)
class Client:
    """How a client is called, and how its requests are read off its output."""

    command: Callable[[str, int, int], list[str]]
    requests: Callable[[str], tuple[int, float]]


CLIENTS = {"cannon": Client(_cannon, _cannon_requests), "wrk": Client(_wrk, _wrk_requests)}


@contextlib.contextmanager
def nginx() -> Iterator[str]:
    """nginx on its core; yields its URL."""
    program = shutil.which("nginx")
    if program is None:
        sys.exit("nginx is needed: apt-get install nginx")
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        Path(folder, "body").write_bytes(b"0123456789abcdef" * 1024)
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
        server = subprocess.Popen(
            _on_core(NGINX_CORE, [program, "-c", str(configuration), "-p", folder]),
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_listens(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait_until_it_listens(port: int) -> None:
    until_s = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.02)


def _on_core(core: int, command: list[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command]


def measure(client: Client, url: str, seconds: int, connections: int) -> Run:
    """Run a client on its core and count its whole tree: wait4 tells of a process and all it waited for."""
    with tempfile.TemporaryFile() as output:
        started = subprocess.Popen(
            _on_core(CLIENT_CORE, client.command(url, seconds, connections)),
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        requests, elapsed_s = client.requests(output.read().decode())
    return Run(requests, usage.ru_utime + usage.ru_stime, elapsed_s)


def compare(url: str, peer: str, rounds: int, seconds: int, connections: int) -> str:
    """Alternate cannon and a peer; one row of the table."""
    pairs: list[tuple[Run, Run]] = []
    for number in range(rounds + 1):
        order = ("cannon", peer) if number % 2 else (peer, "cannon")
        runs = {name: measure(CLIENTS[name], url, seconds, connections) for name in order}
        if number:  # the first round warms caches and is thrown away
            pairs.append((runs["cannon"], runs[peer]))
        print(
            f"{url} {number}: "
            + ", ".join(
                f"{name} {run.per_s:,.0f}/s {run.cpu_us:.2f} us" for name, run in sorted(runs.items())
            ),
            file=sys.stderr,
        )
    ours = statistics.median(run.cpu_us for run, _ in pairs)
    theirs = statistics.median(run.cpu_us for _, run in pairs)
    ratios = sorted(one.cpu_us / other.cpu_us for one, other in pairs)
    speeds = [statistics.median(run.per_s for run in side) for side in zip(*pairs, strict=True)]
    return (
        f"| {peer} | {speeds[0]:,.0f} | {speeds[1]:,.0f} | {ours:.2f} | {theirs:.2f} |"
        f" {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--case", choices=CASES, nargs="+", default=list(CASES))
    parser.add_argument(
        "--peer", choices=[name for name in CLIENTS if name != "cannon"], nargs="+", default=["wrk"]
    )
    given = parser.parse_args()
    print(
        f"`{' '.join(['python', *sys.argv])}`, {given.rounds} rounds of {given.seconds} s, {time.strftime('%Y-%m-%d')}"
    )
    with nginx() as url:
        for case in given.case:
            print(f"\n{CASES[case]}, {given.connections} connections\n")
            print(
                "| peer | cannon req/s | peer req/s | cannon CPU us/request | peer CPU us/request | ratio (range) |"
            )
            print("|---|---|---|---|---|---|")
            for peer in given.peer:
                print(
                    compare(f"{url}/{case}", peer, given.rounds, given.seconds, given.connections), flush=True
                )


if __name__ == "__main__":
    main()
