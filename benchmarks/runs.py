"""A run of one client: what it answered for, what it cost, and what nginx saw of it.

Law: the cost is the CPU of the client's whole process tree from exec to exit. wait4 tells of a process and of all the
children it waited for, so a client has to wait for its own; those compared here do, or have threads alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from clients import Client, Fault, Load, Report
from targets import Target, on_core

__all__ = ["SPARE_S", "Ended", "Run", "doubts", "finish", "measure"]

SPARE_S: Final = 30.0
"""How much longer than it was told to a client may take."""


@dataclass(frozen=True)
class Run:
    """Figures of one run. `seen` and `accepted` are nginx's counts of requests and of connections."""

    requests: int
    per_s: float
    cpu_s: float
    seen: int
    accepted: int

    @property
    def cpu_us(self) -> float:
        """CPU per request, in microseconds."""
        return self.cpu_s * 1e6 / self.requests


@dataclass(frozen=True)
class Ended:
    """What a command that ended well said on stdout, and the CPU of its tree."""

    said: str
    cpu_s: float


def measure(client: Client, program: tuple[str, ...], load: Load, target: Target, core: int) -> Run:
    """Run a client on a core. Fault where it saw an error, or gave no figures."""
    before = target.rest()
    ended = finish([*program, *client.command(load)], core, load.seconds, load.folder, client.files)
    report = _read(client, ended.said)
    after = target.rest()
    return Run(
        requests=report.requests,
        per_s=report.per_s,
        cpu_s=ended.cpu_s,
        seen=after.requests - before.requests,
        accepted=after.accepted - before.accepted,
    )


def finish(command: list[str], core: int, seconds: int, folder: Path, files: Mapping[str, str]) -> Ended:
    """Run a client's command on a core, with its files in the folder. Fault where it hangs or ends with an error."""
    for name, text in files.items():
        (folder / name).write_text(text)
    with _file(folder / "stdout") as stdout, _file(folder / "stderr") as stderr:
        # One that wants files there would write more into the user's home.
        home = {"HOME": str(folder)} if files else {}
        cpu_s = _spend(on_core(core, command), seconds + SPARE_S, home, stdout, stderr)
        return Ended(_text(stdout), cpu_s)


def _read(client: Client, output: str) -> Report:
    try:
        return client.read(output)
    except (ValueError, KeyError, TypeError) as error:
        raise Fault(f"its output cannot be read ({error!r}): {_last_words(output)}") from error


def _spend(
    command: list[str], limit_s: float, environment: dict[str, str], stdout: IO[str], stderr: IO[str]
) -> float:
    """Run a command to its end; the seconds of CPU that its tree took."""
    started = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **environment},
        process_group=0,
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(started.pid)

    timer = threading.Timer(limit_s, stop)
    timer.start()
    try:
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        _kill(started.pid)
        started.wait()
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise Fault(f"it did not end within {limit_s:.0f} s")
    if started.returncode:
        raise Fault(f"exit code {started.returncode}: {_last_words(_text(stderr) or _text(stdout))}")
    return usage.ru_utime + usage.ru_stime


def _file(path: Path) -> IO[str]:
    return path.open("w+", encoding="utf-8", errors="replace")


def _kill(process_group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process_group, signal.SIGKILL)


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def doubts(run: Run, load: Load, off_clock: int) -> list[str]:
    """What nginx's counts say against a client's, beyond the requests in flight of each connection, and one probe."""
    said = []
    if not 0 <= run.seen - run.requests <= load.connections * load.pipelining + off_clock:
        said.append(f"counted {run.requests:,} requests, nginx {run.seen:,}")
    if run.accepted > load.connections + 1:
        said.append(f"opened {run.accepted:,} connections")
    return said
