"""Paths that lead nowhere, to files, and to what is no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cannon.errors import UsageError
from cannon.reports.places import check_place, is_file


def refused(path: object) -> str:
    with pytest.raises(UsageError) as caught:
        check_place(str(path), "-o")
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_new_name_in_a_folder_that_exists_is_fine(tmp_path: Path) -> None:
    check_place(str(tmp_path / "new.json"), "-o")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_place_for_a_report(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"-o {tmp_path}: is a folder; name a file in it, e.g. {tmp_path}/result.json"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert f"there is no folder {tmp_path / 'no'}" in refused(tmp_path / "no" / "r.json")


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in refused(tmp_path / "file" / "r.json")


@pytest.mark.parametrize("path", ["", "a\0b.json"])
def test_a_name_that_is_none_is_refused(path: str) -> None:
    assert "needs the name of a file" in refused(path)


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    assert "File name too long" in refused(tmp_path / ("x" * 300 + ".json"))


def test_escapes_in_a_name_do_not_reach_the_message(tmp_path: Path) -> None:
    assert "\\x1b" in refused(tmp_path / "\x1b[31m" / "r.json")


@pytest.mark.parametrize("protected", ["folder", "file"])
def test_what_may_not_be_written_is_refused(
    protected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The superuser, who often runs tests, may write everything; so the system's answer is given here.
    report = tmp_path / "r.json"
    report.touch()
    forbidden = str(tmp_path if protected == "folder" else report)
    monkeypatch.setattr("cannon.reports.places.os.access", lambda path, mode: path != forbidden)
    assert "may not be written by you" in refused(report)


def test_devices_and_pipes_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_file(str(tmp_path / "pipe"))
    assert not is_file("/dev/null")
    assert is_file(str(tmp_path / "new.json"))


def test_a_device_is_a_place_to_write_to() -> None:
    check_place("/dev/null", "-o")


def test_a_secret_that_was_given_for_a_path_is_not_told() -> None:
    told = refused("http://user:canary@h/r.json?token=canary")
    assert "there is no folder; make it first" in told and "canary" not in told
