"""The CPU of named processes: threads and children that have ended are in it, whoever is gone is told."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cannon import consumption
from cannon.consumption import Consumption, Reading, check
from cannon.errors import UsageError

MS = 1_000_000
TICK_NS = 10 * MS

BURNS = """
import os, resource, sys, threading, time
def burn(ms):
    until = time.thread_time() + ms / 1000
    while time.thread_time() < until: pass
def threads(ms):
    all = [threading.Thread(target=burn, args=(ms,)) for _ in range(2)]
    for each in all: each.start()
    for each in all: each.join()
def children(ms):
    for _ in range(2):
        child = os.fork()
        if not child: burn(ms); os._exit(0)
        os.waitpid(child, 0)
def grandchildren(ms):
    child = os.fork()
    if not child: children(ms); os._exit(0)
    os.waitpid(child, 0)
def orphan(ms):
    child = os.fork()
    if not child:
        if os.fork(): os._exit(0)
        burn(ms); print("burnt", flush=True); time.sleep(60)
    os.waitpid(child, 0)
def kept(ms):
    reading, writing = os.pipe()
    if not os.fork():
        burn(ms); os.write(writing, b"."); time.sleep(60)
    os.read(reading, 1)
def used():
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
print("ready", flush=True)
for line in sys.stdin:
    how, ms = line.split()
    before = used()
    globals()[how](int(ms))
    if how != "orphan": print(used() - before, flush=True)
"""
"""Burns CPU as each line asks, and answers what it has used for it, in seconds, by its own account."""


class Burner:
    """A process that burns CPU, in a group of its own: all of it is ended with the test."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", BURNS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._line()

    def burn(self, how: str, milliseconds: int) -> str:
        """What it says once it has."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{how} {milliseconds}\n")
        return self._line()

    def end(self) -> None:
        """End it, and whatever it has left."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.fixture
def burner() -> Iterator[Burner]:
    """One, of the test's own."""
    process = Burner()
    yield process
    process.end()


@pytest.mark.parametrize(
    ("how", "blur_ns"),
    [("burn", 0), ("threads", 0), ("children", 2 * TICK_NS), ("grandchildren", 2 * TICK_NS)],
)
def test_what_was_burnt_is_what_the_process_itself_says(burner: Burner, how: str, blur_ns: int) -> None:
    watched = Consumption([("burner", burner.pid)])
    before = watched.read()
    truth_ns = float(burner.burn(how, 60)) * 1e9
    used_ns = watched.read().since(before)["burner"]
    assert truth_ns >= 60 * MS
    # It reads a line and writes one beside what it tells of.
    assert truth_ns - blur_ns - 1 * MS <= used_ns <= truth_ns + blur_ns + 10 * MS


def test_a_child_that_still_runs_counts_to_the_nanosecond(burner: Burner) -> None:
    watched = Consumption([("burner", burner.pid)])
    before = watched.read()
    burner.burn("kept", 40)
    used_ns = watched.read().since(before)["burner"]
    assert 40 * MS <= used_ns <= 70 * MS
    assert used_ns % TICK_NS


def test_many_readings_add_up_to_one(burner: Burner) -> None:
    watched = Consumption([("burner", burner.pid)])
    first = before = watched.read()
    parts_ns = truth_ns = 0.0
    for how in ("threads", "children") * 4:
        truth_ns += float(burner.burn(how, 10)) * 1e9
        now = watched.read()
        parts_ns += now.since(before)["burner"]
        before = now
    assert parts_ns == pytest.approx(before.since(first)["burner"])
    assert parts_ns == pytest.approx(truth_ns, abs=2 * TICK_NS + 20 * MS)


def test_an_orphan_that_was_never_seen_in_the_family_is_a_stranger(burner: Burner) -> None:
    watched = Consumption([("burner", burner.pid)])
    before = watched.read()
    assert burner.burn("orphan", 40) == "burnt\n"
    assert watched.read().since(before)["burner"] < 40 * MS


def test_two_names_are_told_apart(burner: Burner) -> None:
    other = Burner()
    try:
        watched = Consumption([("busy", burner.pid), ("idle", other.pid)])
        before = watched.read()
        burner.burn("threads", 30)
        used_ns = watched.read().since(before)
    finally:
        other.end()
    assert used_ns["busy"] >= 60 * MS
    assert used_ns["idle"] < 5 * MS


def test_cannon_is_nobodys_descendant(burner: Burner) -> None:
    watched = Consumption([("parent", os.getppid()), ("burner", burner.pid)])
    before = watched.read()
    burner.burn("burn", 50)
    used_ns = watched.read().since(before)
    assert used_ns["burner"] >= 50 * MS
    # The burner is a child of this process, which counts as cannon here.
    assert burner.pid not in watched._trees["parent"]._members
    assert os.getpid() not in watched._trees["parent"]._members


def test_a_process_that_is_gone_is_told_once_and_has_no_figure_from_then_on(burner: Burner) -> None:
    told: list[str] = []
    watched = Consumption([("burner", burner.pid), ("mine", os.getppid())], told.append)
    before = watched.read()
    burner.end()
    later = watched.read()
    watched.read()
    assert "burner" not in later.cpu_ns
    assert list(later.since(before)) == ["mine"]
    assert told == [f"the process 'burner' ({burner.pid}) is gone: its CPU is not told from here on"]
    assert watched.gone == {"burner": told[0]}


def test_one_that_ended_and_was_not_waited_for_is_gone_too() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert Consumption([("child", child.pid)]).gone
        with pytest.raises(UsageError, match=f"the process {child.pid} has ended"):
            check([("child", child.pid)])


def test_nothing_to_watch_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumption, "_PROC", Path("/nowhere"))
    assert Consumption([]).read() == Reading({})


class Proc:
    """A /proc of the test's own. Its processes have numbers that no kernel gives, so that ticks are all there is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(
        self,
        process_id: int,
        parent: int,
        used: int,
        *,
        reaped: int = 0,
        started: int = 7,
        name: str = "server",
    ) -> None:
        """A process. Times are in ticks."""
        folder = self._folder / str(process_id)
        folder.mkdir(exist_ok=True)
        zeros = " ".join("0" * 9)
        (folder / "stat").write_text(
            f"{process_id} ({name}) S {parent} {zeros} {used} 0 {reaped} 0 20 0 1 0 {started} 0 0\n"
        )
        (folder / "status").write_text(f"Name:\tserver\nTgid:\t{process_id}\n")

    def remove(self, process_id: int) -> None:
        """Its end."""
        folder = self._folder / str(process_id)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@pytest.fixture
def proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Proc:
    """In place of the machine's."""
    monkeypatch.setattr(consumption, "_PROC", tmp_path)
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "stat").touch()
    return Proc(tmp_path)


ROOT, CHILD, GRANDCHILD, OTHER = 10_000_001, 10_000_002, 10_000_003, 10_000_004
"""Above the highest number that Linux gives, 2**22."""


def ticks(watched: Consumption) -> int:
    return watched.read().cpu_ns["server"] // TICK_NS


def test_descendants_of_every_depth_count_and_strangers_do_not(proc: Proc) -> None:
    proc.add(ROOT, 1, 10)
    proc.add(CHILD, ROOT, 20)
    proc.add(GRANDCHILD, CHILD, 30)
    proc.add(OTHER, 1, 1000)
    assert ticks(Consumption([("server", ROOT)])) == 60


def test_the_end_of_a_child_moves_its_time_and_changes_nothing(proc: Proc) -> None:
    proc.add(ROOT, 1, 10)
    proc.add(CHILD, ROOT, 20, reaped=5)
    watched = Consumption([("server", ROOT)])
    assert ticks(watched) == 35
    proc.remove(CHILD)
    proc.add(ROOT, 1, 10, reaped=25)
    assert ticks(watched) == 35


def test_an_orphan_goes_on_counting_and_its_end_takes_nothing_back(proc: Proc) -> None:
    proc.add(ROOT, 1, 10)
    proc.add(CHILD, ROOT, 20)
    proc.add(GRANDCHILD, CHILD, 30)
    watched = Consumption([("server", ROOT)])
    assert ticks(watched) == 60
    proc.remove(CHILD)
    proc.add(ROOT, 1, 10, reaped=20)
    proc.add(GRANDCHILD, 1, 33)
    assert ticks(watched) == 63
    proc.remove(GRANDCHILD)
    assert ticks(watched) == 63
    assert ticks(watched) == 63


def test_another_process_with_the_same_number_is_not_taken_for_it(proc: Proc) -> None:
    proc.add(ROOT, 1, 10)
    watched = Consumption([("server", ROOT)])
    assert ticks(watched) == 10
    proc.add(ROOT, 1, 4000, started=8)
    assert watched.read() == Reading({})
    assert "server" in watched.gone


def test_a_stranger_with_the_number_of_an_orphan_is_none_of_the_family(proc: Proc) -> None:
    proc.add(ROOT, 1, 10)
    proc.add(CHILD, ROOT, 20)
    watched = Consumption([("server", ROOT)])
    assert ticks(watched) == 30
    proc.add(ROOT, 1, 10, reaped=20)
    proc.add(CHILD, 1, 4000, started=8)
    assert ticks(watched) == 30


def test_a_name_may_hold_anything(proc: Proc) -> None:
    proc.add(ROOT, 1, 10, name="a) R 1 (b")
    assert ticks(Consumption([("server", ROOT)])) == 10


def test_an_interval_is_never_less_than_nothing() -> None:
    assert Reading({"server": 90}).since(Reading({"server": 100})) == {"server": 0}


def test_a_process_that_runs_is_taken(burner: Burner) -> None:
    check([("burner", burner.pid), ("parent", os.getppid())])


@pytest.mark.parametrize(
    ("processes", "said"),
    [
        ([("proxy", ROOT)], f"--pid proxy={ROOT}: no process {ROOT} runs here; e.g. --pid haproxy="),
        ([("proxy", 0)], "--pid proxy=0: no process 0 runs here"),
        ([("proxy", -1)], "--pid proxy=-1: no process -1 runs here"),
        ([("cannon", 1)], "--pid cannon=1: the CPU of cannon itself is told anyway"),
        ([("one", 1), ("one", 2)], "two processes have the name 'one'"),
    ],
)
def test_what_cannot_be_told_is_bad_usage(processes: list[tuple[str, int]], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(processes)
    assert said in caught.value.message


def test_cannon_itself_cannot_be_named() -> None:
    with pytest.raises(UsageError, match="the CPU of cannon itself is told anyway"):
        check([("me", os.getpid())])


def test_a_thread_is_no_process_and_its_process_is_named(proc: Proc, tmp_path: Path) -> None:
    proc.add(ROOT, 1, 10)
    (tmp_path / str(ROOT) / "status").write_text(f"Name:\tserver\nTgid:\t{CHILD}\n")
    with pytest.raises(UsageError, match=f"{ROOT} is a thread; write --pid server={CHILD}"):
        check([("server", ROOT)])


def test_a_process_that_may_not_be_looked_at_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UsageError, match="the process 1 may not be looked at; run cannon as its user"):
        check([("server", 1)])


def test_a_system_without_proc_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumption, "_PROC", Path("/nowhere"))
    with pytest.raises(UsageError, match=r"--pid server=1: .* leave --pid out"):
        check([("server", 1)])


def test_the_clock_of_this_process_is_the_one_that_getrusage_reads() -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    now_ns = consumption._clock_ns(os.getpid())
    assert now_ns is not None
    assert now_ns / 1e9 == pytest.approx(usage.ru_utime + usage.ru_stime, abs=0.05)
