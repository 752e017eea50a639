"""What went over loopback, as tcpdump saw it: stamps of the kernel, taken as a packet passes, in nanoseconds.

Law: to look changes nothing and loses nothing. tcpdump stands still (SIGSTOP) while packets are stamped into its ring,
which holds a whole run, so it takes no CPU from either side; it writes them out afterwards. A packet that the kernel
dropped is a Fault.
Needs tcpdump, and root or the right to capture: `setcap cap_net_raw+ep $(which tcpdump)`.
"""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clients import Fault
from machine import version_in
from pcap import BrokenCapture, Exchange, exchanges, segments

__all__ = ["capturing", "dropped", "read_exchanges", "tcpdump_program", "tcpdump_version"]

_RING_KIB: Final = 512 * 1024
_SNAPSHOT_BYTES: Final = 96
"""Enough for the headers of Ethernet, IPv4 and TCP, whose lengths say how much they carry."""

_LIMIT_S: Final = 30.0
_LOOK_S: Final = 0.05
_IDLE_LOOKS: Final = 4


def tcpdump_program() -> str:
    """Return where tcpdump is. Fault, with how to come by it, where it is missing."""
    program = shutil.which("tcpdump") or shutil.which("tcpdump", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Fault("tcpdump is needed, which is the truth here: apt-get install tcpdump")
    return program


def tcpdump_version() -> str:
    """Return the version that it tells of itself."""
    done = subprocess.run([tcpdump_program(), "--version"], capture_output=True, text=True, check=False)
    return version_in(done.stdout + done.stderr, r"tcpdump version (\S+)")


@contextmanager
def capturing(port: int, path: Path) -> Iterator[None]:
    """Write every packet with bytes in it, to or from this port on loopback, into a file that is whole at the end."""
    said_path = path.with_suffix(".said")
    # A packet passes loopback twice. Only its arrival is wanted, whose stamp is the one that receivers are given; to
    # copy it as it leaves as well would cost the sender some µs, between its own stamp and that one.
    carries = (
        f"inbound and tcp port {port} and (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) != 0"
    )
    with path.open("wb") as stdout, said_path.open("wb") as stderr:
        tcpdump = subprocess.Popen(
            [
                *(tcpdump_program(), "-i", "lo", "-n", "-w", "-", "--time-stamp-precision=nano"),
                *("--immediate-mode", "-s", str(_SNAPSHOT_BYTES), "-B", str(_RING_KIB), carries),
            ],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            _wait_until_it_listens(tcpdump, said_path)
            _send_a_first_byte(port)
            tcpdump.send_signal(signal.SIGSTOP)
            yield
            tcpdump.send_signal(signal.SIGCONT)
            _wait_until_it_is_idle(tcpdump)
            tcpdump.send_signal(signal.SIGINT)
            tcpdump.wait(_LIMIT_S)
        finally:
            tcpdump.kill()
            tcpdump.wait()
    if lost := dropped(said_path.read_text()):
        raise Fault(f"{lost:,} packets are not in the capture; fire for fewer --seconds")


def dropped(said: str) -> int:
    """How many packets the kernel dropped, of what tcpdump says at its end. Fault where it says nothing of them."""
    found = re.search(r"^(\d+) packets? dropped by kernel", said, re.MULTILINE)
    if found is None:
        raise Fault(f"tcpdump did not say what it dropped: {' '.join(said.split())[-200:]}")
    return int(found[1])


def read_exchanges(path: Path, port: int, response_bytes: int) -> list[Exchange]:
    """The exchanges of a capture, in the order of their requests."""
    try:
        found = list(exchanges(segments(path.read_bytes(), port), response_bytes))
    except BrokenCapture as broken:
        raise Fault(f"the capture: {broken}") from broken
    return sorted(found, key=lambda exchange: exchange.asked_ns)


def _wait_until_it_listens(tcpdump: subprocess.Popen[bytes], said_path: Path) -> None:
    until_s = time.monotonic() + _LIMIT_S
    while "listening on" not in said_path.read_text():
        if tcpdump.poll() is not None or time.monotonic() > until_s:
            said = " ".join(said_path.read_text().split())
            raise Fault(f"tcpdump does not capture (as root, or with setcap cap_net_raw+ep, it may): {said}")
        time.sleep(_LOOK_S)


def _send_a_first_byte(port: int) -> None:
    """Have a byte pass that is no request.

    The first packet after a filter was set is filtered by libpcap itself, which cannot tell `inbound` and loses it.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_LIMIT_S) as connection:
        connection.sendall(b"\r")


def _wait_until_it_is_idle(tcpdump: subprocess.Popen[bytes]) -> None:
    """Wait until it has written out what its ring held, and sleeps for more."""
    until_s = time.monotonic() + _LIMIT_S
    idle = 0
    while idle < _IDLE_LOOKS:
        if time.monotonic() > until_s:
            raise Fault("tcpdump does not come to an end")
        time.sleep(_LOOK_S)
        state = Path(f"/proc/{tcpdump.pid}/stat").read_text().rpartition(")")[2].split()[0]
        idle = idle + 1 if state == "S" else 0
