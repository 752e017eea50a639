"""Steps can be put on a request line, and bodies know how long they are."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.sequence import FilePiece, Step, Streamed

_PIECES = st.one_of(st.binary(max_size=9), st.builds(FilePiece, st.text(), st.integers(0, 2**40)))


def _step(path: str = "/a", target: int = 0) -> Step:
    return Step(name="a step", target=target, method="GET", path=path)


@given(st.lists(_PIECES).map(tuple))
def test_a_streamed_body_is_as_long_as_its_pieces(pieces: tuple[bytes | FilePiece, ...]) -> None:
    expected = 0
    for piece in pieces:
        expected += piece.size_bytes if isinstance(piece, FilePiece) else len(piece)
    assert len(Streamed(pieces)) == expected


def test_steps_reach_a_worker_as_they_are() -> None:
    step = msgspec.structs.replace(_step(), body=Streamed((b"\xff", FilePiece("/a", 3), b"\r\n")))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(step), type=Step) == step


@pytest.mark.parametrize("path", ["", "/a b", "/a\r\nX: y", "/a\n", "/\0", "/\t", "/\x7f", "/ü", "/\udcff"])
def test_a_path_that_would_break_the_request_line_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="cannot stand on a request line") as raised:
        _step(path)
    assert raised.value.message.isprintable()


def test_a_refused_path_keeps_its_secrets() -> None:
    with pytest.raises(UsageError) as raised:
        _step("/a b?token=canary")
    assert "canary" not in raised.value.message


def test_a_target_and_a_size_are_never_negative() -> None:
    with pytest.raises(UsageError, match="no target -1"):
        _step(target=-1)
    with pytest.raises(UsageError, match="'a' cannot hold -1 bytes"):
        FilePiece("a", -1)
