"""What HAProxy answers becomes rows; what is no answer of HAProxy becomes one line. The data: HAProxy 2.6.12."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.counters import DESCRIBED, Counters, read
from cannon.counters.haproxy import parsed
from cannon.errors import InvalidRun
from tests.counters.liar import Liar, Manner

CAPTURED = Path(__file__).with_name("haproxy_2_6.txt").read_bytes()
"""While two servers of one connection each had a queue before them, and after responses were compressed."""

NOBODY = 65534


def rows(answer: bytes = CAPTURED) -> dict[str, dict[str, float]]:
    return {row.of: row.figures for row in parsed(answer)}


def answer(table: str, info: str = "Idle_pct: 97") -> bytes:
    return f"Name: HAProxy\n{info}\n\n# {table}\n\n".encode()


def refusal(path: str | Path, limit_s: float = 10.0) -> str:
    with pytest.raises(InvalidRun) as refused:
        read("haproxy", str(path), limit_s)
    message = refused.value.message
    assert message.isprintable()
    assert len(message) < 500
    return message.partition("cannot be read: ")[2]


def test_frontends_backends_and_servers_are_rows_in_the_order_that_haproxy_tells_them() -> None:
    assert list(rows()) == [
        "process",
        "front",
        "page/FRONTEND",
        "page/BACKEND",
        "back/web1",
        "back/web2",
        "back",
        "raw/one",
        "raw",
        "both/FRONTEND",
        "both/fails",
        "both/BACKEND",
    ]
    assert {row.kind for row in parsed(CAPTURED)} == {"haproxy"}


def test_a_backend_tells_its_queue_its_times_and_what_it_compressed() -> None:
    assert rows()["back"] == {
        "stot": 56,
        "req_tot": 55,
        "lbtot": 5,
        "bin_bytes": 3950,
        "bout_bytes": 161666,
        "h1_bytes_in": 161721,
        "h1_bytes_out": 2488,
        "qcur": 0,
        "qmax": 6,
        "qtime_ms": 123,
        "ctime_ms": 1,
        "rtime_ms": 27,
        "ttime_ms": 170,
        "qtime_max_ms": 343,
        "ctime_max_ms": 1,
        "rtime_max_ms": 139,
        "ttime_max_ms": 373,
        "connect": 12,
        "reuse": 44,
        "econ": 0,
        "eresp": 0,
        "wretr": 0,
        "wredis": 0,
        "hrsp_1xx": 0,
        "hrsp_2xx": 52,
        "hrsp_3xx": 0,
        "hrsp_4xx": 3,
        "hrsp_5xx": 0,
        "comp_in_bytes": 145600,
        "comp_out_bytes": 3328,
        "comp_byp_bytes": 0,
        "comp_rsp": 52,
    }


def test_what_haproxy_leaves_empty_is_left_out() -> None:
    assert "qtime_ms" not in rows()["front"]
    assert "comp_in_bytes" not in rows()["back/web1"]
    assert "hrsp_2xx" not in rows()["raw"]


def test_the_whole_process_is_a_row() -> None:
    assert rows()["process"] == {"idle_pct": 99}


def test_every_figure_is_described() -> None:
    assert {name for figures in rows().values() for name in figures} <= set(DESCRIBED)


def test_columns_are_found_by_their_names() -> None:
    assert parsed(answer("qtime,type,new,svname,pxname\n7,2,x,web1,back")) == [
        Counters("haproxy", "process", {"idle_pct": 97}),
        Counters("haproxy", "back/web1", {"qtime_ms": 7}),
    ]


def test_a_frontend_called_process_is_told_apart_from_the_process() -> None:
    assert list(rows(answer("pxname,svname,type\nprocess,FRONTEND,0"))) == ["process", "process/FRONTEND"]


def test_a_process_that_tells_no_idle_time_is_no_row() -> None:
    assert list(rows(answer("pxname,svname,type\nfront,FRONTEND,0", "Idle_pct: ?"))) == ["front"]


def test_names_are_cleaned() -> None:
    table = 'pxname,svname,type\n"\x1b[2J\x00,",\u202e,2'
    assert list(rows(answer(table))) == ["process", "\\x1b[2J\\x00,/\\u202e"]


@pytest.mark.parametrize(
    "number", ["9" * 21, "1e999", "nan", "inf", "0x10", "1_0", "\u0663", "1\x00", " 1", "--1"]
)
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"^its column 'stot' says '.*' of 'back', which is no number$"):
        parsed(answer(f"pxname,svname,type,stot\nback,BACKEND,1,{number}"))


def test_the_largest_number_is_a_number() -> None:
    told = rows(answer(f"pxname,svname,type,bin\nback,BACKEND,1,{2**64 - 1}"))
    assert told["back"] == {"bin_bytes": float(2**64 - 1)}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "it says nothing"),
        (b"\n\n", "it is no stats socket of HAProxy: it says ''"),
        (b"Permission denied\n\n", "it is no stats socket of HAProxy: it says 'Permission denied'"),
        (b"a\x00b\n\nc", r"it is no stats socket of HAProxy: it says 'a\x00b\n\nc'"),
        (b"Name: x\n\n# pxname,svname\na,b\n\n", "its table has no column 'type'"),
        (b"Name: x\n\n# pxname,svname,type\na,b,1", "its answer is cut off"),
        (b"Name: x\n\n# pxname,svname,type\na,b\n\n", "its table has 3 columns and a row of 2"),
        (b"Name: x\n\n# pxname,svname,type\na,b,1,c\n\n", "its table has 3 columns and a row of 4"),
        (b"Name: x\n\n# pxname,svname,type\na,b,2\na,b,2\n\n", "it tells of 'a/b' twice"),
        (
            b"Name: x\n\n# pxname,svname,type\n" + b"a,b,2\n" * 10_001 + b"\n",
            "its table has 10001 rows; 10000 are read at most",
        ),
        (
            b"Name: x\n\n# pxname,svname,type\na," + b"b" * 200_000 + b",2\n\n",
            "its table cannot be read: field larger than field limit (131072)",
        ),
    ],
)
def test_what_is_no_answer_of_haproxy_is_refused(tmp_path: Path, said: bytes, told: str) -> None:
    with Liar.at(str(tmp_path / "stats"), said):
        assert refusal(tmp_path / "stats") == told


@given(st.integers(0, len(CAPTURED) - 1))
def test_an_answer_that_was_cut_off_is_never_read(end: int) -> None:
    with pytest.raises(ValueError, match=r"cut off|nothing|no stats socket"):
        parsed(CAPTURED[:end])


@given(st.binary() | st.binary().map(lambda noise: b"a\n\n# pxname,svname,type,stot\n" + noise + b"\n\n"))
def test_whatever_is_said_becomes_rows_or_words(said: bytes) -> None:
    try:
        told = parsed(said)
    except ValueError:
        return
    assert all(row.of.isprintable() for row in told)


def test_it_asks_for_both_tables_at_once(tmp_path: Path) -> None:
    with Liar.at(str(tmp_path / "stats"), CAPTURED) as liar:
        assert read("haproxy", str(tmp_path / "stats")) == parsed(CAPTURED)
    assert liar.heard == b"show info;show stat\n"


def test_an_answer_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    with Liar.at(str(tmp_path / "stats"), b"# pxname,svname,type\n", Manner.ENDLESS):
        assert refusal(tmp_path / "stats") == "its answer does not end"


@pytest.mark.parametrize("manner", [Manner.HELD, Manner.DRIPPED])
def test_a_peer_that_takes_too_long_is_given_up(tmp_path: Path, manner: Manner) -> None:
    with Liar.at(str(tmp_path / "stats"), CAPTURED, manner):
        assert refusal(tmp_path / "stats", 0.1) == "it did not answer within 0.1 s"


def test_a_peer_that_never_accepts_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "stats"))
        listener.listen()
        assert refusal(tmp_path / "stats", 0.05) == "it did not answer within 0.05 s"


def test_no_time_is_too_little(tmp_path: Path) -> None:
    with Liar.at(str(tmp_path / "stats"), CAPTURED):
        assert refusal(tmp_path / "stats", 0.0) == "it did not answer within 0 s"


def test_a_path_without_a_socket_is_refused(tmp_path: Path) -> None:
    told = "there is no such socket; in HAProxy's section global: stats socket PATH"
    assert refusal(tmp_path / "stats") == told


def test_a_file_that_is_no_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stats").write_text("# pxname")
    assert refusal(tmp_path / "stats") == "it is no socket"


def test_a_socket_that_was_left_behind_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "stats"))
    assert refusal(tmp_path / "stats") == "nobody listens on it any more"


def test_a_crowded_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(str(tmp_path / "stats"))
        listener.listen(0)
        other.connect(str(tmp_path / "stats"))
        assert refusal(tmp_path / "stats", 0.1) in {
            "too many wait for it already",
            "it did not answer within 0.1 s",
        }


@contextmanager
def without_rights() -> Iterator[None]:
    """As somebody to whom modes apply."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_socket_that_may_not_be_dialled_is_refused(tmp_path: Path) -> None:
    with Liar.at(str(tmp_path / "stats"), CAPTURED):
        (tmp_path / "stats").chmod(0)
        with without_rights():
            told = refusal(tmp_path / "stats")
    assert told.startswith(os.strerror(errno.EACCES).lower())
    assert told.endswith("in HAProxy's section global: stats socket PATH user NAME mode 600")


@pytest.mark.parametrize("path", ["\x00stats", "stats\n", "a\rb"])
def test_a_path_with_a_control_character_is_refused(path: str) -> None:
    assert refusal(path) == "no path of a socket holds a NUL or the end of a line"


def test_a_path_that_is_too_long_is_refused() -> None:
    assert refusal("/tmp/" + "x" * 300) == "AF_UNIX path too long"  # noqa: S108 - never made
