"""The worker: a Shard on standard input, Tallies on standard output, each as its length and its bytes.

It says when it is ready and waits for the word to begin, so that all workers of a run begin together, however long
each took to start. From then on standard input is the control: a byte ends the sending, its end (a parent that
died, too) ends the run. Signals of the terminal are the parent's to handle.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from cannon.engine import fire
from cannon.engine.messages import GO, READY, read_message, write_message
from cannon.shard import Shard

STDIN, STDOUT = 0, 1


def main() -> int:
    """Fire the shard of standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    message = read_message(STDIN)
    if message is None:
        return 0
    # This loads the engine; nothing is dialled, and no clock runs, before the first Tally is asked for.
    tallies = fire(Shard.from_bytes(message), control=STDIN)
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


if __name__ == "__main__":
    sys.exit(main())
