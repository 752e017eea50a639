"""Reports as files: refused before the run or written whole."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cannon.comparison import Comparison
from cannon.errors import InvalidRun, UsageError
from cannon.reports.files import COMPARISON_RENDERERS, RENDERERS, check, render, write, write_all
from cannon.result import Result
from tests.comparisons import a_comparison
from tests.results import a_result
from tests.schemas import assert_valid


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "result.json"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_reports_that_can_be_written_pass(report: Path, tmp_path: Path) -> None:
    check([str(report), str(tmp_path / "other.JSON")])
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["result.pdf", "result", "json"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check([str(tmp_path / name)])
    assert all(suffix in caught.value.message for suffix in RENDERERS)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("c.hgrm", "one distribution"),
        ("c.autocannon.json", "autocannon knows no comparison"),
        ("C.HGRM", "one"),
    ],
)
def test_what_a_comparison_cannot_be_written_as_is_refused_with_the_reason(
    name: str, why: str, tmp_path: Path
) -> None:
    check([str(tmp_path / name)])
    with pytest.raises(UsageError, match=why):
        check([str(tmp_path / name)], renderers=COMPARISON_RENDERERS)


def test_a_comparison_is_refused_a_format_that_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check([str(tmp_path / "c.pdf")], renderers=COMPARISON_RENDERERS)
    assert caught.value.message.endswith("it may be: .csv .json .md .xml")


def test_the_same_file_twice_is_refused_however_it_is_written(report: Path, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(report)
    for again in (str(report), f"{tmp_path}/./result.json", str(tmp_path / "link.json")):
        with pytest.raises(UsageError, match="given twice"):
            check([str(report), again])


def test_a_file_that_the_stream_writes_is_no_place_for_a_report(report: Path) -> None:
    with pytest.raises(UsageError, match="given twice"):
        check([str(report)], taken=[str(report)])


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        check([str(tmp_path / "no" / "r.json")])


def test_a_device_may_be_given_twice_and_takes_json() -> None:
    check(["/dev/null", "/dev/null"])
    assert_valid(render("/dev/null", a_result()))
    check(["/dev/null"], renderers=COMPARISON_RENDERERS)
    assert Comparison.from_json(render("/dev/null", a_comparison())) == a_comparison()


def test_the_suffix_tells_the_format(report: Path) -> None:
    assert Result.from_json(render(str(report), a_result())) == a_result()


@pytest.mark.parametrize("suffix", sorted(RENDERERS))
def test_every_format_of_a_run_is_the_same_each_time(suffix: str) -> None:
    first = render(f"run{suffix}", a_result())
    assert first == render(f"RUN{suffix.upper()}", a_result())
    assert first.endswith(b"\n") and first.decode()


@pytest.mark.parametrize("suffix", sorted(COMPARISON_RENDERERS))
def test_every_format_of_a_comparison_is_the_same_each_time(suffix: str) -> None:
    first = render(f"c{suffix}", a_comparison())
    assert first == render(f"c{suffix}", a_comparison())
    assert first.endswith(b"\n") and first.decode()


def test_formats_that_an_option_changed_stand_instead_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    write_all(a_comparison(), [str(path)], {".csv": lambda comparison: b"other"})
    assert path.read_bytes() == b"other"


def test_a_new_file_has_the_permissions_of_any_new_file(report: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write(str(report), b"new")
    assert report.read_bytes() == b"new"
    assert report.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_existing_file_keeps_its_permissions(report: Path) -> None:
    report.write_bytes(b"old")
    report.chmod(0o640)
    write(str(report), b"new")
    assert report.read_bytes() == b"new"
    assert stat.S_IMODE(report.stat().st_mode) == 0o640


def test_who_reads_the_old_report_reads_it_to_its_end(report: Path) -> None:
    report.write_bytes(b"old")
    with report.open("rb") as reader:
        write(str(report), b"new")
        assert reader.read() == b"old"


def test_a_link_stays_and_its_file_is_replaced(report: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to(report)
    write(str(link), b"new")
    assert link.is_symlink()
    assert report.read_bytes() == b"new"


def test_a_full_disk_leaves_the_old_report_and_nothing_beside_it(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    report.write_bytes(b"old")
    monkeypatch.setattr("cannon.reports.files.os.fsync", full)
    with pytest.raises(InvalidRun) as caught:
        write(str(report), b"new")
    assert caught.value.message == f"cannot write {report}: No space left on device"
    assert report.read_bytes() == b"old"
    assert names(tmp_path) == ["result.json"]


def test_an_interrupt_leaves_the_old_report_and_nothing_beside_it(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    report.write_bytes(b"old")
    monkeypatch.setattr("cannon.reports.files.os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(str(report), b"new")
    assert report.read_bytes() == b"old"
    assert names(tmp_path) == ["result.json"]


def test_a_folder_that_has_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRun, match="No such file or directory"):
        write(str(tmp_path / "gone" / "r.json"), b"new")


def test_a_full_device_is_told() -> None:
    with pytest.raises(InvalidRun, match="cannot write /dev/full: No space left on device"):
        write("/dev/full", b"new")


def test_a_pipe_takes_more_than_it_holds_at_once(tmp_path: Path) -> None:
    pipe, data, read = tmp_path / "pipe.json", b"x" * 300_000, bytearray()
    os.mkfifo(pipe)
    # Open before the write, so that the write finds somebody; blocking again, so that it reads to the end.
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)

    def drain() -> None:
        while part := os.read(reading, 65_536):
            read.extend(part)

    reader = threading.Thread(target=drain)
    keeps_open = os.open(pipe, os.O_WRONLY)
    reader.start()
    write(str(pipe), data)
    os.close(keeps_open)
    reader.join(5)
    os.close(reading)
    assert bytes(read) == data
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_that_nobody_reads_does_not_hold_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InvalidRun, match="nobody reads this pipe"):
        write(str(tmp_path / "pipe.json"), b"new")


def test_standard_output_that_is_a_file_keeps_what_stands_in_it(tmp_path: Path) -> None:
    program = (
        "from cannon.reports.files import write;"
        "print('before'); write('/dev/stdout', b'report\\n'); print('after')"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True, timeout=30)
    assert (tmp_path / "out").read_bytes() == b"before\nreport\nafter\n"


def test_a_report_that_fails_does_not_cost_the_others(report: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "r.json"
    with pytest.raises(InvalidRun, match="gone"):
        write_all(a_result(), [str(gone), str(report)])
    assert_valid(report.read_bytes())


def test_a_defect_in_one_format_does_not_cost_the_others(report: Path, tmp_path: Path) -> None:
    def broken(result: Result) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_all(a_result(), [str(tmp_path / "r.csv"), str(report)], {**RENDERERS, ".csv": broken})
    assert_valid(report.read_bytes())
    assert names(tmp_path) == ["result.json"]
