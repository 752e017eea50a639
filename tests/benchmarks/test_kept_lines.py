from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kept_lines import Lines


class Kept(msgspec.Struct):
    """One line."""

    number: int


@pytest.fixture
def lines(tmp_path: Path) -> Lines[Kept]:
    return Lines(tmp_path / "kept", Kept)


def test_what_was_kept_is_read_in_its_order(lines: Lines[Kept]) -> None:
    assert lines.read() == []
    for number in range(3):
        lines.keep(Kept(number))
    assert lines.read() == [Kept(0), Kept(1), Kept(2)]


@pytest.mark.parametrize("cut", [1, 3])
def test_a_line_that_was_cut_is_left_out_and_does_not_spoil_the_next(
    lines: Lines[Kept], tmp_path: Path, cut: int
) -> None:
    lines.keep(Kept(1))
    lines.keep(Kept(2))
    path = tmp_path / "kept"
    path.write_bytes(path.read_bytes()[:-cut])
    assert lines.read() == [Kept(1)]
    lines.keep(Kept(3))
    assert lines.read() == [Kept(1), Kept(3)]
