"""What the kernel would not take at once is sent on, and known to the byte all the while."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic_ns

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.engine.loop import READ, WRITE, Loop
from cannon.engine.upload import Outcome, Upload
from cannon.sequence import FilePiece, Streamed
from tests.engine.fakes import FakePoller, FakeSocket

REST = bytes(range(100))
AGAIN = BlockingIOError(errno.EAGAIN, "again")
GONE = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


class _Supply:
    def __init__(self) -> None:
        self.unsent_bytes = 0


class _Uploaded:
    """An upload to a socket that takes what the test says, turned by hand."""

    def __init__(self, *rooms: int | OSError, rest: bytes = REST, stream: Streamed | None = None) -> None:
        self.poller = FakePoller()
        self.loop = Loop(self.poller)
        self.supply = _Supply()
        self.socket = FakeSocket(rooms=rooms)
        self.reads = 0
        self.ends: list[Outcome] = []
        self.messages: list[str] = []
        self.upload = Upload(
            loop=self.loop,
            supply=self.supply,
            opened=self.socket,
            rest=memoryview(rest),
            stream=stream,
            readable=self._readable,
            ended=self._ended,
        )

    def _readable(self, ready_ns: int) -> None:
        self.reads += 1

    def _ended(self, outcome: Outcome, message: str) -> None:
        self.ends.append(outcome)
        self.messages.append(message)

    def turn(self) -> None:
        self.poller.ready.append([(5, WRITE)])
        now_ns = monotonic_ns()
        self.loop.call_at(now_ns, lambda when_ns: self.loop.halt())
        self.loop.run(now_ns + 10**9, lambda *handled: None)

    def finish(self) -> None:
        while not self.ends:
            self.turn()


def _file(path: Path, content: bytes) -> FilePiece:
    path.write_bytes(content)
    return FilePiece(str(path), len(content))


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@settings(max_examples=50)
@given(st.lists(st.one_of(st.integers(1, 60), st.just(AGAIN)), max_size=8), st.booleans())
def test_what_is_not_sent_is_known_to_the_byte(rooms: list[int | OSError], broken: bool) -> None:
    uploaded = _Uploaded(*rooms, *([GONE] if broken else []))
    assert uploaded.supply.unsent_bytes == len(REST)
    while not uploaded.ends:
        uploaded.turn()
        assert uploaded.supply.unsent_bytes == len(REST) - len(uploaded.socket.sent)
        assert uploaded.socket.sent == REST[: len(uploaded.socket.sent)]
    whole = len(uploaded.socket.sent) == len(REST)
    assert uploaded.ends == [Outcome.SENT if whole else Outcome.REFUSED]


def test_a_whole_upload_ends_once() -> None:
    uploaded = _Uploaded(60, 40)
    uploaded.turn()
    assert uploaded.ends == []
    uploaded.turn()
    assert (uploaded.ends, uploaded.supply.unsent_bytes, uploaded.reads) == ([Outcome.SENT], 0, 0)


def test_a_broken_upload_is_refused_and_what_it_lacks_stays_unsent() -> None:
    uploaded = _Uploaded(60, GONE)
    uploaded.turn()
    uploaded.turn()
    assert (uploaded.ends, uploaded.supply.unsent_bytes, uploaded.reads) == ([Outcome.REFUSED], 40, 0)


def test_answers_are_read_while_sending_would_block() -> None:
    uploaded = _Uploaded(60, AGAIN, AGAIN, 40)
    assert uploaded.poller.watched == {5: READ | WRITE}
    reads = []
    for _ in range(4):
        uploaded.turn()
        reads.append(uploaded.reads)
    assert (reads, uploaded.ends) == ([0, 1, 2, 2], [Outcome.SENT])


_SIZES = st.one_of(st.integers(0, 300), st.sampled_from((65_535, 65_536, 65_537, 200_000)))
_STREAMS = st.lists(st.tuples(st.booleans(), _SIZES), max_size=5)
_ROOMS = st.lists(st.one_of(st.integers(1, 50_000), st.just(AGAIN)), max_size=12)


@settings(max_examples=60)
@given(st.binary(max_size=50), _STREAMS, _ROOMS, st.booleans())
def test_a_stream_follows_the_rest_byte_for_byte(
    rest: bytes, shapes: list[tuple[bool, int]], rooms: list[int | OSError], broken: bool
) -> None:
    with TemporaryDirectory() as folder:
        pieces: list[bytes | FilePiece] = []
        whole = rest
        for position, (in_file, size) in enumerate(shapes):
            content = bytes([position + 1]) * size
            pieces.append(_file(Path(folder, str(position)), content) if in_file else content)
            whole += content
        open_before = _open_files()
        uploaded = _Uploaded(*rooms, *([GONE] if broken else []), rest=rest, stream=Streamed(tuple(pieces)))
        assert uploaded.supply.unsent_bytes == len(whole)
        while not uploaded.ends:
            uploaded.turn()
            assert uploaded.supply.unsent_bytes == len(whole) - len(uploaded.socket.sent)
        assert whole.startswith(uploaded.socket.sent)
        sent_all = len(uploaded.socket.sent) == len(whole)
        assert uploaded.ends == [Outcome.SENT if sent_all else Outcome.REFUSED]
        assert _open_files() == open_before


class _Recorder(FakeSocket):
    """Notes what it is offered, and never takes a byte."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[bytes] = []

    def send(self, data: bytes | memoryview, /) -> int:
        self.offered.append(bytes(data))
        raise AGAIN


def test_after_a_block_the_same_bytes_are_offered_again(tmp_path: Path) -> None:
    # OpenSSL has encrypted them already.
    uploaded = _Uploaded(rest=b"", stream=Streamed((_file(tmp_path / "a", b"x" * 70_000),)))
    recorder = _Recorder()
    uploaded.upload._socket = recorder
    uploaded.turn()
    uploaded.turn()
    assert recorder.offered == [b"x" * 65_536] * 2
    uploaded.upload.close()


def test_a_file_is_opened_when_its_turn_comes_and_closed_after_it(tmp_path: Path) -> None:
    open_before = _open_files()
    stream = Streamed((_file(tmp_path / "a", b"a" * 70_000), b"between"))
    uploaded = _Uploaded(rest=REST, stream=stream)
    assert _open_files() == open_before
    uploaded.turn()
    assert _open_files() == open_before + 1
    uploaded.finish()
    assert (_open_files(), uploaded.ends) == (open_before, [Outcome.SENT])


def test_a_file_that_grew_is_sent_as_long_as_it_was(tmp_path: Path) -> None:
    piece = _file(tmp_path / "a", b"abc")
    (tmp_path / "a").write_bytes(b"abcdef")
    uploaded = _Uploaded(rest=b"", stream=Streamed((piece, b"!")))
    uploaded.finish()
    assert (uploaded.socket.sent, uploaded.supply.unsent_bytes) == (b"abc!", 0)


def test_a_file_that_shrank_ends_the_upload_and_is_named(tmp_path: Path) -> None:
    piece = _file(tmp_path / "a.bin", b"abcdef")
    (tmp_path / "a.bin").write_bytes(b"abc")
    uploaded = _Uploaded(rest=b"head", stream=Streamed((piece, b"!")))
    uploaded.finish()
    assert uploaded.ends == [Outcome.LOCAL]
    assert uploaded.messages == [f"{tmp_path}/a.bin is 3 bytes shorter than when the run was planned"]
    assert (uploaded.socket.sent, uploaded.supply.unsent_bytes) == (b"headabc", 4)


def _vanish(path: Path) -> None:
    path.unlink()


def _become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_vanish, ": No such file or directory"),
        (_become_a_folder, ": Is a directory"),
        (_become_a_pipe, " is 6 bytes shorter than when the run was planned"),
    ],
)
def test_a_file_that_cannot_be_read_any_more_ends_the_upload_and_is_named(
    tmp_path: Path, change: object, said: str
) -> None:
    piece = _file(tmp_path / "a.bin", b"abcdef")
    assert callable(change)
    change(tmp_path / "a.bin")
    open_before = _open_files()
    uploaded = _Uploaded(rest=b"head", stream=Streamed((piece, b"!")))
    uploaded.finish()
    assert uploaded.ends == [Outcome.LOCAL]
    assert uploaded.messages == [f"{tmp_path}/a.bin{said}"]
    assert (uploaded.socket.sent, uploaded.supply.unsent_bytes) == (b"head", 7)
    assert _open_files() == open_before


def test_an_empty_file_need_not_be_there(tmp_path: Path) -> None:
    uploaded = _Uploaded(rest=b"", stream=Streamed((FilePiece(str(tmp_path / "none"), 0), b"", b"x")))
    uploaded.finish()
    assert (uploaded.ends, uploaded.socket.sent) == ([Outcome.SENT], b"x")


def test_who_gives_an_upload_up_leaves_no_file_open(tmp_path: Path) -> None:
    open_before = _open_files()
    uploaded = _Uploaded(AGAIN, rest=b"", stream=Streamed((_file(tmp_path / "a", b"a" * 70_000),)))
    uploaded.turn()
    assert _open_files() == open_before + 1
    uploaded.upload.close()
    uploaded.upload.close()
    assert (_open_files(), uploaded.ends, uploaded.supply.unsent_bytes) == (open_before, [], 70_000)


def test_a_file_is_held_a_piece_at_a_time(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(10 * 1024**2)
    uploaded = _Uploaded(rest=b"", stream=Streamed((FilePiece(str(tmp_path / "large"), 10 * 1024**2),)))
    recorder = _Recorder()
    uploaded.upload._socket = recorder
    uploaded.turn()
    assert [len(offered) for offered in recorder.offered] == [65_536]
    uploaded.upload.close()
    shutil.rmtree(tmp_path)
