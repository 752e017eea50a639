"""A defect is kept where it can be sent from, without the secrets in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cannon.defects import keep, traceback_of, what_of

if TYPE_CHECKING:
    import pytest

ERROR = ValueError("wrong\nat http://u:canary@h/")


def test_a_defect_is_told_in_one_line_by_its_kind_and_what_it_says() -> None:
    assert what_of(ERROR) == "ValueError: wrong\\nat http://***@h/"


def test_a_long_defect_is_told_in_a_short_line() -> None:
    assert len(what_of(ValueError("x" * 10_000))) < 150


def test_a_traceback_is_kept_in_a_file_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path))
        path = keep(traceback_of(ERROR))
    assert path is not None
    assert Path(path).parent == tmp_path
    assert Path(path).read_text() == "ValueError: wrong\nat http://***@h/\n"


def test_where_no_file_can_be_had_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Undone at once: pytest itself makes files when a test ends.
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        assert keep("a traceback") is None
