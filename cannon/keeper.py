"""The keeper: a process between cannon and a server that it starts, so that none of the server's outlives cannon.

Run as a file by cannon.services, which writes one line of JSON to its standard input, the command and its environment,
and holds that pipe open. What happens comes out of its standard output, a line each:

    started PID     the command runs, in a session and group of its own
    refused WHY     it cannot be run
    ended CODE      its first process has ended; -N: killed by signal N
    gone            so has every other
    ending          what ends from now on was told to
    output BYTES    the last line: its standard output and error, the last of it, follow

Law: when its standard input ends, for whatever reason (cannon says so, crashed, was killed), every process that the
command has started is ended: SIGTERM, time to follow it, SIGKILL. As a subreaper (prctl(2)) the keeper is the parent of
those whose own parent is gone, even of daemons with a session of their own, so that waitpid(2) knows whether any is
left. Where there are no subreapers, or no /proc, the command's process group alone is ended. Output is read as it
comes, so no server ever waits for a full pipe. Imports nothing but the standard library: it starts at once.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType

__all__ = ["KILLED_AFTER_S", "TAIL_BYTES", "main"]

TAIL_BYTES = 64 * 1024
"""How much of the output is kept."""
KILLED_AFTER_S = 5.0
"""How long the processes have for ending themselves."""

_KILL_AGAIN_S = 0.05
_GIVE_UP_S = 2.0
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, linux/prctl.h
_LIFELINE, _VOICE = 0, 1


class _Keeper:
    """One command, from its start until none of its processes is left."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._tail = b""
        self._poll = select.poll()
        self._kill_at_s: float | None = None
        self._give_up_at_s = math.inf
        self._first_gone = self._all_gone = False
        self._output, writing = os.pipe()
        os.set_blocking(self._output, False)
        try:
            # Kept, and never asked: it is waited for in `_reap`, with all the others.
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        self._first = self._process.pid

    def keep(self, woken: int) -> None:
        """Watch until the lifeline ends, then end what is left. `woken` is readable after a signal."""
        _say(f"started {self._first}")
        for descriptor in (_LIFELINE, self._output, woken):
            self._poll.register(descriptor, select.POLLIN)
        while self._kill_at_s is None or not self._all_gone:
            wait_ms = None
            if self._kill_at_s is not None:
                now_s = time.monotonic()
                if now_s >= self._give_up_at_s:
                    break
                if now_s >= self._kill_at_s:
                    self._signal(signal.SIGKILL)
                    self._kill_at_s = now_s + _KILL_AGAIN_S
                wait_ms = (self._kill_at_s - now_s) * 1000
            for descriptor, _ in self._poll.poll(wait_ms):
                self._take(descriptor)
            self._reap()
        while self._read():
            pass
        _say(f"output {len(self._tail)}")
        _write(self._tail)

    def _take(self, descriptor: int) -> None:
        """What there is on a descriptor."""
        if descriptor == self._output:
            if not self._read():
                self._poll.unregister(self._output)
        elif not os.read(descriptor, 512):
            # Only the lifeline ever ends.
            self._poll.unregister(descriptor)
            self._kill_at_s = time.monotonic() + KILLED_AFTER_S
            self._give_up_at_s = self._kill_at_s + _GIVE_UP_S
            self._reap()
            _say("ending")
            self._signal(signal.SIGTERM)
            # One that is stopped would not hear of it.
            self._signal(signal.SIGCONT)

    def _read(self) -> bool:
        """Whether there was some output."""
        try:
            data = os.read(self._output, TAIL_BYTES)
        except BlockingIOError:
            return False
        self._tail = (self._tail + data)[-TAIL_BYTES:]
        return bool(data)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while not self._all_gone:
                process_id, status = os.waitpid(-1, os.WNOHANG)
                if not process_id:
                    return
                if process_id == self._first:
                    self._first_gone = True
                    _say(f"ended {os.waitstatus_to_exitcode(status)}")
        if not self._all_gone:
            self._all_gone = True
            _say("gone")

    def _signal(self, number: signal.Signals) -> None:
        """To every process that there is: to the command's group at one blow, then to those that left it."""
        others = []
        in_group = not self._first_gone
        for process_id in _descendants():
            with suppress(ProcessLookupError):
                if os.getpgid(process_id) == self._first:
                    in_group = True
                else:
                    others.append(process_id)
        # Nobody of the group left: its number may be another's by now.
        if in_group:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._first, number)
        for process_id in others:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process_id, number)


def _descendants() -> list[int]:
    """The processes that descend from this one."""
    children: dict[int, list[int]] = {}
    with suppress(OSError):
        for name in filter(str.isdecimal, os.listdir("/proc")):
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # proc(5): after the name, which may hold anything, come the state and the parent.
                parent = int(file.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found = children.get(os.getpid(), [])
    for process_id in found:
        found.extend(children.get(process_id, []))
    return found


def _adopt_orphans() -> None:
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _woken_by_signals() -> int:
    """A descriptor that is readable after a process has ended."""

    def noted(number: int, frame: FrameType | None) -> None:
        """The wake-up is all there is to it."""

    reading, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, noted)
    return reading


def _say(line: str) -> None:
    _write(f"{line}\n".encode())


def _write(data: bytes) -> None:
    # Nobody listens any more: cannon is gone, and what is to be done is to be done all the same.
    with suppress(OSError):
        while data:
            data = data[os.write(_VOICE, data) :]


def main() -> int:
    """Start what the first line of standard input says and keep it until that input ends."""
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(_LIFELINE, 1 << 16)
        if not data:
            return 0
        line += data
    command, environment = json.loads(line)
    _adopt_orphans()
    woken = _woken_by_signals()
    try:
        keeper = _Keeper(command, environment)
    except (OSError, ValueError) as error:
        _say(f"refused {getattr(error, 'strerror', None) or error}")
        return 0
    keeper.keep(woken)
    return 0


if __name__ == "__main__":
    sys.exit(main())
