"""What this machine is, and what it took from a run: waits for a CPU, stolen time, limits.

Law: nothing here guesses. What the system does not tell is None. The files of /proc are those of proc(5); field 2 of
/proc/self/schedstat is the time the main thread was ready to run and had no CPU.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from cannon.text import clean

__all__ = [
    "CpuTimes",
    "Host",
    "cpu_ns",
    "cpu_times",
    "descriptor_ceiling",
    "is_local",
    "listening",
    "raise_descriptor_limit",
    "run_delay_ns",
    "this_host",
]

_CPUINFO = Path("/proc/cpuinfo")
_SCHEDSTAT = Path("/proc/self/schedstat")


class Host(msgspec.Struct, frozen=True):
    """A fingerprint: `cpu` is the model's name, `cores` those this process may use, `kernel` its name and release."""

    cpu: str
    cores: int
    kernel: str
    hostname: str


def this_host() -> Host:
    """Return the fingerprint of this machine."""
    system = os.uname()
    return Host(
        cpu=clean(_cpu_model(_text_of(_CPUINFO)) or system.machine),
        cores=_usable_cores(),
        kernel=clean(f"{system.sysname} {system.release}"),
        hostname=clean(system.nodename),
    )


def _cpu_model(cpuinfo: str) -> str | None:
    """Return the first model name in the text of /proc/cpuinfo. ARM kernels give none."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return None


def _usable_cores() -> int:
    # taskset and containers give a process fewer cores than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class CpuTimes(msgspec.Struct, frozen=True):
    """CPU time of the whole machine since its start, all CPUs added up. `steal_s` is None where it is not told."""

    total_s: float
    steal_s: float | None

    def steal_since(self, earlier: CpuTimes) -> float | None:
        """Return the share of CPU time, 0..1, that the hypervisor gave to others since the earlier reading."""
        if self.steal_s is None or earlier.steal_s is None or self.total_s <= earlier.total_s:
            return None
        share = (self.steal_s - earlier.steal_s) / (self.total_s - earlier.total_s)
        return min(max(share, 0.0), 1.0)


def cpu_times() -> CpuTimes:
    """Return the machine's CPU times now; two readings make an interval."""
    import psutil

    times = psutil.cpu_times()._asdict()
    # Linux counts a guest's time in `user` and `nice` as well.
    total_s = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
    return CpuTimes(total_s=total_s, steal_s=times.get("steal"))


def run_delay_ns() -> int | None:
    """Return how long this process's main thread has waited for a CPU so far; None where the kernel does not say."""
    return _run_delay_ns(_text_of(_SCHEDSTAT))


def _run_delay_ns(schedstat: str) -> int | None:
    fields = schedstat.split()
    return int(fields[1]) if len(fields) == 3 and fields[1].isdecimal() else None


def cpu_ns() -> int:
    """Return the CPU time of this process so far, user and system, all its threads."""
    return time.process_time_ns()


def is_local(ip: str) -> bool:
    """Return whether a numeric address is one of this machine's: nothing can be bound to another's."""
    import socket

    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True


def listening(process_id: int) -> frozenset[tuple[str, int]]:
    """Return where the descendants of a process listen for TCP: numeric addresses and ports.

    Processes that may not be looked into are passed over; an IPv4 address is told as one, even on a socket of IPv6.
    """
    import psutil

    found: set[tuple[str, int]] = set()
    try:
        descendants = psutil.Process(process_id).children(recursive=True)
    except psutil.Error:
        return frozenset()
    for process in descendants:
        # The method's name before psutil 6.
        sockets = getattr(process, "net_connections", None) or process.connections
        try:
            found |= {
                (entry.laddr.ip.removeprefix("::ffff:"), entry.laddr.port)
                for entry in sockets("tcp")
                if entry.status == psutil.CONN_LISTEN
            }
        except (psutil.Error, OSError):
            continue
    return frozenset(found)


def descriptor_ceiling() -> int | None:
    """Return how many descriptors a process may be given here, without more rights; None where there is no limit."""
    try:
        import resource
    except ImportError:
        return None
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY else hard


def raise_descriptor_limit(needed: int) -> None:
    """Let this process open `needed` descriptors at once, or as many as the system allows, if these are fewer."""
    try:
        import resource
    except ImportError:
        return
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (None if limit == resource.RLIM_INFINITY else limit for limit in limits)
    wanted = _soft_limit(needed, soft, hard)
    if wanted is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, limits[1]))


def _soft_limit(needed: int, soft: int | None, hard: int | None) -> int | None:
    """Return the soft limit to set, None to leave it. A limit that is None is no limit."""
    wanted = needed if hard is None else min(needed, hard)
    return None if soft is None or wanted <= soft else wanted
