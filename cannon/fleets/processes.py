"""One worker process a shard, started with `python -m cannon.engine`, spoken to over pipes.

The process that draws never fires. All workers begin at one word, when each of them is ready. A worker ends when its
standard input does, so none outlives its parent, however that ended. A worker that dies costs what it had not told
yet: at most its last second.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import cannon
from cannon.engine.messages import GO, READY, STOP, Inbox, write_message
from cannon.errors import InvalidRun
from cannon.fleets.patience import END_WITHIN_S, Patience
from cannon.shard import Shard
from cannon.tally import Tally

__all__ = ["Processes"]

_PIPE_BYTES = 1 << 20
_LONGEST_WAIT_S = 3600.0


class Processes:
    """A context manager around the workers of one run.

    `fire()` yields (index of the shard, Tally); with a Tally of None that shard has ended. `lost` holds the
    indexes of those that ended without having said so, with how they ended. `began_ns`: when all were told to begin
    (monotonic clock); None until then.
    """

    def __init__(self, shards: tuple[Shard, ...]) -> None:
        self._shards = shards
        self._workers: list[subprocess.Popen[bytes]] = []
        self.lost: dict[int, str] = {}
        self.began_ns: int | None = None
        self._running: set[int] = set()
        self._starting: set[int] = set()
        self._hung: set[int] = set()
        self._stops = 0
        self._patience = Patience(shards[0].plan, time.monotonic())

    def __enter__(self) -> Self:
        try:
            for shard in self._shards:
                self._start(shard.index)
            # Not before all are under way: a shard with a large body is taken only when its worker has loaded.
            for shard in self._shards:
                self._hand_over(shard)
        except OSError as error:
            self._end()
            raise InvalidRun(
                f"worker {len(self._workers)} cannot be started: {error.strerror or error}; use fewer, e.g. -w 1"
            ) from None
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, index: int) -> None:
        # -P: what lies in the current folder is none of a worker's modules.
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "cannon.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=_worker_environment(),
        )
        self._workers.append(worker)
        self._running.add(index)
        self._starting.add(index)
        assert worker.stdout is not None
        # A parent that is held up for a moment must not hold up its workers: room for a few seconds of Tallies,
        # where the system grants it.
        with suppress(OSError, AttributeError):
            fcntl.fcntl(worker.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def _hand_over(self, shard: Shard) -> None:
        pipe = self._workers[shard.index].stdin
        assert pipe is not None
        # A worker that is gone already is told by the end of its output.
        with suppress(BrokenPipeError):
            write_message(pipe.fileno(), shard.to_bytes())

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' process ids, by shard."""
        return tuple(worker.pid for worker in self._workers)

    def fire(self, control: int | None = None) -> Iterator[tuple[int, Tally | None]]:
        """Every Tally of every worker, as they come.

        `control`: a descriptor; each byte that comes on it stops: the first ends the sending in every worker, the
        second ends them at once. Workers that say nothing where they should are killed, and lost.
        """
        inboxes = [Inbox() for _ in self._workers]
        self._patience.heard(time.monotonic())
        with selectors.DefaultSelector() as selector:
            for index, worker in enumerate(self._workers):
                assert worker.stdout is not None
                selector.register(worker.stdout.fileno(), selectors.EVENT_READ, index)
            if control is not None:
                selector.register(control, selectors.EVENT_READ, None)
            while self._running:
                wait_s = self._patience.until_s - time.monotonic()
                ready = selector.select(max(0.0, min(wait_s, _LONGEST_WAIT_S)))
                if not ready and self._patience.is_over(time.monotonic()):
                    self._kill_the_silent()
                for key, _ in ready:
                    index = key.data
                    if index is None:
                        self._stop(len(os.read(key.fd, 16)))
                        continue
                    data = os.read(key.fd, 1 << 18)
                    self._patience.heard(time.monotonic())
                    for message in inboxes[index].feed(data):
                        if message == READY:
                            self._no_longer_starting(index)
                        else:
                            yield index, Tally.from_bytes(message)
                    if not data:
                        selector.unregister(key.fd)
                        self._ended(index)
                        yield index, None

    def _no_longer_starting(self, index: int) -> None:
        """A worker is ready, or gone. With the last of them all that are left begin."""
        self._starting.discard(index)
        if self._starting or self._stops or self.began_ns is not None:
            return
        self.began_ns = time.monotonic_ns()
        self._patience.began(time.monotonic())
        for each in self._running:
            self._say(each, GO)

    def _ended(self, index: int) -> None:
        how = _loss(self._workers[index])
        if how is not None:
            self.lost[index] = "hung, and was killed" if index in self._hung else how
        self._running.discard(index)
        self._no_longer_starting(index)

    def _stop(self, count: int) -> None:
        """Somebody has stopped the run, so often. One that has not begun ends at once."""
        self._stops += count
        at_once = self._stops > 1
        self._patience.stopped(time.monotonic(), at_once=at_once)
        for index in self._running:
            if at_once or self.began_ns is None:
                self._close(index)
            else:
                self._say(index, STOP)

    def _say(self, index: int, word: bytes) -> None:
        """To a worker; one that is gone is told by the end of its output."""
        pipe = self._workers[index].stdin
        assert pipe is not None
        if not pipe.closed:
            with suppress(BrokenPipeError):
                os.write(pipe.fileno(), word)

    def _close(self, index: int) -> None:
        pipe = self._workers[index].stdin
        assert pipe is not None
        pipe.close()

    def _kill_the_silent(self) -> None:
        """The end of their output follows, and tells that they are lost."""
        silent = self._starting or self._running
        for index in silent:
            self._workers[index].kill()
        self._hung |= silent

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
                worker.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def _loss(worker: subprocess.Popen[bytes]) -> str | None:
    """How a worker ended whose output has; None if well."""
    try:
        code = worker.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        return "did not end"
    if code >= 0:
        return f"ended with exit code {code}" if code else None
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _worker_environment() -> dict[str, str]:
    """The environment of a worker: this package must be found where it is not installed."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(cannon.__file__)))
    if os.path.basename(root) in ("site-packages", "dist-packages"):
        return dict(os.environ)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
