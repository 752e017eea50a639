"""Runs that follow one another at a server whose delay is known, each judged against those before it.

Law: what is run is the command line, as a CI job would; which server it was fired at, and that server's own record, say
whether its verdict is right.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from cannon.gate_grammar import Known, parse
from cannon.gates import Verdict
from cannon.judging import judge_run
from cannon.result import Result
from clients import CLIENTS, Fault
from gate_checks import GATE, STRICT, Check, Kind
from machine import commit
from targets import on_core
from told import Told, build_told, telling

__all__ = ["BASELINES", "Load", "Series", "beginning"]

BASELINES: Final = 5
_LONGER: Final = 1.3
_FAILED: Final = 4
_SPARE_S: Final = 30.0


@dataclass(frozen=True)
class Load:
    """What every run is: at a server that holds for `delay_us`, `rate` requests a second for so long that a p99 has
    the 2,000 it takes.
    """

    delay_us: int = 10_000
    rate: int = 1_500
    seconds: float = 1.5

    @property
    def longer_us(self) -> int:
        """How long the slower port holds."""
        return round(_LONGER * self.delay_us)

    @property
    def connections(self) -> int:
        """Thrice as many as are busy at the slower port, so that no request waits for one."""
        return math.ceil(3 * self.rate * self.longer_us / 1e6)

    @property
    def words(self) -> list[str]:
        """As the command line takes them."""
        return ["-R", str(self.rate), "-d", f"{self.seconds:g}", "-c", str(self.connections)]

    @property
    def setting(self) -> str:
        return f"{self.delay_us / 1000:g} ms, {' '.join(self.words)}, {BASELINES} baselines"


@dataclass
class Series:
    """A server that runs, and the files of the latest runs there in a folder, which are the baselines."""

    server: Told
    load: Load
    folder: Path
    core: int
    program: tuple[str, ...] = CLIENTS["cannon"].program
    commit: str = field(default_factory=commit)
    baselines: deque[Path] = field(default_factory=lambda: deque(maxlen=BASELINES))

    @property
    def judges(self) -> bool:
        """Whether there are baselines enough."""
        return len(self.baselines) == BASELINES

    def fired(self, kind: Kind, number: int) -> Check:
        """One run, and its verdicts where there are baselines enough. Fault where it has none."""
        path = self.path(number)
        named = [word for each in self.baselines for word in ("--baseline", str(each))]
        gated = ["--gate", GATE, *named] if self.judges else []
        url = self.server.url(list(Kind).index(kind))
        exit_code, wall_s = self._run([*self.load.words, *gated, "-j", url], path)
        result = Result.from_json(path.read_bytes())
        check = Check(
            kind=kind,
            setting=self.load.setting,
            number=number,
            commit=self.commit,
            wall_s=wall_s,
            exit_code=exit_code,
            value_ms=result.latency_ms.p99,
            own_ms=self._own_ms(result),
        )
        return self._judged(check, result) if self.judges else check

    def path(self, number: int) -> Path:
        """Where the result of a run is."""
        return self.folder / f"{number}.json"

    def _run(self, words: list[str], path: Path) -> tuple[int, float]:
        """The exit code of a cannon that ended as it should, and how long it took."""
        began_s = time.monotonic()
        said = path.with_suffix(".stderr")
        with path.open("wb") as stdout, said.open("wb") as stderr:
            try:
                done = subprocess.run(
                    on_core(self.core, [*self.program, *words]),
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    timeout=self.load.seconds + _SPARE_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Fault(f"it did not end within {self.load.seconds + _SPARE_S:g} s") from None
        if done.returncode not in (0, _FAILED):
            raise Fault(f"exit code {done.returncode}: {said.read_text(errors='replace').strip()[-200:]}")
        return done.returncode, time.monotonic() - began_s

    def _own_ms(self, result: Result) -> float:
        """The p99 of the run by the server's record, in which what was sent off the clock may be a visit of its own."""
        visit = max(self.server.visits(), key=lambda each: each.count, default=None)
        if visit is None or visit.count < result.requests.completed:
            raise Fault("the server has another record of the run than cannon")
        return visit.service_ms["p99"]

    def _judged(self, check: Check, result: Result) -> Check:
        (told,) = result.gates
        verdict = Verdict(told.verdict)
        if (check.exit_code == _FAILED) is not (verdict is Verdict.FAIL):
            raise Fault(f"exit code {check.exit_code}, and the verdict is {verdict}")
        baselines = [Result.from_json(path.read_bytes()) for path in self.baselines]
        strict = judge_run(parse(STRICT, Known(baseline=True)), result, baselines)
        return msgspec.structs.replace(
            check,
            verdicts={GATE: verdict, STRICT: Verdict(strict.verdict)},
            bound_ms=told.bound,
            low_ms=told.low,
            high_ms=told.high,
        )


@contextmanager
def beginning(load: Load, folder: Path, cores: tuple[int, int], program: tuple[str, ...]) -> Iterator[Series]:
    """A server on the first core, and runs on the other, while the block lasts. Fault without a C compiler."""
    with telling(build_told(folder), load.delay_us, load.longer_us, core=cores[0]) as server:
        yield Series(server, load, folder, cores[1], program)
