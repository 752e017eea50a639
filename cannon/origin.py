"""The bundled origin: a small server to fire at, and to start where a demo or a test needs one.

Law: this module reads, waits and writes; what is answered is decided in answers.py. `python -m cannon.origin --port 0`
serves, and the last word of its first line is its URL.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import FrameType
from typing import IO, TypedDict

from cannon.answers import LARGEST_BODY_BYTES, Reply, Request, answer
from cannon.errors import InvalidRun, UsageError
from cannon.text import clean

__all__ = ["application", "serve", "started"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 4000

# Longer than any pause of a paced client that is expected to find its connection still there.
_KEEP_ALIVE_S = 75
_HIGHEST_PORT = 65535
_PIPE_BYTES = 4096
_GRACE_S = 1
_STARTUP_S = 10.0
_SHUTDOWN_S = 5.0
_STOPS = (signal.SIGINT, signal.SIGTERM)


class _Scope(TypedDict):
    """What is used of ASGI's scope."""

    method: str
    path: str
    query_string: bytes
    headers: list[tuple[bytes, bytes]]


_Message = dict[str, object]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


async def application(scope: _Scope, receive: _Receive, send: _Send) -> None:
    """Answer one request: the origin as an ASGI application."""
    body = await _read_body(receive)
    if body is None:
        return
    request = Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(scope["headers"]),
        body=body,
    )
    reply = answer(request)
    if reply.delay_s:
        await asyncio.sleep(reply.delay_s)
    headers = list(reply.headers)
    if reply.has_body:
        headers.append((b"content-length", b"%d" % reply.length_bytes))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if request.method != "HEAD":
        await _send_body(reply, send)
    await send({"type": "http.response.body"})


async def _read_body(receive: _Receive) -> bytes | None:
    """Return the body, cut one byte over what is answered; None when the client has gone."""
    body = bytearray()
    while True:
        message = await receive()
        piece = message.get("body", b"")
        if message["type"] != "http.request" or not isinstance(piece, bytes):
            return None
        body += piece[: LARGEST_BODY_BYTES + 1 - len(body)]
        if not message.get("more_body", False):
            return bytes(body)


async def _send_body(reply: Reply, send: _Send) -> None:
    for piece in reply.pieces():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        # A client that reads as fast as this writes must not keep the others waiting.
        await asyncio.sleep(0)


def serve(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    ready: Callable[[int], None] | None = None,
    *,
    leashed: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM. Port 0 takes a free one; `ready` is told the port once connections are accepted.

    Leashed, it also stops when standard input closes. UsageError where the address cannot be had. In a thread other
    than the main one signals are left alone, and it serves until the process ends.
    """
    import uvicorn

    listener = _listener(host, port)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if ready is not None:
                ready(listener.getsockname()[1])

    server = Server(
        uvicorn.Config(
            application,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )

    def stop(_signal: int | None = None, _frame: FrameType | None = None) -> None:
        server.should_exit = True

    def stop_at_end_of_input() -> None:
        # Not through sys.stdin: its lock, held here, would keep the interpreter from ending for a second.
        while os.read(0, _PIPE_BYTES):
            pass
        stop()

    if leashed:
        threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    with _on_signals(stop), listener:
        server.run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    # getaddrinfo takes a larger number modulo 65536.
    if not 0 <= port <= _HIGHEST_PORT:
        raise UsageError(f"{port} is no port; write 0 to {_HIGHEST_PORT}, as in --port 4000")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except (OSError, ValueError) as error:
        # A ValueError is what the resolver makes of a name that cannot be one.
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(
            f"cannot listen on {clean(host, 80)} port {port}: {clean(reason)}; --port 0 takes a free port"
        ) from error
    return listener


@contextlib.contextmanager
def _on_signals(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `stop` for the signals that end a server.

    uvicorn raises a signal again after its shutdown: for this handler that is nothing, for the default one the end of
    the process by that signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, stop)) for number in _STOPS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextlib.contextmanager
def started(host: str = DEFAULT_HOST) -> Iterator[str]:
    """Run the origin in a process of its own; yield its URL, such as `http://127.0.0.1:43211`.

    The process ends with the block, and with this process should that be killed. InvalidRun where it does not come up
    within ten seconds.
    """
    with (
        tempfile.TemporaryFile() as complaints,
        # Unbuffered: a reader of our own must not hold back what select is to tell of.
        subprocess.Popen(
            _command(host), bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
        ) as process,
    ):
        try:
            yield _announced_url(process, complaints)
        finally:
            _end(process)


def _command(host: str) -> Sequence[str]:
    return [sys.executable, "-m", "cannon.origin", "--host", host, "--port", "0", "--leashed"]


def _announced_url(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> str:
    line = _first_line(process, time.monotonic() + _STARTUP_S)
    if line.endswith(b"\n"):
        return line.split()[-1].decode()
    process.kill()
    process.wait()
    complaints.seek(0)
    last_words = complaints.read().strip().splitlines()[-1:] or [b"it said nothing"]
    raise InvalidRun(f"the origin did not come up within {_STARTUP_S:g} s: {clean(last_words[0])}")


def _first_line(process: subprocess.Popen[bytes], deadline_s: float) -> bytes:
    """Return what the process wrote up to its first line's end, its own end, or the deadline (monotonic clock)."""
    stdout = process.stdout
    if stdout is None:
        return b""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n") and selector.select(max(deadline_s - time.monotonic(), 0)):
            byte = stdout.read(1)
            if not byte:
                break
            line += byte
    return line


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SHUTDOWN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as a program; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m cannon.origin", description="The bundled origin server.")
    parser.add_argument("--host", default=DEFAULT_HOST)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free port")
    parser.add_argument("--leashed", action="store_true", help="stop when standard input closes")
    options = parser.parse_args(arguments)
    name = f"[{options.host}]" if ":" in options.host else options.host
    try:
        serve(
            options.host,
            options.port,
            lambda port: print(f"listening on http://{name}:{port}", flush=True),
            leashed=options.leashed,
        )
    except UsageError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
