"""Scenarios for the tests: files that are written on the spot, and servers that start at once.

`a_table()` is a scenario of one tiny server, as its file has it; `written(folder, a_table(kind="run"))` is that file.
Nothing of theirs is looked for by name: whoever was given a mark in its environment belongs to who began it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.firing import start_cli

__all__ = [
    "LIMIT_S",
    "SERVER",
    "Begun",
    "a_service",
    "a_table",
    "begun",
    "python",
    "toml",
    "until",
    "written",
]

LIMIT_S = 40.0
"""Whoever waits for longer waits in vain."""

_MARK = "CANNON_TESTS_MARK"

SERVER = """
import os, selectors, socket, sys
ready, ports = selectors.DefaultSelector(), [int(word) for word in sys.argv[1:]] or [int(os.environ["PORT"])]
for port in ports:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(64)
    ready.register(listening, selectors.EVENT_READ, True)
body = b'{"pid": %d}' % os.getpid()
answer = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)
while True:
    for key, _ in ready.select():
        if key.data:
            ready.register(key.fileobj.accept()[0], selectors.EVENT_READ)
            continue
        try:
            came = key.fileobj.recv(65536)
            key.fileobj.sendall(answer * came.count(b"\\r\\n\\r\\n"))
        except OSError:
            came = b""
        if not came:
            ready.unregister(key.fileobj)
            key.fileobj.close()
"""
"""Answers on the ports that are its words, else on PORT, each request with its pid."""


def python(script: str, *words: str) -> list[str]:
    """A command that runs a script."""
    return [sys.executable, "-S", "-c", script, *words]


def a_service(name: str = "web", **changes: Any) -> dict[str, Any]:
    """A tiny server on a port of its name."""
    return {"name": name, "command": python(SERVER, f"{{port.{name}}}"), "ports": [name]} | changes


def a_table(**changes: Any) -> dict[str, Any]:
    """A comparison of a server with itself; with kind="run" a run. None leaves a key out."""
    is_run = changes.get("kind") == "run"
    sides = [{"url": "http://127.0.0.1:{port.web}/"}, {"url": "http://127.0.0.1:{port.web}/"}]
    table: dict[str, Any] = {
        "question": "What does it cost?",
        "kind": "compare",
        "finding": "{rps} and {p50}." if is_run else "It takes {b.p50.added} at {rate}.",
        "load": {"connections": 1, "duration": "0.1s"} | ({} if is_run else {"overallRate": 50, "rounds": 1}),
        "service": [a_service()],
        "side": sides[:1] if is_run else [{"name": "a", **sides[0]}, {"name": "b", **sides[1]}],
    }
    return {key: value for key, value in (table | changes).items() if value is not None}


def toml(table: Mapping[str, Any]) -> str:
    """A table as a file has it. What is JSON's is TOML's too, but for tables."""
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() else json.dumps(key)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def written(folder: Path, table: Mapping[str, Any] | None = None, name: str = "tried.toml") -> Path:
    """The file of a scenario."""
    path = folder / name
    path.write_text(toml(a_table() if table is None else table), "utf-8")
    return path


def until(condition: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
    """Whether it becomes true in time."""
    end_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.005)
    return True


class Begun:
    """`cannon scenario` that was begun. `folder`: where it makes folders, and nobody else."""

    def __init__(self, process: subprocess.Popen[str], mark: str, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self._mark = mark

    def comes_to(self, condition: Callable[[], bool]) -> bool:
        """Whether it becomes true before this has ended."""
        until(lambda: condition() or self.process.poll() is not None)
        return condition()

    def ended(self, limit_s: float = LIMIT_S) -> subprocess.CompletedProcess[str]:
        """What it said and how it ended, once it has."""
        out, err = self.process.communicate(timeout=limit_s)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)

    @property
    def processes(self) -> list[int]:
        """All that belong to it and still run, by their ids: whoever was given its environment."""
        found = []
        for each in psutil.process_iter():
            try:
                if each.status() != psutil.STATUS_ZOMBIE and each.environ().get(_MARK) == self._mark:
                    found.append(each.pid)
            except psutil.Error:
                continue  # of another user, or gone meanwhile
        return found

    @property
    def left(self) -> list[str]:
        """The folders that it has left."""
        return sorted(os.listdir(self.folder))


@contextmanager
def begun(folder: Path, *arguments: str) -> Iterator[Begun]:
    """`cannon scenario` with these arguments, begun; it is killed if it still runs at the end. It makes its folders in
    one of this folder.
    """
    mark, own = uuid.uuid4().hex, folder / "folders"
    own.mkdir(exist_ok=True)
    environment = {_MARK: mark, "TMPDIR": os.fspath(own)}
    # Whoever runs the tests in the background has it ignored, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = start_cli("scenario", *arguments, environment=environment)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield Begun(process, mark, own)
        finally:
            process.kill()
