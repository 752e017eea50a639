"""The engine end to end: real sockets, this process, servers that do what they are told.

Every case of the corpus ends in exactly one count, of the right kind, long before any timeout.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from selectors import PollSelector

import msgspec
import pytest

from cannon.engine import native
from cannon.engine.loop import READ, SelectorPoller
from cannon.engine.native import fire_natively
from cannon.plan import Engine, Plan, Stop
from cannon.preflight import resolve
from cannon.shard import split
from cannon.tally import Tally
from cannon.target import Target
from tests.corpus import Case, load
from tests.engine.test_framing import DEPARTURES
from tests.firing import conserved, fire_at
from tests.servers.ports import black_hole, reserved_port
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

CASES = load()
SECOND_NS = 1_000_000_000


class Reciter:
    """Answers a request for /N with the bytes of the N-th case of the corpus, then closes in peace."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with closing(connection), suppress(OSError):
                connection.settimeout(5)
                head = b""
                while b"\r\n\r\n" not in head and (data := connection.recv(4096)):
                    head += data
                connection.sendall(CASES[int(head.split()[1][1:])].data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


@pytest.fixture(scope="module")
def reciter() -> Iterator[Reciter]:
    with closing(Reciter()) as server:
        yield server


@pytest.mark.parametrize(
    ("case", "engine"),
    [
        pytest.param(case, engine, id=f"{case.id}-{engine}")
        for case in CASES
        for engine in (Engine.NATIVE, Engine.H11)
        if engine is Engine.NATIVE or ("strict", case.id) not in DEPARTURES
    ],
)
def test_each_case_of_the_corpus_is_one_response_or_one_error(
    reciter: Reciter, case: Case, engine: Engine
) -> None:
    began_s = time.monotonic()
    url = f"http://127.0.0.1:{reciter.port}/{CASES.index(case)}"
    tally = fire_at(url, amount=1, connections=1, method=case.method, engine=engine)
    assert time.monotonic() - began_s < 2
    assert (tally.sent, tally.in_flight) == (1, 0)
    if case.kind is not None:
        assert (dict(tally.errors), tally.status) == ({case.kind: 1}, {})
    else:
        assert (dict(tally.status), tally.errors) == ({case.status: 1}, {})
        assert (tally.received_body_bytes, tally.excess) == (case.body_bytes, bool(case.excess_bytes))


def _plan(url: str, **settings: object) -> Plan:
    plan = Plan(targets=(resolve(Target.parse(url)),), connections=1)
    return msgspec.structs.replace(plan, **settings)


def _fire(plan: Plan, control: int | None = None, **how: object) -> list[Tally]:
    return list(fire_natively(split(plan, 1)[0], control, **how))  # type: ignore[arg-type]  # passed through


def _sum(tallies: list[Tally]) -> Tally:
    return sum(tallies, Tally())


def test_without_epoll_the_same_is_counted(rude: Rude) -> None:
    plan = _plan(rude.url("/ok"), stop=Stop(amount=200), connections=7)
    total = _sum(_fire(plan, poller=SelectorPoller(PollSelector())))
    assert (total.sent, total.completed, rude.requests) == (200, 200, 200)


def test_a_tally_comes_every_tick_and_windows_add_up_to_the_time_that_was_fired(rude: Rude) -> None:
    tallies = _fire(_plan(rude.url("/ok"), stop=Stop(duration_ns=SECOND_NS // 4), sample_ns=SECOND_NS // 10))
    in_window = [bool(tally.row.window_ns) for tally in tallies]
    # The opening, the window, the drain. Three ticks, unless the machine was away for one.
    assert in_window == [False] + [True] * (len(tallies) - 2) + [False]
    assert len(tallies) in (3, 4, 5)
    total = _sum(tallies)
    assert SECOND_NS // 4 <= total.row.window_ns < 5 * SECOND_NS
    assert conserved(total)


def test_what_ends_in_the_drain_belongs_to_no_row(rude: Rude) -> None:
    total = _sum(_fire(_plan(rude.url("/slow/150"), stop=Stop(duration_ns=SECOND_NS // 20))))
    assert (total.sent, total.completed, total.row.requests) == (1, 1, 0)


def test_what_outlasts_the_drain_is_in_flight(rude: Rude) -> None:
    plan = _plan(
        rude.url("/stall"), stop=Stop(duration_ns=SECOND_NS // 20), drain_ns=SECOND_NS // 20, connections=3
    )
    total = _sum(_fire(plan))
    assert (total.sent, total.completed, total.in_flight) == (3, 0, 3)
    assert total.oldest_in_flight_ns >= SECOND_NS // 20


def _stopped(rude: Rude, stop: bytes) -> Tally:
    """The sum of a run at a slow answer, told to stop at its first tick, with the request in flight."""
    reading, writing = os.pipe()
    told: list[Tally] = []
    plan = _plan(rude.url("/slow/100"), stop=Stop(duration_ns=60 * SECOND_NS), sample_ns=SECOND_NS // 100)
    for tally in fire_natively(split(plan, 1)[0], reading):
        if not told:
            os.write(writing, stop)
        told.append(tally)
    os.close(writing)
    os.close(reading)
    return _sum(told)


def test_a_byte_on_the_control_stops_the_sending_and_still_drains(rude: Rude) -> None:
    total = _stopped(rude, b".")
    assert (total.sent, total.completed, total.in_flight) == (1, 1, 0)
    assert total.row.window_ns < 5 * SECOND_NS


def test_a_byte_in_the_drain_does_not_end_it(rude: Rude) -> None:
    total = _stopped(rude, b"..")
    assert (total.sent, total.completed, total.in_flight) == (1, 1, 0)


def test_whoever_is_stopped_before_the_first_request_sends_none(rude: Rude) -> None:
    reading, writing = os.pipe()
    os.write(writing, b".")
    total = _sum(_fire(_plan(rude.url("/"), stop=Stop(duration_ns=60 * SECOND_NS)), reading))
    os.close(writing)
    os.close(reading)
    assert (total.sent, rude.requests) == (0, 0)


def test_no_connection_fires_before_the_last_has_been_answered(rude: Rude) -> None:
    plan = _plan(rude.url("/"), stop=Stop(duration_ns=SECOND_NS // 5), connections=250)
    total = _sum(_fire(plan))
    assert total.made == 250
    assert total.fewest_answered is not None and total.fewest_answered > 0
    assert total.most_answered is not None and total.most_answered <= total.completed


def test_the_end_of_the_control_ends_the_run_at_once(rude: Rude) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    began_ns = time.monotonic_ns()
    total = _sum(_fire(_plan(rude.url("/stall"), stop=Stop(duration_ns=60 * SECOND_NS)), reading))
    os.close(reading)
    assert time.monotonic_ns() - began_ns < 5 * SECOND_NS
    assert total.in_flight == total.sent


def test_no_connection_is_dialled_for_nothing(rude: Rude) -> None:
    total = fire_at(rude.url("/http10"), amount=13, connections=10)
    assert (total.sent, total.completed, total.attempted, total.made) == (13, 13, 13, 13)


def test_the_second_address_is_dialled_when_the_first_refuses(rude: Rude) -> None:
    target = resolve(Target.parse(rude.url("/ok")))
    dead = msgspec.structs.replace(target.addresses[0], ip="127.0.0.2")
    plan = _plan(
        rude.url("/ok"), targets=(msgspec.structs.replace(target, addresses=(dead, *target.addresses)),)
    )
    total = _sum(_fire(msgspec.structs.replace(plan, stop=Stop(amount=3))))
    assert (total.completed, total.attempted, total.made, total.connect_errors) == (3, 1, 1, {})


def test_an_amount_is_given_up_when_nothing_can_be_reached_for_twice_the_timeout() -> None:
    with reserved_port() as port:
        total = fire_at(
            f"http://127.0.0.1:{port}/", amount=7, connections=2, timeout_s=0.1, sample_ns=20_000_000
        )
    assert (total.sent, total.never_sent, total.made) == (0, 7, 0)
    assert 0.2 * SECOND_NS <= total.row.window_ns < 10 * SECOND_NS


def test_every_latency_is_logged_raw(rude: Rude, tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "latencies")
    total = _sum(_fire(_plan(rude.url("/ok"), stop=Stop(amount=50), log=path)))
    with open(path, encoding="ascii") as lines:
        rows = [line.rstrip("\n").split(",") for line in lines]
    assert [status for _, status in rows] == ["200"] * 50
    exact = sorted(int(duration_ns) for duration_ns, _ in rows)
    longest_ns = total.service.max_ns
    assert longest_ns is not None
    assert exact[-1] <= longest_ns <= exact[-1] + max(64, exact[-1] / 1000)


class _Watched:
    """The system's poller, seen through: how many connections begin between two polls, and blind to one descriptor."""

    def __init__(self, blind_to: int = -1) -> None:
        self._poller = select.epoll()
        self._blind_to = blind_to
        self._events: dict[int, int] = {}
        self._begun = 0
        self.begun: list[int] = []

    def register(self, fd: int, eventmask: int, /) -> None:
        if fd != self._blind_to:
            self._poller.register(fd, eventmask)
            self._events[fd] = eventmask

    def modify(self, fd: int, eventmask: int, /) -> None:
        # A connection that is held is watched for what may come; once it begins, again and anew.
        self._begun += self._events[fd] == READ
        self._events[fd] = eventmask
        self._poller.modify(fd, eventmask)

    def unregister(self, fd: int, /) -> None:
        if fd != self._blind_to:
            self._poller.unregister(fd)

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        if self._begun:
            self.begun.append(self._begun)
            self._begun = 0
        return self._poller.poll(timeout)

    def close(self) -> None:
        self._poller.close()


def test_between_two_looks_at_the_sockets_no_more_than_a_hundred_connections_begin(rude: Rude) -> None:
    poller = _Watched()
    plan = _plan(rude.url("/ok"), stop=Stop(duration_ns=SECOND_NS // 5), connections=250)
    total = _sum(_fire(plan, poller=poller))
    assert conserved(total)
    assert max(poller.begun) <= 100 < sum(poller.begun)


def test_a_dial_that_ends_after_the_window_began_cuts_no_tick_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "OPENING_STALLS_NS", 10_000_000)
    tick_ns = SECOND_NS // 8
    with black_hole() as port:
        plan = _plan(
            f"http://127.0.0.1:{port}/",
            stop=Stop(duration_ns=tick_ns),
            sample_ns=tick_ns,
            timeout_ns=tick_ns // 3,
        )
        tallies = _fire(plan)
    assert [window_ns >= tick_ns for tally in tallies if (window_ns := tally.row.window_ns)] == [True]
    assert sum(tally.connects_failed for tally in tallies) >= 1


def test_the_control_is_looked_at_though_its_turn_never_comes(rude: Rude) -> None:
    reading, writing = os.pipe()
    plan = _plan(rude.url("/ok"), stop=Stop(duration_ns=2 * SECOND_NS), sample_ns=SECOND_NS // 20)
    told: list[Tally] = []
    for tally in fire_natively(split(plan, 1)[0], reading, _Watched(blind_to=reading)):
        if tally.row.window_ns:
            os.write(writing, b".")
        told.append(tally)
    os.close(writing)
    os.close(reading)
    assert _sum(told).row.window_ns < SECOND_NS
