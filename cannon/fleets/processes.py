"""One worker process a shard, started with `python -m cannon.engine`, spoken to over pipes.

The process that draws never fires. A worker ends when its standard input does, so none outlives its parent,
however that ended. A worker that dies costs what it had not told yet: at most its last second.
"""

from __future__ import annotations

import fcntl
import math
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import cannon
from cannon.engine.messages import Inbox, write_message
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["Processes"]

_PIPE_BYTES = 1 << 20
_END_WITHIN_S = 2.0
_SLACK_S = 15.0
"""What a worker is granted beyond its plan before it counts as hung: start-up, and a machine that is busy."""


class Processes:
    """A context manager around the workers of one run.

    `fire()` yields (index of the shard, Tally); with a Tally of None that shard has ended. `lost` holds the
    indexes of those that ended without having said so.
    """

    def __init__(self, shards: tuple[Shard, ...]) -> None:
        self._shards = shards
        self._workers: list[subprocess.Popen[bytes]] = []
        self.lost: set[int] = set()
        self._stops = 0
        self._until_s = math.inf

    def __enter__(self) -> Self:
        try:
            for shard in self._shards:
                self._start(shard)
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, shard: Shard) -> None:
        # -P: what lies in the current folder is none of a worker's modules.
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "cannon.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=_worker_environment(),
        )
        self._workers.append(worker)
        assert worker.stdin is not None
        assert worker.stdout is not None
        # A parent that is held up for a moment must not hold up its workers: room for a few seconds of Tallies,
        # where the system grants it.
        with suppress(OSError, AttributeError):
            fcntl.fcntl(worker.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        # A worker that is gone already is told by the end of its output.
        with suppress(BrokenPipeError):
            write_message(worker.stdin.fileno(), shard.to_bytes())

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' process ids, by shard."""
        return tuple(worker.pid for worker in self._workers)

    def fire(self, control: int | None = None) -> Iterator[tuple[int, Tally | None]]:
        """Every Tally of every worker, as they come.

        `control`: a descriptor; each byte that comes on it stops: the first ends the sending in every worker, the
        second ends them at once. A worker that does not end when it should is killed, and lost.
        """
        selector = selectors.DefaultSelector()
        inboxes = [Inbox() for _ in self._workers]
        for index, worker in enumerate(self._workers):
            assert worker.stdout is not None
            selector.register(worker.stdout.fileno(), selectors.EVENT_READ, index)
        if control is not None:
            selector.register(control, selectors.EVENT_READ, None)
        running = set(range(len(self._workers)))
        self._until_s = time.monotonic() + self._longest_s()
        while running:
            ready = selector.select(max(0.0, min(self._until_s - time.monotonic(), 3600.0)))
            if not ready and time.monotonic() >= self._until_s:
                self._kill(running)
            for key, _ in ready:
                if key.data is None:
                    self._stop(len(os.read(key.fd, 16)))
                    continue
                data = os.read(key.fd, 1 << 18)
                for message in inboxes[key.data].feed(data):
                    yield key.data, Tally.from_bytes(message)
                if not data:
                    selector.unregister(key.fd)
                    running.discard(key.data)
                    if not self._ended_well(key.data):
                        self.lost.add(key.data)
                    yield key.data, None
        selector.close()

    def _longest_s(self) -> float:
        """How long a run of this plan can take, with room for a slow machine; without end for an amount."""
        plan = self._shards[0].plan
        if plan.stop.amount is not None:
            return math.inf
        return (plan.stop.duration_ns + plan.drain_limit_ns) / 1e9 + _SLACK_S

    def _ended_well(self, index: int) -> bool:
        try:
            return self._workers[index].wait(_END_WITHIN_S) == 0
        except subprocess.TimeoutExpired:
            return False

    def _stop(self, count: int) -> None:
        """Somebody has stopped the run, so often."""
        self._stops += count
        at_once = self._stops > 1
        grace_s = _END_WITHIN_S if at_once else self._shards[0].plan.drain_limit_ns / 1e9 + _SLACK_S
        self._until_s = min(self._until_s, time.monotonic() + grace_s)
        for worker in self._workers:
            assert worker.stdin is not None
            if worker.stdin.closed:
                continue
            if at_once:
                worker.stdin.close()
                continue
            try:
                os.write(worker.stdin.fileno(), b".")
            except BrokenPipeError:
                worker.stdin.close()

    def _kill(self, running: set[int]) -> None:
        """Their time is over; the end of their output follows, and tells that they are lost."""
        for index in running:
            self._workers[index].kill()
        self._until_s = math.inf

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is left behind."""
        self._end()

    def _end(self) -> None:
        """Closing its standard input ends a worker, and what does not end is killed."""
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


def _worker_environment() -> dict[str, str]:
    """The environment of a worker: this package must be found where it is not installed."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(cannon.__file__)))
    if os.path.basename(root) in ("site-packages", "dist-packages"):
        return dict(os.environ)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
