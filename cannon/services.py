"""A Service: a command that cannon starts, watches and stops.

Law: a command is a list of words, never a shell's line. Whoever leaves the block of a Service leaves none of its
processes behind, and neither does a cannon that is killed: a keeper (cannon.keeper) stands between, and ends them when
it no longer hears of cannon. Where a service listens is found through the sockets of its processes, whatever they are
written in. A server that ends is no defect of cannon's: it is told by `lost`, with what it said last.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from cannon import host, keeper
from cannon.errors import CannonError, InvalidRun, UsageError
from cannon.text import clean, redact_command, redact_text

__all__ = ["SLOW_S", "START_LIMIT_S", "Listening", "Service", "free_port"]

START_LIMIT_S = 30.0
"""How long a service may take until it listens."""

SLOW_S = 2.0
"""How long it may take before there is a word about it."""

_LOCALHOST = "127.0.0.1"
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.005, 0.1
_SETTLED_S = 0.25
_END_LIMIT_S = 10.0
_ACCEPT_LIMIT_S = 0.2
_SHOWN_LINES, _SHOWN_CHARACTERS = 20, 300
_WILDCARDS = {"0.0.0.0": _LOCALHOST, "::": "::1"}  # noqa: S104 - what a service binds, not cannon


class Listening(msgspec.Struct, frozen=True):
    """Where a service is to be fired at: `host` as a URL has it, without brackets. `others`: its other ports."""

    host: str
    port: int
    others: tuple[int, ...] = ()


class Service:
    """A context manager around a command and all its processes; `port` is what its environment says is PORT.

    `pid` is its first process, leader of a session and group of its own. `lost` is None as long as it has not ended
    by itself, else how it did; `log` is the end of what it has said and `output` of that the last lines, made safe to
    show; both are known once it has been stopped. `environment`: beside that of cannon. UsageError where the command
    cannot be run.
    """

    def __init__(
        self, command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = list(command)
        self._port = port
        self._environment = dict(environment or {})
        self._heard = b""
        self._refused: str | None = None
        self._code: int | None = None
        self._gone = self._orphaned = self._stopped = False
        self.name = clean(redact_command(self._command), 60)
        self.pid: int | None = None
        self.output: tuple[str, ...] = ()
        self.log = b""

    def __enter__(self) -> Self:
        # -P: what lies in the current folder is none of the keeper's modules.
        self._keeper = subprocess.Popen(
            [sys.executable, "-P", keeper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._send({**os.environ, "PORT": str(self._port), **self._environment})
            while self.pid is None and self._refused is None:
                self._hear(None)
                if self._orphaned:
                    raise CannonError("the keeper of a server has ended before it began")
        except BaseException:
            self.stop()
            raise
        if self._refused is not None:
            self.stop()
            raise UsageError(
                f"the command '{self.name}' cannot be run: {clean(self._refused)}; e.g. cannon / -- node server.js"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def lost(self) -> str | None:
        """How it has ended by itself; None where it has not. A launcher that ended well may have left a server."""
        self._hear(0)
        if self._orphaned:
            return "was killed with its keeper"
        if self._code is None or not (self._gone or self._code):
            return None
        if self._code >= 0:
            return f"ended with exit code {self._code}"
        try:
            return f"was killed by {signal.Signals(-self._code).name}"
        except ValueError:
            return f"was killed by signal {-self._code}"

    def lost_within(self, limit_s: float) -> str | None:
        """The same, but one that has not ended is given this time to do so: a socket ends before its process does."""
        until_s = time.monotonic() + limit_s
        while (lost := self.lost) is None and (left_s := until_s - time.monotonic()) > 0:
            self._hear(left_s)
        return lost

    def wait(self, limit_s: float = START_LIMIT_S, slow: Callable[[], None] | None = None) -> Listening:
        """Wait until it listens for TCP, and return where. InvalidRun, the service stopped, where it does not.

        `slow` is called once, where this takes longer than somebody who watches would expect.
        Of several ports PORT counts; where that is none of them, the lowest, once they have been the same for a moment.
        """
        before: frozenset[tuple[str, int]] = frozenset()
        since_s = 0.0

        def is_there(found: frozenset[tuple[str, int]]) -> bool:
            nonlocal before, since_s
            now_s = time.monotonic()
            if found != before:
                before, since_s = found, now_s
            return any(port == self._port for _, port in found) or (
                bool(found) and now_s - since_s >= _SETTLED_S
            )

        return self._chosen(self._look(is_there, "listens on no TCP port", limit_s, slow))

    def wait_for(self, ports: AbstractSet[int], limit_s: float = START_LIMIT_S) -> None:
        """Wait until it listens on all of these. InvalidRun, the service stopped, where it does not."""
        named = ", ".join(map(str, sorted(ports)))

        def is_there(found: frozenset[tuple[str, int]]) -> bool:
            return ports <= {port for _, port in found}

        self._look(is_there, f"does not listen on port {named}", limit_s)

    def _look(
        self,
        is_there: Callable[[frozenset[tuple[str, int]]], bool],
        otherwise: str,
        limit_s: float,
        slow: Callable[[], None] | None = None,
    ) -> frozenset[tuple[str, int]]:
        """Where it listens, once that is as it should be."""
        began_s = time.monotonic()
        until_s = began_s + limit_s
        look_s = _FIRST_LOOK_S
        while True:
            found = host.listening(self._keeper.pid)
            if is_there(found):
                return found
            if (lost := self.lost) is not None:
                self.stop()
                raise InvalidRun(f"the server '{self.name}' {lost} before it listened")
            now_s = time.monotonic()
            if now_s >= until_s:
                self.stop()
                raise InvalidRun(f"the server '{self.name}' {otherwise} after {limit_s:g} s, and was stopped")
            if slow is not None and now_s - began_s >= SLOW_S:
                slow()
                slow = None
            self._hear(look_s)
            look_s = min(look_s * 1.5, _LONGEST_LOOK_S)

    def stop(self) -> None:
        """End all its processes and wait until they are gone: SIGTERM, and after 5 s SIGKILL. Again: nothing."""
        if self._stopped:
            return
        self._hear(0)
        self._stopped = True
        assert self._keeper.stdin is not None and self._keeper.stdout is not None
        with suppress(BrokenPipeError):
            self._keeper.stdin.close()
        said, until_s = self._heard, time.monotonic() + _END_LIMIT_S
        while _readable(self._keeper.stdout.fileno(), max(0.0, until_s - time.monotonic())):
            data = os.read(self._keeper.stdout.fileno(), 1 << 16)
            if not data:
                break
            said += data
        self._keeper.stdout.close()
        told, last_words, rest = said.partition(b"output ")
        for line in told.partition(b"ending\n")[0].splitlines():
            self._note(line)
        if not last_words:
            self._kill()
        self._keeper.wait()
        self.log = rest.partition(b"\n")[2] if last_words else b""
        self.output = _shown(self.log)

    def _kill(self) -> None:
        """End what a keeper has left that is dead, or does not end."""
        self._keeper.kill()
        if self.pid is not None and self._code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _send(self, environment: dict[str, str]) -> None:
        assert self._keeper.stdin is not None
        # A keeper that is gone already is told by the end of its output.
        with suppress(BrokenPipeError):
            self._keeper.stdin.write(json.dumps([self._command, environment]).encode() + b"\n")
            self._keeper.stdin.flush()

    def _hear(self, limit_s: float | None) -> None:
        """Take in what the keeper says within this time; returns with the first of it. None: however long it takes."""
        assert self._keeper.stdout is not None
        if self._stopped or not _readable(self._keeper.stdout.fileno(), limit_s):
            return
        data = os.read(self._keeper.stdout.fileno(), 1 << 16)
        self._orphaned = not data
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            self._note(line)

    def _note(self, line: bytes) -> None:
        match line.decode().split(maxsplit=1):
            case ["started", number]:
                self.pid = int(number)
            case ["refused", why]:
                self._refused = why
            case ["ended", number]:
                self._code = int(number)
            case ["gone"]:
                self._gone = True

    def _chosen(self, found: frozenset[tuple[str, int]]) -> Listening:
        ports = sorted({port for _, port in found})
        port = self._port if self._port in ports else ports[0]
        others = tuple(each for each in ports if each != port)
        return Listening(_host_of({ip for ip, each in found if each == port}, port), port, others)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((_LOCALHOST, 0))
        return int(probe.getsockname()[1])


def _host_of(bound: set[str], port: int) -> str:
    """`localhost` where who dials that comes to one of these addresses, and to nobody else; otherwise an address."""
    addresses = {_WILDCARDS.get(ip, ip) for ip in bound}
    with suppress(OSError):
        for entry in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
            ip = str(entry[4][0])
            if ip in addresses:
                return "localhost"
            if _accepts(ip, port):
                # A wildcard of IPv6 mostly takes IPv4 too; then nobody else can have it.
                return "localhost" if "::" in bound else min(addresses)
    return min(addresses)


def _accepts(ip: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((ip, port), _ACCEPT_LIMIT_S):
        return True
    return False


def _readable(descriptor: int, limit_s: float | None) -> bool:
    # Not select.select: there may be more than a thousand descriptors.
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if limit_s is None else limit_s * 1000))


def _shown(output: bytes) -> tuple[str, ...]:
    """The last lines of an output, without what moves a terminal, and without secrets."""
    lines = output.decode("utf-8", "backslashreplace").splitlines()
    return tuple(clean(redact_text(line.rstrip()), _SHOWN_CHARACTERS) for line in lines[-_SHOWN_LINES:])
