"""The CPU that named processes have used, each with all its descendants: two readings make an interval.

Law: what ended in between is not lost. The clock of a process (clock_getcpuclockid(3)) has every thread it ever had, to
the nanosecond; of children that were waited for, their parent's stat has cutime and cstime (proc(5)), cut to ticks of
10 ms, which blurs a reading by up to two ticks for each parent, and never adds up. Children of whoever ignores SIGCHLD
are waited for by nobody and lost with their end. A process that is gone is told once, and has no figure from then on;
another that has got its number is not taken for it. cannon's own processes are nobody's descendants.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from cannon.errors import UsageError
from cannon.slots import OWN
from cannon.text import clean

__all__ = ["Consumption", "Reading", "check"]

_PROC = Path("/proc")
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_SCHEDULED = 2  # CPUCLOCK_SCHED, linux/posix-timers.h: the clock is that of the scheduler
_LOOKS = 3
_DEAD = frozenset({"Z", "X", "x"})
_EXAMPLE = "--pid haproxy=$(pidof -s haproxy)"


class Reading(msgspec.Struct, frozen=True):
    """CPU time so far by name, user and system, in ns. A process that is gone has none."""

    cpu_ns: dict[str, int]

    def since(self, earlier: Reading) -> dict[str, int]:
        """What was used since the earlier reading, in ns, of every process that was there at both."""
        return {
            name: max(0, now_ns - earlier.cpu_ns[name])
            for name, now_ns in self.cpu_ns.items()
            if name in earlier.cpu_ns
        }


class Consumption:
    """What watches processes: names, and the id of each. `note` is told, once, of each that is gone.

    `gone`: by name, the same in words.
    """

    def __init__(
        self, processes: Sequence[tuple[str, int]], note: Callable[[str], None] | None = None
    ) -> None:
        self._note = note
        self._trees: dict[str, _Tree] = {}
        self.gone: dict[str, str] = {}
        found = dict(_processes()) if processes else {}
        for name, process_id in processes:
            if process_id in found and found[process_id].state not in _DEAD:
                self._trees[name] = _Tree(process_id, found[process_id].started)
            else:
                self._lose(name, process_id)

    def read(self) -> Reading:
        """CPU time of every process that still runs. It takes a few milliseconds."""
        return Reading(
            {name: used_ns for name in tuple(self._trees) if (used_ns := self._read(name)) is not None}
        )

    def _read(self, name: str) -> int | None:
        tree = self._trees[name]
        used_ns = tree.read()
        if used_ns is None:
            del self._trees[name]
            self._lose(name, tree.root)
        return used_ns

    def _lose(self, name: str, process_id: int) -> None:
        told = f"the process '{clean(name)}' ({process_id}) is gone: its CPU is not told from here on"
        self.gone[name] = told
        if self._note is not None:
            self._note(told)


class _Process(msgspec.Struct, frozen=True):
    """What stat tells: its parent, when it was started (in ticks, since the machine was), and times in ns."""

    state: str
    parent: int
    started: int
    used_ns: int
    reaped_ns: int


class _Member(msgspec.Struct, frozen=True):
    """A process of a tree as it was last seen. `used_ns`: with the children it has waited for."""

    parent: int
    started: int
    used_ns: int


class _Tree:
    """A process and its descendants. Whoever was seen in it stays, also when its parent has ended."""

    def __init__(self, root: int, started: int) -> None:
        self.root = root
        self._started = started
        self._members: dict[int, _Member] = {}
        self._orphans_ns = 0

    def read(self) -> int | None:
        """CPU time so far, in ns; None where the first process is gone."""
        seen: dict[int, _Member] = {}
        # A process that ends while it is looked for may be counted twice, or not at all: then they are looked at again.
        for _ in range(_LOOKS):
            found = dict(_processes())
            root = found.get(self.root)
            if root is None or root.started != self._started or root.state in _DEAD:
                return None
            seen = dict(self._look(found))
            if all((now := _process(each)) and now.started == seen[each].started for each in seen):
                break
        for process_id, before in self._members.items():
            # It was waited for by somebody outside.
            if process_id not in seen and before.parent not in self._members and process_id != self.root:
                self._orphans_ns += before.used_ns
        self._members = seen
        return self._orphans_ns + sum(member.used_ns for member in seen.values())

    def _look(self, found: Mapping[int, _Process]) -> Iterator[tuple[int, _Member]]:
        for process_id in self._of(found):
            process = _process(process_id)
            if process is not None and process.started == found[process_id].started:
                used_ns = _clock_ns(process_id)
                used_ns = process.used_ns if used_ns is None else used_ns
                yield process_id, _Member(process.parent, process.started, used_ns + process.reaped_ns)

    def _of(self, found: Mapping[int, _Process]) -> list[int]:
        """The members among all processes."""
        children: dict[int, list[int]] = {}
        for process_id, process in found.items():
            children.setdefault(process.parent, []).append(process_id)
        known = [
            process_id
            for process_id, before in self._members.items()
            if process_id in found and found[process_id].started == before.started
        ]
        members = dict.fromkeys([self.root, *known])
        waiting = list(members)
        while waiting:
            for child in children.get(waiting.pop(), ()):
                if child not in members and child != os.getpid():
                    members[child] = None
                    waiting.append(child)
        return list(members)


def check(processes: Sequence[tuple[str, int]]) -> None:
    """UsageError, naming --pid, for a process whose CPU cannot be told: it does not run, or may not be looked at."""
    names = [name for name, _ in processes]
    for name, process_id in processes:
        given = f"--pid {clean(name)}={process_id}"
        if name == OWN or process_id == os.getpid():
            raise UsageError(f"{given}: the CPU of cannon itself is told anyway; e.g. {_EXAMPLE}")
        if names.count(name) > 1:
            raise UsageError(f"{given}: two processes have the name '{clean(name)}'; give each its own")
        if not (_PROC / "self" / "stat").exists():
            raise UsageError(
                f"{given}: the CPU of other processes stands in /proc, and here is none; leave --pid out"
            )
        _check_process(given, name, process_id)


def _check_process(given: str, name: str, process_id: int) -> None:
    try:
        process = _parsed((_PROC / str(process_id) / "stat").read_bytes())
        leader = _leader(process_id)
    except PermissionError:
        raise UsageError(
            f"{given}: the process {process_id} may not be looked at; run cannon as its user, or leave --pid out"
        ) from None
    except OSError:
        raise UsageError(f"{given}: no process {process_id} runs here; e.g. {_EXAMPLE}") from None
    if leader != process_id:
        raise UsageError(f"{given}: {process_id} is a thread; write --pid {clean(name)}={leader}")
    if process.state in _DEAD:
        raise UsageError(f"{given}: the process {process_id} has ended; e.g. {_EXAMPLE}")


def _leader(process_id: int) -> int:
    """The process that a thread is one of. A thread has a folder in /proc as well, which no listing shows."""
    for line in (_PROC / str(process_id) / "status").read_text(errors="replace").splitlines():
        if line.startswith("Tgid:"):
            return int(line.split()[1])
    return process_id


def _processes() -> Iterator[tuple[int, _Process]]:
    """Every process that may be looked at, also one that has ended and was not waited for yet."""
    with suppress(OSError):
        for name in filter(str.isdecimal, os.listdir(_PROC)):
            process = _process(int(name))
            if process is not None:
                yield int(name), process


def _process(process_id: int) -> _Process | None:
    try:
        # Not through Path, which takes as long as all the rest.
        with open(f"{_PROC}/{process_id}/stat", "rb") as file:
            return _parsed(file.read())
    except OSError:
        return None


def _parsed(stat: bytes) -> _Process:
    # The name, in parentheses, may hold anything; what comes after it begins with field 3, the state.
    fields = stat.rpartition(b")")[2].split()
    user, system, waited_user, waited_system = map(int, fields[11:15])
    return _Process(
        state=fields[0].decode(),
        parent=int(fields[1]),
        started=int(fields[19]),
        used_ns=(user + system) * _TICK_NS,
        reaped_ns=(waited_user + waited_system) * _TICK_NS,
    )


def _clock_ns(process_id: int) -> int | None:
    """CPU time of a process, with all the threads it ever had; None where the kernel does not say."""
    try:
        # How Linux numbers the clocks of processes: what clock_getcpuclockid(3) would return.
        return time.clock_gettime_ns(~process_id << 3 | _SCHEDULED)
    except OSError:
        return None
