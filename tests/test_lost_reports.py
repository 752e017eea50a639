"""Reports that were asked for: all there and whole, or each that is missing is named, and none is ever cut short.

Whatever comes in between: a signal at any moment, a disk that is full, a folder that goes or may not be written to. A
report is whole where it is, to the byte, what its format makes of the figures that were told.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from cannon.cli import main
from cannon.comparison import Comparison
from cannon.reports.files import COMPARISON_RENDERERS, RENDERERS, render
from cannon.result import Result
from tests.cli.fakes import FakeCompare, FakeRun
from tests.comparisons import a_comparison
from tests.firing import start_cli
from tests.results import a_result
from tests.servers.rude import Rude
from tests.staging import until

pytest_plugins = ("tests.servers.fixtures",)

URL = "http://127.0.0.1:4000/"
INVALID, USAGE = 3, 2
NOBODY = 65534
LIMIT_S = 20.0

During = Callable[[], None]


class Kind(NamedTuple):
    """What can be measured: its words, its formats and what is found."""

    words: tuple[str, ...]
    formats: Mapping[str, object]
    found: Result | Comparison
    rendered: Callable[[str], bytes]

    def paths(self, folder: Path) -> list[Path]:
        """A report of every format."""
        return [folder / f"r{suffix}" for suffix in self.formats]

    def main(self, paths: list[Path], during: During = lambda: None) -> int:
        """The exit code where these are asked for, and that happens in mid-run."""
        outputs = [word for path in paths for word in ("-o", str(path))]
        return main(
            [*self.words, *outputs],
            run=FakeRun(during=lambda interrupt: during()),
            weigh=FakeCompare(during=lambda interrupt: during()),
        )

    def is_whole(self, path: Path) -> bool:
        """Whether it holds what it has to."""
        return path.read_bytes() == self.rendered(path.name)


KINDS = {
    "a run": Kind((URL,), RENDERERS, a_result(), lambda name: render(name, a_result())),
    "a comparison": Kind(
        ("compare", f"a={URL}", f"b={URL}"),
        COMPARISON_RENDERERS,
        a_comparison(),
        lambda name: render(name, a_comparison()),
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def missing(paths: list[Path], reason: str) -> str:
    """What is said of these: a line each."""
    return "".join(f"cannon: cannot write {path}: {reason}\n" for path in paths)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Disks and folders.


@pytest.mark.parametrize("place", range(len(RENDERERS)))
def test_a_disk_that_is_full_is_named_with_its_report_and_costs_no_other(
    kind: Kind, place: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = kind.paths(tmp_path)
    lost = paths[place % len(paths)]
    lost.symlink_to("/dev/full")
    assert kind.main(paths) == INVALID
    out, err = capsys.readouterr()
    assert missing([lost], "No space left on device") in err
    assert out.endswith(kind.found.to_json().decode()), "the figures are not lost with it"
    assert all(kind.is_whole(path) for path in paths if path != lost)
    assert left_in(tmp_path) == sorted(path.name for path in paths)


def test_a_folder_that_goes_in_mid_run_is_told_of_every_report_in_it(
    kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    going, staying = tmp_path / "going", tmp_path / "staying"
    going.mkdir()
    staying.mkdir()
    lost, kept = kind.paths(going), kind.paths(staying)
    mixed = [path for both in zip(lost, kept, strict=True) for path in both]
    assert kind.main(mixed, lambda: shutil.rmtree(going)) == INVALID
    out, err = capsys.readouterr()
    assert missing(lost, "No such file or directory") in err
    assert out.endswith(kind.found.to_json().decode())
    assert all(kind.is_whole(path) for path in kept)
    assert not going.exists()


def test_the_exit_code_of_a_signal_stands_before_that_of_a_loss(
    kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "going"
    folder.mkdir()
    paths = kind.paths(folder)
    outputs = [word for path in paths for word in ("-o", str(path))]

    def during(interrupt: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        shutil.rmtree(folder)

    run = FakeRun(a_result(interrupted="SIGTERM"), during)
    weigh = FakeCompare(a_comparison(interrupted="SIGTERM"), during)
    assert main([*kind.words, *outputs], run=run, weigh=weigh) == 143
    out, err = capsys.readouterr()
    assert missing(paths, "No such file or directory") in err
    assert '"interrupted": "SIGTERM"' in out


@contextmanager
def as_somebody() -> Iterator[None]:
    """As one to whom modes apply."""
    ids = os.getresuid()
    if ids[0] == 0:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(*ids)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that everybody may look into. It becomes one that nobody writes to when it is told."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_a_folder_that_may_not_be_written_to_is_refused_before_anything_is_sent(
    kind: Kind, read_only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = kind.paths(read_only)
    assert kind.main(paths) == 0  # loads all there is to load, for one who may not read it
    for path in paths:
        path.unlink()
    capsys.readouterr()
    fired: list[None] = []
    read_only.chmod(0o555)
    with as_somebody():
        assert kind.main(paths, lambda: fired.append(None)) == USAGE
    assert fired == []
    why = f"-o/--output {paths[0]}: the folder {read_only} may not be written by you; give another"
    assert capsys.readouterr() == ("", f"cannon: {why}\n")


def test_one_that_becomes_so_in_mid_run_is_told_and_the_old_reports_stay(
    kind: Kind, read_only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = kind.paths(read_only)
    assert kind.main(paths) == 0
    capsys.readouterr()
    for path in paths:
        path.write_bytes(b"old")
        path.chmod(0o666)
    with ExitStack() as afterwards:

        def during() -> None:
            read_only.chmod(0o555)
            afterwards.enter_context(as_somebody())

        assert kind.main(paths, during) == INVALID
    assert missing(paths, "Permission denied") in capsys.readouterr().err
    assert {path.read_bytes() for path in paths} == {b"old"}
    assert left_in(read_only) == sorted(path.name for path in paths)


# Signals while reports are written.


def signalling(monkeypatch: pytest.MonkeyPatch, *when: int) -> None:
    """SIGINT, when the so-manieth report is about to be brought to the disk."""
    brought, sync = 0, os.fsync

    def synced(descriptor: int) -> None:
        nonlocal brought
        brought += 1
        for _ in range(when.count(brought)):
            signal.raise_signal(signal.SIGINT)
        sync(descriptor)

    monkeypatch.setattr("cannon.reports.files.os.fsync", synced)


@pytest.mark.parametrize("when", [(1,), (1, 1), (2, 4), (3, 3)])
def test_one_or_two_signals_while_reports_are_written_cost_none(
    kind: Kind, when: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = kind.paths(tmp_path)
    signalling(monkeypatch, *when)
    assert kind.main(paths) == 0, "the run had come to its end"
    assert all(kind.is_whole(path) for path in paths)
    assert left_in(tmp_path) == sorted(path.name for path in paths)


@pytest.mark.parametrize("when", [(1, 1, 1), (1, 2, 3), (2, 4, 4)])
def test_a_third_ends_all_and_tells_which_reports_there_are_not(
    kind: Kind,
    when: tuple[int, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = kind.paths(tmp_path)
    paths[-1].write_bytes(b"old")
    signalling(monkeypatch, *when)
    assert kind.main(paths) == 130
    whole, lost = paths[: when[-1] - 1], paths[when[-1] - 1 :]
    assert missing(lost, "interrupted") in capsys.readouterr().err
    assert all(kind.is_whole(path) for path in whole)
    assert paths[-1].read_bytes() == b"old"
    assert left_in(tmp_path) == sorted({*(path.name for path in whole), paths[-1].name})


# Runs that are fired.


def told(process: subprocess.CompletedProcess[str]) -> Result:
    """The figures that were printed."""
    return Result.from_json(process.stdout.encode())


def ended(
    server: Rude,
    paths: list[Path],
    words: tuple[str, ...],
    act: Callable[[subprocess.Popen[str]], None],
    count: int = 8,
    is_time: Callable[[], bool] = lambda: True,
) -> subprocess.CompletedProcess[str]:
    """A run to which that is done once the server was asked so often, and it is time."""
    outputs = [word for path in paths for word in ("-o", str(path))]
    with start_cli("-j", *words, *outputs) as process:
        try:
            server.wait_for(lambda seen: seen.requests >= count, LIMIT_S)
            assert until(is_time, LIMIT_S)
            act(process)
            out, err = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def sends(*numbers: signal.Signals) -> Callable[[subprocess.Popen[str]], None]:
    def act(process: subprocess.Popen[str]) -> None:
        for number in numbers:
            process.send_signal(number)

    return act


def all_whole(process: subprocess.CompletedProcess[str], paths: list[Path]) -> bool:
    result = told(process)
    return all(path.read_bytes() == render(path.name, result) for path in paths)


@pytest.mark.parametrize(
    ("moment", "number", "code"),
    [("start", signal.SIGINT, 130), ("start", signal.SIGTERM, 143), ("midst", signal.SIGTERM, 143)],
)
def test_a_run_that_is_interrupted_has_all_its_reports(
    rude: Rude, moment: str, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    paths = KINDS["a run"].paths(tmp_path)
    # What hangs at the start is the preflight.
    words, count = {
        "start": (("-t", "9", rude.url("/stall")), 1),
        "midst": (("-d", "60", "-c", "2", rude.url("/slow/10")), 8),
    }[moment]
    process = ended(rude, paths, words, sends(number), count)
    result = told(process)
    assert (process.returncode, result.interrupted) == (code, number.name), process.stderr
    assert (result.requests.sent > 0) is (moment == "midst")
    assert all_whole(process, paths)
    assert left_in(tmp_path) == sorted(path.name for path in paths)


@pytest.mark.parametrize(
    ("numbers", "drain"), [((signal.SIGINT,), "200ms"), ((signal.SIGINT, signal.SIGTERM), "9s")]
)
def test_one_that_is_interrupted_in_its_drain_has_them_too(
    rude: Rude, numbers: tuple[signal.Signals, ...], drain: str, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    paths, rows = KINDS["a run"].paths(folder), tmp_path / "rows.ndjson"
    load = ("--no-preflight", "-d", "0.2", "-L", "50", "-c", "2", "-t", "9", "--drain", drain)
    words = (*load, "--stream", str(rows), rude.url("/slow/10"), rude.url("/stall"))
    # With its last row a window is closed, and what is left is the drain.
    process = ended(rude, paths, words, sends(*numbers), 2, lambda: rows.read_text().count("\n") == 4)
    result = told(process)
    assert (process.returncode, result.interrupted) == (130, "SIGINT"), process.stderr
    assert result.requests.in_flight >= 1
    assert all_whole(process, paths)
    assert left_in(folder) == sorted(path.name for path in paths)


def test_on_a_disk_that_fills_up_in_mid_run_a_report_is_whole_or_named_and_as_it_was(
    rude: Rude, tmp_path: Path
) -> None:
    paths = KINDS["a run"].paths(tmp_path)
    for path in paths:
        path.write_bytes(b"old")

    def fill_up(process: subprocess.Popen[str]) -> None:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
        process.send_signal(signal.SIGINT)

    words = ("-d", "60", "-c", "2", rude.url("/slow/10"))
    process = ended(rude, paths, words, fill_up)
    assert process.returncode == 130
    lost = [path for path in paths if path.read_bytes() == b"old"]
    assert lost, "none was as large"
    assert missing(lost, "File too large") in process.stderr
    assert all_whole(process, [path for path in paths if path not in lost])
    assert left_in(tmp_path) == sorted(path.name for path in paths)
