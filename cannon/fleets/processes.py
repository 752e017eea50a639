"""One worker process a shard, started with `python -m cannon.engine`, spoken to over pipes.

The process that draws never fires. A worker ends when its standard input does, so none outlives its parent,
however that ended. A worker that dies costs what it had not told yet: at most its last second.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from cannon.engine.messages import Inbox, write_message
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["Processes"]

_PIPE_BYTES = 1 << 20
_END_WITHIN_S = 5.0


class Processes:
    """A context manager around the workers of one run.

    `fire()` yields (index of the shard, Tally); with a Tally of None that shard has ended. `lost` holds the
    indexes of those that ended without having said so.
    """

    def __init__(self, shards: tuple[Shard, ...]) -> None:
        self._shards = shards
        self._workers: list[subprocess.Popen[bytes]] = []
        self.lost: set[int] = set()

    def __enter__(self) -> Self:
        for _ in self._shards:
            worker = subprocess.Popen(
                [sys.executable, "-m", "cannon.engine"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            self._workers.append(worker)
            assert worker.stdout is not None
            # A parent that is held up for a moment must not hold up its workers: room for a few seconds of Tallies.
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                fcntl.fcntl(worker.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        for worker, shard in zip(self._workers, self._shards, strict=True):
            assert worker.stdin is not None
            write_message(worker.stdin.fileno(), shard.to_bytes())
        return self

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' process ids, by shard."""
        return tuple(worker.pid for worker in self._workers)

    def fire(self, control: int | None = None) -> Iterator[tuple[int, Tally | None]]:
        """Every Tally of every worker, as they come.

        `control`: a descriptor; each byte that comes on it stops: the first ends the sending in every worker, the
        second ends them at once.
        """
        selector = selectors.DefaultSelector()
        inboxes = [Inbox() for _ in self._workers]
        for index, worker in enumerate(self._workers):
            assert worker.stdout is not None
            selector.register(worker.stdout.fileno(), selectors.EVENT_READ, index)
        if control is not None:
            selector.register(control, selectors.EVENT_READ, None)
        running = set(range(len(self._workers)))
        stops = 0
        while running:
            for key, _ in selector.select():
                if key.data is None:
                    stops += len(os.read(key.fd, 16))
                    self._stop(at_once=stops > 1)
                    continue
                data = os.read(key.fd, 1 << 18)
                if not data:
                    selector.unregister(key.fd)
                    running.discard(key.data)
                    if self._workers[key.data].wait(_END_WITHIN_S) != 0:
                        self.lost.add(key.data)
                    yield key.data, None
                for message in inboxes[key.data].feed(data):
                    yield key.data, Tally.from_bytes(message)
        selector.close()

    def _stop(self, *, at_once: bool) -> None:
        for worker in self._workers:
            assert worker.stdin is not None
            if at_once and not worker.stdin.closed:
                worker.stdin.close()
            elif not worker.stdin.closed:
                try:
                    os.write(worker.stdin.fileno(), b".")
                except BrokenPipeError:
                    worker.stdin.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is left behind: closing its standard input ends a worker, and what does not end is killed."""
        for worker in self._workers:
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None and not pipe.closed:
                    pipe.close()
        for worker in self._workers:
            try:
                worker.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
