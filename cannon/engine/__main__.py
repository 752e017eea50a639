"""The worker: a Shard on standard input, Tallies on standard output, each as its length and its bytes.

It says when it is ready and waits for the word to begin, so that all workers of a run begin together, however long
each took to start. From then on standard input is the control: a byte ends the sending, its end (a parent that
died, too) ends the run. Signals of the terminal are the parent's to handle. Whatever goes wrong is one line on standard
error, and an exit code that tells the parent that this worker is lost.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress

from cannon.defects import keep, traceback_of, what_of
from cannon.engine import fire
from cannon.engine.messages import GO, READY, read_message, write_message
from cannon.errors import CannonError
from cannon.shard import Shard
from cannon.text import clean, redact_text

STDIN, STDOUT, STDERR = 0, 1, 2
_LONGEST_LINE = 500


def main() -> int:
    """Fire the shard of standard input; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    who = "a worker"
    try:
        message = read_message(STDIN)
        if message is None:
            return 0
        shard = Shard.from_bytes(message)
        who = f"worker {shard.index}"
        return _fire(shard)
    except CannonError as error:
        _say(f"{who}: {clean(redact_text(error.message), _LONGEST_LINE)}")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort: a user never sees a bare traceback
        told = traceback_of(error)
        path = keep(told)
        kept = "" if path is None else f"; the traceback is in {path}"
        _say(f"{who}: internal error, please report it: {what_of(error)}{kept}")
        return CannonError.exit_code


def _fire(shard: Shard) -> int:
    # This loads the engine; nothing is dialled, and no clock runs, before the first Tally is asked for.
    tallies = fire(shard, control=STDIN)
    # What was imported lives as long as the worker, and the hot path makes no cycles: the collector need not look
    # at the one again, nor often for the other.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
    try:
        write_message(STDOUT, READY)
        if os.read(STDIN, len(GO)) != GO:
            return 0
        for tally in tallies:
            write_message(STDOUT, tally.to_bytes())
    except BrokenPipeError:
        os.close(STDOUT)
    return 0


def _say(text: str) -> None:
    """One line for the user; a standard error that is gone is no reason to fail in another way."""
    with suppress(OSError):
        os.write(STDERR, f"cannon: {text}\n".encode("utf-8", "backslashreplace"))


if __name__ == "__main__":
    sys.exit(main())
