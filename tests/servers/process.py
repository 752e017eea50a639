"""A real server as a process: begun in a folder of its own, waited for until it answers, ended by its process id.

The law: when its block is left, no process of its session is left, and its folder is gone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.ports import HOST, reserve

__all__ = ["Secure", "ServerProcess"]

_START_LIMIT_S = 15.0
_END_LIMIT_S = 10.0


@dataclass(frozen=True)
class Secure:
    """How a server speaks TLS: with which certificate and key (one file), whose clients it asks to show theirs,
    which versions, as nginx and HAProxy write them, oldest first, and whether sessions are resumed.
    """

    certificate: str
    client_ca: str | None = None
    versions: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    resumes: bool = True


class ServerProcess:
    """A server in a folder of its own; `secure`: over TLS, and how. Each kind adds its start and its count."""

    binary = package = ""

    def __init__(self, secure: Secure | None = None) -> None:
        self._secure = secure
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
        return f"http{'s' if self._secure else ''}://{HOST}:{self.port}{path}"

    def _start(self) -> None:
        """Spawn the server and wait until it listens."""
        raise NotImplementedError  # each server has a way of its own

    def _spawn(self, *arguments: str, stdout: int | None = None) -> None:
        path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
        program = shutil.which(self.binary, path=path)
        if program is None:
            raise FileNotFoundError(f"{self.binary} is missing: apt-get install {self.package}")
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
