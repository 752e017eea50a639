"""The comparisons that a calibration repeats: at what, with which options, and what is known of each beside them.

Law: what is run is the command line, as a user would; what it says is judged against something else: nothing at all, a
server's own record, another client, a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from cannon.comparison import Comparison
from clients import CLIENTS, Load
from machine import commit
from outcomes import Outcome, found_in, own_added_ms, samples_of
from proxy import haproxy
from runs import finish
from targets import nginx
from told import Told, build_told, telling

__all__ = [
    "DELAYS_US",
    "AgainstItself",
    "Bench",
    "Capacity",
    "Injected",
    "Make",
    "Server",
    "Time",
    "Trial",
    "Width",
]

DELAYS_US: Final[Mapping[int, int]] = {200: 3, 1_000: 7, 5_000: 25}
"""Delays in µs, and over how many connections: so many that half load has in about a second the 2,000 requests a slot
that a p99 needs. Odd, so that a request does not come at the very time when another is answered.
"""

_ROUNDS: Final = 8
_REQUESTS: Final = 2_200
_LEAST_SLOT_S: Final = 0.4
_LOADED_S: Final = 3
_HAND_S: Final = 2
_MOST_CONNECTIONS: Final = 1_000
_AROUND_SLOT_S: Final = 2.0
"""What a slot may take beside its window before its comparison counts as hung."""

Make = Callable[[int], Outcome]
"""One comparison of a trial, by its number, which is its seed too. Fault where it found nothing that counts."""


class Trial(Protocol):
    """A comparison that is repeated. `part`, `setting`: what it is known by in the file of outcomes."""

    @property
    def part(self) -> str: ...

    @property
    def setting(self) -> str: ...

    def begin(self, bench: Bench) -> AbstractContextManager[Make]:
        """Run its servers while the block lasts."""


class Server(Protocol):
    """Something to fire at."""

    def __call__(self, bench: Bench) -> AbstractContextManager[str]:
        """Run it while the block lasts; its URL."""


@dataclass(frozen=True)
class Bench:
    """Where comparisons take place: a folder, a core for the servers and one for the clients, the words that start
    cannon, the case of nginx that capacity is compared at.
    """

    folder: Path
    cores: tuple[int, int]
    program: tuple[str, ...] = CLIENTS["cannon"].program
    case: str = "plain"
    commit: str = field(default_factory=commit)

    def compare(self, words: Sequence[str], slots: int, seconds: float) -> tuple[Comparison, float]:
        """What `cannon compare` found of so many slots, measured for so many seconds in all, and how long it took."""
        limit_s = round(1.5 * seconds + slots * _AROUND_SLOT_S)
        began_s = time.monotonic()
        said = finish([*self.program, "compare", *words, "-j"], self.cores[1], limit_s, self.folder, {}).said
        wall_s = time.monotonic() - began_s
        return Comparison.from_json(said.encode()), wall_s

    def load(self, client: str, url: str, connections: int, seconds: int) -> float:
        """Responses a second in a closed loop, by this client."""
        program = self.program if client == "cannon" else CLIENTS[client].found(client) or (client,)
        command = [*program, *CLIENTS[client].command(Load(url, seconds, connections, self.folder))]
        said = finish(command, self.cores[1], seconds, self.folder, {}).said
        return CLIENTS[client].read(said).per_s

    def half(self, url: str, connections: int) -> int:
        """Half of what a server can take, a second."""
        return max(1, int(self.load("cannon", url, connections, _LOADED_S) / 2))

    def outcome(
        self, trial: Trial, number: int, words: Sequence[str], *, rounds: int, slot_s: float, passes: int = 2
    ) -> tuple[Outcome, Comparison]:
        """A comparison of two sides, as its line in the file has it, without what the servers know of it."""
        slots = 2 * passes * (rounds + 1)
        options = ["-d", f"{slot_s * rounds:g}", "--rounds", str(rounds), "--seed", str(number), *words]
        comparison, wall_s = self.compare(options, slots, slots * slot_s)
        outcome = Outcome(
            part=trial.part,
            setting=trial.setting,
            number=number,
            commit=self.commit,
            wall_s=wall_s,
            measured_s=slot_s * rounds,
            lead_in_s=comparison.lead_in_s * rounds,
            rate_per_s=None if comparison.rate is None else comparison.rate.per_s,
            verdict=comparison.validity.verdict,
            reasons=comparison.validity.reasons,
            rows=found_in(comparison),
            rounds=samples_of(comparison),
        )
        return outcome, comparison


@contextmanager
def at_nginx(bench: Bench) -> Iterator[str]:
    """nginx, a page of 12 bytes."""
    with nginx(core=bench.cores[0], schemes=["http"], connections=_MOST_CONNECTIONS) as target:
        yield target.url("http", "plain")


@contextmanager
def at_told(bench: Bench) -> Iterator[str]:
    """The server that keeps a record, which answers at once."""
    with _told(bench, 0, 0) as server:
        yield server.url(0)


@contextmanager
def _told(bench: Bench, delay_us: int, other_us: int) -> Iterator[Told]:
    with telling(build_told(bench.folder), delay_us, other_us, core=bench.cores[0]) as server:
        yield server


SERVERS: Final[Mapping[str, Server]] = {"nginx": at_nginx, "told": at_told}


@dataclass(frozen=True)
class AgainstItself:
    """A server and itself: whatever an interval says beyond zero is wrong."""

    server: str
    connections: int = 4
    slot_s: float = 0.2
    part: str = "aa"

    @property
    def setting(self) -> str:
        return f"{self.server}, {self.connections} connections, {_ROUNDS} rounds of {self.slot_s:g} s"

    @contextmanager
    def begin(self, bench: Bench) -> Iterator[Make]:
        with SERVERS[self.server](bench) as url:
            words = ["--aa", url, "-c", str(self.connections)]
            yield lambda number: bench.outcome(self, number, words, rounds=_ROUNDS, slot_s=self.slot_s)[0]


@dataclass(frozen=True)
class Injected:
    """A server and the same with a delay, at half of what the slower one can take: it knows what it added."""

    delay_us: int
    connections: int
    part: str = "injected"

    @property
    def setting(self) -> str:
        return f"{self.delay_us / 1000:g} ms, {self.connections} connections, {_ROUNDS} rounds"

    @contextmanager
    def begin(self, bench: Bench) -> Iterator[Make]:
        with _told(bench, 0, self.delay_us) as server:
            rate = bench.half(server.url(1), self.connections)
            slot_s = max(_LEAST_SLOT_S, _REQUESTS / rate)
            words = [
                *(f"plain={server.url(0)}", f"held={server.url(1)}", "-c", str(self.connections)),
                *("--rate", str(rate), "--no-capacity"),
            ]
            server.visits()

            def make(number: int) -> Outcome:
                outcome, comparison = bench.outcome(
                    self, number, words, rounds=_ROUNDS, slot_s=slot_s, passes=1
                )
                rounds = samples_of(comparison, server.visits())
                return msgspec.structs.replace(outcome, rounds=rounds, own_ms=own_added_ms(rounds))

            yield make


@dataclass(frozen=True)
class Width:
    """How narrow an interval is: a server that takes 1 ms and itself, at half load, ten rounds of 2 s."""

    part: str = "width"
    setting: str = "1 ms, 10 connections, 10 rounds of 2 s"

    @contextmanager
    def begin(self, bench: Bench) -> Iterator[Make]:
        with _told(bench, 1_000, 1_000) as server:
            words = ["--aa", server.url(0), "--rate", str(bench.half(server.url(0), 10)), "--no-capacity"]
            yield lambda number: bench.outcome(self, number, words, rounds=10, slot_s=2, passes=1)[0]


@dataclass(frozen=True)
class Capacity:
    """What HAProxy costs in capacity, and the same by hand: wrk at either port by turns."""

    case: str = "plain"
    connections: int = 10
    slot_s: float = 1.0
    part: str = "capacity"

    @property
    def setting(self) -> str:
        return f"HAProxy before nginx ({self.case}), {self.connections} connections, 10 rounds of {self.slot_s:g} s"

    @contextmanager
    def begin(self, bench: Bench) -> Iterator[Make]:
        with (
            nginx(core=bench.cores[0], schemes=["http"], connections=_MOST_CONNECTIONS) as target,
            haproxy(target.url("http", self.case), core=bench.cores[0]) as through,
        ):
            direct = target.url("http", self.case)
            words = [f"direct={direct}", f"haproxy={through}", "-c", str(self.connections)]

            def make(number: int) -> Outcome:
                outcome, _ = bench.outcome(self, number, words, rounds=10, slot_s=self.slot_s)
                by_hand = [self._by_hand(bench, pair, direct, through) for pair in range(5)]
                return msgspec.structs.replace(outcome, by_hand=by_hand)

            yield make

    def _by_hand(self, bench: Bench, pair: int, direct: str, through: str) -> float:
        """The change in percent of one pair, each first in every other."""
        urls = (direct, through) if pair % 2 == 0 else (through, direct)
        reached = {url: bench.load("wrk", url, self.connections, _HAND_S) for url in urls}
        return 100 * (reached[through] / reached[direct] - 1)


@dataclass(frozen=True)
class Time:
    """How long a comparison takes by the clock: nginx and itself, `-d 10`."""

    part: str = "time"
    setting: str = "two sides, -d 10, 10 rounds"

    @contextmanager
    def begin(self, bench: Bench) -> Iterator[Make]:
        with at_nginx(bench) as url:
            yield lambda number: bench.outcome(self, number, ["--aa", url], rounds=10, slot_s=1)[0]
