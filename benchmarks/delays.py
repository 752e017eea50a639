"""Servers whose delay is known: `delay_server.c`, made with the C compiler that is there, on a core of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients import Fault
from targets import on_core

__all__ = ["PROFILES", "DelayServer", "Profile", "build", "serving"]

_SOURCE: Final = Path(__file__).with_name("delay_server.c")
_LIMIT_S: Final = 10.0


@dataclass(frozen=True)
class Profile:
    """How long a server takes: `delay_us`, or `other_us` for so many requests in a thousand."""

    told: str
    delay_us: int
    other_us: int = 0
    per_mille: int = 0

    @property
    def words(self) -> list[str]:
        """As the server takes them."""
        return [str(number) for number in (self.delay_us, self.other_us, self.per_mille)]


PROFILES: Mapping[str, Profile] = {
    "1ms": Profile("1 ms", 1_000),
    "tail": Profile("500 µs, 2 % of them 20 ms", 500, 20_000, 20),
    "none": Profile("at once", 0),
}


@dataclass(frozen=True)
class DelayServer:
    """A server that runs: its port, the bytes of each of its responses, and its process."""

    port: int
    response_bytes: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def build(folder: Path, source: Path = _SOURCE) -> Path:
    """Compile a server into a folder; returns the program. Fault where there is no compiler, or it fails."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Fault(
            "a C compiler is needed for the server with an exact delay: apt-get install gcc libc6-dev"
        )
    program = folder / source.stem
    done = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Fault(f"{source.name} does not compile: {done.stderr.strip()[-300:]}")
    return program


@contextmanager
def serving(program: Path, profile: Profile, *, core: int, seconds: int) -> Iterator[DelayServer]:
    """Run the server on a core, for at most so many seconds. It ends with the block."""
    process = subprocess.Popen(
        on_core(core, [str(program), str(seconds), *profile.words]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        numbers = process.stdout.readline().split()
        if len(numbers) != 2:
            raise Fault("the server with an exact delay did not start")
        yield DelayServer(int(numbers[0]), int(numbers[1]), process)
    finally:
        process.kill()
        process.wait(_LIMIT_S)
        if process.stdout is not None:
            process.stdout.close()
