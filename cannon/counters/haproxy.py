"""HAProxy's numbers: `show stat` and `show info`, asked of its stats socket.

Law: columns are found by the names in the header, never by their place, which changes with the version. Frontends and
backends are rows under their names, servers under `backend/server`; where one name stands for both, as with `listen`,
they are `name/FRONTEND` and `name/BACKEND`, as HAProxy writes them. The row `process` is the whole of it. To read
changes none of the numbers.

What to know of them, seen in HAProxy 2.6: in mode http, `bin` and `bout` are heads as HAProxy holds them, a few bytes
off the wire, and bodies before they are compressed. `h1_bytes_in` and `h1_bytes_out` are what went over the wire: of a
frontend from and to clients, of a backend from and to servers. `lbtot` counts choices of the balancing, which whoever
keeps a connection to a server is spared. A backend's `qcur` counts what waits for no server in particular.

Source: HAProxy's management.txt, 9.1 (the CSV) and 9.3 (the socket: an empty line ends the answer to a command).
"""

from __future__ import annotations

import csv
import errno
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cannon.counters.row import Counters, Figure, Nature
from cannon.counters.wire import Wire, reason
from cannon.errors import InvalidRun
from cannon.text import clean

__all__ = ["FIGURES", "KIND", "parsed", "read"]

KIND = "haproxy"
PROCESS = "process"

_ASKED = b"show info;show stat\n"
_MOST_ROWS = 10_000
_LARGEST_BYTES = 4 * 1024 * 1024
"""Of as many rows."""

_COLUMNS: Mapping[str, Figure] = {
    "stot": Figure("stot", "sessions", Nature.COUNT),
    "req_tot": Figure("req_tot", "requests", Nature.COUNT),
    "lbtot": Figure("lbtot", "times it was chosen by the balancing", Nature.COUNT),
    "bin": Figure("bin_bytes", "bytes of requests, by its own measure", Nature.COUNT),
    "bout": Figure("bout_bytes", "bytes of responses, by its own measure, before compression", Nature.COUNT),
    "h1_bytes_in": Figure("h1_bytes_in", "bytes received over HTTP/1", Nature.COUNT),
    "h1_bytes_out": Figure("h1_bytes_out", "bytes sent over HTTP/1", Nature.COUNT),
    "qcur": Figure("qcur", "in the queue now", Nature.LEVEL),
    "qmax": Figure("qmax", "in the queue at most", Nature.PEAK),
    "qtime": Figure("qtime_ms", "ms mean wait in the queue, last 1,024 requests", Nature.MEAN),
    "ctime": Figure("ctime_ms", "ms mean time to connect to the server, last 1,024 requests", Nature.MEAN),
    "rtime": Figure("rtime_ms", "ms mean wait for the server's response, last 1,024 requests", Nature.MEAN),
    "ttime": Figure("ttime_ms", "ms mean total time, last 1,024 requests", Nature.MEAN),
    "qtime_max": Figure("qtime_max_ms", "ms longest wait in the queue", Nature.PEAK),
    "ctime_max": Figure("ctime_max_ms", "ms longest time to connect to the server", Nature.PEAK),
    "rtime_max": Figure("rtime_max_ms", "ms longest wait for the server's response", Nature.PEAK),
    "ttime_max": Figure("ttime_max_ms", "ms longest total time", Nature.PEAK),
    "connect": Figure("connect", "connections begun to the server", Nature.COUNT),
    "reuse": Figure("reuse", "times a connection to the server was used again", Nature.COUNT),
    "econ": Figure("econ", "requests that found no connection to the server", Nature.COUNT),
    "eresp": Figure("eresp", "responses that failed", Nature.COUNT),
    "wretr": Figure("wretr", "connections to the server tried again", Nature.COUNT),
    "wredis": Figure("wredis", "requests sent to another server", Nature.COUNT),
    "hrsp_1xx": Figure("hrsp_1xx", "responses with status 1xx", Nature.COUNT),
    "hrsp_2xx": Figure("hrsp_2xx", "responses with status 2xx", Nature.COUNT),
    "hrsp_3xx": Figure("hrsp_3xx", "responses with status 3xx", Nature.COUNT),
    "hrsp_4xx": Figure("hrsp_4xx", "responses with status 4xx", Nature.COUNT),
    "hrsp_5xx": Figure("hrsp_5xx", "responses with status 5xx", Nature.COUNT),
    "comp_in": Figure("comp_in_bytes", "bytes given to the compressor", Nature.COUNT),
    "comp_out": Figure("comp_out_bytes", "bytes that the compressor made of them", Nature.COUNT),
    "comp_byp": Figure("comp_byp_bytes", "bytes that passed the compressor by, for its limits", Nature.COUNT),
    "comp_rsp": Figure("comp_rsp", "responses that were compressed", Nature.COUNT),
}
"""The figures by the column they stand in."""

_IDLE = Figure("idle_pct", "% of its time that HAProxy waits for something to do, now", Nature.LEVEL)

FIGURES: Sequence[Figure] = (*_COLUMNS.values(), _IDLE)

_REASONS: Mapping[int, str] = {
    errno.ENOENT: "there is no such socket; in HAProxy's section global: stats socket PATH",
    errno.EACCES: "permission denied; in HAProxy's section global: stats socket PATH user NAME mode 600",
    errno.ECONNREFUSED: "nobody listens on it any more",
    errno.EAGAIN: "too many wait for it already",
}
"""Why a dial failed, by errno, where there is more to say than the system says."""

_IDLE_LINE = re.compile(r"^Idle_pct: ([0-9]{1,3})$", re.MULTILINE)
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_FRONTEND, _BACKEND, _SERVER = "0", "1", "2"
_SIDES = {_FRONTEND: "FRONTEND", _BACKEND: "BACKEND"}


def read(at: str, limit_s: float) -> list[Counters]:
    """The rows that the stats socket of this path tells. InvalidRun, with why, where it tells none."""
    shown = f"the counters of HAProxy at '{clean(at)}' cannot be read"
    if "\0" in at or "\n" in at or "\r" in at:
        raise InvalidRun(f"{shown}: no path of a socket holds a NUL or the end of a line")
    try:
        return parsed(_answer(at, limit_s))
    except OSError as error:
        raise InvalidRun(f"{shown}: {_why(error, at, limit_s)}") from None
    except ValueError as error:
        raise InvalidRun(f"{shown}: {clean(str(error))}") from None


def parsed(answer: bytes) -> list[Counters]:
    """The rows in an answer to `show info;show stat`, in its order. ValueError, in words, for what is none."""
    text = answer.decode("utf-8", "backslashreplace")
    if not text:
        raise ValueError("it says nothing")
    info, _, table = text.partition("\n\n")
    if not table.startswith("# "):
        raise ValueError(f"it is no stats socket of HAProxy: it says '{clean(text.strip(), 60)}'")
    if not table.endswith("\n\n"):
        raise ValueError("its answer is cut off")
    idle = _IDLE_LINE.search(info)
    process = [Counters(KIND, PROCESS, {_IDLE.name: float(idle[1])})] if idle else []
    return [*process, *_rows(table.removeprefix("# ").rstrip("\n").split("\n"))]


def _rows(lines: Sequence[str]) -> Iterator[Counters]:
    found = [fields for fields in _records(lines) if fields["type"] in (*_SIDES, _SERVER)]
    fronts = {fields["pxname"] for fields in found if fields["type"] == _FRONTEND}
    backs = {fields["pxname"] for fields in found if fields["type"] == _BACKEND}
    doubled = fronts & backs | {PROCESS}
    seen: set[str] = set()
    for fields in found:
        name, last = fields["pxname"], _SIDES.get(fields["type"], fields["svname"])
        of = clean(f"{name}/{last}" if fields["type"] == _SERVER or name in doubled else name)
        if of in seen:
            raise ValueError(f"it tells of '{of}' twice")
        seen.add(of)
        yield Counters(
            KIND,
            of,
            {
                figure.name: _number(fields[column], column, of)
                for column, figure in _COLUMNS.items()
                if fields.get(column)
            },
        )


def _records(lines: Sequence[str]) -> Iterator[dict[str, str]]:
    """The lines of the table by the names in its first one."""
    try:
        header, *records = csv.reader(lines)
    except csv.Error as error:
        raise ValueError(f"its table cannot be read: {clean(str(error))}") from None
    for name in ("pxname", "svname", "type"):
        if name not in header:
            raise ValueError(f"its table has no column '{name}'")
    if len(records) > _MOST_ROWS:
        raise ValueError(f"its table has {len(records)} rows; {_MOST_ROWS} are read at most")
    for fields in records:
        if len(fields) != len(header):
            raise ValueError(f"its table has {len(header)} columns and a row of {len(fields)}")
        yield dict(zip(header, fields, strict=True))


def _number(text: str, column: str, of: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"its column '{column}' says '{clean(text, 40)}' of '{of}', which is no number")
    return float(text)


def _answer(path: str, limit_s: float) -> bytes:
    with Wire(socket.AF_UNIX, time.monotonic() + limit_s, _LARGEST_BYTES) as wire:
        wire.connect(path)
        wire.sendall(_ASKED)
        with wire.makefile("rb") as file:
            return file.read()


def _why(error: OSError, path: str, limit_s: float) -> str:
    if error.errno == errno.ECONNREFUSED and Path(path).exists() and not Path(path).is_socket():
        return "it is no socket"
    return _REASONS.get(error.errno or 0) or reason(error, limit_s)
