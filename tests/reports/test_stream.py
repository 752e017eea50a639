"""Rows as they close: at once, whole lines, and never in the way of the run."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from cannon.errors import InvalidRun, UsageError
from cannon.reports.stream import Stream
from cannon.series import SeriesRow
from tests.results import a_series, a_tally

ROWS = a_series(a_tally())


def read(path: Path) -> list[SeriesRow]:
    return msgspec.json.Decoder(SeriesRow).decode_lines(path.read_bytes())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.ndjson"


def test_each_row_is_there_as_soon_as_it_closed(path: Path) -> None:
    with Stream(str(path)) as stream:
        for count, row in enumerate(ROWS, start=1):
            stream.write(row)
            assert read(path) == ROWS[:count]


def test_an_old_stream_does_not_linger(path: Path) -> None:
    path.write_bytes(b"old\n")
    with Stream(str(path)):
        assert path.read_bytes() == b""


def test_without_a_path_nothing_happens() -> None:
    with Stream(None) as stream:
        stream.write(ROWS[0])
    assert stream.failure is None


def test_a_place_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--stream"), Stream(str(tmp_path / "no" / "rows.ndjson")):
        pytest.fail("the run began")


def test_a_pipe_that_nobody_reads_is_refused_before_the_run(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(UsageError, match="nobody reads this pipe"), Stream(str(path)):
        pytest.fail("the run began")


def test_a_full_disk_is_told_when_the_run_is_over() -> None:
    ended = False
    with (
        pytest.raises(InvalidRun, match="cannot write /dev/full: No space left on device"),
        Stream("/dev/full") as stream,
    ):
        for row in ROWS:
            stream.write(row)
        ended = True
    assert ended


def test_what_ends_the_run_is_not_hidden_by_a_failed_stream() -> None:
    with pytest.raises(KeyboardInterrupt), Stream("/dev/full") as stream:
        stream.write(ROWS[0])
        raise KeyboardInterrupt


def test_a_reader_that_does_not_read_holds_nothing_up(path: Path) -> None:
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(InvalidRun, match="its reader is too slow"), Stream(str(path)) as stream:
        for _ in range(10_000):
            stream.write(ROWS[0])
    os.close(reading)


def test_a_reader_that_has_gone_is_told(path: Path) -> None:
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(InvalidRun, match="its reader has gone"), Stream(str(path)) as stream:
        os.close(reading)
        stream.write(ROWS[0])


def test_a_line_that_was_torn_by_a_full_disk_is_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InvalidRun, match="No space left"), Stream(str(path)) as stream:
        stream.write(ROWS[0])
        monkeypatch.setattr("cannon.reports.stream.write_whole", torn)
        stream.write(ROWS[1])
    assert read(path) == ROWS[:1]
