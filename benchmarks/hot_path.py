"""What one request costs in Python, without a kernel: instructions per request of the hot path.

    .venv/bin/python benchmarks/hot_path.py [--case plain ...]

The cannon that is measured is that of the interpreter: compiled where it was installed so, as in .venv; the sources
in an environment made with `pip install --editable`. Which of the two it was stands above the table. The cases:
`plain`, 12 bytes; `chunked`, 16 KB, which takes several reads; `closing`, a connection for each response.

The connection runs against a socket that always has the same response; valgrind counts the instructions of two
runs that differ only in their number of requests. The same figure every time, on however noisy a machine, so a
regression shows. Without valgrind, CPU time is measured instead. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import repeat

from cannon.engine.connection import Connection
from cannon.engine.framing import FastFraming, Framing
from cannon.engine.loop import Loop
from cannon.engine.meter import Meter
from cannon.engine.supply import Feed, Prepared, Supply
from cannon.plan import Limits
from cannon.request import Request
from cannon.route import Address
from cannon.version import __version__, is_compiled

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nUser-Agent: cannon\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 10:14:31 GMT\r\n"
CASES = {
    "plain": HEAD
    + b"Content-Type: text/plain\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\nhello, world",
    "closing": HEAD + b"Content-Length: 12\r\nConnection: close\r\n\r\nhello, world",
    "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n4000\r\n" + b"x" * 16_384 + b"\r\n0\r\n\r\n",
}
FEW, MANY = 4_000, 20_000


class ScriptedSocket:
    """Has the response ready, in the pieces that the reads ask for."""

    secured = None
    pending = False

    def __init__(self, response: bytes) -> None:
        self._response = response
        self._read_bytes = 0

    def fileno(self) -> int:
        return 0

    def recv(self, bufsize: int, /) -> bytes:
        begin = self._read_bytes
        data = self._response[begin : begin + bufsize]
        self._read_bytes = (begin + len(data)) % len(self._response)
        return data

    def send(self, data: bytes | memoryview, /) -> int:
        return len(data)

    def connect_ex(self, address: tuple[str, int], /) -> int:
        return 0

    def getsockopt(self, level: int, optname: int, /) -> int:
        return 0

    def handshake(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to close."""


class ScriptedPoller:
    """Every socket is ready, eight at a time."""

    def __init__(self, turns: int, halt: Callable[[], None]) -> None:
        self._turns = iter(repeat([(0, 1)] * 8, turns))
        self._halt = halt

    def register(self, fd: int, eventmask: int, /) -> None: ...
    def modify(self, fd: int, eventmask: int, /) -> None: ...
    def unregister(self, fd: int, /) -> None: ...
    def close(self) -> None: ...

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        events = next(self._turns, None)
        if events is None:
            self._halt()
            return []
        return events


def fire(case: str, reads: int) -> int:
    """Let one connection read that often; returns how many responses it counted."""
    loops: list[Loop] = []

    def halt() -> None:
        loops[0].halt()

    loop = Loop(ScriptedPoller(reads // 8, halt))
    loops.append(loop)
    first = Prepared(Request("GET", REQUEST), 0)
    supply = Supply(None, first)
    meter = Meter(lambda status: status == 200, time.monotonic_ns(), supply)

    def frame() -> Framing:
        return FastFraming(bodies=meter.bodies)

    connection = Connection(
        loop=loop,
        meter=meter,
        addresses=(Address("127.0.0.1", 1),),
        timeout_ns=10**12,
        feed=Feed(first, supply.tickets),
        limits=Limits(),
        pipelining=1,
        frame=frame,
        open_socket=lambda address: ScriptedSocket(CASES[case]),
        dialled=lambda: None,
        finished=lambda: None,
    )
    connection.dial(time.monotonic_ns())
    connection.begin(time.monotonic_ns())
    loop.run(10**18, meter.settle)
    meter.fold()
    tally = meter.tally(window_ns=1, cpu_ns=0, run_delay_ns=0, longest_pause_ns=0)
    assert tally.errors == {} and tally.completed > 0
    return tally.completed


def instructions(case: str, reads: int) -> tuple[int, int]:
    """(instructions, responses) of a process that reads that often."""
    done = subprocess.run(
        [
            *("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"),
            *(sys.executable, __file__, "--child", str(reads), "--case", case),
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert counted is not None
    return int(counted[1].replace(",", "")), int(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, nargs="+", default=list(CASES))
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(fire(given.case[0], given.child))
        return
    kind = "compiled" if is_compiled() else "plain Python"
    print(f"cannon {__version__} ({kind}), Python {platform.python_version()}\n")
    if shutil.which("valgrind"):
        print("| response | instructions per request |\n|---|---|")
        for case in given.case:
            (few, some), (many, more) = instructions(case, FEW), instructions(case, MANY)
            print(f"| {case} | {(many - few) / (more - some):,.0f} |", flush=True)
        return
    print("| response | CPU ns per request |\n|---|---|")
    for case in given.case:
        fire(case, FEW)
        began_ns = time.process_time_ns()
        answered = fire(case, MANY * 10)
        print(f"| {case} | {(time.process_time_ns() - began_ns) / answered:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
