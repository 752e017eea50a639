"""Every latency on a line of its own; a disk that is full costs the log and nothing else."""

from __future__ import annotations

import os

from cannon.engine.latency_log import LatencyLog


def test_lines_of_several_logs_stand_whole_in_one_file(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "latencies")
    one, other = LatencyLog(path), LatencyLog(path)
    one.write([1, 2], 200)
    other.write([3], "timeout")
    one.write([4], 404)
    one.close()
    other.close()
    with open(path, encoding="ascii") as lines:
        assert lines.read().split() == ["1,200", "2,200", "3,timeout", "4,404"]
    assert not one.lost


def test_a_full_disk_is_remembered_and_raises_nothing() -> None:
    log = LatencyLog("/dev/full")
    log.write([1], 200)
    assert log.lost
    log.write([2], 200)
    log.close()


def test_a_file_that_cannot_be_opened_is_a_log_that_is_lost(tmp_path: os.PathLike[str]) -> None:
    log = LatencyLog(os.path.join(tmp_path, "nowhere", "latencies"))
    assert log.lost
    log.write([1], 200)
