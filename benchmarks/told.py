"""A server with its own record of how long it took: `told_server.c`, two ports with a delay each.

Law: what a comparison of the two ports is judged against comes from this record, never from the client that is judged.
"""

from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import msgspec

from clients import Fault
from delays import build
from targets import on_core

__all__ = ["FIGURES", "Told", "Visit", "build_told", "telling"]

FIGURES: Final = ("p50", "p90", "p99", "mean")
"""What is told of each measure, in order."""

_SOURCE: Final = Path(__file__).with_name("told_server.c")
_LIMIT_S: Final = 10.0


class Visit(msgspec.Struct, frozen=True):
    """What one port had between its first connection and the end of its last one; FIGURES of each measure, in ns.

    `place`: 0 or 1. `service_ns`: from the kernel's having a request to before the write of its response. Its parts are
    `wait_ns`, until the server had read it, and `held_ns`. `write_ns`: of the call that wrote, in none of them.
    """

    place: int
    count: int
    service_ns: tuple[float, float, float, float]
    wait_ns: tuple[float, float, float, float]
    held_ns: tuple[float, float, float, float]
    write_ns: tuple[float, float, float, float]

    @property
    def service_ms(self) -> Mapping[str, float]:
        """By figure."""
        return {figure: value / 1e6 for figure, value in zip(FIGURES, self.service_ns, strict=True)}


class Told:
    """A server that runs: `ports`, one for each delay, and the id of its process."""

    def __init__(self, ports: Sequence[int], pid: int, words: IO[str], record: IO[str]) -> None:
        self.ports = tuple(ports)
        self.pid = pid
        self._words = words
        self._record = record

    def url(self, place: int) -> str:
        return f"http://127.0.0.1:{self.ports[place]}/"

    def visits(self) -> list[Visit]:
        """Those since the last call, in the order of their ends. Fault where connections stay open, or it has gone."""
        try:
            self._words.write("\n")
            self._words.flush()
        except OSError as error:
            raise Fault("the server that keeps a record has gone") from error
        ready, _, _ = select.select([self._record], [], [], _LIMIT_S)
        line = self._record.readline() if ready else ""
        if not line:
            raise Fault("the server that keeps a record has gone, or somebody is still connected to it")
        return msgspec.json.decode(line, type=list[Visit])


def build_told(folder: Path) -> Path:
    """Compile the server into a folder; returns the program. Fault where there is no compiler, or it fails."""
    return build(folder, _SOURCE)


@contextmanager
def telling(program: Path, delay_us: int, other_us: int, *, core: int | None = None) -> Iterator[Told]:
    """Run the server with a delay for each port, on a core if one is given. It ends with the block."""
    command = [str(program), str(delay_us), str(other_us)]
    process = subprocess.Popen(
        command if core is None else on_core(core, command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ports = process.stdout.readline().split()
        if len(ports) != 2:
            raise Fault("the server that keeps a record did not start")
        yield Told([int(port) for port in ports], process.pid, process.stdin, process.stdout)
    finally:
        process.kill()
        process.wait(_LIMIT_S)
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.close()
